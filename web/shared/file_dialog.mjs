// The dialog that lists the stored files, a page at a time.
import { withKey } from "./api_key.mjs";
import { button, gridTarget, make, setStatus } from "./elements.mjs";
import { errorMessage } from "./errors.mjs";

/** @import { FilesClient } from "./files_client.mjs" */
/** @import { FilePage, StoredFile, Translate } from "./types.d.ts" */

const PAGE = 24;
const SIZE = 256; // pixels of a thumbnail; displayed at half the size, so that it is sharp on high-density screens

/**
 * @typedef {object} Options
 * @property {FilesClient} client
 * @property {Translate} t
 * @property {string} title
 * @property {string} chosenId the currently chosen file, or ""
 * @property {(file: StoredFile) => boolean} accepts whether a file is offered at all
 */

/**
 * Let the user choose a stored file.
 * @param {Options} options
 * @returns {Promise<StoredFile | null>} null when the dialog was cancelled
 */
export function chooseFile(options) {
  return new FileDialog(options).open();
}

class FileDialog {
  /** @param {Options} options */
  constructor({ client, t, title, chosenId, accepts }) {
    this.client = client;
    this.t = t;
    this.chosenId = chosenId;
    this.accepts = accepts;
    /** @type {(string | null)[]} */
    this.cursors = [null]; // of each page up to the one shown
    /** @type {string | null} */
    this.nextCursor = null;
    this.lastRequest = 0;
    /** @type {StoredFile | null} */
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

  /** @returns {Promise<StoredFile | null>} */
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
      const page = await withKey(this.client, this.t, () => this.client.listFiles(PAGE, cursor));
      const files = page.files.filter(this.accepts);
      const thumbnails = await this.client.thumbnailUrls(
        files.map((file) => file.file_id),
        SIZE,
      );
      if (request === this.lastRequest) this.#fill(page, files, thumbnails);
    } catch (error) {
      if (request !== this.lastRequest) return;
      setStatus(this.status, errorMessage(error, this.t), true);
      this.retry.hidden = false;
      this.retry.focus();
    } finally {
      if (request === this.lastRequest) this.grid.removeAttribute("aria-busy");
    }
  }

  /**
   * @param {FilePage} page
   * @param {StoredFile[]} files
   * @param {string[]} thumbnails
   */
  #fill(page, files, thumbnails) {
    this.nextCursor = page.next_cursor;
    this.newer.disabled = this.cursors.length === 1;
    this.older.disabled = !this.nextCursor;
    this.grid.replaceChildren(...files.map((file, index) => make("li", {}, this.#tile(file, thumbnails[index]))));
    const first = (this.cursors.length - 1) * PAGE + 1;
    const last = first + page.files.length - 1;
    const { total } = page;
    setStatus(this.status, page.files.length ? this.t("shown", { first, last, total }) : this.t("empty"));
    const tiles = this.#tiles();
    const focused = tiles.find((tile) => tile.getAttribute("aria-pressed") === "true") ?? tiles[0];
    if (!focused) return;
    focused.tabIndex = 0;
    focused.focus();
  }

  /**
   * @param {StoredFile} file
   * @param {string} src
   */
  #tile(file, src) {
    const { width, height } = file.dimensions;
    const picture = make("img", { alt: file.filename, loading: "lazy", src });
    // The alt text replaces a picture that cannot be shown.
    picture.addEventListener("error", () => picture.classList.add("avatarforge-broken"));
    const name = make("span", { className: "avatarforge-name", textContent: file.filename });
    name.setAttribute("aria-hidden", "true"); // the picture's alt text has it
    const tile = make(
      "button",
      { type: "button", className: "avatarforge-tile", title: file.filename, tabIndex: -1 },
      picture,
      name,
      make("span", { className: "avatarforge-size", textContent: `${width} × ${height}` }),
    );
    tile.setAttribute("aria-pressed", String(file.file_id === this.chosenId));
    tile.addEventListener("click", () => {
      this.chosen = file;
      this.dialog.close();
    });
    return tile;
  }

  /** @param {1 | -1} step */
  #turnPage(step) {
    if (step > 0) this.cursors.push(this.nextCursor);
    else this.cursors.pop();
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
