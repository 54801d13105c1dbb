// A scrollable grid of any number of items, of which only those in view are elements.
import { make } from "../shared/elements.mjs";

const GAP = 10; // pixels
const NARROWEST = 128; // pixels of a column
const TALLER = 1.5; // how much higher a picture is than wide
const TEXT = 52; // pixels below a picture
const OVERSCAN = 2; // rows above and below the view
/** Browsers allow no element that is much higher. */
const HIGHEST = 8_000_000;
/** Pixels of the view, before it is shown for the first time. */
const USUAL_VIEW = 700;
/** Rows that Page Up and Page Down leave in view. */
const OVERLAP = 1;

/**
 * @typedef {object} Options
 * @property {string} label
 * @property {(index: number) => HTMLLIElement} render the element of an item; the same one as long as it is the same item
 * @property {(first: number, last: number) => void} onRange the items from first up to and including last are in view
 */

export class VirtualGrid {
  /** @param {Options} options */
  constructor({ label, render, onRange }) {
    this.render = render;
    this.onRange = onRange;
    this.count = 0;
    this.columns = 1;
    this.columnWidth = NARROWEST;
    this.rowHeight = NARROWEST * TALLER + TEXT + GAP;
    /** Pixels above the view, if the list were as high as all its rows. */
    this.top = 0;
    this.lastScrollTop = 0;
    this.viewHeight = USUAL_VIEW;
    this.frame = 0;
    /** @type {Map<number, HTMLLIElement>} */
    this.shown = new Map();
    this.list = make("ul", { className: "avatarforge-gallery", "aria-label": label, role: "list" });
    this.element = make("div", { className: "avatarforge-scroller", tabIndex: -1 }, this.list);
    this.element.addEventListener("scroll", () => this.#handleScroll(), { passive: true });
    new ResizeObserver(() => this.#layOut()).observe(this.element);
  }

  /** The items in view: [first, last]. */
  get range() {
    const first = Math.floor(this.top / this.rowHeight) * this.columns;
    const rows = Math.ceil(this.viewHeight / this.rowHeight) + 1;
    return [first, Math.max(first, Math.min(this.count, first + rows * this.columns) - 1)];
  }

  /** @param {number} count */
  setCount(count) {
    this.count = count;
    this.#setHeight();
    this.refresh();
  }

  scrollToStart() {
    this.top = this.lastScrollTop = 0;
    this.element.scrollTop = 0;
  }

  /** Show the items as they are now. */
  refresh() {
    const wanted = this.#wanted();
    const staying = new Set(wanted.values());
    for (const element of this.shown.values()) if (!staying.has(element)) element.remove();
    let next = this.list.firstChild;
    for (const [index, element] of wanted) {
      if (element === next) next = element.nextSibling;
      else this.list.insertBefore(element, next);
      this.#place(element, index);
    }
    this.shown = wanted;
    this.onRange(...this.#overscanned());
  }

  /**
   * Scroll as little as needed so that an item is in view, and show it.
   * @param {number} index
   */
  reveal(index) {
    const row = Math.floor(index / this.columns);
    const above = row * this.rowHeight;
    const below = above + this.rowHeight - this.viewHeight;
    if (above < this.top) this.#scrollTo(above);
    else if (below > this.top) this.#scrollTo(below);
    this.refresh();
  }

  /**
   * The index that a key leads to from an item; null for other keys.
   * @param {string} key
   * @param {number} index
   */
  targetOf(key, index) {
    const page = Math.max(1, Math.floor(this.viewHeight / this.rowHeight) - OVERLAP) * this.columns;
    /** @type {Record<string, number>} */
    const targets = {
      ArrowLeft: index - 1,
      ArrowRight: index + 1,
      ArrowUp: index - this.columns,
      ArrowDown: index + this.columns,
      PageUp: Math.max(index % this.columns, index - page),
      PageDown: Math.min(this.count - 1, index + page),
      Home: 0,
      End: this.count - 1,
    };
    if (!(key in targets)) return null;
    return targets[key] >= 0 && targets[key] < this.count ? targets[key] : index;
  }

  /** @returns {Map<number, HTMLLIElement>} by index, in their order */
  #wanted() {
    const [first, last] = this.#overscanned();
    const indexes = [];
    for (let index = first; index <= last && index < this.count; index++) indexes.push(index);
    // The one with the focus stays, or the focus would be lost.
    for (const [index, element] of this.shown) {
      const isKept = element.contains(document.activeElement) && index < this.count && !indexes.includes(index);
      if (isKept) indexes.push(index);
    }
    return new Map(indexes.sort((one, other) => one - other).map((index) => [index, this.render(index)]));
  }

  /** @returns {[number, number]} */
  #overscanned() {
    const [first, last] = this.range;
    const more = OVERSCAN * this.columns;
    return [Math.max(0, first - more), last + more];
  }

  /**
   * @param {HTMLLIElement} element
   * @param {number} index
   */
  #place(element, index) {
    const x = (index % this.columns) * (this.columnWidth + GAP);
    const y = Math.floor(index / this.columns) * this.rowHeight - this.top + this.element.scrollTop;
    element.style.transform = `translate(${x}px, ${y}px)`;
    element.style.width = `${this.columnWidth}px`;
    element.style.height = `${this.rowHeight - GAP}px`;
    element.setAttribute("aria-posinset", String(index + 1));
    element.setAttribute("aria-setsize", String(this.count));
  }

  #layOut() {
    const width = this.list.clientWidth;
    if (!width || !this.element.clientHeight) return; // hidden: what it shows is kept
    const [first] = this.range;
    this.viewHeight = this.element.clientHeight;
    this.columns = Math.max(1, Math.floor((width + GAP) / (NARROWEST + GAP)));
    this.columnWidth = Math.floor((width + GAP) / this.columns) - GAP;
    this.rowHeight = Math.round(this.columnWidth * TALLER) + TEXT + GAP;
    this.#setHeight();
    this.#scrollTo(Math.floor(first / this.columns) * this.rowHeight);
    this.refresh();
  }

  get #fullHeight() {
    return Math.ceil(this.count / this.columns) * this.rowHeight;
  }

  #setHeight() {
    this.list.style.height = `${Math.min(HIGHEST, this.#fullHeight)}px`;
  }

  /** @param {number} top in pixels of the full height */
  #scrollTo(top) {
    const most = Math.max(0, this.#fullHeight - this.viewHeight);
    this.top = Math.max(0, Math.min(most, top));
    const scrolled = this.#fullHeight > HIGHEST ? (this.top / most) * (HIGHEST - this.viewHeight) : this.top;
    this.element.scrollTop = scrolled;
    this.lastScrollTop = this.element.scrollTop;
  }

  #handleScroll() {
    const view = this.element.clientHeight;
    if (!view) return; // hidden: the position is kept
    const { scrollTop } = this.element;
    const moved = scrollTop - this.lastScrollTop;
    if (!moved) return;
    this.lastScrollTop = scrollTop;
    const most = Math.max(0, this.#fullHeight - view);
    const end = this.element.scrollHeight - view;
    if (this.#fullHeight <= HIGHEST) this.top = scrollTop;
    else if (scrollTop <= 0) this.top = 0;
    else if (scrollTop >= end - 1) this.top = most;
    // A list that is too high moves by pixels when the user scrolls, and by its share when the scroll bar is dragged.
    else if (Math.abs(moved) < view) this.top = Math.max(0, Math.min(most, this.top + moved));
    else this.top = (scrollTop / end) * most;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.refresh();
    });
  }
}
