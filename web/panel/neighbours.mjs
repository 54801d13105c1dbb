// The generation beside another one, in the order of the gallery.

/** @import { Generation, GenerationPage } from "../shared/types.d.ts" */

/** Pages that are looked through for a generation with pictures. */
const MOST_PAGES = 3;

/**
 * @typedef {object} Order
 * @property {Generation[]} shown as the gallery shows them, newest first
 * @property {string | null} older the cursor of the page after them
 * @property {string | null | undefined} newer the cursor of the page before them: null for the first page, undefined if
 *   they are the first page
 * @property {(cursor: string | null) => Promise<GenerationPage>} load
 */

/**
 * The next generation with pictures; null at the end, or if the gallery does not show this one.
 * @param {Order} order
 * @param {string} id
 * @param {1 | -1} step 1 is older
 * @returns {Promise<Generation | null>}
 */
export async function findNeighbour({ shown, older, newer, load }, id, step) {
  const place = shown.findIndex((one) => one.generation_id === id);
  if (place < 0) return null;
  const rest = step > 0 ? shown.slice(place + 1) : shown.slice(0, place).reverse();
  const found = rest.find(hasPictures);
  if (found) return found;
  if (step < 0) {
    if (newer === undefined) return null;
    return (await load(newer)).generations.reverse().find(hasPictures) ?? null;
  }
  let cursor = older;
  for (let pages = 0; cursor && pages < MOST_PAGES; pages++) {
    const page = await load(cursor);
    const next = page.generations.find(hasPictures);
    if (next) return next;
    cursor = page.next_cursor;
  }
  return null;
}

/** @param {Generation} generation */
function hasPictures({ output_files: outputs }) {
  return outputs.length > 0;
}
