// The media types that the API stores, and how large a file may be.

/** @import { FileKind, UploadLimits } from "./types.d.ts" */

const PICTURES = ["image/png", "image/jpeg", "image/webp"];
const POSE_DATA = "application/json"; // a pose may also be OpenPose JSON

/** @param {FileKind} kind */
export const acceptedTypes = (kind) => (kind === "pose" ? [...PICTURES, POSE_DATA] : PICTURES);

/**
 * The bytes that a file may have.
 * @param {File} file
 * @param {FileKind} kind
 * @param {UploadLimits} limits
 */
export function byteLimit({ name, type }, kind, limits) {
  const isPose = kind === "pose" && (type === POSE_DATA || name.toLowerCase().endsWith(".json"));
  return isPose ? Math.min(limits.pose_json_bytes, limits.file_bytes) : limits.file_bytes;
}
