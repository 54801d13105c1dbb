// A dialog that lists pictures of the server, a page at a time, and lets the user choose one.
import { withKey } from "./api_key.mjs";
import { button, gridTarget, make, setStatus } from "./elements.mjs";
import { errorMessage } from "./errors.mjs";

/** @import { FilesClient } from "./files_client.mjs" */
/** @import { Translate } from "./types.d.ts" */

/**
 * A picture in the list.
 * @template Item
 * @typedef {object} Tile
 * @property {Item} item what is chosen with it
 * @property {string} name
 * @property {string} detail a second line
 * @property {boolean} isChosen whether it is chosen now
 * @property {(use: (browserUrl: string) => void) => void} apply calls `use` with the URL of its picture
 */
/**
 * @template Item
 * @typedef {object} TilePage
 * @property {Tile<Item>[]} tiles
 * @property {number} count how many entries of the list they show
 * @property {number} total number of entries
 * @property {string | null} nextCursor of the next page
 */
/**
 * @template Item
 * @typedef {object} Options
 * @property {FilesClient} client
 * @property {Translate} t
 * @property {string} title
 * @property {(cursor: string | null) => Promise<TilePage<Item>>} load
 */

/**
 * Let the user choose.
 * @template Item
 * @param {Options<Item>} options
 * @returns {Promise<Item | null>} null when the dialog was cancelled
 */
export function chooseFromList(options) {
  return new ListDialog(options).open();
}

/** @template Item */
class ListDialog {
  /** @param {Options<Item>} options */
  constructor({ client, t, title, load }) {
    this.client = client;
    this.t = t;
    this.load = load;
    /** @type {number[]} */
    this.starts = [0]; // the number of entries before each page up to the one shown
    /** @type {(string | null)[]} */
    this.cursors = [null]; // of each page up to the one shown
    /** @type {string | null} */
    this.nextCursor = null;
    this.lastRequest = 0;
    /** @type {Item | null} */
    this.chosen = null;
    const headingId = `avatarforge-${crypto.randomUUID?.() ?? Math.random()}`;
    this.grid = make("ul", { className: "avatarforge-grid" });
    this.grid.addEventListener("keydown", (event) => this.#moveFocus(event));
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.retry = button(t("retry"), () => void this.#load());
    this.newer = button(t("newer"), () => this.#turnPage(-1));
    this.older = button(t("older"), () => this.#turnPage(1));
    const close = button(t("cancel"), () => this.dialog.close());
    this.dialog = make(
      "dialog",
      { className: "avatarforge-dialog", tabIndex: -1 },
      make("h2", { id: headingId, textContent: title }),
      this.grid,
      this.status,
      make("div", { className: "avatarforge-row" }, this.retry, this.newer, this.older, close),
    );
    this.dialog.setAttribute("aria-labelledby", headingId);
    this.dialog.addEventListener("keydown", (event) => this.#handleKey(event));
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close(); // the backdrop
    });
  }

  /** @returns {Promise<Item | null>} */
  open() {
    document.body.append(this.dialog);
    this.dialog.showModal(); // restores the focus when it closes
    void this.#load();
    return new Promise((resolve) => {
      this.dialog.addEventListener("close", () => {
        this.dialog.remove();
        resolve(this.chosen);
      });
    });
  }

  async #load() {
    const request = ++this.lastRequest;
    this.grid.replaceChildren();
    this.grid.setAttribute("aria-busy", "true");
    setStatus(this.status, this.t("loading"));
    // If a focused button is disabled or hidden, the focus and key presses go to the page.
    this.dialog.focus();
    this.retry.hidden = true;
    this.newer.disabled = this.older.disabled = true;
    try {
      const cursor = this.cursors.at(-1) ?? null;
      const page = await withKey(this.client, this.t, () => this.load(cursor));
      if (request === this.lastRequest) this.#fill(page);
    } catch (error) {
      if (request !== this.lastRequest) return;
      setStatus(this.status, errorMessage(error, this.t), true);
      this.retry.hidden = false;
      this.retry.focus();
    } finally {
      if (request === this.lastRequest) this.grid.removeAttribute("aria-busy");
    }
  }

  /** @param {TilePage<Item>} page */
  #fill({ tiles: shown, count, total, nextCursor }) {
    this.nextCursor = nextCursor;
    this.newer.disabled = this.cursors.length === 1;
    this.older.disabled = !nextCursor;
    this.grid.replaceChildren(...shown.map((tile) => make("li", {}, this.#tile(tile))));
    const before = this.starts.at(-1) ?? 0;
    this.starts[this.cursors.length] = before + count;
    const [first, last] = [before + 1, before + count];
    setStatus(this.status, count ? this.t("shown", { first, last, total }) : this.t("empty"));
    const tiles = this.#tiles();
    const focused = tiles.find((tile) => tile.getAttribute("aria-pressed") === "true") ?? tiles[0];
    if (!focused) return;
    focused.tabIndex = 0;
    focused.focus();
  }

  /** @param {Tile<Item>} tile */
  #tile({ item, name: textContent, detail, isChosen, apply }) {
    const picture = make("img", { alt: textContent, loading: "lazy" });
    apply((browserUrl) => (picture.src = browserUrl));
    // The alt text replaces a picture that cannot be shown.
    picture.addEventListener("error", () => picture.classList.add("avatarforge-broken"));
    const name = make("span", { className: "avatarforge-name", textContent });
    name.setAttribute("aria-hidden", "true"); // the picture's alt text has it
    const tile = make(
      "button",
      { type: "button", className: "avatarforge-tile", title: textContent, tabIndex: -1 },
      picture,
      name,
      make("span", { className: "avatarforge-size", textContent: detail }),
    );
    tile.setAttribute("aria-pressed", String(isChosen));
    tile.addEventListener("click", () => {
      this.chosen = item;
      this.dialog.close();
    });
    return tile;
  }

  /** @param {1 | -1} step */
  #turnPage(step) {
    if (step > 0) this.cursors.push(this.nextCursor);
    else this.cursors.pop();
    this.starts.length = this.cursors.length;
    void this.#load();
  }

  #tiles() {
    return [...this.grid.querySelectorAll("button")];
  }

  /** @param {KeyboardEvent} event */
  #moveFocus(event) {
    const tiles = this.#tiles();
    const target = gridTarget(event, tiles);
    if (!target) return;
    for (const tile of tiles) tile.tabIndex = -1;
    target.tabIndex = 0;
    target.focus();
  }

  /**
   * Keep key presses from the editor's shortcuts, close on Escape, and keep Tab inside.
   * @param {KeyboardEvent} event
   */
  #handleKey(event) {
    event.stopPropagation();
    if (event.key === "Escape") this.dialog.close();
    if (event.key !== "Tab") return;
    const stops = [...this.dialog.querySelectorAll("button")].filter(
      (stop) => !stop.disabled && !stop.hidden && stop.tabIndex >= 0,
    );
    const [first, last] = [stops[0], stops[stops.length - 1]];
    const edge = event.shiftKey ? first : last;
    if (document.activeElement !== edge && document.activeElement !== this.dialog) return;
    event.preventDefault();
    (event.shiftKey ? last : first).focus();
  }
}
