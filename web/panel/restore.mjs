// Asks what to do with a picture that was dropped onto the panel: restore its settings, or use it.
import { button, make } from "../shared/elements.mjs";
import { errorMessage, statusOf } from "../shared/errors.mjs";
import { showModal } from "../shared/modal.mjs";
import { findSettings } from "./picture_settings.mjs";
import { readPngTexts } from "./png_text.mjs";
import { settingName, settingText } from "./setting_texts.mjs";

/** @import { DraggedPicture, Generation } from "../shared/types.d.ts" */
/** @import { Form } from "./form.mjs" */
/** @import { FoundSettings } from "./picture_settings.mjs" */
/** @import { Session } from "./session.mjs" */
/** @typedef {"settings" | "pose" | "reference" | ""} Choice */
/**
 * @typedef {object} Offer
 * @property {string} title
 * @property {[name: string, value: string][]} rows what would be restored
 * @property {string[]} missing what the picture has and this server or form has not
 * @property {() => () => void} apply puts them into the form; what it returns puts back what was there before
 */

const LONGEST_TEXT = 300; // characters of a value in the dialog
const MOST_ROWS = 30;

export class Restore {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {Form} options.form
   * @param {() => void} options.showForm
   */
  constructor({ session, form, showForm }) {
    this.session = session;
    this.form = form;
    this.showForm = showForm;
  }

  /**
   * @param {File} file
   * @returns {Promise<boolean>} whether it has settings; otherwise nothing was asked
   */
  async dropFile(file) {
    const found = findSettings(await readPngTexts(file));
    if (!found) return false;
    const generation = found.id ? await this.#generation(found.id) : null;
    const offer = generation?.parameters ? this.#ofGeneration(generation) : this.#ofSettings(found);
    const choice = await this.#ask(offer);
    if (choice === "settings") this.#apply(offer);
    if (choice !== "pose" && choice !== "reference") return true;
    this.showForm();
    this.form.slots[choice].uploadFirst([file]);
    return true;
  }

  /**
   * One of our own pictures, whose generation is known.
   * @param {DraggedPicture} picture
   */
  async dropPicture(picture) {
    const { session } = this;
    try {
      const generation = await session.client.getGeneration(picture.generation_id);
      const offer = generation.parameters ? this.#ofGeneration(generation, picture.number) : null;
      const choice = offer ? await this.#ask(offer) : "reference";
      if (offer && choice === "settings") this.#apply(offer);
      if (choice !== "pose" && choice !== "reference") return;
      this.showForm();
      this.form.slots[choice].take(picture);
    } catch (error) {
      session.notify(errorMessage(error, session.t));
    }
  }

