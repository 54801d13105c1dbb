// The dialog that shows the pose library: built-in poses and saved ones, as drawings. Choose, edit or delete one.
import { drawSkeleton } from "../panel/skeletons.mjs";
import { withKey } from "../shared/api_key.mjs";
import { button, gridTarget, make, setStatus } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { showModal } from "../shared/modal.mjs";
import { poseDescription, poseName } from "./labels.mjs";
import { PosesClient } from "./poses_client.mjs";

/** @import { FilesClient } from "../shared/files_client.mjs" */
/** @import { LibraryPose, LibraryPoseDocument, Translate } from "../shared/types.d.ts" */

/** @typedef {{ pose: LibraryPose, mirrored: boolean }} Choice */
/**
 * @typedef {object} Options
 * @property {FilesClient} client
 * @property {Translate} t
 * @property {string} chosen the id or name of the pose that is chosen now; "" for none
 * @property {boolean} mirrored whether it is mirrored
 * @property {(reference: string) => Promise<LibraryPoseDocument | null>} edit opens the editor with a pose, and gives
 *   what was saved
 */

/**
 * Let the user choose a pose of the library.
 * @param {Options} options
 * @returns {Promise<Choice | null>} null when the dialog was cancelled
 */
export function openLibrary(options) {
  return new LibraryDialog(options).open();
}

class LibraryDialog {
  /** @param {Options} options */
  constructor({ client, t, chosen, mirrored, edit }) {
    this.client = client;
    this.poses = new PosesClient(client);
    this.t = t;
    this.chosen = chosen;
    this.edit = edit;
    /** @type {Choice | null} */
    this.choice = null;
    /** @type {LibraryPose | null} */
    this.selected = null;
    /** @type {LibraryPose[]} */
    this.saved = [];
    /** @type {LibraryPose[]} */
    this.builtIn = [];
    /** @type {LibraryPose[]} */
    this.allBuiltIn = []; // also those that the search does not find
    /** @type {string | null} */
    this.nextCursor = null;
    this.lastRequest = 0;
    this.search = make("input", { type: "search", className: "avatarforge-key", maxLength: 100, "aria-label": t("pose_search") });
    this.search.placeholder = t("pose_search");
    this.search.addEventListener("input", () => void this.load());
    this.grids = { saved: this.#makeGrid(t("pose_own")), builtIn: this.#makeGrid(t("pose_built_in")) };
    this.more = button(t("older"), () => void this.load(true), { hidden: true });
    this.none = make("p", { className: "avatarforge-status", hidden: true });
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.undoButton = button(t("undo"), () => {}, { hidden: true });
    this.mirrored = make("input", { type: "checkbox", checked: mirrored });
    this.mirrored.addEventListener("change", () => this.lists.classList.toggle("avatarforge-mirrored", this.mirrored.checked));
    this.useButton = button(t("use_template"), () => this.#use(), { className: "avatarforge-button avatarforge-pose-main" });
    this.editButton = button(t("pose_edit"), () => void this.#edit(this.selected?.pose_id ?? ""));
    this.deleteButton = button(t("delete"), () => void this.#delete());
    this.lists = make(
      "div",
      { className: "avatarforge-pose-lists" },
      make("h3", { textContent: t("pose_own") }),
      this.grids.saved,
      this.none,
      this.more,
      make("h3", { textContent: t("pose_built_in") }),
      this.grids.builtIn,
    );
    this.lists.classList.toggle("avatarforge-mirrored", mirrored);
    this.dialog = this.#layOut();
    this.#update();
  }

  #layOut() {
    const { t } = this;
    const headingId = `avatarforge-${crypto.randomUUID?.() ?? Math.random()}`;
    return make(
      "dialog",
      { className: "avatarforge-dialog avatarforge-pose-library", tabIndex: -1, "aria-labelledby": headingId },
      make("h2", { id: headingId, textContent: t("pose_library") }),
      make(
        "div",
        { className: "avatarforge-row avatarforge-pose-search" },
        this.search,
        button(t("pose_new"), () => void this.#edit("")),
      ),
      this.lists,
      make("div", { className: "avatarforge-row avatarforge-pose-message" }, this.status, this.undoButton),
      make(
        "div",
        { className: "avatarforge-row" },
        make("label", { className: "avatarforge-pose-check" }, this.mirrored, make("span", { textContent: t("pose_mirrored") })),
        this.deleteButton,
        this.editButton,
        this.useButton,
        button(t("cancel"), () => this.dialog.close()),
      ),
    );
  }

  /** @returns {Promise<Choice | null>} */
  async open() {
    const closed = showModal(this.dialog);
    this.dialog.focus(); // not the search: a phone would show its keyboard
    void this.load().then(() => this.#focusTile());
    await closed;
    return this.choice;
  }

  /**
   * Load the poses that have the searched text in their names.
   * @param {boolean} older the next saved poses in addition
   */
  async load(older = false) {
    const { client, t } = this;
    const request = ++this.lastRequest;
    setStatus(this.status, t("loading"));
    try {
      const cursor = older ? this.nextCursor : null;
      const searched = this.search.value.trim();
      const page = await withKey(client, t, () => this.poses.list(searched, cursor));
      if (request !== this.lastRequest) return;
      this.saved = older ? [...this.saved, ...page.poses] : page.poses;
      if (!older && !searched) this.allBuiltIn = page.built_in;
      if (!older) this.builtIn = this.#foundBuiltIn(page.built_in, searched);
      this.nextCursor = page.next_cursor;
      setStatus(this.status, "");
      this.#draw();
    } catch (error) {
      if (request === this.lastRequest) setStatus(this.status, errorMessage(error, t), true);
    }
  }

  /**
   * The server searches the English names of built-in poses; the user sees those of their language.
   * @param {LibraryPose[]} found by the server
   * @param {string} searched
   */
  #foundBuiltIn(found, searched) {
    const ids = new Set(found.map(({ pose_id: id }) => id));
    const text = searched.toLowerCase();
    const named = this.allBuiltIn.filter(
      (pose) => ids.has(pose.pose_id) || poseName(pose, this.t).toLowerCase().includes(text),
    );
    return named.length ? named : found;
  }

  /** Move the focus to the chosen pose, else to the first one, unless it is somewhere already. */
  #focusTile() {
    if (document.activeElement !== this.dialog) return;
    const tiles = [...this.dialog.querySelectorAll("button[data-pose]")].map((tile) => /** @type {HTMLElement} */ (tile));
    (tiles.find((tile) => tile.dataset.pose === this.selected?.pose_id) ?? tiles[0])?.focus();
  }

  #draw() {
    const { chosen, grids, t } = this;
    const all = [...this.saved, ...this.builtIn];
    const wanted = this.selected?.pose_id ?? chosen;
    this.selected = all.find(({ pose_id: id, name }) => id === wanted || name === wanted) ?? null;
    for (const [grid, poses] of /** @type {const} */ ([
      [grids.saved, this.saved],
      [grids.builtIn, this.builtIn],
    ])) {
      grid.replaceChildren(...poses.map((pose) => make("li", {}, this.#tile(pose))));
      grid.hidden = !poses.length;
      const tiles = tilesOf(grid);
      const stop = tiles.find((tile) => tile.getAttribute("aria-pressed") === "true") ?? tiles[0];
      if (stop) stop.tabIndex = 0;
    }
    this.none.hidden = this.saved.length > 0;
    this.none.textContent = this.search.value.trim() ? t("pose_none_found") : t("pose_none_saved");
    this.more.hidden = !this.nextCursor;
    this.#update();
  }

  /** @param {LibraryPose} pose */
  #tile(pose) {
    const { t } = this;
    const name = poseName(pose, t);
    const tile = make(
      "button",
      { type: "button", className: "avatarforge-tile", title: poseDescription(pose, t) || name, tabIndex: -1 },
      drawSkeleton(pose.skeleton),
      make("span", { className: "avatarforge-name", textContent: name }),
    );
    tile.dataset.pose = pose.pose_id;
    tile.setAttribute("aria-pressed", String(pose === this.selected));
    tile.addEventListener("click", () => {
      // A second click, or Enter, on the selected pose uses it.
      if (pose.pose_id === this.selected?.pose_id) this.#use();
      else this.#select(pose);
    });
    return tile;
  }

  /** @param {LibraryPose | null} pose */
  #select(pose) {
    this.selected = pose;
    for (const tile of this.dialog.querySelectorAll("button[data-pose]"))
      tile.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (tile).dataset.pose === pose?.pose_id));
    this.#update();
  }

  #update() {
    const { selected } = this;
    this.useButton.disabled = this.editButton.disabled = !selected;
    this.deleteButton.disabled = !selected || selected.built_in;
  }

