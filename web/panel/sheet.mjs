// Lays pictures out in rows: one scale for all, one baseline for each row, as wide as the space allows.
import { make } from "../shared/elements.mjs";
import { chunks, columnsOf } from "./pictures.mjs";

/** @import { Dimensions } from "../shared/types.d.ts" */
/** @typedef {Dimensions & { element: HTMLElement }} Cell */

const GAP = 12; // pixels, as in generations.css

/**
 * A wide panel shows whole rows; in a narrow one each row breaks in two.
 * @param {Cell[]} cells
 * @returns {HTMLElement | null} null without pictures
 */
export function makeSheet(cells) {
  if (!cells.length) return null;
  const columns = columnsOf(cells.length);
  const half = columns <= 2 ? columns : Math.ceil(columns / 2);
  const rows = chunks(cells, columns);
  const halves = rows.flatMap((row) => chunks(row, half));
  const highest = Math.max(...cells.map(({ height }) => height));
  const sheet = make("div", { className: "avatarforge-pictures" });
  setNumbers(sheet, { ...measure(rows, ""), ...measure(halves, "half-"), height: highest });
  for (const { element, width } of cells) setNumbers(element, { width });
  sheet.append(
    ...rows.map((row) =>
      make(
        "div",
        { className: "avatarforge-sheet-row" },
        ...chunks(row, half).map((part) =>
          make("div", { className: "avatarforge-sheet-half" }, ...part.map(({ element }) => element)),
        ),
      ),
    ),
  );
  return sheet;
}

/**
 * The widest of these rows, in pixels of the pictures, and the gaps between the pictures of the longest one.
 * @param {Cell[][]} rows
 * @param {string} prefix
 */
function measure(rows, prefix) {
  return {
    [`${prefix}row`]: Math.max(...rows.map((row) => row.reduce((sum, { width }) => sum + width, 0))),
    [`${prefix}gaps`]: GAP * (Math.max(...rows.map((row) => row.length)) - 1),
  };
}

/**
 * @param {HTMLElement} element
 * @param {Record<string, number>} numbers
 */
function setNumbers(element, numbers) {
  const { style } = element;
  for (const [name, value] of Object.entries(numbers)) style.setProperty(`--avatarforge-${name}`, String(value));
}
