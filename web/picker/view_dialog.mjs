// The dialog that lists the pictures of finished generations.
import { generationTitle } from "../panel/labels.mjs";
import { pictureName, picturesOf } from "../panel/pictures.mjs";
import { chooseFromList } from "../shared/list_dialog.mjs";

/** @import { ApiClient } from "../panel/client.mjs" */
/** @import { Picture } from "../panel/pictures.mjs" */
/** @import { Translate } from "../shared/types.d.ts" */

const PAGE = 12; // generations

/**
 * Let the user choose a picture.
 * @param {object} options
 * @param {ApiClient} options.client
 * @param {Translate} options.t
 * @param {string} options.chosenId of the generation whose picture is chosen now, or ""
 * @param {number} options.chosenNumber of that picture
 * @returns {Promise<Picture | null>} null when the dialog was cancelled
 */
export function chooseView({ client, t, chosenId, chosenNumber }) {
  return chooseFromList({
    client,
    t,
    title: t("choose_view"),
    load: async (cursor) => {
      const page = await client.listGenerations({ limit: PAGE, status: "completed", cursor });
      const tiles = page.generations.flatMap((generation) =>
        picturesOf(generation).map((picture) => ({
          item: picture,
          name: generationTitle(generation, t),
          detail: pictureName(picture, t),
          isChosen: generation.generation_id === chosenId && picture.number === chosenNumber,
          apply: (/** @type {(browserUrl: string) => void} */ use) => void client.applyUrl(picture.output.url, use),
        })),
      );
      return { tiles, count: page.generations.length, total: page.total, nextCursor: page.next_cursor };
    },
  });
}
