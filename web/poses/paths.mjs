// What the pose editor draws of a figure, as SVG paths. Pure, like figure.mjs.
import { LIMBS, boundsOf, visible } from "./figure.mjs";

/** @import { Figure, PartName, Points } from "./figure.mjs" */

const MARGIN = 0.06; // around the canvas, of its longer side
const FINGERS = [1, 5, 9, 13, 17]; // their first points
const FINGER = 4; // points

/**
 * What the stage shows: the canvas, and a figure that reaches out of it, with a margin.
 * @param {Figure} figure
 */
export function viewOf(figure) {
  const { width, height } = figure;
  const box = boundsOf(figure) ?? { left: 0, top: 0, right: width, bottom: height };
  const margin = MARGIN * Math.max(width, height);
  const left = Math.max(Math.min(0, box.left), -width) - margin;
  const top = Math.max(Math.min(0, box.top), -height) - margin;
  const right = Math.min(Math.max(width, box.right), 2 * width) + margin;
  const bottom = Math.min(Math.max(height, box.bottom), 2 * height) + margin;
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
