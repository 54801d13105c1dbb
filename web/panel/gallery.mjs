// All generations, newest first, a page at a time.
import { button, gridTarget, make, setStatus } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { newId } from "./fields.mjs";
import { formatTimeShort, generationTitle, kindName, statusBadge, statusName } from "./labels.mjs";
import { findNeighbour } from "./neighbours.mjs";
import { drag, picturesOf } from "./pictures.mjs";
import { TilePictures } from "./tile_pictures.mjs";

/** @import { Generation, GenerationPage } from "../shared/types.d.ts" */
/** @import { Session } from "./session.mjs" */

const PAGE = 24;

export class Gallery {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {(id: string) => void} options.open shows a generation in detail
   */
  constructor({ session, open }) {
    const { live, t } = session;
    this.session = session;
    this.open = open;
    /** @type {(string | null)[]} */
    this.cursors = [null]; // of each page up to the one shown
    /** @type {string | null} */
    this.nextCursor = null;
    this.nextCursorStale = false;
    this.lastRequest = 0;
    /** @type {Map<string, Tile>} */
    this.tiles = new Map();
    this.total = 0;
    const filterId = newId();
    this.filter = make(
      "select",
      { id: filterId, className: "avatarforge-control" },
      ...[
        ["", t("all")],
        ["completed", t("completed")],
        ["processing", t("processing")],
        ["queued", t("queued")],
        ["failed", t("failed")],
      ].map(([value, textContent]) => make("option", { value, textContent })),
    );
    this.filter.addEventListener("change", () => this.reload());
    this.grid = make("ul", { className: "avatarforge-gallery", "aria-label": t("gallery") });
    this.grid.addEventListener("keydown", (event) => this.#moveFocus(event));
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.retry = button(t("retry"), () => void this.load());
    this.newer = button(t("newer"), () => void this.#turnPage(-1));
    this.older = button(t("older"), () => void this.#turnPage(1));
    this.element = make(
      "section",
      { className: "avatarforge-gallery-view", "aria-label": t("gallery") },
      make(
        "div",
        { className: "avatarforge-row avatarforge-filter" },
        make("label", { htmlFor: filterId, textContent: t("show") }),
        this.filter,
      ),
      this.grid,
      make("div", { className: "avatarforge-row avatarforge-pages" }, this.status, this.retry, this.newer, this.older),
    );
    live.on("change", (generation) => this.#upsert(generation));
    live.on("deleted", (id) => this.#remove(id));
    session.on("deleted", (id) => this.#remove(id));
    session.on("pending", (id) => this.#updateVisibility(id));
  }

  /** Load the first page. */
  reload() {
    this.cursors = [null];
    void this.load();
  }

  /** Load the current page. */
  async load() {
    const { client, t } = this.session;
    const request = ++this.lastRequest;
    this.grid.setAttribute("aria-busy", "true");
    this.retry.hidden = true;
    this.newer.disabled = this.older.disabled = true;
    if (!this.tiles.size) setStatus(this.status, t("loading"));
    try {
      const page = await client.listGenerations({
        limit: PAGE,
        status: this.filter.value,
        cursor: this.cursors.at(-1),
      });
      if (request === this.lastRequest) this.#fill(page);
    } catch (error) {
      if (request !== this.lastRequest) return;
      setStatus(this.status, errorMessage(error, t), true);
      this.retry.hidden = false;
    } finally {
      if (request === this.lastRequest) this.grid.removeAttribute("aria-busy");
    }
  }

  /**
   * Focus the tile of a generation; otherwise the first tile, or the filter.
   * @param {string} id
   */
  focus(id = "") {
    const tile = this.tiles.get(id) ?? this.#firstTile();
    if (tile) this.#focusTile(tile.button);
    else this.filter.focus();
  }

  /**
   * The generation with pictures beside another one; null at the end.
   * @param {string} id
   * @param {1 | -1} step 1 is older
   */
  neighbour(id, step) {
    const { client, pendingDeletes } = this.session;
    const shown = [...this.tiles.values()].map((tile) => tile.generation);
    return findNeighbour(
      {
        shown: shown.filter((generation) => !pendingDeletes.has(generation.generation_id)),
        older: this.nextCursor,
        newer: this.cursors.at(-2),
        load: (cursor) => client.listGenerations({ limit: PAGE, status: this.filter.value, cursor }),
      },
      id,
      step,
    );
  }

  /** @returns {Tile | undefined} */
  #firstTile() {
    return this.tiles.values().next().value;
  }

  /** @param {GenerationPage} page */
  #fill(page) {
    this.nextCursor = page.next_cursor;
    this.total = page.total;
    this.tiles.clear();
    for (const generation of page.generations) this.tiles.set(generation.generation_id, this.#makeTile(generation));
    this.grid.replaceChildren(...[...this.tiles.values()].map((tile) => tile.element));
    this.grid.scrollTop = 0;
    for (const id of this.tiles.keys()) this.#updateVisibility(id);
    this.#updatePaging();
    const first = this.#firstTile();
    if (first) first.button.tabIndex = 0;
  }

  /** @param {Generation} generation */
  #makeTile(generation) {
    return new Tile(this.session, generation, () => this.open(generation.generation_id));
  }

  /** @param {Generation} generation */
  #upsert(generation) {
    const id = generation.generation_id;
    const matches = !this.filter.value || this.filter.value === generation.status;
    const tile = this.tiles.get(id);
    if (tile && matches) tile.update(generation);
    else if (tile) this.#remove(id);
    // A new one is added only to the first page; on other pages it would shift the tiles that the user is viewing.
    else if (matches && this.cursors.length === 1 && this.#isNewest(generation)) this.#prepend(generation);
  }

  /** @param {Generation} generation */
  #isNewest(generation) {
    const first = this.#firstTile();
    return !first || first.generation.created_at <= generation.created_at;
  }

  /** @param {Generation} generation */
  #prepend(generation) {
    const id = generation.generation_id;
    const added = this.#makeTile(generation);
    this.tiles = new Map([[id, added], ...this.tiles]);
    this.grid.prepend(added.element);
    this.total++;
    if (this.tiles.size > PAGE) {
      const [lastId, last] = [...this.tiles][PAGE];
      last.element.remove();
      this.tiles.delete(lastId);
      // The next page now begins with it. Its cursor is fetched when the user opens that page.
      this.nextCursorStale = true;
    }
    this.#updateVisibility(id);
    this.#updatePaging();
  }

  /** @param {string} id */
  #remove(id) {
    const tile = this.tiles.get(id);
    if (!tile) return;
    const hadFocus = tile.element.contains(document.activeElement);
    tile.element.remove();
    this.tiles.delete(id);
    this.total--;
    this.#updatePaging();
    if (hadFocus) this.focus();
    if (!this.tiles.size && this.total > 0) this.reload();
  }

  /** @param {string} id */
  #updateVisibility(id) {
    const tile = this.tiles.get(id);
    if (tile) tile.element.hidden = this.session.pendingDeletes.has(id);
  }

  #updatePaging() {
    const { t } = this.session;
    const { total } = this;
    this.newer.disabled = this.cursors.length === 1;
    this.older.disabled = !this.nextCursor && !this.nextCursorStale;
    const first = (this.cursors.length - 1) * PAGE + 1;
    const last = first + this.tiles.size - 1;
    if (this.tiles.size) setStatus(this.status, t("shown", { first, last, total }));
    else setStatus(this.status, this.filter.value ? t("no_match") : t("no_generations"));
  }

