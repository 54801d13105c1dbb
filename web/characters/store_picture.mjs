// Pictures that the user drops, pastes or uploads, as stored files.
import { downloadPicture, getDragged, isDragged } from "../shared/dragged.mjs";
import { hasFiles } from "../shared/elements.mjs";
import { acceptedTypes } from "../shared/file_types.mjs";
import { PREFIX } from "../shared/files_client.mjs";
import { hashFile } from "../panel/hash.mjs";

/** @import { ApiClient } from "../panel/client.mjs" */

const LINKS = "text/uri-list"; // what a browser gives for a picture that is dragged from a page
export const PICTURE_TYPES = acceptedTypes("reference");

/**
 * Store a picture, and send its bytes only if the server does not have them. Returns its file_id.
 * @param {ApiClient} client
 * @param {File} file
 */
export async function storePicture(client, file) {
  const hash = await hashFile(file);
  const storedId = hash && (await client.findByHash(hash));
  return storedId || (await client.upload("reference", file)).file_id;
}

/**
 * Whether a drag may contain a picture: files, or a picture of this page.
 * @param {DataTransfer | null} transfer
 */
export const hasPictures = (transfer) =>
  hasFiles(transfer) || isDragged(transfer) || Boolean(transfer?.types.includes(LINKS));

/**
 * The pictures in a drop or paste. Reads it at once, because the browser empties it after the event.
 * @param {DataTransfer | null} transfer
 * @param {ApiClient} client
 * @returns {Promise<File[]>}
 */
export async function givenPictures(transfer, client) {
  if (!transfer) return [];
  const ours = getDragged(transfer);
  if (ours) return [await downloadPicture(client, ours)];
  const files = [...transfer.files];
  if (files.length) return files;
  const [link] = transfer.getData(LINKS).split(/\r?\n/);
  const base = new URL(client.api.apiURL(`${PREFIX}/`), location.href).href;
  // Only this server's own pictures: the page requests nothing from elsewhere.
  if (!link.startsWith(base)) return [];
  const blob = await (await client.request(link.slice(base.length - 1))).blob();
  if (!PICTURE_TYPES.includes(blob.type)) return [];
  return [new File([blob], new URL(link).pathname.split("/").at(-1) || "picture", { type: blob.type })];
}
