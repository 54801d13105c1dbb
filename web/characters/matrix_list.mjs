// The matrices that a character already has: all batches with a picture of it.
import { button, make, setStatus } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { formatTime } from "../panel/labels.mjs";
import { section } from "./section.mjs";

/** @import { Character } from "../shared/types.d.ts" */
/** @import { Session } from "../panel/session.mjs" */
/** @import { CharactersClient } from "./characters_client.mjs" */

export class MatrixList {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {CharactersClient} options.characters
   * @param {(batchId: string) => void} options.open
   */
  constructor({ session, characters, open }) {
    const { t } = session;
    this.session = session;
    this.characters = characters;
    this.open = open;
    /** @type {Character | null} */
    this.character = null;
    this.lastRequest = 0;
    this.list = make("ul", { className: "avatarforge-version-list" });
    this.list.setAttribute("aria-label", t("matrices"));
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.element = section(
      t("matrices"),
      this.list,
      this.status,
    );
    this.element.addEventListener("toggle", () => {
      if (this.element.open) void this.#load();
    });
  }

  /** @param {Character} character */
  setCharacter(character) {
    this.character = character;
    if (this.element.open) void this.#load();
  }

  async #load() {
    const { locale, t } = this.session;
    const { character } = this;
    if (!character) return;
    const request = ++this.lastRequest;
    try {
      const { batches } = await this.characters.listBatches(character.character_id);
      if (request !== this.lastRequest) return;
      this.list.replaceChildren(
        ...batches.map(({ batch_id: id, created_at: created, completed, total, name }) =>
          make(
            "li",
            {},
            make("strong", { textContent: name ?? t("matrix") }),
            make("span", {
              className: "avatarforge-line",
              textContent: `${t("matrix_progress", { done: completed, total })} · ${formatTime(created, locale)}`,
            }),
            button(t("open"), () => this.open(id), { "aria-label": t("open_matrix", { date: formatTime(created, locale) }) }),
          ),
        ),
      );
      setStatus(this.status, batches.length ? "" : t("no_matrices"));
    } catch (error) {
      if (request === this.lastRequest) setStatus(this.status, errorMessage(error, t), true);
    }
  }
}