  #use() {
    if (!this.selected) return;
    this.choice = { pose: this.selected, mirrored: this.mirrored.checked };
    this.dialog.close();
  }

  /**
   * Open the editor, and select what was saved in it.
   * @param {string} reference "" for a new pose
   */
  async #edit(reference) {
    const { t } = this;
    try {
      const saved = await this.edit(reference);
      if (!saved) return;
      this.search.value = "";
      this.selected = saved;
      await this.load();
      this.useButton.focus();
    } catch (error) {
      setStatus(this.status, errorMessage(error, t), true);
    }
  }

  async #delete() {
    const { client, selected, t } = this;
    if (!selected) return;
    try {
      await withKey(client, t, async () => {
        const { name, pose } = await this.poses.get(selected.pose_id); // what Undo restores
        await this.poses.delete(selected.pose_id);
        this.selected = null;
        await this.load();
        setStatus(this.status, t("deleted", { name }));
        this.undoButton.hidden = false;
        this.undoButton.onclick = () => void this.#restore(name, pose);
        this.undoButton.focus(); // the pressed button is disabled now
      });
    } catch (error) {
      setStatus(this.status, errorMessage(error, t), true);
    }
  }

  /**
   * @param {string} name
   * @param {object} pose
   */
  async #restore(name, pose) {
    const { client, t } = this;
    try {
      this.selected = await withKey(client, t, () => this.poses.save(name, pose));
      this.undoButton.hidden = true;
      await this.load();
      this.useButton.focus();
    } catch (error) {
      setStatus(this.status, errorMessage(error, t), true);
    }
  }

  /** @param {string} name for screen readers */
  #makeGrid(name) {
    const grid = make("ul", { className: "avatarforge-grid avatarforge-pose-grid", "aria-label": name });
    grid.addEventListener("keydown", (event) => {
      const tiles = tilesOf(grid);
      const target = gridTarget(event, tiles);
      if (!target) return;
      for (const tile of tiles) tile.tabIndex = -1;
      target.tabIndex = 0;
      target.focus();
    });
    return grid;
  }
}

/** @param {HTMLElement} grid */
function tilesOf(grid) {
  return [...grid.querySelectorAll("button")];
}
