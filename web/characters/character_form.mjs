// What a character is, to be edited: words, model, references, outfits, expressions and the usual pose.
import { button, make } from "../shared/elements.mjs";
import { ApiError, errorMessage, problemMessage } from "../shared/errors.mjs";
import { selectField, setOptions } from "../panel/fields.mjs";
import { modelText, usableLoras, usableModels } from "../panel/form_fields.mjs";
import { LorasField } from "../panel/loras_field.mjs";
import { makeTexts } from "./character_texts.mjs";
import { Choices } from "./choices.mjs";
import { NamedList } from "./named_list.mjs";
import { poseChoices, poseName } from "./options.mjs";
import { References } from "./references.mjs";
import { focusIn, section, showCount } from "./section.mjs";
import { numberOfDigits, seedField } from "./seed.mjs";

/** @import { Capabilities, CharacterContent, FormField, LibraryPose } from "../shared/types.d.ts" */
/** @import { Session } from "../panel/session.mjs" */
/** @typedef {{ showError(text: string): void, focus(): void }} Place shows a problem of the request */

/** Of LoRAs, until the server has said more. */
const ANY_STRENGTH = /** @type {FormField} */ ({ minimum: -100, maximum: 100, step: 0.05, max_items: null });
const MODEL_FIELDS = /** @type {const} */ (["model", "family", "template"]);

