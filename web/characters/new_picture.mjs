// "New picture of ...": pick pose, outfit, expression and view, and press Generate.
import { button, make } from "../shared/elements.mjs";
import { ApiError, errorMessage, problemMessage, statusOf } from "../shared/errors.mjs";
import { newKey } from "../panel/client.mjs";
import { numberField, textAreaField } from "../panel/fields.mjs";
import { Choices } from "./choices.mjs";
import { expressionChoices, outfitChoices, poseChoices, viewChoices } from "./options.mjs";
import { readChoices, writeChoices } from "./picture_choices.mjs";
import { randomSeed } from "./seed.mjs";

/** @import { Character, Generation, LibraryPose } from "../shared/types.d.ts" */
/** @import { Session } from "../panel/session.mjs" */

const MOST = 16; // pictures of one request

export class NewPicture {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {(generation: Generation) => void} options.submitted
   */
  constructor({ session, submitted }) {
    const { client, t } = session;
    this.session = session;
    this.submitted = submitted;
    this.busy = false;
    /** @type {string[]} */
    this.builtInExpressions = []; // once they are loaded
    /** @type {Character | null} */
    this.character = null;
    /** @type {{ request: string, key: string } | null} */
    this.unanswered = null; // the last request, until the server has responded to it
    /** The requests that were sent without a seed of their own: sent again, they would repeat their pictures. */
    /** @type {Set<string>} */
    this.sent = new Set();
    this.lastChoice = ""; // the last request without its seed
    /** @type {Record<string, unknown>} */
    this.lastBody = {};
    this.heading = make("h3");
    this.pose = new Choices(t("pose"), { client });
    this.outfit = new Choices(t("outfit"), { client });
    this.expression = new Choices(t("expression"), { client });
    this.view = new Choices(t("view"), { client, multiple: true, hint: t("views_hint") });
    this.view.setChoices(viewChoices(t));
    this.prompt = textAreaField(t("also_in_picture"), { rows: 2, placeholder: t("also_in_picture_example"), wide: true });
    this.count = numberField(t("count"), { min: 1, max: MOST, step: 1, placeholder: "1" });
    this.newSeed = make("input", { type: "checkbox" });
    this.seedLabel = make("label", { className: "avatarforge-check" }, this.newSeed, make("span", { textContent: t("new_seed") }));
    this.alert = make("div", { className: "avatarforge-alert", role: "alert", hidden: true });
    this.note = make("p", { className: "avatarforge-hint", textContent: t("unsaved_not_used"), hidden: true });
    this.submitButton = button(t("generate"), () => void this.submit(), {
      className: "avatarforge-button avatarforge-main",
    });
    this.element = make(
      "form",
      { className: "avatarforge-new-picture", noValidate: true },
      this.heading,
      this.pose.element,
      this.outfit.element,
      this.expression.element,
      this.view.element,
      make(
        "details",
        {},
        make("summary", { textContent: t("more") }),
        this.prompt.element,
        make("div", { className: "avatarforge-fields" }, this.count.element, this.seedLabel),
      ),
      this.note,
      this.alert,
      make("div", { className: "avatarforge-row" }, this.submitButton),
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
    for (const type of ["change", "input"]) this.element.addEventListener(type, () => this.#keep());
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
      event.preventDefault();
      event.stopPropagation(); // otherwise the editor queues its graph
      void this.submit();
    });
  }

  /**
   * Offer what this character has. What was chosen stays chosen if it has that, too.
   * @param {Character} character
   */
  setCharacter(character) {
    const { t } = this.session;
    if (character.character_id !== this.character?.character_id) {
      const kept = readChoices(character.character_id);
      this.pose.values = kept.pose;
      this.outfit.values = kept.outfit;
      this.expression.values = kept.expression;
      this.view.values = kept.view;
      this.prompt.value = kept.prompt;
      this.count.value = kept.count;
      this.newSeed.checked = kept.newSeed;
    }
    this.character = character;
    this.heading.textContent = t("new_picture_of", { name: character.name });
    this.element.setAttribute("aria-label", this.heading.textContent);
    this.outfit.setChoices(outfitChoices(character, t));
    this.expression.setChoices(expressionChoices(character, this.builtInExpressions, t));
    this.outfit.element.hidden = !character.outfits.length;
    this.seedLabel.hidden = character.seed === null; // otherwise each picture has another one anyway
    if (!this.pose.kept.length) this.pose.values = [""];
    this.#hideAlert();
  }

