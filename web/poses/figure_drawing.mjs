// The drawing of a figure in the pose editor: limbs, hands, face, the other people and the handles.
import { makeSvg } from "../panel/skeletons.mjs";
import { LIMBS, PART_NAMES, handlePoint, shownPoints } from "./figure.mjs";
import { limbsPath, partPath } from "./paths.mjs";

/** @import { Translate } from "../shared/types.d.ts" */
/** @import { Figure, Handle } from "./figure.mjs" */

const HUE_STEP = 20; // degrees, as in OpenPose's drawings
const HEAD = new Set([0, 14, 15, 16, 17]); // joints that lie close to one another

export class FigureDrawing {
  /**
   * @param {object} options
   * @param {Figure} options.figure the other people of it stay as they are
   * @param {Map<Handle, string>} options.labels of all handles
   * @param {Translate} options.t
   * @param {(handle: Handle) => void} options.onFocus called when a handle gets the keyboard focus
   */
  constructor({ figure, labels, t, onFocus }) {
    this.labels = labels;
    this.t = t;
    this.limbs = LIMBS.map((_, at) => makeSvg("line", { stroke: hue(at), "stroke-linecap": "round" }));
    this.parts = new Map(PART_NAMES.map((name) => [name, makeSvg("path", { class: "avatarforge-pose-part" })]));
    this.others = makeSvg("path", {
      class: "avatarforge-pose-others",
      d: figure.others.map(({ body }) => limbsPath(body)).join(""),
    });
    this.handles = new Map([...labels.keys()].map((handle) => [handle, makeHandle(handle, () => onFocus(handle))]));
  }

  /** From the back to the front. */
  get elements() {
    return [this.others, ...this.limbs, ...this.parts.values(), ...this.handles.values()];
  }

  /**
   * Keep lines and handles as thick as they are, however far the view is zoomed in.
   * @param {number} size of what is shown, in pixels of the canvas
   */
  setSize(size) {
    for (const line of this.limbs) line.setAttribute("stroke-width", String(size / 90));
    for (const [name, path] of this.parts) path.setAttribute("stroke-width", String(size / (name === "face" ? 220 : 200)));
    this.others.setAttribute("stroke-width", String(size / 120));
    for (const [handle, circle] of this.handles)
      circle.setAttribute("r", String(size / (typeof handle === "number" && HEAD.has(handle) ? 100 : 75)));
  }

  /**
   * @param {Figure} figure
   * @param {Handle} selected
   */
  draw(figure, selected) {
    for (const [at, [from, to]] of LIMBS.entries()) {
      const [start, end] = [figure.body[from], figure.body[to]];
      setShown(this.limbs[at], start !== null && end !== null);
      if (start && end) setAttributes(this.limbs[at], { x1: start[0], y1: start[1], x2: end[0], y2: end[1] });
    }
    for (const [name, path] of this.parts) path.setAttribute("d", partPath(shownPoints(figure, name), name));
    for (const [handle, circle] of this.handles) {
      const point = handlePoint(figure, handle);
      setShown(circle, point !== null);
      if (!point) continue;
      const [x, y] = point.map(Math.round);
      setAttributes(circle, {
        cx: point[0],
        cy: point[1],
        tabindex: handle === selected ? 0 : -1,
        "aria-label": this.t("pose_at", { name: this.labels.get(handle) ?? "", x, y }),
      });
      circle.classList.toggle("avatarforge-selected", handle === selected);
    }
  }
}

/**
 * @param {Handle} handle
 * @param {() => void} onFocus
 */
function makeHandle(handle, onFocus) {
  const fill = typeof handle === "number" ? hue(handle) : "transparent";
  const circle = makeSvg("circle", { class: "avatarforge-pose-handle", fill, role: "button" });
  circle.dataset.handle = String(handle);
  circle.addEventListener("focus", onFocus);
  return circle;
}

/** @param {number} at */
function hue(at) {
  return `hsl(${at * HUE_STEP} 85% 50%)`;
}

/**
 * @param {SVGElement} element
 * @param {boolean} shown
 */
export function setShown(element, shown) {
  if (shown) element.removeAttribute("display");
  else element.setAttribute("display", "none");
}

/**
 * @param {SVGElement} element
 * @param {Record<string, string | number>} attributes
 */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}
