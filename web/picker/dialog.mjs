// The dialog that shows what is stored, a page at a time.
import { button, make } from "./elements.mjs";
import { withKey } from "./key.mjs";

const PAGE = 24;
const SIZE = 256; // pixels of a thumbnail; shown at half of it, so that it is sharp on dense screens

/**
 * Let the user choose a stored file. Resolves to the file as GET /files lists it, or to null.
 * `accepts(file)` says whether a file may be chosen here at all.
 */
export function chooseFile({ store, words, title, chosenId, accepts }) {
  return new Promise((resolve) => new Chooser({ store, words, title, chosenId, accepts, resolve }).open());
}

class Chooser {
  constructor(options) {
    Object.assign(this, options);
    this.cursors = [null]; // of the pages up to the one shown
    this.asked = 0;
    this.picked = null;
    const headingId = `avatarforge-${crypto.randomUUID?.() ?? Math.random()}`;
    this.grid = make("ul", { className: "avatarforge-grid" });
    this.grid.addEventListener("keydown", (event) => this.#steer(event));
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.retry = button(this.words("retry"), () => this.#show());
    this.newer = button(this.words("newer"), () => this.#turn(-1));
    this.older = button(this.words("older"), () => this.#turn(1));
    const close = button(this.words("cancel"), () => this.dialog.close());
    this.dialog = make(
      "dialog",
      { className: "avatarforge-dialog", tabIndex: -1 },
      make("h2", { id: headingId, textContent: this.title }),
      this.grid,
      this.status,
      make("div", { className: "avatarforge-row" }, this.retry, this.newer, this.older, close),
    );
    this.dialog.setAttribute("aria-labelledby", headingId);
    this.dialog.addEventListener("keydown", (event) => this.#keep(event));
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close(); // the backdrop
    });
    this.dialog.addEventListener("close", () => {
      this.dialog.remove();
      this.resolve(this.picked);
    });
  }

  open() {
    document.body.append(this.dialog);
    this.dialog.showModal(); // gives the focus back when it closes
    this.#show();
  }

  async #show() {
    const turn = ++this.asked;
    this.grid.replaceChildren();
    this.grid.setAttribute("aria-busy", "true");
    this.#say(this.words("loading"));
    // A stop that is disabled or hidden loses the focus to the page, whose shortcuts would answer.
    this.dialog.focus();
    this.retry.hidden = true;
    this.newer.disabled = this.older.disabled = true;
    try {
      const page = await withKey(this.store, this.words, () => this.store.page(PAGE, this.cursors.at(-1)));
      const files = page.files.filter(this.accepts);
      const pictures = await this.store.thumbnails(
        files.map((file) => file.file_id),
        SIZE,
      );
      if (turn === this.asked) this.#fill(page, files, pictures);
    } catch (error) {
      if (turn !== this.asked) return;
      this.#say(error.detail || this.words("unreachable"), true);
      this.retry.hidden = false;
      this.retry.focus();
    } finally {
      if (turn === this.asked) this.grid.removeAttribute("aria-busy");
    }
  }

  #fill(page, files, pictures) {
    this.next = page.next_cursor;
    this.newer.disabled = this.cursors.length === 1;
    this.older.disabled = !this.next;
    this.grid.replaceChildren(...files.map((file, at) => make("li", {}, this.#tile(file, pictures[at]))));
    const first = (this.cursors.length - 1) * PAGE + 1;
    const last = first + page.files.length - 1;
    this.#say(page.files.length ? this.words("shown", { first, last, total: page.total }) : this.words("empty"));
    const tiles = this.#tiles();
    const start = tiles.find((tile) => tile.getAttribute("aria-pressed") === "true") ?? tiles[0];
    if (!start) return;
    start.tabIndex = 0;
    start.focus();
  }

  #tile(file, src) {
    const { width, height } = file.dimensions;
    const picture = make("img", { alt: file.filename, loading: "lazy", src });
    // A picture that cannot be shown leaves its alt text.
    picture.addEventListener("error", () => picture.classList.add("avatarforge-broken"));
    const name = make("span", { className: "avatarforge-name", textContent: file.filename });
    name.setAttribute("aria-hidden", "true"); // the picture's alt text says it
    const tile = make(
      "button",
      { type: "button", className: "avatarforge-tile", title: file.filename, tabIndex: -1 },
      picture,
      name,
      make("span", { className: "avatarforge-size", textContent: `${width} × ${height}` }),
    );
    tile.setAttribute("aria-pressed", String(file.file_id === this.chosenId));
    tile.addEventListener("click", () => {
      this.picked = file;
      this.dialog.close();
    });
    return tile;
  }

  #turn(step) {
    if (step > 0) this.cursors.push(this.next);
    else this.cursors.pop();
    this.#show();
  }

  #tiles() {
    return [...this.grid.querySelectorAll("button")];
  }

  /** Arrow keys, Home and End move through the grid, whose tiles are one stop for Tab. */
  #steer(event) {
    const tiles = this.#tiles();
    const at = tiles.indexOf(document.activeElement);
    const columns = Math.max(1, tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length);
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const ends = { Home: 0, End: tiles.length - 1 };
    const to = event.key in ends ? ends[event.key] : at + (moves[event.key] ?? 0);
    if (at < 0 || !(event.key in moves || event.key in ends)) return;
    event.preventDefault();
    if (!tiles[to]) return;
    tiles[at].tabIndex = -1;
    tiles[to].tabIndex = 0;
    tiles[to].focus();
  }

  /** Keys pressed here are no shortcuts of the editor, Esc closes, and Tab goes round inside. */
  #keep(event) {
    event.stopPropagation();
    if (event.key === "Escape") this.dialog.close();
    if (event.key !== "Tab") return;
    const stops = [...this.dialog.querySelectorAll("button")].filter(
      (stop) => !stop.disabled && !stop.hidden && stop.tabIndex >= 0,
    );
    const edge = event.shiftKey ? stops[0] : stops.at(-1);
    if (document.activeElement !== edge && document.activeElement !== this.dialog) return;
    event.preventDefault();
    (event.shiftKey ? stops.at(-1) : stops[0]).focus();
  }

  #say(text, failed = false) {
    this.status.textContent = text;
    this.status.classList.toggle("avatarforge-error", failed);
  }
}
