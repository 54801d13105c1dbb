// The dialog that lists the stored files.
import { chooseFromList } from "./list_dialog.mjs";

/** @import { FilesClient } from "./files_client.mjs" */
/** @import { StoredFile, Translate } from "./types.d.ts" */

const PAGE = 24;
const SIZE = 256; // pixels of a thumbnail; displayed at half the size, so that it is sharp on high-density screens

/**
 * Let the user choose a stored file.
 * @param {object} options
 * @param {FilesClient} options.client
 * @param {Translate} options.t
 * @param {string} options.title
 * @param {string} options.chosenId the currently chosen file, or ""
 * @param {(file: StoredFile) => boolean} options.accepts whether a file is offered at all
 * @returns {Promise<StoredFile | null>} null when the dialog was cancelled
 */
export function chooseFile({ client, t, title, chosenId, accepts }) {
  return chooseFromList({
    client,
    t,
    title,
    load: async (cursor) => {
      const { files, next_cursor: nextCursor, total } = await client.listFiles(PAGE, cursor);
      const offered = files.filter(accepts);
      const thumbnails = await client.thumbnailUrls(
        offered.map((file) => file.file_id),
        SIZE,
      );
      const tiles = offered.map((file, index) => ({
        item: file,
        name: file.filename,
        detail: `${file.dimensions.width} × ${file.dimensions.height}`,
        isChosen: file.file_id === chosenId,
        apply: (/** @type {(browserUrl: string) => void} */ use) => use(thumbnails[index]),
      }));
      return { tiles, count: files.length, total, nextCursor };
    },
  });
}