export class CharacterForm {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {() => void} options.changed
   * @param {() => void} options.save
   * @param {() => void} options.discard
   */
  constructor({ session, changed, save, discard }) {
    const { client, t } = session;
    this.session = session;
    const noteChange = () => {
      this.#showCounts();
      changed();
    };
    /** @type {CharacterContent["defaults"]} */
    this.defaults = {};
    /** @type {LibraryPose[]} */
    this.poses = [];
    this.texts = makeTexts(t);
    this.model = selectField(t("model"), t("model_of_request"));
    this.realism = selectField(t("realism"), t("automatic"), [
      ["false", t("realism_false")],
      ["true", t("realism_true")],
    ]);
    this.seed = seedField(t("seed"), t);
    this.loras = new LorasField(t("loras"), ANY_STRENGTH, t);
    this.loras.element.addEventListener("input", noteChange);
    for (const field of [...Object.values(this.texts), this.seed]) field.control.addEventListener("input", changed);
    for (const field of [this.model, this.realism]) field.control.addEventListener("change", changed);
    this.references = new References(session, noteChange);
    this.outfits = new NamedList({
      session,
      label: t("outfits"),
      addText: t("add_outfit"),
      example: t("words_of_outfit_example"),
      hasPictures: true,
      changed: noteChange,
    });
    this.expressions = new NamedList({
      session,
      label: t("expressions"),
      addText: t("add_expression"),
      example: t("words_of_expression_example"),
      hasPictures: false,
      changed: noteChange,
    });
    this.pose = new Choices(t("usual_pose"), { client, hint: t("usual_pose_hint"), changed });
    this.alert = make("div", { className: "avatarforge-alert", role: "alert", hidden: true });
    this.state = make("p", { className: "avatarforge-status", role: "status" });
    // Its owner shows it where it stays in sight.
    this.bar = make(
      "div",
      { className: "avatarforge-save-bar", hidden: true },
      this.alert,
      this.state,
      make(
        "div",
        { className: "avatarforge-row" },
        button(t("save_changes"), save, { className: "avatarforge-button avatarforge-main" }),
        button(t("discard_changes"), discard),
      ),
    );
    const { name, description, clothing, style, negative } = this.texts;
    this.sections = {
      description: section(
        t("description"),
        name.element,
        description.element,
        clothing.element,
        make("div", { className: "avatarforge-fields" }, style.element, this.realism.element, this.model.element, this.seed.element),
        this.loras.element,
        negative.element,
      ),
      references: section(t("references"), this.references.element),
      outfits: section(t("outfits"), this.outfits.element),
      expressions: section(t("expressions"), this.expressions.element),
      poses: section(t("poses"), this.pose.element),
    };
    this.element = make("form", { className: "avatarforge-character-form", noValidate: true });
    this.element.setAttribute("aria-label", t("character_edit"));
    this.element.append(...Object.values(this.sections));
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      save();
    });
  }

  /**
   * Offer the installed models, and the paper doll.
   * @param {Capabilities} capabilities
   */
  setModels(capabilities) {
    const { t } = this.session;
    const { value } = this.model;
    /** @type {[value: string, text: string][]} */
    const options = usableModels(capabilities).map((model) => [`model:${model.name}`, modelText(model, t)]);
    if (value && !options.some(([option]) => option === value)) options.push([value, splitModel(value)[1]]);
    setOptions(this.model, t("model_of_request"), options);
    this.loras.setInstalled(usableLoras(capabilities));
    this.loras.getFamily = () => {
      const [kind, name] = splitModel(this.model.value);
      if (kind === "family") return name;
      return capabilities.models.find((model) => kind === "model" && model.name === name)?.family;
    };
  }

  /** @param {FormField} schema of the LoRAs, as the server limits them */
  setLoras(schema) {
    const shown = this.loras.rows.map(({ requestValue }) => requestValue);
    this.loras.schema = schema;
    this.loras.value = shown; // drawn again within these limits
  }

  /** @param {LibraryPose[]} poses */
  setPoses(poses) {
    this.poses = poses;
    this.#showPose(this.pose.value);
  }

  /** @returns {CharacterContent} */
  get content() {
    const { texts } = this;
    const optional = (/** @type {string} */ text) => text || null;
    const [kind, chosen] = splitModel(this.model.value);
    return {
      name: texts.name.value,
      description: texts.description.value,
      clothing: optional(texts.clothing.value),
      style: optional(texts.style.value),
      negative: optional(texts.negative.value),
      realism: this.realism.value ? this.realism.value === "true" : null,
      seed: numberOfDigits(this.seed.value),
      loras: this.loras.rows
        .map(({ requestValue }) => requestValue)
        .map(({ name, strength, clip_strength = null }) => ({ name, strength, clip_strength })),
      references: this.references.value,
      outfits: this.outfits.value.map(({ name, words, file_id: fileId = null }) => ({ name, words, file_id: fileId })),
      expressions: this.expressions.value.map(({ name, words }) => ({ name, words })),
      defaults: this.#defaultsWithPose(),
      model: kind === "model" ? chosen : null,
      family: kind === "family" ? chosen : null,
      template: kind === "template" ? chosen : null,
    };
  }

  /** The other defaults, with the chosen pose in its place among them. */
  #defaultsWithPose() {
    const { value } = this.pose;
    const { pose_id: before, ...others } = this.defaults;
    if (!value) return others;
    // A pose that was saved by its name stays so.
    const isSame = value === before || this.poses.some(({ pose_id: id, name }) => id === value && name === before);
    return { ...this.defaults, pose_id: isSame ? before : value };
  }

  set content(content) {
    for (const name of /** @type {(keyof typeof this.texts)[]} */ (Object.keys(this.texts)))
      this.texts[name].value = content[name];
    this.realism.value = content.realism;
    this.seed.value = content.seed;
    const kind = MODEL_FIELDS.find((name) => content[name] !== null);
    this.#showModel(kind ? `${kind}:${content[kind]}` : "");
    this.references.value = structuredClone(content.references);
    this.outfits.value = content.outfits;
    this.expressions.value = content.expressions;
    this.defaults = structuredClone(content.defaults);
    this.loras.value = content.loras;
    this.#showPose(String(content.defaults.pose_id ?? ""));
    this.#showCounts();
    this.#hideAlert();
  }

  /** Say in the titles how many there are. */
  #showCounts() {
    for (const name of /** @type {const} */ (["references", "outfits", "expressions"]))
      showCount(this.sections[name], this[name].value.length);
  }

  /** @param {string} value */
  #showModel(value) {
    const { control } = this.model;
    if (value && ![...control.options].some((option) => option.value === value))
      control.add(make("option", { value, textContent: splitModel(value)[1] }));
    this.model.value = value;
  }

  /** @param {string} value the id or name of a pose; "" for none */
  #showPose(value) {
    const { t } = this.session;
    const known = this.poses.find(({ pose_id: id, name }) => id === value || name === value);
    const choices = poseChoices(this.poses, t);
    choices[0].text = t("no_usual_pose");
    // A saved pose may have been deleted, or is not loaded yet. It stays visible, and the server reports it.
    if (value && !known) choices.push({ value, text: poseName(value, this.poses, t) });
    this.pose.setChoices(choices);
    this.pose.values = [known?.pose_id ?? value];
  }

  /**
   * Show whether there is something to save.
   * @param {boolean} dirty
   */
  setDirty(dirty) {
    const { t } = this.session;
    this.state.textContent = dirty ? t("unsaved_changes") : "";
    this.bar.hidden = !dirty;
    if (!dirty) this.#hideAlert();
  }

  /** Whether it can be sent; otherwise the problems are shown. */
  check() {
    const { t } = this.session;
    this.#hideAlert();
    /** @type {Place[]} */
    const wrong = [this.texts.name, this.texts.description].filter((field) => !field.value);
    for (const place of wrong) place.showError(t("value_missing"));
    if (this.seed.problem) {
      this.seed.showError(this.seed.problem);
      wrong.push(this.seed);
    }
    for (const list of [this.outfits, this.expressions]) {
      const row = list.findProblem();
      if (row) wrong.push({ showError() {}, focus: () => focusIn(row.element, row) });
    }
    if (!wrong.length) return true;
    this.showAlert(t("check_fields"));
    wrong[0].focus();
    return false;
  }

  /** @param {unknown} error */
  showError(error) {
    const { t } = this.session;
    if (!(error instanceof ApiError) || !error.problems.length) {
      this.showAlert(errorMessage(error, t));
      return;
    }
    const { outfits, expressions, texts } = this;
    /** @type {Record<string, Place | undefined>} */
    const places = { ...texts, model: this.model, realism: this.realism, seed: this.seed, loras: this.loras };
    const others = [];
    for (const problem of error.problems) {
      const message = problemMessage(error, problem, t);
      const [, name, index] = problem.loc;
      const list = name === "outfits" ? outfits : name === "expressions" ? expressions : null;
      const place = list ? list.rows[Number(index)]?.words : places[name];
      if (place) place.showError(message);
      else others.push(message);
    }
    this.showAlert([t("check_fields"), ...others].join(" "));
  }

  /** @param {string} text */
  showAlert(text) {
    this.alert.textContent = text;
    this.alert.hidden = false;
  }

  #hideAlert() {
    this.alert.hidden = true;
    this.alert.textContent = "";
  }

  focus() {
    this.texts.name.focus();
  }
}

/**
 * @param {string} value such as model:name.safetensors
 * @returns {[kind: string, name: string]}
 */
function splitModel(value) {
  const at = value.indexOf(":");
  return at < 0 ? ["", ""] : [value.slice(0, at), value.slice(at + 1)];
}
