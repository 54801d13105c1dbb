// The media types that the API stores.

/** @import { FileKind } from "./types.d.ts" */

const PICTURES = ["image/png", "image/jpeg", "image/webp"];
const POSE_DATA = "application/json"; // a pose may also be OpenPose JSON

/** @param {FileKind} kind */
export const acceptedTypes = (kind) => (kind === "pose" ? [...PICTURES, POSE_DATA] : PICTURES);
