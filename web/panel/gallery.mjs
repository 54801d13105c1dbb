// All generations, newest first, a page at a time.
import { button, make } from "../picker/elements.mjs";
import { kindName, shortly, statusMark, statusName, titleOf } from "./cards.mjs";
import { newId } from "./fields.mjs";

const PAGE = 24;

export class Gallery {
  /** `open(id)` shows one of them. */
  constructor({ session, open }) {
    Object.assign(this, { session, open, cursors: [null], asked: 0, tiles: new Map(), total: 0, next: null });
    const { live, words } = session;
    const filterId = newId();
    this.filter = make(
      "select",
      { id: filterId, className: "avatarforge-control" },
      ...[
        ["", words("all")],
        ["completed", words("completed")],
        ["processing", words("processing")],
        ["queued", words("queued")],
        ["failed", words("failed")],
      ].map(([value, textContent]) => make("option", { value, textContent })),
    );
    this.filter.addEventListener("change", () => this.reload());
    this.grid = make("ul", { className: "avatarforge-gallery", "aria-label": words("gallery") });
    this.grid.addEventListener("keydown", (event) => this.#steer(event));
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.retry = button(words("retry"), () => void this.show());
    this.newer = button(words("newer"), () => this.#turn(-1));
    this.older = button(words("older"), () => this.#turn(1));
    this.element = make(
      "section",
      { className: "avatarforge-shelf", "aria-label": words("gallery") },
      make(
        "div",
        { className: "avatarforge-row avatarforge-filter" },
        make("label", { htmlFor: filterId, textContent: words("show") }),
        this.filter,
      ),
      this.grid,
      make("div", { className: "avatarforge-row avatarforge-pages" }, this.status, this.retry, this.newer, this.older),
    );
    live.addEventListener("change", ({ detail }) => this.#take(detail));
    live.addEventListener("gone", ({ detail }) => this.#drop(detail));
    session.addEventListener("removed", ({ detail }) => this.#drop(detail));
    session.addEventListener("removal", ({ detail }) => this.#hide(detail));
  }

  /** Start anew with the newest. */
  reload() {
    this.cursors = [null];
    void this.show();
  }

  /** Ask for the page again. */
  async show() {
    const { client, words } = this.session;
    const turn = ++this.asked;
    this.grid.setAttribute("aria-busy", "true");
    this.retry.hidden = true;
    this.newer.disabled = this.older.disabled = true;
    if (!this.tiles.size) this.#say(words("loading"));
    try {
      const page = await client.generations({
        limit: PAGE,
        status: this.filter.value,
        cursor: this.cursors.at(-1),
      });
      if (turn === this.asked) this.#fill(page);
    } catch (error) {
      if (turn !== this.asked) return;
      this.#say(error.detail || words("unreachable"), true);
      this.retry.hidden = false;
    } finally {
      if (turn === this.asked) this.grid.removeAttribute("aria-busy");
    }
  }

  /** Give the focus back to the tile that was opened. */
  focus(id) {
    const tile = this.tiles.get(id) ?? this.tiles.values().next().value;
    if (tile) this.#aim(tile.button);
    else this.filter.focus();
  }

  #fill(page) {
    this.next = page.next_cursor;
    this.total = page.total;
    this.tiles.clear();
    for (const generation of page.generations) this.tiles.set(generation.generation_id, this.#tile(generation));
    this.grid.replaceChildren(...[...this.tiles.values()].map((tile) => tile.element));
    this.grid.scrollTop = 0;
    for (const id of this.tiles.keys()) this.#hide(id);
    this.#count();
    const first = this.tiles.values().next().value;
    if (first) first.button.tabIndex = 0;
  }

  #tile(generation) {
    const tile = new Tile(this.session, () => this.open(tile.generation.generation_id));
    tile.show(generation);
    return tile;
  }

  #take(generation) {
    const id = generation.generation_id;
    const fits = !this.filter.value || this.filter.value === generation.status;
    const tile = this.tiles.get(id);
    if (tile && fits) {
      tile.show(generation);
      return;
    }
    if (tile) {
      this.#drop(id); // it is no longer what the filter asks for
      return;
    }
    // Something new belongs on top of the first page; on others it would push what the user looks at.
    if (!fits || this.cursors.length > 1 || !this.#isNewest(generation)) return;
    const added = this.#tile(generation);
    this.tiles = new Map([[id, added], ...this.tiles]);
    this.grid.prepend(added.element);
    this.total++;
    if (this.tiles.size > PAGE) {
      const [last] = [...this.tiles.keys()].slice(-1);
      this.tiles.get(last).element.remove();
      this.tiles.delete(last);
      // Its place is on the next page now, which therefore begins at it; asked for when turned to.
      this.stale = true;
    }
    this.#hide(id);
    this.#count();
  }

  #isNewest(generation) {
    const first = this.tiles.values().next().value;
    return !first || first.generation.created_at <= generation.created_at;
  }

  #drop(id) {
    const tile = this.tiles.get(id);
    if (!tile) return;
    const hadFocus = tile.element.contains(document.activeElement);
    tile.element.remove();
    this.tiles.delete(id);
    this.total--;
    this.#count();
    if (hadFocus) this.focus();
    if (!this.tiles.size && this.total > 0) this.reload();
  }

  #hide(id) {
    const tile = this.tiles.get(id);
    if (tile) tile.element.hidden = this.session.leaving.has(id);
  }

  #count() {
    const { words } = this.session;
    this.newer.disabled = this.cursors.length === 1;
    this.older.disabled = !this.next && !this.stale;
    const first = (this.cursors.length - 1) * PAGE + 1;
    const last = first + this.tiles.size - 1;
    if (this.tiles.size) this.#say(words("shown", { first, last, total: this.total }));
    else this.#say(this.filter.value ? words("none_such") : words("no_generations"));
  }

  async #turn(step) {
    if (step > 0 && this.stale) {
      // Pages have moved on since this one was asked for; the cursor is that of its last tile.
      this.stale = false;
      const newest = await this.session.client
        .generations({ limit: PAGE, status: this.filter.value })
        .catch(() => null);
      this.next = newest?.next_cursor ?? this.next;
    }
    if (step > 0) this.cursors.push(this.next);
    else this.cursors.pop();
    await this.show();
    this.focus();
  }

  #aim(target) {
    for (const { button: one } of this.tiles.values()) one.tabIndex = -1;
    target.tabIndex = 0;
    target.focus();
  }

