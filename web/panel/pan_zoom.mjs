// Zooming and panning of one picture, or of several pictures in step, with mouse, touch and keys.

/** @typedef {{ stage: HTMLElement, layers: { element: HTMLElement, width: number, height: number }[] }} Pane */

const MOST_ZOOM = 16;
const STEP = 1.25;
const PAN_STEP = 60; // pixels, of a key
const SWIPE = 50; // pixels
const WHEEL = 0.0015; // of the logarithm of the scale, for a pixel of the wheel
const WHEEL_LINE = 16; // pixels of a line, in browsers whose wheels count lines
const COARSE = 3; // device pixels of a pixel of the picture, from which on its pixels are shown as squares

/**
 * The state is common to all panes: the scale, and where the middle of the picture lies relative to the middle of its
 * stage. The picture fits into the stage until something is zoomed.
 */
export class PanZoom {
  /**
   * @param {object} options
   * @param {() => void} options.changed
   * @param {(step: 1 | -1) => void} options.swiped
   */
  constructor({ changed, swiped }) {
    this.changed = changed;
    this.swiped = swiped;
    /** @type {Pane[]} */
    this.panes = [];
    /** @type {Map<number, { x: number, y: number }>} */
    this.pointers = new Map();
    this.swipeStart = { x: 0, y: 0 };
    this.size = { width: 1, height: 1 };
    this.fits = true;
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.observer = new ResizeObserver(() => this.#update());
  }

  /**
   * Take input on this stage.
   * @param {HTMLElement} stage
   */
  listen(stage) {
    this.observer.observe(stage);
    stage.addEventListener("wheel", (event) => this.#handleWheel(event, stage), { passive: false });
    stage.addEventListener("dblclick", (event) => this.#toggle(event, stage));
    stage.addEventListener("pointerdown", (event) => this.#handleDown(event, stage));
    stage.addEventListener("pointermove", (event) => this.#handleMove(event, stage));
    for (const name of /** @type {const} */ (["pointerup", "pointercancel"]))
      stage.addEventListener(name, (event) => this.#handleUp(event));
  }

  /**
   * Show pictures. Each is scaled so that its longer side has the place of the largest one.
   * @param {Pane[]} panes
   * @param {boolean} keep whether scale and place stay, such as when only one of two pictures is exchanged
   */
  show(panes, keep = false) {
    const sizes = panes.flatMap(({ layers }) => layers);
    this.panes = panes;
    this.size = {
      width: Math.max(1, ...sizes.map(({ width }) => width)),
      height: Math.max(1, ...sizes.map(({ height }) => height)),
    };
    if (keep) this.#update();
    else this.fit();
  }

  fit() {
    this.fits = true;
    this.#update();
  }

  /** One pixel of the picture on one pixel of the screen. */
  actualSize() {
    this.#zoomTo(1 / devicePixelRatio, 0, 0);
  }

  /** @param {1 | -1} direction */
  zoom(direction) {
    this.#zoomTo(this.scale * STEP ** direction, 0, 0);
  }

  /**
   * Move the window by a key.
   * @param {number} right
   * @param {number} down
   */
  pan(right, down) {
    this.x -= right * PAN_STEP;
    this.y -= down * PAN_STEP;
    this.#update();
  }

  /** In per cent of the picture's own pixels on this screen. */
  get percent() {
    return Math.round(this.scale * devicePixelRatio * 100);
  }

  /** The scale at which the picture just fits. */
  get #fitScale() {
    const stage = this.panes.find(({ stage: one }) => one.clientWidth)?.stage;
    if (!stage) return 1;
    return Math.min(stage.clientWidth / this.size.width, stage.clientHeight / this.size.height);
  }

  /**
   * Zoom and keep the point under the pointer where it is.
   * @param {number} scale
   * @param {number} x of the point, relative to the middle of the stage
   * @param {number} y
   */
  #zoomTo(scale, x, y) {
    const fit = this.#fitScale;
    const least = Math.min(fit, 1 / devicePixelRatio);
    const most = Math.max(fit, MOST_ZOOM / devicePixelRatio);
    const next = Math.min(most, Math.max(least, scale));
    this.x = x - ((x - this.x) * next) / this.scale;
    this.y = y - ((y - this.y) * next) / this.scale;
    this.scale = next;
    this.fits = false;
    this.#update();
  }

  #update() {
    const stage = this.panes.find(({ stage: one }) => one.clientWidth)?.stage;
    if (!stage) return;
    if (this.fits) [this.scale, this.x, this.y] = [this.#fitScale, 0, 0];
    // Never moved out of sight: an edge of the picture goes to that of the stage at most.
    const { width, height } = this.size;
    const mostX = Math.max(0, (width * this.scale - stage.clientWidth) / 2);
    const mostY = Math.max(0, (height * this.scale - stage.clientHeight) / 2);
    this.x = Math.min(mostX, Math.max(-mostX, this.x));
    this.y = Math.min(mostY, Math.max(-mostY, this.y));
    for (const layer of this.panes.flatMap(({ layers }) => layers)) this.#place(layer);
    for (const { stage: one } of this.panes) one.classList.toggle("avatarforge-movable", mostX > 0 || mostY > 0);
    this.changed();
  }

  /** @param {Pane["layers"][number]} layer */
  #place({ element, width, height }) {
    const own = this.scale * Math.min(this.size.width / width, this.size.height / height);
    element.style.width = `${width}px`;
    element.style.height = `${height}px`;
    element.style.transform = `translate(-50%, -50%) translate(${this.x}px, ${this.y}px) scale(${own})`;
    element.classList.toggle("avatarforge-coarse", own * devicePixelRatio >= COARSE);
  }

  /**
   * @param {MouseEvent} event
   * @param {HTMLElement} stage
   */
  #fromMiddle({ clientX, clientY }, stage) {
    const { left, top, width, height } = stage.getBoundingClientRect();
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
  }

  /**
   * @param {WheelEvent} event
   * @param {HTMLElement} stage
   */
  #handleWheel(event, stage) {
    event.preventDefault();
    const { x, y } = this.#fromMiddle(event, stage);
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * WHEEL_LINE;
    this.#zoomTo(this.scale * Math.exp(-pixels * WHEEL), x, y);
  }

  /**
   * @param {MouseEvent} event
   * @param {HTMLElement} stage
   */
  #toggle(event, stage) {
    const { x, y } = this.#fromMiddle(event, stage);
    if (this.fits) this.#zoomTo(1 / devicePixelRatio, x, y);
    else this.fit();
  }

