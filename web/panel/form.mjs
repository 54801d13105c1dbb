// The form: what the user enters, the buttons that send it, and what stands between the two.
import { button, make } from "../shared/elements.mjs";
import { statusOf } from "../shared/errors.mjs";
import { TemplateList } from "../templates/panel_list.mjs";
import { restoreDraft, saveDraft } from "./draft.mjs";
import { FirstStart } from "./first_start.mjs";
import { FormAlert } from "./form_alert.mjs";
import { addHelpers } from "./form_helpers.mjs";
import { FormInput } from "./form_input.mjs";
import { RequestLog, SHEET, routeOf } from "./form_request.mjs";
import { reasonText } from "./labels.mjs";
import { ModelList } from "./models.mjs";
import { addPrompt } from "./prompt_history.mjs";
import { SeedField } from "./seed_field.mjs";

/** @import { Capabilities, Generation } from "../shared/types.d.ts" */
/** @import { PoseSource } from "./picture_pose.mjs" */
/** @import { Session } from "./session.mjs" */

const TEMPLATE = "template"; // the field that names a template

export class Form {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {(generation: Generation) => void} options.onSubmitted
   * @param {(id: string) => void} options.open shows a generation
   */
  constructor({ session, onSubmitted, open }) {
    const { live, t } = session;
    this.session = session;
    this.onSubmitted = onSubmitted;
    this.open = open;
    this.busy = false;
    this.requests = new RequestLog();
    /** @type {Capabilities | null} */
    this.capabilities = null; // until they are loaded
    this.input = new FormInput(session);
    this.slots = this.input.slots;
    this.templates = new TemplateList({
      session,
      choose: (name) => this.#chooseTemplate(name),
      listed: (names) => {
        for (const field of this.fields.values()) field.setTemplates(names);
      },
    });
    this.modelList = new ModelList({ session, changed: () => void this.load().catch(() => {}) });
    this.firstStart = new FirstStart(this, session);
    this.templates.element.hidden = true; // until the schema has a template
    this.alert = new FormAlert(t);
    this.unavailable = make("details", { className: "avatarforge-missing", hidden: true });
    this.submitButtons = [
      button(t("generate"), () => void this.submit(), { className: "avatarforge-button avatarforge-main" }),
      button(t("generate_sheet"), () => void this.submit(true)),
    ];
    this.element = this.#layOut();
    this.element.addEventListener("submit", (event) => event.preventDefault());
    this.element.addEventListener("keydown", (event) => this.#handleShortcut(event));
    this.input.on("changed", (place) => {
      this.alert.changed(place);
      if (!this.fields.size) return;
      saveDraft(this.input.state, this.hasModel);
      this.firstStart.update();
    });
    live.on("ended", ({ generation_id: id, status }) => {
      if (status === "failed") this.requests.failed(id);
    });
    live.on("state", (state) => {
      if (state === "live" || state === "polling") this.alert.reconnected();
    });
  }

  #layOut() {
    return make(
      "form",
      { className: "avatarforge-character", noValidate: true, "aria-label": this.session.t("create") },
      this.firstStart.element,
      ...this.input.elements,
      this.templates.element,
      this.modelList.element,
      this.unavailable,
      make(
        "div",
        { className: "avatarforge-actions" },
        this.alert.element,
        make("div", { className: "avatarforge-row" }, ...this.submitButtons),
      ),
    );
  }

  get fields() {
    return this.input.fields;
  }

  get models() {
    return this.input.models;
  }

  get chosenModel() {
    return this.input.chosenModel;
  }

  /** The names of the LoRAs that a request can use. */
  get loraNames() {
    return (this.capabilities?.loras ?? []).filter(({ problem }) => !problem).map(({ name }) => name);
  }

  /** Whether there is a model, and not only what is drawn without one. */
  get hasModel() {
    return this.models.some(({ drawn }) => !drawn);
  }

  /**
   * Load the fields, the skeletons and the installed models. Keeps the user's input.
   * @throws {ApiError}
   */
  async load() {
    const { client, t } = this.session;
    const [{ fields: schema, limits }, capabilities, { poses }] = await Promise.all([
      client.getFormFields(),
      client.getCapabilities(),
      client.getPoses(),
    ]);
    client.limits = limits;
    this.capabilities = capabilities;
    const isFirst = !this.fields.size;
    if (isFirst) {
      this.input.makeFields(schema);
      addHelpers(this.input, () => this.capabilities);
    }
    this.input.setInstalled(capabilities, poses);
    if (isFirst) restoreDraft(this.input, this.hasModel);
    this.templates.element.hidden = !this.fields.has(TEMPLATE);
    this.templates.setFamilies(capabilities);
    void this.reloadTemplates();
    const reasons = capabilities.reason_details.map((reason) => reasonText(reason, t));
    this.unavailable.hidden = !reasons.length;
    this.unavailable.replaceChildren(
      make("summary", { textContent: this.hasModel ? t("unavailable") : t("no_model") }),
      make("ul", {}, ...reasons.map((textContent) => make("li", { textContent }))),
    );
    this.firstStart.load(capabilities);
  }

