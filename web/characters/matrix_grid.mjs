// A matrix as a grid that fills while it runs. Each cell opens, re-rolls and exports its picture.
import { button, make, setStatus } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { formatDuration, hasEnded, viewName } from "../panel/labels.mjs";
import { Cell } from "./matrix_cell.mjs";
import { layOut, neighbour } from "./matrix_layout.mjs";
import { expressionName, outfitName, poseName } from "./options.mjs";

/** @import { Batch, Generation, LibraryPose, Translate } from "../shared/types.d.ts" */
/** @import { Session } from "../panel/session.mjs" */
/** @import { CharactersClient } from "./characters_client.mjs" */
/** @import { Header } from "./matrix_layout.mjs" */

const PAGE = 100; // generations; the most that the server gives at once

export class MatrixGrid {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {CharactersClient} options.characters
   * @param {(id: string) => void} options.open shows a generation in detail
   */
  constructor({ session, characters, open }) {
    const { live, t } = session;
    this.session = session;
    this.characters = characters;
    this.open = open;
    this.id = ""; // of the batch
    this.lastRequest = 0;
    /** @type {LibraryPose[]} */
    this.poses = [];
    /** @type {Map<string, Cell>} */
    this.cells = new Map(); // by the id of the generation
    /** @type {(Cell | null)[][]} */
    this.rows = [];
    /** @type {Batch | null} */
    this.batch = null;
    this.heading = make("h2", { className: "avatarforge-heading", tabIndex: -1 });
    this.bar = make("progress", { max: 1, value: 0, "aria-label": t("progress") });
    this.text = make("p", { className: "avatarforge-progress-text", role: "status" });
    this.error = make("p", { className: "avatarforge-status", role: "status" });
    this.cancelButton = button(t("cancel_rest"), () => void this.#run("cancel"));
    this.retryButton = button(t("retry_failed"), () => void this.#run("retry"));
    this.exportButton = button(t("export_dots"), () => void this.#export(), { hidden: true });
    this.reloadButton = button(t("retry"), () => void this.show(this.id, this.poses), { hidden: true });
    this.table = make("table", { className: "avatarforge-matrix" });
    this.table.addEventListener("keydown", (event) => this.#moveFocus(event));
    this.element = make(
      "section",
      { className: "avatarforge-matrix-view", "aria-label": t("matrix") },
      this.heading,
      this.bar,
      this.text,
      this.error,
      make("div", { className: "avatarforge-row" }, this.cancelButton, this.retryButton, this.exportButton, this.reloadButton),
      make("div", { className: "avatarforge-matrix-scroll" }, this.table),
    );
    /** @type {Set<string>} */
    this.changed = new Set(); // generations of which an event told while a page was on its way
    live.on("change", (generation) => {
      this.changed.add(generation.generation_id);
      this.#update(generation);
    });
    live.on("deleted", (id) => this.#remove(id));
    session.on("deleted", (id) => this.#remove(id));
    live.on("state", (state) => {
      // Events may have been missed while the server was away.
      if (this.batch && (state === "live" || state === "polling")) void this.#load();
    });
  }

  /**
   * Show a matrix.
   * @param {string} id of the batch; "" for none
   * @param {LibraryPose[]} poses for their names
   */
  async show(id, poses) {
    this.poses = poses;
    if (id !== this.id) {
      this.cells.clear();
      this.rows = [];
      this.batch = null;
      this.table.replaceChildren();
      this.heading.textContent = this.text.textContent = "";
      this.bar.value = 0;
    }
    this.id = id;
    this.cancelButton.hidden = this.retryButton.hidden = this.exportButton.hidden = true;
    await this.#load();
  }

  /**
   * The library has been loaded: the headers can name its poses.
   * @param {LibraryPose[]} poses
   */
  setPoses(poses) {
    this.poses = poses;
    if (this.batch?.generations.some(({ pose_id: id }) => id !== null)) void this.#redraw(this.batch);
  }

  /** @param {Batch} batch */
  async #redraw(batch) {
    this.#drawTable(batch);
    await this.#load();
  }

  async #load() {
    const { t } = this.session;
    const request = ++this.lastRequest;
    this.reloadButton.hidden = true;
    setStatus(this.error, "");
    if (!this.id) return;
    if (!this.batch) setStatus(this.error, t("loading"));
    try {
      const batch = await this.characters.getBatch(this.id);
      if (request !== this.lastRequest) return;
      setStatus(this.error, "");
      this.#draw(batch);
      await this.#loadPictures(request);
    } catch (error) {
      if (request !== this.lastRequest) return;
      setStatus(this.error, errorMessage(error, t), true);
      this.reloadButton.hidden = false;
    }
  }

  /** @param {number} request */
  async #loadPictures(request) {
    /** @type {string | null} */
    let cursor = null;
    do {
      const query = { batch_id: this.id, limit: PAGE, cursor };
      this.changed.clear();
      const page = await this.characters.listGenerations(query);
      if (request !== this.lastRequest) return;
      // What the stream has told is newer.
      for (const generation of page.generations)
        if (!this.changed.has(generation.generation_id))
          this.#update(this.session.live.active.get(generation.generation_id) ?? generation);
      cursor = page.next_cursor;
    } while (cursor);
  }

  /** @param {Batch} batch */
  #draw(batch) {
    const { t } = this.session;
    const before = this.batch;
    this.batch = batch;
    this.heading.textContent = batch.name ?? t("matrix");
    const ids = (/** @type {Batch | null} */ shown) => shown?.generations.map((item) => item.generation_id).join();
    if (ids(before) !== ids(batch)) this.#drawTable(batch);
    this.#showProgress();
  }

  /** @param {Batch} batch */
  #drawTable(batch) {
    const { session } = this;
    const { t } = session;
    const { rows, columns, items } = layOut(batch.generations);
    const name = (/** @type {Header} */ header) => headerText(header, this.poses, t);
    this.cells.clear();
    this.rows = items.map((line, row) =>
      line.map((item, column) => {
        if (!item) return null;
        const label = [name(rows[row]), name(columns[column])].filter(Boolean).join(", ") || t("picture");
        const cell = new Cell({ session, item, label, open: () => this.open(item.generation_id) });
        cell.element.addEventListener("focusin", () => this.#setCurrent(cell));
        this.cells.set(item.generation_id, cell);
        return cell;
      }),
    );
    const hasRowHeaders = rows.some((header) => name(header));
    const head = make(
      "tr",
      {},
      hasRowHeaders ? make("td") : null,
      ...columns.map((header) => make("th", { scope: "col", textContent: name(header) })),
    );
    const body = this.rows.map((line, row) =>
      make(
        "tr",
        {},
        hasRowHeaders ? make("th", { scope: "row", textContent: name(rows[row]) }) : null,
        ...line.map((cell) => make("td", {}, cell ? cell.element : null)),
      ),
    );
    this.table.style.setProperty("--avatarforge-columns", String(columns.length));
    this.table.replaceChildren(
      make("caption", { className: "avatarforge-announcer", textContent: batch.name ?? t("matrix") }),
      make("thead", {}, head),
      make("tbody", {}, ...body),
    );
    const [first] = this.cells.values();
    if (first) this.#setCurrent(first);
  }

  /** @param {Generation} generation */
  #update(generation) {
    const cell = this.cells.get(generation.generation_id);
    if (!cell) return;
    const before = cell.status;
    cell.update(generation);
    if (cell.status !== before) this.#showProgress();
  }

  /** @param {string} id */
  #remove(id) {
    const cell = this.cells.get(id);
    if (!cell) return;
    const hadFocus = cell.element.contains(document.activeElement);
    cell.element.remove();
    this.cells.delete(id);
    this.rows = this.rows.map((line) => line.map((other) => (other === cell ? null : other)));
    const [first] = this.cells.values();
    if (first && cell.button.tabIndex === 0) this.#setCurrent(first);
    if (hadFocus) (first?.button ?? this.heading).focus();
    this.#showProgress();
  }

