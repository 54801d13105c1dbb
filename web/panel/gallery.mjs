// All generations that match a search and filters, in one list of any length.
import { button, make, setStatus } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { GalleryFilterBar } from "./gallery_filters.mjs";
import { GalleryPages } from "./gallery_pages.mjs";
import { Selection } from "./gallery_selection.mjs";
import { Tile } from "./gallery_tile.mjs";
import { VirtualGrid } from "./virtual_grid.mjs";

/** @import { Generation } from "../shared/types.d.ts" */
/** @import { Picture } from "./pictures.mjs" */
/** @import { Session } from "./session.mjs" */

export class Gallery {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {(id: string) => void} options.open shows a generation in detail
   * @param {(first: Picture, second: Picture) => void} options.compare
   */
  constructor({ session, open, compare }) {
    const { client, live, t } = session;
    this.session = session;
    this.open = open;
    this.pages = new GalleryPages(client);
    this.filters = new GalleryFilterBar(session);
    this.selection = new Selection(session, compare);
    /** @type {Map<string, Tile>} */
    this.tiles = new Map(); // those that are elements now
    /** @type {Map<number, HTMLLIElement>} */
    this.placeholders = new Map();
    this.current = 0; // the index that Tab leads to
    this.currentId = ""; // its generation, once it had the focus
    this.rangeStart = 0; // where a selection of several began
    this.wantsFocus = false;
    this.failed = false; // whether what was read last could not be
    this.grid = new VirtualGrid({
      label: t("gallery"),
      render: (index) => this.#render(index),
      onRange: (first, last) => this.#handleRange(first, last),
    });
    this.grid.list.addEventListener("keydown", (event) => this.#handleKey(event));
    this.grid.list.addEventListener("focusin", (event) => this.#handleFocus(event));
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.retry = button(t("retry"), () => void this.load(), { hidden: true });
    this.newer = button(t("newer"), () => this.reload(), { hidden: true });
    this.filters.bar.append(this.selection.toggle);
    this.element = make(
      "section",
      { className: "avatarforge-gallery-view", "aria-label": t("gallery") },
      this.filters.element,
      this.grid.element,
      this.selection.element,
      make("div", { className: "avatarforge-row avatarforge-pages" }, this.status, this.newer, this.retry),
    );
    this.filters.on("change", () => this.reload());
    this.pages.on("change", () => {
      this.#clearError();
      this.grid.refresh();
    });
    this.pages.on("error", (error) => this.#showError(error));
    this.selection.on("change", () => this.#showSelection());
    this.selection.on("marked", (generation) => {
      const { generation_id: id, favourite, tags } = generation;
      Object.assign(live.active.get(id) ?? {}, { favourite, tags });
      this.#upsert(generation);
    });
    this.selection.on("deleted", (id) => {
      live.remove(id);
      this.#remove(id);
    });
    live.on("change", (generation) => this.#upsert(generation));
    live.on("deleted", (id) => this.#remove(id));
    session.on("deleted", (id) => this.#remove(id));
    session.on("pending", (id) => this.#updateVisibility(id));
  }

  /** Load the list from its start. */
  reload() {
    this.current = 0;
    this.currentId = "";
    this.grid.scrollToStart();
    void this.load();
  }

  /** Load what is shown now. */
  async load() {
    const { t } = this.session;
    this.grid.list.setAttribute("aria-busy", "true");
    this.retry.hidden = this.newer.hidden = true;
    if (!this.pages.total) setStatus(this.status, t("loading"));
    try {
      if (!(await this.pages.start(this.filters.query))) return;
      this.#showList();
    } catch (error) {
      this.#showError(error);
    }
    this.grid.list.removeAttribute("aria-busy");
  }

  /**
   * Focus the tile of a generation; otherwise the one that had the focus last, or the search.
   * @param {string} id
   */
  focus(id = "") {
    const index = id ? this.pages.find(id) : -1;
    if (!this.pages.total) this.filters.search.focus();
    else this.#focusIndex(index >= 0 ? index : Math.min(this.current, this.pages.total - 1));
  }

  /**
   * The generation with pictures beside another one; null at the end.
   * @param {string} id
   * @param {1 | -1} step 1 is further down
   */
  async neighbour(id, step) {
    const { pages, session } = this;
    const index = pages.find(id);
    for (let next = index + step; index >= 0 && next >= 0 && next < pages.total; next += step) {
      const generation = await pages.fetch(next);
      if (!generation) return null;
      if (generation.output_files.length && !session.pendingDeletes.has(generation.generation_id)) return generation;
    }
    return null;
  }

  /** @param {number} index */
  #render(index) {
    const generation = this.pages.get(index);
    if (!generation) {
      const placeholder = this.placeholders.get(index) ?? make("li", { className: "avatarforge-placeholder" });
      this.placeholders.set(index, placeholder);
      return placeholder;
    }
    const id = generation.generation_id;
    const tile = this.tiles.get(id) ?? this.#makeTile(generation);
    tile.update(generation);
    tile.button.tabIndex = index === this.current ? 0 : -1;
    tile.showSelected(this.selection.stateOf(id));
    tile.element.hidden = this.session.pendingDeletes.has(id);
    return tile.element;
  }

  /** @param {Generation} generation */
  #makeTile(generation) {
    const id = generation.generation_id;
    /** @type {Tile} */
    const tile = new Tile(this.session, generation, {
      press: (event) => this.#press(tile.generation, event),
      toggleFavourite: () => this.#toggleFavourite(tile.generation),
    });
    this.tiles.set(id, tile);
    return tile;
  }

  /**
   * The items from first to last are elements now.
   * @param {number} first
   * @param {number} last
   */
  #handleRange(first, last) {
    for (const [id, tile] of this.tiles) {
      if (tile.element.parentNode) continue;
      tile.dispose();
      this.tiles.delete(id);
    }
    for (const index of this.placeholders.keys()) if (index < first || index > last) this.placeholders.delete(index);
    this.#showRange();
    if (this.wantsFocus) this.#focusTile();
    this.pages.need(first, last);
  }

  #showList() {
    this.#clearError();
    this.placeholders.clear();
    const index = this.currentId ? this.pages.find(this.currentId) : -1;
    this.current = index >= 0 ? index : Math.max(0, Math.min(this.current, this.pages.total - 1));
    this.grid.setCount(this.pages.total);
    this.#showRange();
  }

  #showRange() {
    if (this.failed) return; // the reason and the button stay until something was read
    const { t } = this.session;
    const { total } = this.pages;
    const [first, last] = this.grid.range;
    if (total) setStatus(this.status, t("shown", { first: first + 1, last: last + 1, total }));
    else setStatus(this.status, Object.keys(this.pages.query).length ? t("no_match") : t("no_generations"));
  }

  /** @param {unknown} error */
  #showError(error) {
    this.failed = true;
    setStatus(this.status, errorMessage(error, this.session.t), true);
    this.retry.hidden = false;
  }

  #clearError() {
    this.failed = false;
    this.retry.hidden = true;
  }

  #showSelection() {
    for (const [id, tile] of this.tiles) tile.showSelected(this.selection.stateOf(id));
  }

