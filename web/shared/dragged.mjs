// A finished picture that is being dragged: from gallery, details or viewer to a slot, a node or the canvas, also
// between two windows.

/** @import { DraggedPicture } from "./types.d.ts" */
/** @import { FilesClient } from "./files_client.mjs" */

const TYPE = "application/x-avatarforge-picture";
const LONGEST = 2000; // characters
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NAME = /^[\w.-]{1,200}$/;

/**
 * Start to drag a picture.
 * @param {DragEvent} event
 * @param {DraggedPicture} picture
 * @param {string} browserUrl for targets that are not ours, such as ComfyUI's own nodes; "" if it is not known
 */
export function setDragged({ dataTransfer }, picture, browserUrl) {
  if (!dataTransfer) return;
  dataTransfer.clearData(); // a browser adds the picture under its own types
  dataTransfer.effectAllowed = "copy";
  dataTransfer.setData(TYPE, JSON.stringify(picture));
  if (browserUrl) dataTransfer.setData("text/uri-list", new URL(browserUrl, document.baseURI).href);
}

/**
 * Whether one of our pictures is being dragged. What it is can be read only when it is dropped.
 * @param {DataTransfer | null} transfer
 */
export const isDragged = (transfer) => transfer !== null && transfer.types.includes(TYPE);

/**
 * The dropped picture; null if it is none of ours. Any page can write this type, so every field is checked.
 * @param {DataTransfer | null} transfer
 * @returns {DraggedPicture | null}
 */
export function getDragged(transfer) {
  const text = transfer?.getData(TYPE) ?? "";
  if (!text || text.length > LONGEST) return null;
  try {
    const { generation_id: id, number, filename } = JSON.parse(text);
    const valid = ID.test(id) && Number.isInteger(number) && number > 0 && number < 100_000 && NAME.test(filename);
    return valid ? { generation_id: id, number, filename } : null;
  } catch {
    return null;
  }
}

/**
 * The bytes of a finished picture, as a file that can be uploaded.
 * @param {FilesClient} client
 * @param {DraggedPicture} picture
 */
export async function downloadPicture(client, { generation_id: id, filename }) {
  const response = await client.request(`/outputs/${encodeURIComponent(id)}/${encodeURIComponent(filename)}`);
  const content = await response.blob();
  return new File([content], filename, { type: content.type });
}
