// What the nodes that take a stored file do with poses of the library.
import { withKey } from "../shared/api_key.mjs";
import { choosePose, editFile, editPose } from "./open.mjs";
import { PosesClient } from "./poses_client.mjs";

/** @import { FilesClient } from "../shared/files_client.mjs" */
/** @import { Translate } from "../shared/types.d.ts" */

/**
 * @typedef {object} Options
 * @property {FilesClient} client
 * @property {Translate} t
 * @property {string} fileId the file that the node has now; "" for none
 */

/**
 * Let the user choose a pose of the library.
 * @param {Options} options
 * @returns {Promise<{ file_id: string, filename: string } | null>} a stored file with it
 */
export async function choosePoseFile({ client, t }) {
  const choice = await choosePose({ client, t, picture: "", chosen: "", mirrored: false });
  return choice && withKey(client, t, () => new PosesClient(client).storedFile(choice.pose, choice.mirrored));
}

/**
 * Let the user edit the pose of the node, or a new one.
 * @param {Options} options
 * @returns {Promise<{ file_id: string, filename: string } | null>} a stored file with what was saved
 */
export async function editPoseFile({ client, t, fileId }) {
  const options = { client, t, picture: "" };
  const saved = await (fileId ? editFile(fileId, options) : editPose("", options));
  return saved && withKey(client, t, () => new PosesClient(client).storedFile(saved, false));
}
