// What a matrix varies: outfits, expressions, views and poses of a character.
import { button, make } from "../shared/elements.mjs";
import { ApiError, errorMessage, problemMessage, statusOf } from "../shared/errors.mjs";
import { newKey } from "../panel/client.mjs";
import { numberField, textAreaField } from "../panel/fields.mjs";
import { Choices } from "./choices.mjs";
import { expressionChoices, outfitChoices, poseChoices, viewChoices } from "./options.mjs";

/** @import { Batch, Character, LibraryPose } from "../shared/types.d.ts" */
/** @import { Session } from "../panel/session.mjs" */
/** @import { CharactersClient } from "./characters_client.mjs" */

const MOST = 1000; // pictures of a matrix
const MOST_SEEDS = 16;
const LONGEST_NAME = 100; // of a batch

export class MatrixForm {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {CharactersClient} options.characters
   * @param {(batch: Batch) => void} options.submitted
   */
  constructor({ session, characters, submitted }) {
    const { client, t } = session;
    this.session = session;
    this.characters = characters;
    this.submitted = submitted;
    this.busy = false;
    /** @type {string[]} */
    this.builtInExpressions = []; // once they are loaded
    /** @type {Character | null} */
    this.character = null;
    /** @type {{ request: string, key: string } | null} */
    this.unanswered = null; // the last request, until the server has responded to it
    const options = { client, multiple: true, changed: () => this.#count() };
    this.outfits = new Choices(t("outfits"), options);
    this.expressions = new Choices(t("expressions"), options);
    this.views = new Choices(t("views"), options);
    this.views.setChoices(viewChoices(t));
    this.poses = new Choices(t("poses"), options);
    this.seeds = numberField(t("seeds_of_each"), { min: 1, max: MOST_SEEDS, step: 1, placeholder: "1" });
    this.seeds.control.addEventListener("input", () => this.#count());
    this.prompt = textAreaField(t("also_in_picture"), { rows: 2, placeholder: t("also_in_picture_example"), wide: true });
    this.total = make("p", { className: "avatarforge-line", role: "status" });
    this.alert = make("div", { className: "avatarforge-alert", role: "alert", hidden: true });
    this.submitButton = button(t("generate_matrix"), () => void this.submit(), {
      className: "avatarforge-button avatarforge-main",
    });
    this.element = make(
      "form",
      { className: "avatarforge-matrix-form", noValidate: true, "aria-label": t("matrix") },
      make("p", { className: "avatarforge-hint", textContent: t("matrix_hint") }),
      this.outfits.element,
      this.expressions.element,
      this.views.element,
      make("details", {}, make("summary", { textContent: t("more") }), this.poses.element, this.seeds.element, this.prompt.element),
      this.total,
      this.alert,
      make("div", { className: "avatarforge-row" }, this.submitButton),
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
  }

  /** @param {Character} character */
  setCharacter(character) {
    const { t } = this.session;
    if (character.character_id !== this.character?.character_id)
      for (const choices of [this.outfits, this.expressions, this.views, this.poses]) choices.values = [];
    this.character = character;
    this.outfits.setChoices(outfitChoices(character, t));
    this.expressions.setChoices(expressionChoices(character, this.builtInExpressions, t));
    this.alert.hidden = true;
    this.#count();
  }

  /** @param {string[]} names of the built-in expressions */
  setExpressions(names) {
    this.builtInExpressions = names;
    if (this.character) this.expressions.setChoices(expressionChoices(this.character, names, this.session.t));
  }

  /** @param {LibraryPose[]} poses */
  setPoses(poses) {
    this.poses.setChoices(poseChoices(poses, this.session.t));
  }

  focus() {
    this.outfits.focus();
  }

  /** The lists that vary something, by their names in the request. */
  get #lists() {
    const { outfits, expressions, views, poses } = this;
    const all = { outfits, expressions, views, poses };
    return Object.fromEntries(
      Object.entries(all).flatMap(([name, choices]) => {
        const values = choices.values.map((value) => value || null);
        return values.length ? [[name, values]] : [];
      }),
    );
  }

  /** Show how many pictures it would be, and return the number. */
  #count() {
    const { t } = this.session;
    const sizes = [...Object.values(this.#lists).map((values) => values.length), Number(this.seeds.value) || 1];
    const total = sizes.reduce((number, size) => number * size, 1);
    const factors = sizes.filter((size) => size > 1);
    const sum = factors.length > 1 ? `${factors.join(" × ")} = ${total}` : String(total);
    this.total.textContent = total > MOST ? t("matrix_too_large", { sum, limit: MOST }) : t("matrix_total", { sum });
    this.total.classList.toggle("avatarforge-error", total > MOST);
    this.submitButton.disabled = total > MOST;
    return total;
  }

  async submit() {
    const { t } = this.session;
    const { character } = this;
    if (this.busy || !character || this.#count() > MOST) return;
    this.alert.hidden = true;
    if (this.seeds.isBadNumber) {
      this.seeds.showError(t("not_a_number"));
      this.seeds.focus();
      return;
    }
    this.#setBusy(true);
    try {
      const id = character.character_id;
      const body = {
        ...this.#lists,
        ...(this.seeds.value ? { count: Number(this.seeds.value) } : {}),
        ...(this.prompt.value ? { base: { prompt: this.prompt.value } } : {}),
        version: character.version,
        name: t("matrix_of", { name: character.name }).slice(0, LONGEST_NAME),
      };
      const batch = await this.characters.createMatrix(id, body, this.#idempotencyKey(JSON.stringify([id, body])));
      this.unanswered = null;
      this.session.announce(t("accepted"));
      this.submitted(batch);
    } catch (error) {
      if (statusOf(error)) this.unanswered = null;
      this.#showError(error);
    } finally {
      this.#setBusy(false);
    }
  }

  /** @param {string} request one that got no response is sent again with the same key */
  #idempotencyKey(request) {
    if (this.unanswered?.request !== request) this.unanswered = { request, key: newKey() };
    return this.unanswered.key;
  }

  /** @param {unknown} error */
  #showError(error) {
    const { t } = this.session;
    const messages =
      error instanceof ApiError && error.problems.length
        ? error.problems.map((problem) => problemMessage(error, problem, t))
        : [errorMessage(error, t)];
    this.alert.textContent = messages.join(" ");
    this.alert.hidden = false;
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.busy = busy;
    this.element.setAttribute("aria-busy", String(busy));
    this.submitButton.setAttribute("aria-disabled", String(busy));
  }
}
