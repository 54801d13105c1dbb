// The finished pictures of a generation: their names, their URLs, and how several of them share a space.
import { setDragged } from "../shared/dragged.mjs";
import { hasEnded, viewName } from "./labels.mjs";

/** @import { ApiClient } from "./client.mjs" */
/** @import { Dimensions, Generation, OutputFile, Take, Translate } from "../shared/types.d.ts" */
/**
 * One picture: its generation, its file, and its number in the generation, from 1. `take` is only that of another
 * take than the current one.
 * @typedef {{ generation: Generation, output: OutputFile, number: number, take?: number }} Picture
 */
/** @typedef {{ left: number, bottom: number, width: number, height: number }} Place in per cent of the box */

/** What the API names in place of a model for pictures that were drawn without one. */
export const DRAWN = "Paper doll";
const MOST_IN_A_ROW = 5;

/** @param {Generation} generation */
export function picturesOf(generation) {
  return generation.output_files.map((output, index) => ({ generation, output, number: index + 1 }));
}

/**
 * A key that tells pictures apart. A re-rolled picture keeps its key.
 * @param {Picture} picture
 */
export const pictureKey = ({ generation, number, take }) =>
  [generation.generation_id, number, take].filter((part) => part !== undefined).join("/");

/**
 * The name of a picture in its generation: expression or view, with its number where several show the same, and that
 * of its take.
 * @param {Picture} picture
 * @param {Translate} t
 */
export function pictureName({ generation, output, number, take }, t) {
  const view = viewName(output.pose_type, t);
  const name = output.expression ?? (isAlone({ generation, output }) ? view : `${view} ${number}`);
  return take === undefined ? name : t("take_named", { number: take, view: name });
}

/**
 * The other takes of a picture, newest first.
 * @param {Picture} picture
 * @param {ApiClient} client
 * @returns {Promise<Picture[]>}
 * @throws {ApiError}
 */
export async function otherTakes({ generation, output, number }, client) {
  if (output.takes < 2) return [];
  const { takes } = await client.listTakes(generation.generation_id, number);
  const others = takes.filter(({ take }) => take !== output.take).reverse();
  return others.map((take) => pictureOfTake({ generation, output, number }, take));
}

/**
 * One take of a picture, as a picture of its own.
 * @param {Picture} picture
 * @param {Take} take
 * @returns {Picture}
 */
export function pictureOfTake({ generation, output, number }, { take, filename, url, dimensions, seed }) {
  return { generation, number, take, output: { ...output, take, filename, url, dimensions, seed } };
}

/**
 * Whether no other picture of the generation shows this view.
 * @param {Pick<Picture, "generation" | "output">} picture
 */
export function isAlone({ generation, output }) {
  return generation.output_files.filter(({ pose_type: view }) => view === output.pose_type).length === 1;
}

/** @param {Picture} picture */
export function canReroll({ generation, output }) {
  // A drawn face fits into its picture with the seed of that only.
  const keepsSeed = generation.inputs.some(({ role, model }) => role === "source" && model === DRAWN);
  return generation.kind !== "graph" && Boolean(output.pose_type || output.expression) && !keepsSeed;
}

/**
 * While one picture is made again, more can be asked for: they wait for their turn.
 * @param {Generation} generation
 */
export const canRerollNow = (generation) => hasEnded(generation) || generation.reroll_position !== null;

/**
 * Start to drag a picture to a slot, a node or the canvas.
 * @param {DragEvent} event
 * @param {Picture} picture
 * @param {HTMLImageElement} image shows it
 */
export function drag(event, { generation, output, number }, image) {
  const { generation_id: id } = generation;
  setDragged(event, { generation_id: id, number, filename: output.filename }, image.src);
  event.dataTransfer?.setDragImage(image, 0, 0);
}

/**
 * How many pictures stand in one row: those of a sheet in one, or in two rows of the same length.
 * @param {number} count
 */
export function columnsOf(count) {
  return count < MOST_IN_A_ROW ? count : Math.min(MOST_IN_A_ROW, Math.ceil(count / 2));
}

/**
 * Cut a list into pieces.
 * @template Item
 * @param {Item[]} items
 * @param {number} length
 * @returns {Item[][]}
 */
export function chunks(items, length) {
  const count = Math.ceil(items.length / length);
  return Array.from({ length: count }, (_, at) => items.slice(at * length, (at + 1) * length));
}

/**
 * Where pictures stand in a box, so that all have one scale, each row has one baseline, and nothing is cut off.
 * @param {Dimensions[]} pictures
 * @param {number} ratio width of the box divided by its height
 * @returns {Place[]}
 */
export function placeInBox(pictures, ratio) {
  if (!pictures.length) return [];
  const columns = Math.ceil(Math.sqrt(pictures.length));
  const rows = Math.ceil(pictures.length / columns);
  const [cellWidth, cellHeight] = [ratio / columns, 1 / rows];
  const widest = Math.max(...pictures.map(({ width }) => width));
  const highest = Math.max(...pictures.map(({ height }) => height));
  const scale = Math.min(cellWidth / widest, cellHeight / highest);
  const spare = cellHeight - highest * scale; // half of it goes below the baseline
  return pictures.map(({ width, height }, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const inRow = Math.min(columns, pictures.length - row * columns);
    const middle = ratio / 2 + (column + 0.5 - inRow / 2) * cellWidth;
    return {
      left: (100 * (middle - (width * scale) / 2)) / ratio,
      bottom: 100 * ((rows - 1 - row) * cellHeight + spare / 2),
      width: (100 * width * scale) / ratio,
      height: 100 * height * scale,
    };
  });
}
