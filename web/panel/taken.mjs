// What a slot stores of a finished picture: the picture for a reference, its keypoints, if known, for a pose.
import { downloadPicture } from "../shared/dragged.mjs";
import { poseOf } from "./picture_pose.mjs";
import { picturesOf } from "./pictures.mjs";

/** @import { DraggedPicture, FileKind } from "../shared/types.d.ts" */
/** @import { ApiClient } from "./client.mjs" */
/** @import { PoseSource } from "./picture_pose.mjs" */

/**
 * @param {ApiClient} client
 * @param {FileKind} kind of the slot
 * @param {DraggedPicture} dragged
 * @returns {Promise<PoseSource>}
 * @throws {ApiError}
 */
export async function takePicture(client, kind, dragged) {
  if (kind === "reference") return { file: await downloadPicture(client, dragged) };
  const generation = await client.getGeneration(dragged.generation_id);
  const picture = picturesOf(generation)[dragged.number - 1];
  return picture ? poseOf(picture, client) : { file: await downloadPicture(client, dragged) };
}
