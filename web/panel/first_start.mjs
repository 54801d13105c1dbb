// The offer of a first picture when no model is installed: a knight, drawn as a paper doll.
import { button, make } from "../shared/elements.mjs";

/** @import { Capabilities, Translate } from "../shared/types.d.ts" */
/** @import { Form } from "./form.mjs" */

/** The prompt, if the user has not entered another. The paper doll reads English words in every language. */
const KNIGHT = "female knight, silver armor, red cape";

const REMEMBERED = "AvatarForge.PaperDoll"; // in the browser's storage

/** Whether the user chose the paper doll when the panel was last used. */
function isRemembered() {
  try {
    return localStorage.getItem(REMEMBERED) === "true";
  } catch {
    return false; // the browser allows no storage
  }
}

/** @param {boolean} chosen */
function remember(chosen) {
  try {
    localStorage.setItem(REMEMBERED, String(chosen));
  } catch {
    // The browser allows no storage: the offer is shown again.
  }
}

export class FirstStart {
  /**
   * @param {Form} form
   * @param {Translate} t
   */
  constructor(form, t) {
    this.form = form;
    this.isDrawnByDefault = false; // whether a request that names no model is drawn
    this.element = make(
      "section",
      { className: "avatarforge-first-start", "aria-label": t("first_start"), hidden: true },
      make("h2", { className: "avatarforge-heading", textContent: t("first_start") }),
      make("p", { textContent: t("first_start_hint") }),
      button(t("try_without_model"), () => void this.#accept(), { className: "avatarforge-button avatarforge-main" }),
    );
  }

  /**
   * Show the offer if it serves, once the form has its fields and models.
   * @param {Capabilities} capabilities
   */
  load({ families, default_family: named }) {
    this.isDrawnByDefault = families.some(({ name, drawn }) => drawn && name === named);
    if (!this.form.hasModel && isRemembered()) this.#chooseDoll();
    this.update();
  }

  /** Remember whether the paper doll is chosen, for the next time. */
  remember() {
    remember(Boolean(this.form.chosenModel?.drawn));
    this.update();
  }

  /** Show the offer while there is no model, and nothing would be drawn. */
  update() {
    const { chosenModel, hasModel, modelList, models, unavailable } = this.form;
    const offered = !hasModel && models.length > 0 && !this.isDrawnByDefault && !chosenModel?.drawn;
    this.element.hidden = !offered;
    // Beside the offer, it says what is missing for more.
    (offered ? this.element : modelList.element).after(unavailable);
  }

  #chooseDoll() {
    const { fields, models } = this.form;
    const doll = models.find(({ drawn }) => drawn);
    const [model, family] = ["model", "family"].map((name) => fields.get(name));
    if (!doll || !model || !family) return;
    model.requestValue = doll.name;
    family.requestValue = null;
  }

  /** Draw a character from all sides, and show it. */
  async #accept() {
    const { form } = this;
    const prompt = form.fields.get("prompt");
    if (form.busy || !prompt) return;
    prompt.requestValue ||= KNIGHT;
    this.#chooseDoll();
    remember(true);
    const generation = await form.submit(true);
    if (generation) form.open(generation.generation_id);
    else if (this.element.contains(document.activeElement)) form.focus(); // the button is hidden now
    this.update();
  }
}
