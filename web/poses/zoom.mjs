// The part of a pose's canvas that the editor shows: zoomed with the wheel, two fingers or keys, and moved.

/** @import { Point } from "./figure.mjs" */
/** @typedef {{ x: number, y: number, width: number, height: number }} View in pixels of the canvas */
/** @typedef {{ x: number, y: number }} Place in CSS pixels of the window */

const MOST = 10; // times larger
const WHEEL = 0.0015; // of the logarithm of the scale, for a pixel of the wheel
const WHEEL_LINE = 16; // pixels of a line, in browsers whose wheels count lines
const EDGE = 0.08; // of the view, in which a point is not well visible

export class Zoom {
  /**
   * @param {object} options
   * @param {View} options.home what is shown at first, and at most
   * @param {(view: View) => void} options.onChange
   */
  constructor({ home, onChange }) {
    this.home = home;
    this.view = home;
    this.onChange = onChange;
    /** @type {Map<number, Place>} */
    this.fingers = new Map();
  }

  get isZoomed() {
    return this.view.width < this.home.width;
  }

  /**
   * Take the wheel and fingers of an element.
   * @param {SVGElement} svg
   * @param {() => void} onPinch called when a second finger comes: what the first one has begun is taken back
   */
  listen(svg, onPinch) {
    this.svg = /** @type {SVGSVGElement} */ (svg);
    svg.addEventListener("wheel", (event) => this.#handleWheel(/** @type {WheelEvent} */ (event)), { passive: false });
    svg.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "touch") return;
      if (event.isPrimary) this.fingers.clear();
      this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (this.fingers.size === 2) onPinch();
    });
    svg.addEventListener("pointermove", (event) => this.#handleFinger(event));
    for (const name of /** @type {const} */ (["pointerup", "pointercancel"]))
      svg.addEventListener(name, (event) => this.fingers.delete(event.pointerId));
  }

  /** Leads from a place in the window to a point of the canvas; null while it is not shown. */
  get matrix() {
    return this.svg?.getScreenCTM()?.inverse() ?? null;
  }

  fit() {
    this.#set(this.home);
  }

  /**
   * @param {number} factor
   * @param {Point} point stays where it is
   */
  zoom(factor, [x, y] = middleOf(this.view)) {
    const { home, view } = this;
    const width = Math.min(home.width, Math.max(home.width / MOST, view.width / factor));
    const scale = width / view.width;
    this.#set({ x: x - (x - view.x) * scale, y: y - (y - view.y) * scale, width, height: view.height * scale });
  }

  /**
   * @param {number} right pixels of the canvas that its content moves
   * @param {number} down
   */
  pan(right, down) {
    const { view } = this;
    this.#set({ ...view, x: view.x - right, y: view.y - down });
  }

  /**
   * Move the view so that a point is well visible.
   * @param {Point} point
   */
  reveal([x, y]) {
    const { view } = this;
    if (!this.isZoomed) return;
    this.pan(
      -beyond(x, view.x + view.width * EDGE, view.x + view.width * (1 - EDGE)),
      -beyond(y, view.y + view.height * EDGE, view.y + view.height * (1 - EDGE)),
    );
  }

  /** @param {View} view */
  #set({ x, y, width, height }) {
    const { home } = this;
    const left = Math.min(Math.max(x, home.x), home.x + home.width - width);
    const top = Math.min(Math.max(y, home.y), home.y + home.height - height);
    this.view = width < home.width ? { x: left, y: top, width, height } : home;
    this.onChange(this.view);
  }

  /** @param {WheelEvent} event */
  #handleWheel(event) {
    const { matrix } = this;
    if (!matrix) return;
    event.preventDefault(); // with Ctrl, the browser would zoom the page
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? WHEEL_LINE : 1);
    this.zoom(Math.exp(-pixels * WHEEL), pointAt({ x: event.clientX, y: event.clientY }, matrix));
  }

  /** @param {PointerEvent} event */
  #handleFinger(event) {
    if (!this.fingers.has(event.pointerId)) return;
    const before = [...this.fingers.values()];
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const after = [...this.fingers.values()];
    const { matrix } = this;
    if (after.length !== 2 || !matrix) return;
    const [from, to] = [middleBetween(before), middleBetween(after)];
    this.pan((to.x - from.x) * matrix.a, (to.y - from.y) * matrix.d);
    const now = this.matrix;
    if (now) this.zoom(spread(after) / Math.max(1, spread(before)), pointAt(to, now));
  }
}

/**
 * @param {Place} place
 * @param {DOMMatrix} matrix
 * @returns {Point}
 */
export function pointAt(place, matrix) {
  const { x, y } = new DOMPoint(place.x, place.y).matrixTransform(matrix);
  return [x, y];
}

/**
 * @param {View} view
 * @returns {Point}
 */
function middleOf({ x, y, width, height }) {
  return [x + width / 2, y + height / 2];
}

/** @param {Place[]} fingers */
function middleBetween([first, second]) {
  return { x: (first.x + second.x) / 2, y: (first.y + second.y) / 2 };
}

/** @param {Place[]} fingers */
function spread([first, second]) {
  return Math.hypot(first.x - second.x, first.y - second.y);
}

/**
 * How far a number lies outside of a range; negative below it.
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function beyond(value, least, most) {
  return Math.max(0, value - most) + Math.min(0, value - least);
}