  /** @param {string[]} names of the built-in expressions */
  setExpressions(names) {
    this.builtInExpressions = names;
    if (this.character) this.expression.setChoices(expressionChoices(this.character, names, this.session.t));
  }

  /** @param {LibraryPose[]} poses */
  setPoses(poses) {
    this.pose.setChoices(poseChoices(poses, this.session.t));
  }

  /**
   * Say that a picture shows the character as it was saved last.
   * @param {boolean} dirty
   */
  setDirty(dirty) {
    this.note.hidden = !dirty;
  }

  /** Send the request. The form shows why if it was not accepted. */
  async submit() {
    const { client, live, t } = this.session;
    const { character } = this;
    if (this.busy || !character) return;
    this.#hideAlert();
    if (this.count.isBadNumber) {
      this.count.showError(t("not_a_number"));
      this.count.focus();
      return;
    }
    this.#setBusy(true);
    try {
      const { route, body } = this.#request(character);
      const generation = await client.createGeneration(route, body, this.#idempotencyKey(route, body));
      this.unanswered = null;
      if (body.seed !== undefined && !this.newSeed.checked) this.session.notify(t("with_new_seed"));
      this.sent.add(this.lastChoice);
      live.watch(generation);
      this.session.announce(t("accepted"));
      this.submitted(generation);
    } catch (error) {
      if (statusOf(error)) this.unanswered = null;
      this.#showError(error);
    } finally {
      this.#setBusy(false);
    }
  }

  #keep() {
    if (!this.character) return;
    writeChoices(this.character.character_id, {
      pose: this.pose.kept,
      outfit: this.outfit.kept,
      expression: this.expression.kept,
      view: this.view.kept,
      prompt: this.prompt.value,
      count: this.count.value,
      newSeed: this.newSeed.checked,
    });
  }

  /** @param {Character} character */
  #request(character) {
    const views = this.view.values;
    const sheet = views.length > 1;
    /** @type {Record<string, unknown>} */
    const body = { character_id: character.character_id };
    if (this.pose.value) body.pose_id = this.pose.value;
    if (this.outfit.value) body.outfit = this.outfit.value;
    if (this.expression.value) body.expression = this.expression.value;
    if (this.prompt.value) body.prompt = this.prompt.value;
    if (this.count.value) body.count = Number(this.count.value);
    if (sheet) body.views = views;
    const route = sheet
      ? "/generate_all_poses"
      : views.length
        ? `/generate_pose?pose=${encodeURIComponent(views[0])}`
        : "/generate/avatar";
    const choice = JSON.stringify([route, body, character.version]);
    // A request that got no response is repeated as it was.
    if (this.unanswered && choice === this.lastChoice) return { route, body: this.lastBody };
    const isRepeated = this.sent.has(choice);
    if (character.seed !== null && (this.newSeed.checked || isRepeated)) body.seed = randomSeed();
    this.lastChoice = choice;
    this.lastBody = body;
    return { route, body };
  }

  /**
   * The idempotency key. Submitting a request again after its response was lost must not create a second generation.
   * @param {string} route
   * @param {Record<string, unknown>} body
   */
  #idempotencyKey(route, body) {
    const request = JSON.stringify([route, body]);
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

  #hideAlert() {
    this.alert.hidden = true;
    this.alert.textContent = "";
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.busy = busy;
    this.element.setAttribute("aria-busy", String(busy));
    this.submitButton.setAttribute("aria-disabled", String(busy));
  }
}