  /** @param {Generation} generation */
  #upsert(generation) {
    const { pages } = this;
    if (pages.upsert(generation, this.grid.top === 0)) this.#showList();
    else this.tiles.get(generation.generation_id)?.update(generation);
    this.newer.hidden = !pages.missed;
  }

  /** @param {string} id */
  #remove(id) {
    this.selection.forget(id);
    const hadFocus = this.tiles.get(id)?.element.contains(document.activeElement) ?? false;
    if (!this.pages.remove(id)) return;
    this.#showList();
    if (hadFocus) this.focus();
  }

  /** @param {string} id */
  #updateVisibility(id) {
    const tile = this.tiles.get(id);
    if (tile) tile.element.hidden = this.session.pendingDeletes.has(id);
  }

  /**
   * Open a generation; select it while some are being selected, or with Ctrl, and all up to it with Shift.
   * @param {Generation} generation
   * @param {MouseEvent} event
   */
  #press(generation, event) {
    const index = this.pages.find(generation.generation_id);
    if (event.shiftKey) {
      this.selection.add(this.#between(this.rangeStart, index));
      return;
    }
    this.rangeStart = index;
    if (this.selection.active || event.ctrlKey || event.metaKey) this.selection.flip(generation);
    else this.open(generation.generation_id);
  }

  /**
   * @param {number} one
   * @param {number} other
   * @returns {Generation[]} the known ones from one to the other
   */
  #between(one, other) {
    const [first, last] = one < other ? [one, other] : [other, one];
    const found = [];
    for (let index = first; index <= last; index++) {
      const generation = this.pages.get(index);
      if (generation) found.push(generation);
    }
    return found;
  }

  /** @param {Generation} generation */
  #toggleFavourite(generation) {
    void this.selection.markOne(generation, { favourite: !generation.favourite });
  }

  /** @param {number} index */
  #focusIndex(index) {
    this.current = index;
    this.wantsFocus = true;
    this.grid.reveal(index); // its tile may come later, with its page
  }

  #focusTile() {
    const tile = this.tiles.get(this.pages.get(this.current)?.generation_id ?? "");
    if (!tile) return;
    this.wantsFocus = false;
    for (const other of this.tiles.values()) other.button.tabIndex = other === tile ? 0 : -1;
    tile.button.focus({ preventScroll: true });
  }

  /** @param {FocusEvent} event */
  #handleFocus({ target }) {
    for (const [id, tile] of this.tiles) {
      const isIt = tile.button === target;
      tile.button.tabIndex = isIt ? 0 : -1;
      if (!isIt) continue;
      this.current = this.pages.find(id);
      this.currentId = id;
    }
  }

  /** @param {KeyboardEvent} event */
  #handleKey(event) {
    const generation = this.pages.get(this.current);
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape" && this.selection.active) this.selection.setActive(false);
    else if (event.key.toLowerCase() === "f" && generation) this.#toggleFavourite(generation);
    else {
      const target = this.grid.targetOf(event.key, this.current);
      if (target === null) return;
      this.#focusIndex(target);
    }
    event.preventDefault();
    event.stopPropagation(); // keep it from the editor's shortcuts
  }
}