  /**
   * Null if this server does not have it: the picture may come from another one, or its generation was deleted.
   * @param {string} id
   * @returns {Promise<Generation | null>}
   */
  async #generation(id) {
    try {
      return await this.session.client.getGeneration(id);
    } catch (error) {
      if (statusOf(error) !== 404) this.session.notify(errorMessage(error, this.session.t));
      return null;
    }
  }

  /**
   * @param {Generation} generation
   * @param {number} number of the picture, from 1
   * @returns {Offer}
   */
  #ofGeneration(generation, number = 1) {
    const { t } = this.session;
    const { parameters, output_files: outputs } = generation;
    if (!parameters) return { title: "", rows: [], missing: [], apply: () => () => {} };
    const seed = outputs[number - 1]?.seed ?? parameters.seed;
    const filled = { ...generation, parameters: { ...parameters, seed } };
    const names = ["prompt", "clothing", "style", "negative_prompt", "model", "width", "height", "steps", "cfg", "seed"];
    const values = /** @type {Record<string, unknown>} */ ({ ...filled.parameters });
    return {
      title: t("restore_own"),
      rows: this.#rows(Object.fromEntries(names.map((name) => [name, values[name]]))),
      missing: [],
      apply: () => this.form.fill(filled),
    };
  }

  /**
   * @param {FoundSettings} found
   * @returns {Offer}
   */
  #ofSettings({ source, values, model, loras, unread }) {
    const { t } = this.session;
    const { fields, models } = this.form;
    const missing = [...unread];
    /** @type {Record<string, unknown>} */
    const restored = {};
    for (const [name, value] of Object.entries(values)) {
      if (fields.get(name)?.accepts(value)) restored[name] = value;
      else missing.push(`${settingName(name, t)}: ${value}`);
    }
    const installed = findByName(
      models.map(({ name }) => name),
      model,
    );
    if (installed) restored.model = installed;
    else if (model) missing.push(`${settingName("model", t)}: ${model}`);
    const known = loras.flatMap(({ name, strength }) => {
      const there = findByName(this.form.loraNames, name);
      if (!there) missing.push(`${settingName("loras", t)}: ${name}`);
      return there ? [{ name: there, strength }] : [];
    });
    if (known.length) restored.loras = known;
    const titles = { avatarforge: t("restore_own"), comfyui: t("restore_comfyui"), a1111: t("restore_a1111") };
    const apply = () => this.form.fillValues(restored);
    return { title: titles[source], rows: this.#rows(restored), missing, apply };
  }

  /**
   * @param {Record<string, unknown>} values
   * @returns {[name: string, value: string][]}
   */
  #rows(values) {
    const { t } = this.session;
    return Object.entries(values)
      .filter(([, value]) => value !== null && value !== undefined && value !== "")
      .map(([name, value]) => [settingName(name, t), settingText(name, value, t).slice(0, LONGEST_TEXT)]);
  }

  /** @param {Offer} offer */
  #apply(offer) {
    const { session } = this;
    const putBack = offer.apply();
    this.showForm();
    session.notify(session.t("settings_restored"), session.t("undo"), putBack);
  }

  /**
   * @param {Offer} offer
   * @returns {Promise<Choice>} "" if the user wants none of it
   */
  async #ask({ title, rows, missing }) {
    const { t } = this.session;
    /** @type {Choice} */
    let choice = "";
    const className = "avatarforge-dialog avatarforge-restore avatarforge-palette";
    const dialog = make("dialog", { className, "aria-label": title });
    /**
     * @param {Choice} value
     * @param {string} label
     */
    const choose = (value, label) =>
      button(label, () => {
        choice = value;
        dialog.close();
      });
    const first = choose("settings", t("use_settings"));
    dialog.append(
      make("h2", { textContent: title }),
      make(
        "div",
        { className: "avatarforge-restore-found", tabIndex: 0, role: "region", "aria-label": t("all_settings") },
        make(
          "dl",
          {},
          ...rows.flatMap(([name, textContent]) => [make("dt", { textContent: name }), make("dd", { textContent })]),
        ),
        missing.length ? make("h3", { textContent: t("not_restored") }) : null,
        make(
          "ul",
          {},
          ...missing.slice(0, MOST_ROWS).map((text) => make("li", { textContent: text.slice(0, LONGEST_TEXT) })),
        ),
      ),
      make(
        "div",
        { className: "avatarforge-row" },
        first,
        choose("reference", t("to_reference")),
        choose("pose", t("to_pose")),
        choose("", t("cancel")),
      ),
    );
    const closed = showModal(dialog);
    first.focus();
    await closed;
    return choice;
  }
}

/**
 * The installed name that is the same without folder, extension and capitals; undefined if none is.
 * @param {string[]} installed
 * @param {string} name
 */
function findByName(installed, name) {
  if (!name || installed.includes(name)) return name || undefined;
  return installed.find((one) => plainName(one) === plainName(name));
}

/** @param {string} name */
function plainName(name) {
  const file = name.split(/[\\/]/).at(-1) ?? "";
  return file.replace(/\.(safetensors|ckpt|gguf|pt|pth|bin)$/i, "").toLowerCase();
}
