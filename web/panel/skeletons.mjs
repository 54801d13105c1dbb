// The skeletons of GET /poses as small drawings.

/** @import { Skeleton } from "../shared/types.d.ts" */

const SVG = "http://www.w3.org/2000/svg";
const BONE = 34; // in the skeleton's own pixels
// Hues of OpenPose's drawings, 20 degrees apart: red to violet along the joints.
const HUE_STEP = 20;

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {Element[]} children
 */
export function makeSvg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * An <svg>, hidden from screen readers because it has a label next to it.
 * @param {Skeleton} skeleton
 * @param {boolean} pale whether it represents any pose
 */
export function drawSkeleton({ width, height, joints, bones }, pale = false) {
  const lines = bones.flatMap(([from, to]) => {
    const [start, end] = [joints[from], joints[to]];
    return start && end ? [[start, end]] : [];
  });
  return makeSvg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", focusable: "false" },
    ...lines.map(([start, end], index) =>
      makeSvg("line", {
        x1: start[0],
        y1: start[1],
        x2: end[0],
        y2: end[1],
        stroke: pale ? "currentColor" : `hsl(${index * HUE_STEP} 75% 50%)`,
        "stroke-opacity": pale ? 0.35 : 1,
        "stroke-width": BONE,
        "stroke-linecap": "round",
      }),
    ),
  );
}
