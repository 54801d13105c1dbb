// The canvas of the pose editor: its joints and hands are dragged with a pointer or moved with keys, and it is zoomed.
import { makeSvg } from "../panel/skeletons.mjs";
import { make } from "../shared/elements.mjs";
import { handlePoint, handlesOf, hideJoint, nearestHandle } from "./figure.mjs";
import { FigureDrawing, setShown } from "./figure_drawing.mjs";
import { handleLabels } from "./labels.mjs";
import { moveHandle } from "./moves.mjs";
import { squareOf, viewOf } from "./paths.mjs";
import { Zoom, pointAt } from "./zoom.mjs";

/** @import { Translate } from "../shared/types.d.ts" */
/** @import { Figure, Handle, Point } from "./figure.mjs" */
/** @import { History } from "./history.mjs" */
/** @import { View } from "./zoom.mjs" */

const REACH = { mouse: 14, touch: 28 }; // CSS pixels from the pointer to the middle of a handle
const [STEP, LARGE_STEP] = [1, 10]; // pixels of the canvas that an arrow key moves
const ZOOM_STEP = 1.4;

/** @type {Record<string, [x: number, y: number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** @type {Record<string, 1 | -1>} */
const ZOOMS = { "+": 1, "=": 1, "-": -1 };

export class PoseStage {
  /**
   * @param {object} options
   * @param {History<Figure>} options.history
   * @param {Translate} options.t
   * @param {() => void} options.onChange called when the figure or the selection has changed
   */
  constructor({ history, t, onChange }) {
    this.history = history;
    this.onChange = onChange;
    this.fixed = false; // whether limbs keep their lengths
    this.labels = handleLabels(t);
    /** @type {Handle} */
    this.selected = handlesOf(history.state)[0];
    this.drags = 0;
    this.gesture = new AbortController(); // of the pointer that drags something
    this.view = viewOf(history.state); // all that joints can be moved to
    this.zoom = new Zoom({ home: this.view, onChange: (view) => this.#show(view) });
    const onFocus = (/** @type {Handle} */ handle) => this.select(handle);
    this.drawing = new FigureDrawing({ figure: history.state, labels: this.labels, t, onFocus });
    // A picture of the canvas's shape covers just the canvas.
    const { x, y, side } = squareOf(history.state);
    this.picture = makeSvg("image", { x, y, width: side, height: side });
    const hintId = `avatarforge-${crypto.randomUUID?.() ?? Math.random()}`;
    const { width, height } = history.state;
    this.svg = makeSvg(
      "svg",
      {
        class: "avatarforge-pose-canvas",
        role: "application",
        "aria-label": t("pose_canvas"),
        "aria-describedby": hintId,
      },
      makeSvg("rect", { class: "avatarforge-pose-frame", x: 0, y: 0, width, height }),
      this.picture,
      ...this.drawing.elements,
    );
    this.hint = make("p", { id: hintId, className: "avatarforge-status", textContent: t("pose_keys") });
    this.zoom.listen(this.svg, () => this.#cancelDrag());
    this.svg.addEventListener("pointerdown", (event) => this.#startDrag(event));
    // The focus goes to the nearest joint, also from beside it, and not to what is under the pointer.
    this.svg.addEventListener("mousedown", (event) => event.preventDefault());
    this.svg.addEventListener("keydown", (event) => this.#handleKey(event));
    this.svg.addEventListener("keyup", () => history.endGroup());
    this.#show(this.view);
    this.draw();
  }

  /** Show the current figure. */
  draw() {
    const figure = this.history.state;
    if (!handlePoint(figure, this.selected)) this.selected = handlesOf(figure)[0];
    this.drawing.draw(figure, this.selected);
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
    this.reveal();
    this.onChange();
  }

  /** Move the keyboard focus to the selected joint or hand. */
  focus() {
    /** @type {SVGElement | undefined} */ (this.drawing.handles.get(this.selected))?.focus({ preventScroll: true });
  }

  /** Show the selected joint or hand, if the zoomed view does not. */
  reveal() {
    const point = handlePoint(this.history.state, this.selected);
    if (point) this.zoom.reveal(point);
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

  /** @param {1 | -1} direction */
  zoomStep(direction) {
    this.zoom.zoom(ZOOM_STEP ** direction, handlePoint(this.history.state, this.selected) ?? undefined);
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

  /** @param {View} view */
  #show({ x, y, width, height }) {
    this.svg.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
    this.svg.classList.toggle("avatarforge-zoomed", this.zoom.isZoomed);
    this.drawing.setSize(Math.max(width, height));
  }

  /** @param {PointerEvent} event */
  #startDrag(event) {
    const { matrix } = this.zoom;
    if (!event.isPrimary || event.button !== 0 || !matrix) return;
    const reach = (event.pointerType === "mouse" ? REACH.mouse : REACH.touch) * matrix.a;
    const start = pointAt(event, matrix);
    const figure = this.history.state;
    const handle = nearestHandle(figure, start, reach, this.selected);
    if (handle === null) {
      // Beside the figure, the view is moved.
      this.#follow(event, ([x, y]) => this.zoom.pan(x - start[0], y - start[1]));
      return;
    }
    this.select(handle);
    this.focus();
    const origin = /** @type {Point} */ (handlePoint(figure, handle));
    const group = `drag ${++this.drags}`;
    this.#follow(event, ([x, y]) => this.move([origin[0] + x - start[0], origin[1] + y - start[1]], group, figure));
  }

  /**
   * Follow the pointer until it is released.
   * @param {PointerEvent} event that pressed it
   * @param {(point: Point) => void} onMove
   */
  #follow({ pointerId }, onMove) {
    this.gesture.abort();
    this.gesture = new AbortController();
    const { signal } = this.gesture;
    this.svg.setPointerCapture(pointerId);
    const move = (/** @type {PointerEvent} */ moved) => {
      const { matrix } = this.zoom;
      if (moved.pointerId === pointerId && matrix) onMove(pointAt(moved, matrix));
    };
    const end = (/** @type {PointerEvent} */ ended) => {
      if (ended.pointerId !== pointerId) return;
      this.gesture.abort();
      this.history.endGroup();
    };
    this.svg.addEventListener("pointermove", move, { signal });
    for (const name of /** @type {const} */ (["pointerup", "pointercancel", "lostpointercapture"]))
      this.svg.addEventListener(name, end, { signal });
  }

  /** Take back what the current drag has moved. */
  #cancelDrag() {
    if (this.gesture.signal.aborted) return;
    this.gesture.abort();
    this.history.cancelGroup(`drag ${this.drags}`);
    this.draw();
    this.onChange();
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
      this.reveal();
    } else if (event.key in places) {
      this.select(handles[(places[event.key] + handles.length) % handles.length]);
      this.focus();
    } else if (event.key === "Delete" && typeof this.selected === "number") {
      this.change(hideJoint(figure, this.selected));
      this.focus();
    } else if (event.key in ZOOMS) this.zoomStep(ZOOMS[event.key]);
    else if (event.key === "0") this.zoom.fit();
    else return;
    event.preventDefault();
  }
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}
