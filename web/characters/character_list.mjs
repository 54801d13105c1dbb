// All characters with their portraits, newest first, and a search.
import { button, gridTarget, hasFiles, make, setStatus } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { newId } from "../panel/fields.mjs";
import { createCharacter, importCharacter } from "./dialogs.mjs";

/** @import { Capabilities, CharacterSummary } from "../shared/types.d.ts" */
/** @import { Session } from "../panel/session.mjs" */
/** @import { CharactersClient } from "./characters_client.mjs" */

const PAGE = 48;
const LONGEST_SEARCH = 100;
const SIZE = 512; // pixels of a thumbnail, for screens with several pixels per CSS pixel
const PAUSE = 250; // ms after the last key until the search begins

export class CharacterList {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {CharactersClient} options.characters
   * @param {(id: string) => void} options.open
   * @param {() => Promise<Capabilities>} options.getCapabilities
   */
  constructor({ session, characters, open, getCapabilities }) {
    const { t } = session;
    this.session = session;
    this.characters = characters;
    this.open = open;
    this.getCapabilities = getCapabilities;
    /** @type {string | null} */
    this.nextCursor = null;
    this.lastRequest = 0;
    /** @type {Map<string, HTMLButtonElement>} */
    this.tiles = new Map();
    const searchId = newId();
    this.search = make("input", {
      id: searchId,
      type: "search",
      className: "avatarforge-control",
      maxLength: LONGEST_SEARCH,
      autocomplete: "off",
      placeholder: t("search_characters_example"),
    });
    /** @type {number | undefined} */
    let timer;
    this.search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => void this.load(), PAUSE);
    });
    this.file = make("input", { type: "file", accept: ".zip,.char,application/zip", hidden: true });
    this.file.setAttribute("aria-label", t("import_character"));
    this.file.addEventListener("change", () => {
      const file = this.file.files?.[0];
      this.file.value = ""; // so that the same file can be chosen again
      if (file) void this.#import(file);
    });
    this.grid = make("ul", { className: "avatarforge-character-list", "aria-label": t("characters") });
    this.grid.addEventListener("keydown", (event) => this.#moveFocus(event));
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.more = button(t("older"), () => void this.load(true), { hidden: true });
    this.retry = button(t("retry"), () => void this.load(), { hidden: true });
    this.element = make(
      "section",
      { className: "avatarforge-characters-view", "aria-label": t("characters") },
      make(
        "div",
        { className: "avatarforge-row avatarforge-character-tools" },
        make("label", { htmlFor: searchId, className: "avatarforge-announcer", textContent: t("search_characters") }),
        this.search,
        button(t("character_new"), () => void this.#create(), { className: "avatarforge-button avatarforge-main" }),
        button(t("import_dots"), () => this.file.click()),
        this.file,
      ),
      this.grid,
      make("div", { className: "avatarforge-row" }, this.status, this.retry, this.more),
    );
    for (const name of /** @type {const} */ (["dragover", "drop"]))
      this.element.addEventListener(name, (event) => {
        if (!hasFiles(event.dataTransfer)) return;
        event.preventDefault();
        event.stopPropagation(); // otherwise the panel says where to drop a picture
        const file = event.dataTransfer?.files[0];
        if (event.type === "drop" && file) void this.#import(file);
      });
  }

  /**
   * Load the newest characters that match the search, or the next older ones in addition.
   * @param {boolean} older
   */
  async load(older = false) {
    const { t } = this.session;
    const request = ++this.lastRequest;
    this.retry.hidden = true;
    this.grid.setAttribute("aria-busy", "true");
    if (!this.tiles.size) setStatus(this.status, t("loading"));
    try {
      const query = { limit: PAGE, cursor: older ? this.nextCursor : null, q: this.search.value.trim() };
      const page = await this.characters.list(query);
      if (request !== this.lastRequest) return;
      if (!older) {
        this.tiles.clear();
        this.grid.replaceChildren();
      }
      const shownBefore = this.tiles.size;
      for (const character of page.characters) this.#add(character);
      this.nextCursor = page.next_cursor;
      this.more.hidden = !this.nextCursor;
      const [first] = this.tiles.values();
      if (first && !shownBefore) first.tabIndex = 0;
      else if (older) [...this.tiles.values()][shownBefore]?.focus();
      const nothing = query.q ? t("no_character_matches") : t("no_characters");
      setStatus(this.status, this.tiles.size ? t("characters_shown", { n: this.tiles.size, total: page.total }) : nothing);
    } catch (error) {
      if (request !== this.lastRequest) return;
      setStatus(this.status, errorMessage(error, t), true);
      this.retry.hidden = false;
    } finally {
      if (request === this.lastRequest) this.grid.removeAttribute("aria-busy");
    }
  }

  /**
   * Focus the tile of a character; otherwise the first one, or the search.
   * @param {string} id
   */
  focus(id = "") {
    const [first] = this.tiles.values();
    const tile = this.tiles.get(id) ?? first;
    if (tile) this.#focusTile(tile);
    else this.search.focus();
  }

  /** @param {CharacterSummary} character */
  #add({ character_id: id, name, description, thumbnail }) {
    const image = make("img", { alt: "", loading: "lazy", className: "avatarforge-not-loaded" });
    image.addEventListener("load", () => image.classList.remove("avatarforge-not-loaded"));
    if (thumbnail) void this.session.client.applyUrl(`${thumbnail}?size=${SIZE}`, (url) => (image.src = url));
    const initial = make("span", { className: "avatarforge-initial", "aria-hidden": "true", textContent: [...name][0] });
    const tile = make(
      "button",
      { type: "button", className: "avatarforge-tile", tabIndex: -1, onclick: () => this.open(id) },
      make("span", { className: "avatarforge-whole-picture" }, thumbnail ? image : initial),
      make("span", { className: "avatarforge-title", textContent: name }),
      make("span", { className: "avatarforge-details", textContent: description }),
    );
    this.tiles.set(id, tile);
    this.grid.append(make("li", {}, tile));
  }

  async #create() {
    const { session, characters } = this;
    try {
      const created = await createCharacter(session, characters, await this.getCapabilities());
      if (created) this.open(created.character_id);
    } catch (error) {
      setStatus(this.status, errorMessage(error, session.t), true);
    }
  }

  /** @param {File} file */
  async #import(file) {
    const { session, characters } = this;
    const { t } = session;
    setStatus(this.status, t("importing", { name: file.name }));
    try {
      const imported = await importCharacter(session, characters, file);
      await this.load();
      if (!imported) return;
      const missing = imported.missing.map(({ name }) => name).join(t("list_separator"));
      const { name, outcome } = imported;
      if (outcome === "unchanged") session.notify(t("import_unchanged", { name }));
      else session.notify(missing ? t("imported_missing", { name, missing }) : t("template_imported", { name }));
      this.open(imported.character_id);
    } catch (error) {
      setStatus(this.status, errorMessage(error, t), true);
    }
  }

  /** @param {HTMLButtonElement} target */
  #focusTile(target) {
    for (const tile of this.tiles.values()) tile.tabIndex = -1;
    target.tabIndex = 0;
    target.focus();
  }

  /** @param {KeyboardEvent} event */
  #moveFocus(event) {
    const target = gridTarget(event, [...this.tiles.values()]);
    if (target) this.#focusTile(target);
  }
}
