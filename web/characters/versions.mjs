// The versions of a character: any of them can be put into the form, and saved as the newest one.
import { button, make, setStatus } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { formatTime } from "../panel/labels.mjs";
import { section } from "./section.mjs";

/** @import { Character, CharacterVersion } from "../shared/types.d.ts" */
/** @import { Session } from "../panel/session.mjs" */
/** @import { CharactersClient } from "./characters_client.mjs" */

export class Versions {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {CharactersClient} options.characters
   * @param {(version: Character) => void} options.restore puts it into the form
   */
  constructor({ session, characters, restore }) {
    const { t } = session;
    this.session = session;
    this.characters = characters;
    this.restore = restore;
    /** @type {Character | null} */
    this.character = null;
    /** @type {string | null} */
    this.nextCursor = null;
    this.lastRequest = 0;
    this.list = make("ul", { className: "avatarforge-version-list" });
    this.list.setAttribute("aria-label", t("versions"));
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.older = button(t("older"), () => void this.#load(this.nextCursor), { hidden: true });
    this.element = section(
      t("versions"),
      make("p", { className: "avatarforge-hint", textContent: t("versions_hint") }),
      this.list,
      this.status,
      this.older,
    );
    this.element.addEventListener("toggle", () => {
      if (this.element.open) void this.#load(null);
    });
  }

  /** @param {Character} character */
  setCharacter(character) {
    this.character = character;
    this.lastRequest++;
    if (this.element.open) void this.#load(null);
  }

  /** @param {string | null} cursor */
  async #load(cursor) {
    const { t } = this.session;
    const { character } = this;
    if (!character) return;
    const request = ++this.lastRequest;
    try {
      const page = await this.characters.listVersions(character.character_id, cursor);
      if (request !== this.lastRequest) return;
      const items = page.versions.map((version) => this.#item(version, character));
      if (cursor) this.list.append(...items);
      else this.list.replaceChildren(...items);
      this.nextCursor = page.next_cursor;
      this.older.hidden = !this.nextCursor;
      setStatus(this.status, "");
    } catch (error) {
      if (request === this.lastRequest) setStatus(this.status, errorMessage(error, t), true);
    }
  }

  /**
   * @param {CharacterVersion} version
   * @param {Character} character
   */
  #item({ version, name, created_at: created }, character) {
    const { locale, t } = this.session;
    const isNewest = version === character.version;
    const renamed = name === character.name ? "" : ` · ${name}`;
    return make(
      "li",
      {},
      make("strong", { textContent: t("version_number", { n: version }) }),
      make("span", { className: "avatarforge-line", textContent: `${formatTime(created, locale)}${renamed}` }),
      isNewest
        ? make("span", { className: "avatarforge-line", textContent: t("version_newest") })
        : button(t("version_restore"), () => void this.#restore(character, version), {
            "aria-label": t("version_restore_named", { n: version }),
          }),
    );
  }

  /**
   * @param {Character} character
   * @param {number} version
   */
  async #restore({ character_id: id }, version) {
    const { t } = this.session;
    try {
      const old = await this.characters.get(id, version);
      if (this.character?.character_id === id) this.restore(old);
    } catch (error) {
      setStatus(this.status, errorMessage(error, t), true);
    }
  }
}