  /** Arrow keys, Home and End move through the grid, whose tiles are one stop for Tab. */
  #steer(event) {
    const tiles = [...this.tiles.values()].filter((tile) => !tile.element.hidden).map((tile) => tile.button);
    const at = tiles.indexOf(document.activeElement);
    const columns = Math.max(1, tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length);
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const ends = { Home: 0, End: tiles.length - 1 };
    if (at < 0 || !(event.key in moves || event.key in ends)) return;
    event.preventDefault();
    event.stopPropagation();
    const target = tiles[event.key in ends ? ends[event.key] : at + moves[event.key]];
    if (target) this.#aim(target);
  }

  #say(text, failed = false) {
    this.status.textContent = text;
    this.status.classList.toggle("avatarforge-error", failed);
  }
}

class Tile {
  constructor(session, open) {
    this.session = session;
    // Not `hidden`: a browser never loads a lazy picture that has no box.
    this.picture = make("img", { alt: "", loading: "lazy", className: "avatarforge-unseen" });
    this.picture.addEventListener("load", () => this.picture.classList.remove("avatarforge-unseen"));
    this.picture.addEventListener("error", () => this.picture.classList.add("avatarforge-unseen"));
    this.mark = make("span", { className: "avatarforge-marks" });
    this.title = make("span", { className: "avatarforge-title" });
    this.details = make("span", { className: "avatarforge-details" });
    this.button = make(
      "button",
      { type: "button", className: "avatarforge-tile", tabIndex: -1, onclick: open },
      make("span", { className: "avatarforge-tile-picture" }, this.picture, this.mark),
      this.title,
      this.details,
    );
    this.element = make("li", {}, this.button);
  }

  show(generation) {
    const { client, locale, words } = this.session;
    const before = this.generation;
    this.generation = generation;
    const title = titleOf(generation, words);
    const first = generation.output_files[0];
    if (first && first.url !== before?.output_files[0]?.url)
      void client.show(first.url, (address) => (this.picture.src = address));
    if (before?.status === generation.status && before?.output_files.length === generation.output_files.length) return;
    this.title.textContent = title;
    this.button.title = title;
    this.details.textContent = `${kindName(generation, words)} · ${shortly(generation.created_at, locale)}`;
    this.mark.replaceChildren(...(generation.status === "completed" ? [] : [statusMark(generation, words)]));
    this.button.setAttribute(
      "aria-label",
      `${title}, ${kindName(generation, words)}, ${statusName(generation, words)}`,
    );
  }
}
