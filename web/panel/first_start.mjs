// What is shown while no model is installed: the offer of a first picture, a knight drawn as a paper doll, and the
// guide to the models.
import { button, make } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";

/** @import { Capabilities } from "../shared/types.d.ts" */
/** @import { Form } from "./form.mjs" */
/** @import { ModelGuideView } from "./model_guide.mjs" */
/** @import { Session } from "./session.mjs" */

/** The prompt, if the user has not entered another. The paper doll reads English words in every language. */
const KNIGHT = "female knight, silver armor, red cape";

const CHECK_PAUSE = 3000; // ms between two checks because the window got the focus

const WIDE = 820; // pixels, as in panel.css

export class FirstStart {
  /**
   * @param {Form} form
   * @param {Session} session
   */
  constructor(form, session) {
    const { t } = session;
    this.form = form;
    this.session = session;
    this.isDrawnByDefault = false; // whether a request that names no model is drawn
    this.isLoaded = false;
    this.lastCheck = 0;
    /** @type {Promise<ModelGuideView | null> | null} */
    this.guide = null; // until it is needed
    this.offer = make(
      "section",
      { className: "avatarforge-first-start", "aria-label": t("first_start"), hidden: true },
      make("h2", { className: "avatarforge-heading", textContent: t("first_start") }),
      make("p", { textContent: t("first_start_hint") }),
      button(t("try_without_model"), () => void this.#accept(), { className: "avatarforge-button avatarforge-main" }),
    );
    this.guidePlace = make("div", { hidden: true });
    this.element = make("div", { className: "avatarforge-group" }, this.offer, this.guidePlace);
    addEventListener("focus", () => void this.#checkOnFocus());
  }

  /**
   * Show what serves, once the form has its fields and models.
   * @param {Capabilities} capabilities
   */
  load({ families, default_family: named }) {
    this.isDrawnByDefault = families.some(({ name, drawn }) => drawn && name === named);
    this.isLoaded = true;
    this.update();
  }

  /** Show the offer while there is no model, and nothing would be drawn; the guide while there is no model. */
  update() {
    if (!this.isLoaded) return;
    const { chosenModel, hasModel, modelList, models, unavailable } = this.form;
    const offered = !hasModel && models.length > 0 && !this.isDrawnByDefault && !chosenModel?.drawn;
    // Who draws has no use for it now, and it is long.
    if (!this.offer.hidden && !offered) void this.guide?.then((guide) => guide && (guide.element.open = false));
    this.offer.hidden = !offered;
    this.guidePlace.hidden = hasModel;
    if (!hasModel) void this.#showGuide();
    // Beside the offer, it says what is missing for more.
    const neighbour = offered ? this.element : modelList.element;
    if (neighbour.nextElementSibling !== unavailable) neighbour.after(unavailable);
  }

  async #showGuide() {
    if (this.guide) return;
    const { session } = this;
    this.guide = import("./model_guide.mjs").then(
      ({ ModelGuideView }) => new ModelGuideView(session, () => void this.check()),
      () => (this.guide = null), // the server is gone: it is tried again with the next load
    );
    const guide = await this.guide;
    if (!guide) return;
    // Where the form is narrow, or the paper doll draws, it would only push the prompt out of sight.
    const panel = this.element.closest(".avatarforge-panel");
    guide.element.open = Boolean(!this.offer.hidden && panel && panel.clientWidth >= WIDE);
    this.guidePlace.replaceChildren(guide.element);
  }

  /**
   * Look for models again, and say what was found.
   * @param {boolean} quiet whether to say nothing if there is still none
   */
  async check(quiet = false) {
    const { form, session } = this;
    const { t } = session;
    const guide = await this.guide;
    this.lastCheck = Date.now();
    void guide?.load();
    const hadFocus = guide?.element.contains(document.activeElement);
    try {
      const { chosenModel } = form;
      await form.load();
      const found = form.models.find(({ drawn }) => !drawn);
      if (!quiet || found) guide?.setStatus(found ? "" : t("guide_none"));
      if (!found) return;
      // The doll was the only choice; now it would go on drawing unasked.
      if (chosenModel?.drawn) for (const name of ["model", "family"]) form.fields.get(name)?.reset();
      form.input.changed(null);
      session.notify(t("guide_found", { name: found.name }));
      if (hadFocus) form.focus(); // the button is hidden now
    } catch (error) {
      guide?.setStatus(errorMessage(error, t), true);
    }
  }

  /** People come back to the window after they have downloaded a file. */
  async #checkOnFocus() {
    if (this.guidePlace.hidden || Date.now() - this.lastCheck < CHECK_PAUSE) return;
    await this.check(true);
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
    form.input.changed(null);
    const generation = await form.submit(true);
    const { activeElement: focused } = document;
    if (generation) form.open(generation.generation_id);
    // The button is hidden now; the browser takes the focus from it a moment later.
    else if (focused === document.body || this.offer.contains(focused)) form.focus();
  }
}