  /**
   * Fill in every setting of a generation, to repeat or vary it.
   * @param {Generation} generation
   * @returns {() => void} puts back what was there before
   */
  fill(generation) {
    const { input, requests } = this;
    const before = input.state;
    const { known } = requests;
    const state = input.stateOf(generation);
    if (!state) return () => {};
    this.alert.clear();
    input.state = state;
    // Nobody wants the picture that is there already again without being asked.
    if (generation.status !== "failed")
      requests.remember(routeOf(state.view), input.collect(state.view).body, generation.generation_id);
    return () => {
      this.alert.clear();
      input.state = before;
      requests.known = known;
    };
  }

  /**
   * Fill in these fields and leave the rest as it is.
   * @param {Record<string, unknown>} values
   * @returns {() => void} puts back what was there before
   */
  fillValues(values) {
    const { input } = this;
    const before = input.state;
    this.alert.clear();
    input.state = { ...before, values: { ...before.values, ...values } };
    return () => {
      this.alert.clear();
      input.state = before;
    };
  }

  /**
   * Use a picture as a reference in a role.
   * @param {File} file
   * @param {string} role
   * @param {string | null} view the view that it shows, if that is known
   */
  useReference(file, role, view) {
    const slot = this.slots.reference;
    const { references } = this.input;
    // The slot is the short form for one picture of the whole person.
    const isFirst = role === "identity" && !slot.fileId;
    if (isFirst) slot.uploadFirst([file]);
    else references.add(file, role, view);
    (isFirst ? slot : references).focus();
  }

  /** @param {PoseSource} source */
  usePose(source) {
    const slot = this.slots.pose;
    if ("file" in source) slot.uploadFirst([source.file]);
    else slot.setFile(source.fileId);
    this.input.changed(slot);
    slot.focus();
  }

  /**
   * Send the form.
   * @param {boolean} sheet whether to ask for all four views, whatever view is chosen
   * @param {boolean} again whether to make a picture again that is there already
   * @returns {Promise<Generation | null>} null if it was not accepted; the form shows why
   */
  async submit(sheet = false, again = false) {
    const { client } = this.session;
    const { input, requests } = this;
    if (this.busy || !this.fields.size) return null;
    this.alert.clear();
    this.#setBusy(true);
    const view = sheet ? SHEET : input.view.value;
    try {
      await input.uploadsFinished();
      const { body, findings } = input.collect(view);
      const route = routeOf(view);
      if (findings.length) {
        this.alert.mark(findings);
        return null;
      }
      if (!again && requests.isRepeat(route, body)) {
        this.#askToRepeat(sheet);
        return null;
      }
      const generation = await client.createGeneration(route, body, requests.key(route, body));
      requests.answered();
      requests.remember(route, body, generation.generation_id);
      addPrompt(body.prompt);
      this.#seed?.offer(generation.parameters?.seed);
      this.onSubmitted(generation);
      return generation;
    } catch (error) {
      if (statusOf(error)) requests.answered();
      this.alert.showError(error, (loc) => input.placeOf(loc, view === SHEET));
      return null;
    } finally {
      this.#setBusy(false);
    }
  }

  focus() {
    this.fields.get("prompt")?.focus();
  }

  /** Load the list of templates again, such as when one was saved. */
  async reloadTemplates() {
    if (this.fields.has(TEMPLATE)) await this.templates.load();
  }

  get #seed() {
    const control = this.fields.get("seed")?.control;
    return control instanceof SeedField ? control : null;
  }

  /** @param {boolean} sheet */
  #askToRepeat(sheet) {
    const { t } = this.session;
    const vary = () => {
      this.fields.get("seed")?.reset();
      this.input.changed(null);
      void this.submit(sheet);
    };
    this.alert.ask(t("repeats"), [
      [t("repeats_other"), vary],
      [t("repeats_same"), () => void this.submit(sheet, true)],
    ]);
  }

  /** @param {string} name */
  #chooseTemplate(name) {
    const field = this.fields.get(TEMPLATE);
    if (!field) return;
    field.requestValue = name;
    this.input.changed(field);
    field.focus();
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.busy = busy;
    this.element.setAttribute("aria-busy", String(busy));
    for (const submitButton of this.submitButtons) submitButton.setAttribute("aria-disabled", String(busy));
  }

  /** @param {KeyboardEvent} event */
  #handleShortcut(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    event.preventDefault();
    event.stopPropagation(); // otherwise the editor queues its graph
    void this.submit(event.shiftKey);
  }
}
