// The skeletons of GET /poses as small drawings.

const SVG = "http://www.w3.org/2000/svg";
const BONE = 34; // in the skeleton's own pixels
// Hues of OpenPose's drawings, 20 degrees apart: red to violet along the joints.
const HUE_STEP = 20;

function draw(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** An <svg> of {width, height, joints, bones}; the label beside it says what it shows. A pale one is one of many. */
export function drawSkeleton({ width, height, joints, bones }, pale = false) {
  const lines = bones
    .filter(([from, to]) => joints[from] && joints[to])
    .map(([from, to], at) =>
      draw("line", {
        x1: joints[from][0],
        y1: joints[from][1],
        x2: joints[to][0],
        y2: joints[to][1],
        stroke: pale ? "currentColor" : `hsl(${at * HUE_STEP} 75% 50%)`,
        "stroke-opacity": pale ? 0.35 : 1,
        "stroke-width": BONE,
        "stroke-linecap": "round",
      }),
    );
  return draw("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", focusable: "false" }, ...lines);
}
