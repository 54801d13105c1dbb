// The pose of a finished picture: its keypoints where they are known, else the picture itself.
import { downloadPicture } from "../shared/dragged.mjs";
import { DRAWN } from "./pictures.mjs";

/** @import { Skeleton } from "../shared/types.d.ts" */
/** @import { ApiClient } from "./client.mjs" */
/** @import { Picture } from "./pictures.mjs" */
/** @typedef {{ fileId: string } | { file: File }} PoseSource a stored file, or one to upload */

/**
 * @param {Picture} picture
 * @param {ApiClient} client
 * @returns {Promise<PoseSource>}
 * @throws {ApiError}
 */
export async function poseOf({ generation, output, number }, client) {
  const { inputs, parameters } = generation;
  const { pose_type: view } = output;
  const lines = inputs.filter(
    ({ pose_type: of, picture }) => of === view && (picture === null || picture === number),
  );
  const given = lines.find(({ role, file_id: fileId }) => role === "pose" && fileId);
  if (given?.file_id) return { fileId: given.file_id };
  if (parameters?.pose_id) {
    const { pose } = await client.getLibraryPose(parameters.pose_id, view, Boolean(parameters.pose_mirrored));
    return { file: poseFile(pose, view) };
  }
  const builtIn = lines.some(({ role }) => role === "view") || parameters?.model === DRAWN;
  const { poses } = view && builtIn ? await client.getPoses() : { poses: [] };
  const known = poses.find(({ name }) => name === view);
  if (known) return { file: poseFile(openPose(known.skeleton), view) };
  const { generation_id: id } = generation;
  return { file: await downloadPicture(client, { generation_id: id, number, filename: output.filename }) };
}

/**
 * OpenPose JSON of one person's body. A joint that is not there has the confidence 0.
 * @param {Skeleton} skeleton
 */
export function openPose({ width, height, joints }) {
  const keypoints = joints.flatMap((joint) => (joint ? [...joint, 1] : [0, 0, 0]));
  return { canvas_width: width, canvas_height: height, people: [{ pose_keypoints_2d: keypoints }] };
}

/**
 * @param {object} pose
 * @param {string | null} view
 */
function poseFile(pose, view) {
  return new File([JSON.stringify(pose)], `pose-${view ?? "free"}.json`, { type: "application/json" });
}