  /** @param {1 | -1} step */
  async #turnPage(step) {
    if (step > 0 && this.nextCursorStale) {
      // Generations were added since this page was loaded. Its cursor is that of its last tile.
      this.nextCursorStale = false;
      const newest = await this.session.client
        .listGenerations({ limit: PAGE, status: this.filter.value })
        .catch(() => null);
      this.nextCursor = newest?.next_cursor ?? this.nextCursor;
    }
    if (step > 0) this.cursors.push(this.nextCursor);
    else this.cursors.pop();
    await this.load();
    this.focus();
  }

  /** @param {HTMLButtonElement} target */
  #focusTile(target) {
    for (const tile of this.tiles.values()) tile.button.tabIndex = -1;
    target.tabIndex = 0;
    target.focus();
  }

  /** @param {KeyboardEvent} event */
  #moveFocus(event) {
    const visible = [...this.tiles.values()].filter((tile) => !tile.element.hidden);
    const target = gridTarget(
      event,
      visible.map((tile) => tile.button),
    );
    if (target) this.#focusTile(target);
  }
}

class Tile {
  /**
   * @param {Session} session
   * @param {Generation} generation
   * @param {() => void} open
   */
  constructor(session, generation, open) {
    this.session = session;
    this.generation = generation;
    this.pictures = new TilePictures(session);
    this.marks = make("span", { className: "avatarforge-marks" });
    this.title = make("span", { className: "avatarforge-title" });
    this.details = make("span", { className: "avatarforge-details" });
    this.button = make(
      "button",
      { type: "button", className: "avatarforge-tile", tabIndex: -1, onclick: open },
      this.pictures.element,
      this.title,
      this.details,
    );
    this.pictures.element.append(this.marks);
    this.element = make("li", { draggable: true }, this.button);
    this.element.addEventListener("dragstart", (event) => this.#startDrag(event));
    this.pictures.update(generation);
    this.#updateText();
  }

  /** @param {Generation} generation */
  update(generation) {
    const before = this.generation;
    this.generation = generation;
    this.pictures.update(generation);
    if (before.status === generation.status && before.output_files.length === generation.output_files.length) return;
    this.#updateText();
  }

  /** @param {DragEvent} event */
  #startDrag(event) {
    const [first] = picturesOf(this.generation);
    const [image] = this.pictures.images;
    if (first && image) drag(event, first, image);
    else event.preventDefault();
  }

  #updateText() {
    const { generation } = this;
    const { locale, t } = this.session;
    const title = generationTitle(generation, t);
    const kind = kindName(generation, t);
    this.title.textContent = title;
    this.button.title = title;
    this.details.textContent = `${kind} · ${formatTimeShort(generation.created_at, locale)}`;
    this.marks.replaceChildren(...(generation.status === "completed" ? [] : [statusBadge(generation, t)]));
    this.button.setAttribute("aria-label", `${title}, ${kind}, ${statusName(generation, t)}`);
  }
}
