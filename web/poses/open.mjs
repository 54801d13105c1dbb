// Opens the pose library and the pose editor. Loaded only when one of them is opened.
import { withKey } from "../shared/api_key.mjs";
import { ApiError } from "../shared/errors.mjs";
import { openEditor } from "./editor.mjs";
import { poseName } from "./labels.mjs";
import { openLibrary } from "./library.mjs";
import { readFigure } from "./openpose.mjs";
import { PosesClient } from "./poses_client.mjs";

/** @import { FilesClient } from "../shared/files_client.mjs" */
/** @import { LibraryPoseDocument, Translate } from "../shared/types.d.ts" */
/** @import { Choice } from "./library.mjs" */

/** The pose that a new one starts from. */
const STANDING = "standing";
const UNPROCESSABLE = 422; // as the server answers for a pose that it cannot read

/**
 * @typedef {object} Options
 * @property {FilesClient} client
 * @property {Translate} t
 * @property {string} picture the id of a stored picture to show behind the figure; "" for none
 */

/**
 * Let the user choose a pose of the library, or make one.
 * @param {Options & { chosen: string, mirrored: boolean }} options `chosen` is the id or name of the pose that is
 *   chosen now; "" for none
 * @returns {Promise<Choice | null>} null when nothing was chosen
 */
export function choosePose({ chosen, mirrored, ...options }) {
  return openLibrary({ ...options, chosen, mirrored, edit: (reference) => editPose(reference, options) });
}

/**
 * Let the user edit a pose of the library.
 * @param {string} reference its id or name; "" for a new one
 * @param {Options} options
 * @returns {Promise<LibraryPoseDocument | null>} what was saved
 */
export async function editPose(reference, options) {
  const { client, t } = options;
  const found = await withKey(client, t, () => new PosesClient(client).get(reference || STANDING));
  const figure = requireFigure(found.pose, t);
  const name = !reference ? "" : found.built_in ? `${poseName(found, t)} 2` : found.name;
  return openEditor({ ...options, figure, name });
}

/**
 * Let the user edit the pose in a stored file, or draw one over a stored picture.
 * @param {string} fileId
 * @param {Options} options
 * @returns {Promise<LibraryPoseDocument | null>} what was saved
 */
export async function editFile(fileId, options) {
  const { client, t } = options;
  const document = await withKey(client, t, () => new PosesClient(client).readFile(fileId));
  if (document === null) return editPose("", { ...options, picture: fileId });
  return openEditor({ ...options, figure: requireFigure(document, t), name: "" });
}

/**
 * @param {unknown} document
 * @param {Translate} t
 */
function requireFigure(document, t) {
  const figure = readFigure(document);
  if (!figure) throw new ApiError(UNPROCESSABLE, t("pose_not_editable"));
  return figure;
}
