// The drawing of a figure in the pose editor, whose joints and hands are dragged with a pointer or moved with keys.
import { makeSvg } from "../panel/skeletons.mjs";
import { make } from "../shared/elements.mjs";
import { LIMBS, PART_NAMES, handlePoint, handlesOf, hideJoint, nearestHandle, shownPoints } from "./figure.mjs";
import { handleLabels } from "./labels.mjs";
import { moveHandle } from "./moves.mjs";
import { limbsPath, partPath, squareOf, viewOf } from "./paths.mjs";

/** @import { Translate } from "../shared/types.d.ts" */
/** @import { Figure, Handle, Point } from "./figure.mjs" */
/** @import { History } from "./history.mjs" */

const REACH = { mouse: 14, touch: 28 }; // CSS pixels from the pointer to the middle of a handle
const [STEP, LARGE_STEP] = [1, 10]; // pixels of the canvas that an arrow key moves
const HUE_STEP = 20; // degrees, as in OpenPose's drawings

/** @type {Record<string, [x: number, y: number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class PoseStage {
  /**
   * @param {object} options
   * @param {History<Figure>} options.history
   * @param {Translate} options.t
   * @param {() => void} options.onChange called when the figure or the selection has changed
   */
  constructor({ history, t, onChange }) {
    this.history = history;
    this.t = t;
    this.onChange = onChange;
    this.fixed = false; // whether limbs keep their lengths
    this.labels = handleLabels(t);
    /** @type {Handle} */
    this.selected = handlesOf(history.state)[0];
    this.drags = 0;
    const { width, height } = history.state;
    this.view = viewOf(history.state);
    const size = Math.max(this.view.width, this.view.height);
    // A picture of the canvas's shape covers just the canvas.
    const { x, y, side } = squareOf(history.state);
    this.picture = makeSvg("image", { x, y, width: side, height: side });
    this.limbs = LIMBS.map((_, at) => makeSvg("line", { stroke: hue(at), "stroke-width": size / 90, "stroke-linecap": "round" }));
    this.parts = new Map(
      PART_NAMES.map((name) => [
        name,
        makeSvg("path", { class: "avatarforge-pose-part", "stroke-width": size / (name === "face" ? 160 : 200) }),
      ]),
    );
    this.others = makeSvg("path", {
      class: "avatarforge-pose-others",
      "stroke-width": size / 120,
      d: history.state.others.map(({ body }) => limbsPath(body)).join(""),
    });
    this.handles = new Map([...this.labels.keys()].map((handle) => [handle, this.#makeHandle(handle, size)]));
    const hintId = `avatarforge-${crypto.randomUUID?.() ?? Math.random()}`;
    this.svg = makeSvg(
      "svg",
      {
        class: "avatarforge-pose-canvas",
        viewBox: `${this.view.x} ${this.view.y} ${this.view.width} ${this.view.height}`,
        role: "application",
        "aria-label": t("pose_canvas"),
        "aria-describedby": hintId,
      },
      makeSvg("rect", { class: "avatarforge-pose-frame", x: 0, y: 0, width, height }),
      this.picture,
      this.others,
      ...this.limbs,
      ...this.parts.values(),
      ...this.handles.values(),
    );
    this.hint = make("p", { id: hintId, className: "avatarforge-status", textContent: t("pose_keys") });
    this.svg.addEventListener("pointerdown", (event) => this.#startDrag(/** @type {PointerEvent} */ (event)));
    // The focus goes to the nearest joint, also from beside it, and not to what is under the pointer.
    this.svg.addEventListener("mousedown", (event) => event.preventDefault());
    this.svg.addEventListener("keydown", (event) => this.#handleKey(/** @type {KeyboardEvent} */ (event)));
    this.svg.addEventListener("keyup", () => history.endGroup());
    this.draw();
  }

  /**
   * @param {Handle} handle
   * @param {number} size of the view
   */
  #makeHandle(handle, size) {
    const isHand = typeof handle !== "number";
    const circle = makeSvg("circle", {
      class: "avatarforge-pose-handle",
      r: size / 75,
      fill: isHand ? "transparent" : hue(handle),
      "stroke-width": size / 300,
      role: "button",
    });
    circle.dataset.handle = String(handle);
    circle.addEventListener("focus", () => this.select(handle));
    return circle;
  }

  /** Show the current figure. */
  draw() {
    const { history, t } = this;
    const figure = history.state;
    if (!handlePoint(figure, this.selected)) this.selected = handlesOf(figure)[0];
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
      const selected = handle === this.selected;
      setAttributes(circle, {
        cx: point[0],
        cy: point[1],
        tabindex: selected ? 0 : -1,
        "aria-label": t("pose_at", { name: this.labels.get(handle) ?? "", x, y }),
      });
      circle.classList.toggle("avatarforge-selected", selected);
    }
  }

  /**
   * Select a joint or a hand, to move it with keys or by numbers.
   * @param {Handle} handle
   */
  select(handle) {
    if (handle === this.selected) return;
    this.selected = handle;
    this.history.endGroup();
    this.draw();
    this.onChange();
  }

  /** Move the keyboard focus to the selected joint or hand. */
  focus() {
    this.handles.get(this.selected)?.focus({ preventScroll: true });
  }

  /**
   * Move the selected joint or hand to a point, at most to the edge of the view.
   * @param {Point} target
   * @param {string | null} group see History
   * @param {Figure} from the figure that it is moved in
   */
  move([x, y], group = null, from = this.history.state) {
    const { view } = this;
    /** @type {Point} */
    const target = [clamp(x, view.x, view.x + view.width), clamp(y, view.y, view.y + view.height)];
    this.change(moveHandle(from, this.selected, target, this.fixed), group);
  }

  /**
   * Make another figure the current one.
   * @param {Figure} figure
   * @param {string | null} group see History
   */
  change(figure, group = null) {
    this.history.set(figure, group);
    this.draw();
    this.onChange();
  }

  /**
   * Show a picture behind the figure; "" for none.
   * @param {string} url
   * @param {number} opacity
   */
  setPicture(url, opacity) {
    setShown(this.picture, url !== "");
    if (url) this.picture.setAttribute("href", url);
    else this.picture.removeAttribute("href");
    this.picture.setAttribute("opacity", String(opacity));
  }

  /** @param {PointerEvent} event */
  #startDrag(event) {
    if (!event.isPrimary || event.button !== 0) return;
    const matrix = this.#matrix();
    if (!matrix) return;
    const reach = (event.pointerType === "mouse" ? REACH.mouse : REACH.touch) * matrix.a;
    const start = pointAt(event, matrix);
    const figure = this.history.state;
    const handle = nearestHandle(figure, start, reach, this.selected);
    if (handle === null) return;
    this.select(handle);
    this.focus();
    const origin = /** @type {Point} */ (handlePoint(figure, handle));
    const group = `drag ${++this.drags}`;
    const pointerId = event.pointerId;
    const listening = new AbortController();
    const follow = (/** @type {Event} */ moved) => {
      if (!(moved instanceof PointerEvent) || moved.pointerId !== pointerId) return;
      const [x, y] = pointAt(moved, matrix);
      this.move([origin[0] + x - start[0], origin[1] + y - start[1]], group, figure);
    };
    const end = (/** @type {Event} */ ended) => {
      if (!(ended instanceof PointerEvent) || ended.pointerId !== pointerId) return;
      listening.abort();
      this.history.endGroup();
    };
    this.svg.setPointerCapture(pointerId);
    this.svg.addEventListener("pointermove", follow, { signal: listening.signal });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"])
      this.svg.addEventListener(name, end, { signal: listening.signal });
  }

  /** @param {KeyboardEvent} event */
  #handleKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const figure = this.history.state;
    const handles = handlesOf(figure);
    const at = handles.indexOf(this.selected);
    const arrow = ARROWS[event.key];
    /** @type {Record<string, number>} */
    const places = { PageUp: at - 1, PageDown: at + 1, Home: 0, End: handles.length - 1 };
    if (arrow) {
      const step = event.shiftKey ? LARGE_STEP : STEP;
      const [x, y] = handlePoint(figure, this.selected) ?? [0, 0];
      this.move([x + arrow[0] * step, y + arrow[1] * step], "keys");
    } else if (event.key in places) {
      this.select(handles[(places[event.key] + handles.length) % handles.length]);
      this.focus();
    } else if (event.key === "Delete" && typeof this.selected === "number") {
      this.change(hideJoint(figure, this.selected));
      this.focus();
    } else return;
    event.preventDefault();
  }

  /** Leads from CSS pixels of the window to pixels of the canvas; null while it is not shown. */
  #matrix() {
    return /** @type {SVGSVGElement} */ (this.svg).getScreenCTM()?.inverse() ?? null;
  }
}

/**
 * @param {MouseEvent} event
 * @param {DOMMatrix} matrix
 * @returns {Point}
 */
function pointAt(event, matrix) {
  const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
  return [x, y];
}

/** @param {number} at */
function hue(at) {
  return `hsl(${at * HUE_STEP} 85% 50%)`;
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}

/**
 * @param {SVGElement} element
 * @param {boolean} shown
 */
function setShown(element, shown) {
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