  /**
   * @param {PointerEvent} event
   * @param {HTMLElement} stage
   */
  #handleDown(event, stage) {
    if (event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.#fromMiddle(event, stage));
    this.swipeStart = { x: event.clientX, y: event.clientY };
  }

  /**
   * @param {PointerEvent} event
   * @param {HTMLElement} stage
   */
  #handleMove(event, stage) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.#fromMiddle(event, stage);
    this.pointers.set(event.pointerId, now);
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (!other) {
      if (this.fits) return;
      this.x += now.x - before.x;
      this.y += now.y - before.y;
      this.#update();
      return;
    }
    // Two fingers: the picture follows the point between them, and the distance between them is the scale.
    this.swipeStart = { x: NaN, y: NaN };
    const distance = (/** @type {typeof now} */ { x, y }) => Math.hypot(x - other.x, y - other.y);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    this.x += (now.x - before.x) / 2;
    this.y += (now.y - before.y) / 2;
    this.#zoomTo((this.scale * distance(now)) / Math.max(1, distance(before)), middle.x, middle.y);
  }

  /** @param {PointerEvent} event */
  #handleUp(event) {
    if (!this.pointers.delete(event.pointerId) || event.type === "pointercancel") return;
    const [right, down] = [event.clientX - this.swipeStart.x, event.clientY - this.swipeStart.y];
    const swipe = this.fits && event.pointerType !== "mouse" && Math.abs(right) > Math.max(SWIPE, 2 * Math.abs(down));
    if (swipe) this.swiped(right < 0 ? 1 : -1);
  }
}