  #showProgress() {
    const { t } = this.session;
    const { batch } = this;
    if (!batch) return;
    const cells = [...this.cells.values()];
    const completed = cells.filter(({ status }) => status === "completed").length;
    const failed = cells.filter(({ status }) => status === "failed").length;
    const ended = completed + failed;
    this.bar.value = cells.length ? ended / cells.length : 1;
    const parts = [t("matrix_progress", { done: completed, total: cells.length })];
    if (failed) parts.push(t("matrix_failed", { n: failed }));
    // The server's estimate counts down with what is left of it.
    const waiting = batch.generations.filter((item) => !hasEnded(/** @type {Generation} */ ({ status: item.status }))).length;
    const left = batch.eta_seconds && waiting ? (batch.eta_seconds * (cells.length - ended)) / waiting : 0;
    if (left) parts.push(t("time_left", { time: formatDuration(left, t) }));
    this.text.textContent = parts.join(" · ");
    this.cancelButton.hidden = ended === cells.length;
    this.retryButton.hidden = !failed;
    this.exportButton.hidden = !completed;
  }

  async #export() {
    const { exportPictures } = await import("../panel/export_dialog.mjs");
    await exportPictures(this.session, { path: `/batch/${encodeURIComponent(this.id)}` });
  }

  /** @param {"cancel" | "retry"} action */
  async #run(action) {
    const { session } = this;
    try {
      this.#draw(await this.characters.runBatchAction(this.id, action));
      await this.#loadPictures(++this.lastRequest);
      if (this.cancelButton.hidden && this.retryButton.hidden) this.heading.focus();
    } catch (error) {
      session.notify(errorMessage(error, session.t));
    }
  }

  /**
   * The grid is one stop for Tab: only the controls of the current cell can be reached with it.
   * @param {Cell} current
   */
  #setCurrent(current) {
    for (const cell of this.cells.values()) cell.setReachable(cell === current);
  }

  /** @param {KeyboardEvent} event */
  #moveFocus(event) {
    for (const [row, line] of this.rows.entries()) {
      const column = line.findIndex((cell) => cell?.button === document.activeElement);
      if (column < 0) continue;
      const isFilled = this.rows.map((cells) => cells.map((cell) => cell !== null));
      const target = neighbour(event.key, [row, column], isFilled);
      if (!target) return;
      event.preventDefault();
      event.stopPropagation(); // keep it from the editor's shortcuts
      this.rows[target[0]][target[1]]?.button.focus();
      return;
    }
  }
}

/**
 * @param {Header} header
 * @param {LibraryPose[]} poses
 * @param {Translate} t
 */
function headerText(header, poses, t) {
  /** @type {Record<keyof Required<Header>, (value: string | null) => string>} */
  const texts = {
    outfit: (value) => outfitName(value, t),
    expression: (value) => expressionName(value, t),
    view: (value) => viewName(value, t),
    pose_id: (value) => poseName(value, poses, t),
    seed: (value) => t("seed_number", { seed: value ?? "" }),
  };
  const axes = /** @type {(keyof Required<Header>)[]} */ (Object.keys(header));
  return axes.map((axis) => texts[axis](header[axis] ?? null)).join(", ");
}
