// What the pose editor draws of a figure, as SVG paths. Pure, like figure.mjs.
import { LIMBS, boundsOf, visible } from "./figure.mjs";

/** @import { Figure, PartName, Points } from "./figure.mjs" */

const MARGIN = 0.06; // around the square, of its side
const FINGERS = [1, 5, 9, 13, 17]; // their first points
const FINGER = 4; // points

/**
 * The square around the canvas, which leaves room for arms to be stretched out of a narrow one.
 * @param {Figure} figure
 */
export function squareOf({ width, height }) {
  const side = Math.max(width, height);
  return { x: (width - side) / 2, y: (height - side) / 2, side };
}

/**
 * What the stage shows: the square around the canvas, and a figure that reaches out of it, with a margin.
 * @param {Figure} figure
 */
export function viewOf(figure) {
  const { x, y, side } = squareOf(figure);
  const box = boundsOf(figure) ?? { left: x, top: y, right: x, bottom: y };
  const margin = MARGIN * side;
  const left = Math.max(Math.min(x, box.left), x - side) - margin;
  const top = Math.max(Math.min(y, box.top), y - side) - margin;
  const right = Math.min(Math.max(x + side, box.right), x + 2 * side) + margin;
  const bottom = Math.min(Math.max(y + side, box.bottom), y + 2 * side) + margin;
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/**
 * The fingers of a hand as lines, or the points of a face.
 * @param {Points} points none for a part that is not shown
 * @param {PartName} name
 */
export function partPath(points, name) {
  if (name === "face") return visible(points).map((point) => `M${point}h0.01`).join("");
  return FINGERS.map((first) => visible([...points.slice(0, 1), ...points.slice(first, first + FINGER)]))
    .map((line) => (line.length > 1 ? `M${line.join("L")}` : ""))
    .join("");
}

/**
 * The limbs of a body as lines.
 * @param {Points} body
 */
export function limbsPath(body) {
  return LIMBS.map(([from, to]) => {
    const [start, end] = [body[from], body[to]];
    return start && end ? `M${start}L${end}` : "";
  }).join("");
}
