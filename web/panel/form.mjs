// The form: prompt, view, pictures and, in a closed group, every setting of the API.
import { button, make } from "../shared/elements.mjs";
import { ApiError, errorMessage, problemMessage, statusOf } from "../shared/errors.mjs";
import { TemplateList } from "../templates/panel_list.mjs";
import { newKey } from "./client.mjs";
import { RadioGroup } from "./fields.mjs";
import { FirstStart } from "./first_start.mjs";
import { makeFields, usableModels } from "./form_fields.mjs";
import { ModelList } from "./models.mjs";
import { ReferenceList } from "./references.mjs";
import { drawSkeleton } from "./skeletons.mjs";
import { Slot } from "./slots.mjs";

/** @import { FormField, Generation, InstalledModel, Reference } from "../shared/types.d.ts" */
/** @import { FormControl } from "./form_fields.mjs" */
/** @import { PoseSource } from "./picture_pose.mjs" */
/** @import { Session } from "./session.mjs" */
/** @typedef {{ showError(text: string): void, focus(): void }} Place shows a problem of the request */
/**
 * `values` are those of the fields by their names, null for none; the files are ids, "" for none.
 * @typedef {object} FormContents
 * @property {Record<string, unknown>} values
 * @property {string} view
 * @property {string} pose
 * @property {string} reference
 * @property {Reference[]} references
 */

const FREE = "free"; // no particular view
const TEMPLATE = "template"; // the field that names a template

export class Form {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {(generation: Generation) => void} options.onSubmitted
   * @param {(id: string) => void} options.open shows a generation
   */
  constructor({ session, onSubmitted, open }) {
    const { t } = session;
    this.session = session;
    this.onSubmitted = onSubmitted;
    this.open = open;
    this.busy = false;
    /** @type {{ request: string, key: string } | null} */
    this.unanswered = null; // the last request, until the server has responded to it
    /** @type {Map<string, FormControl>} */
    this.fields = new Map(); // by name, once the schema is loaded
    /** @type {InstalledModel[]} */
    this.models = []; // those that a request can name
    /** @type {string[]} */
    this.loraNames = [];
    this.main = make("div", { className: "avatarforge-group" });
    this.advanced = make("div", { className: "avatarforge-fields" });
    this.view = new RadioGroup(
      t("view"),
      [
        { value: FREE, text: t("view_free"), title: t("view_free_hint") },
        { value: "front", text: t("view_front") },
        { value: "back", text: t("view_back") },
        { value: "side", text: t("view_side") },
        { value: "quarter", text: t("view_quarter") },
      ],
      FREE,
    );
    this.view.row.classList.add("avatarforge-views");
    this.slots = {
      pose: new Slot({ session, kind: "pose", label: t("pose") }),
      reference: new Slot({ session, kind: "reference", label: t("reference") }),
    };
    this.references = new ReferenceList(session);
    this.templates = new TemplateList({
      session,
      choose: (name) => this.#chooseTemplate(name),
      listed: (names) => {
        for (const field of this.fields.values()) field.setTemplates(names);
      },
    });
    this.modelList = new ModelList({ session, changed: () => void this.load().catch(() => {}) });
    this.firstStart = new FirstStart(this, t);
    this.templates.element.hidden = true; // until the schema has a template
    this.alert = make("div", { className: "avatarforge-alert", role: "alert", hidden: true });
    this.unavailable = make("details", { className: "avatarforge-missing", hidden: true });
    this.submitButtons = [
      button(t("generate"), () => void this.submit(), { className: "avatarforge-button avatarforge-main" }),
      button(t("generate_sheet"), () => void this.submit(true)),
    ];
    this.element = this.#layOut();
    this.element.addEventListener("submit", (event) => event.preventDefault());
    this.element.addEventListener("keydown", (event) => this.#handleShortcut(event));
    this.element.addEventListener("change", () => this.firstStart.remember());
  }

  #layOut() {
    const { t } = this.session;
    return make(
      "form",
      { className: "avatarforge-character", noValidate: true, "aria-label": t("create") },
      this.firstStart.element,
      this.main,
      this.view.element,
      make("div", { className: "avatarforge-slots" }, this.slots.pose.element, this.slots.reference.element),
      this.references.element,
      make(
        "details",
        { className: "avatarforge-advanced" },
        make("summary", { textContent: t("advanced") }),
        this.advanced,
      ),
      this.templates.element,
      this.modelList.element,
      this.unavailable,
      make(
        "div",
        { className: "avatarforge-actions" },
        this.alert,
        make("div", { className: "avatarforge-row" }, ...this.submitButtons),
      ),
    );
  }

  /**
   * Create the fields from the server's schema.
   * @param {FormField[]} schema
   */
  #makeFields(schema) {
    const { t } = this.session;
    const main = makeFields(schema, "main", t);
    const advanced = makeFields(schema, "advanced", t);
    this.fields = new Map([...main, ...advanced]);
    const reset = () => {
      for (const field of advanced.values()) field.reset();
      this.firstStart.remember();
    };
    this.main.replaceChildren(...[...main.values()].map((field) => field.element));
    this.advanced.replaceChildren(
      ...[...advanced.values()].map((field) => field.element),
      button(t("reset"), reset),
    );
  }

  /**
   * Load the fields, the skeletons and the installed models. Keeps the user's input.
   * @throws {ApiError}
   */
  async load() {
    const { client, t } = this.session;
    const [{ fields: schema }, capabilities, { poses }] = await Promise.all([
      client.getFormFields(),
      client.getCapabilities(),
      client.getPoses(),
    ]);
    if (!this.fields.size) this.#makeFields(schema);
    for (const pose of poses) this.view.setDrawing(pose.name, drawSkeleton(pose.skeleton));
    if (poses.length) this.view.setDrawing(FREE, drawSkeleton(poses[0].skeleton, true));
    for (const field of this.fields.values()) field.setInstalled(capabilities);
    this.models = usableModels(capabilities);
    this.loraNames = capabilities.loras.filter(({ problem }) => !problem).map(({ name }) => name);
    this.templates.element.hidden = !this.fields.has(TEMPLATE);
    this.templates.setFamilies(capabilities);
    void this.reloadTemplates();
    const { reasons } = capabilities;
    const hasModel = this.hasModel;
    this.unavailable.hidden = !reasons.length;
    this.unavailable.replaceChildren(
      make("summary", { textContent: hasModel ? t("unavailable") : t("no_model") }),
      make("ul", {}, ...reasons.map((textContent) => make("li", { textContent }))),
    );
    this.firstStart.load(capabilities);
  }

  /** Whether there is a model, and not only what is drawn without one. */
  get hasModel() {
    return this.models.some(({ drawn }) => !drawn);
  }

  /** The model that the fields name, or what is drawn; undefined if the server chooses. */
  get chosenModel() {
    const [model, family] = ["model", "family"].map((name) => this.fields.get(name)?.requestValue);
    return this.models.find((item) => (model ? item.name === model : item.drawn && item.family === family));
  }

  /**
   * Fill in every setting of a generation, to repeat or vary it.
   * @param {Generation} generation
   */
  fill({ kind, output_files: outputs, parameters }) {
    if (!parameters) return;
    /** @type {Record<string, unknown>} */
    const values = { ...parameters };
    for (const [name, field] of this.fields) field.requestValue = values[name];
    this.view.value = (kind === "pose" && outputs[0]?.pose_type) || FREE;
    this.slots.pose.setFile(parameters.pose_file_id);
    this.slots.reference.setFile(parameters.reference_file_id);
    this.references.value = parameters.references ?? [];
    this.#clearErrors();
    this.firstStart.update();
  }

  /**
   * What the form contains, as `restore` takes it.
   * @returns {FormContents}
   */
  get contents() {
    return {
      values: Object.fromEntries([...this.fields].map(([name, field]) => [name, field.requestValue ?? null])),
      view: this.view.value,
      pose: this.slots.pose.fileId,
      reference: this.slots.reference.fileId,
      references: this.references.value,
    };
  }

  /**
   * Fill in what is given, and leave the rest as it is.
   * @param {Partial<FormContents>} contents
   */
  restore({ values = {}, view, pose, reference, references }) {
    for (const [name, value] of Object.entries(values)) {
      const field = this.fields.get(name);
      if (field) field.requestValue = value;
    }
    if (view !== undefined) this.view.value = view;
    if (pose !== undefined) this.slots.pose.setFile(pose);
    if (reference !== undefined) this.slots.reference.setFile(reference);
    if (references !== undefined) this.references.value = references;
    this.#clearErrors();
    this.firstStart.update();
  }

  /**
   * Use a picture as a reference in a role.
   * @param {File} file
   * @param {string} role
   * @param {string | null} view the view that it shows, if that is known
   */
  useReference(file, role, view) {
    const slot = this.slots.reference;
    // The slot is the short form for one picture of the whole person.
    if (role === "identity" && !slot.fileId) {
      slot.uploadFirst([file]);
      slot.focus();
    } else {
      this.references.add(file, role, view);
      this.references.focus();
    }
  }

  /** @param {PoseSource} source */
  usePose(source) {
    const slot = this.slots.pose;
    if ("file" in source) slot.uploadFirst([source.file]);
    else slot.setFile(source.fileId);
    slot.focus();
  }

  /**
   * Send the form.
   * @param {boolean} sheet whether to ask for all four views
   * @returns {Promise<Generation | null>} null if it was not accepted; the form shows why
   */
  async submit(sheet = false) {
    const { client } = this.session;
    if (this.busy || !this.fields.size) return null;
    this.#clearErrors();
    this.#setBusy(true);
    try {
      await Promise.all([...Object.values(this.slots), this.references].map((place) => place.uploadFinished()));
      const body = this.#makeBody(sheet);
      if (!body) return null;
      const route = this.#route(sheet);
      const generation = await client.createGeneration(route, body, this.#idempotencyKey(route, body));
      this.unanswered = null;
      this.onSubmitted(generation);
      return generation;
    } catch (error) {
      if (statusOf(error)) this.unanswered = null;
      this.#showError(error, sheet);
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

  /** @param {string} name */
  #chooseTemplate(name) {
    const field = this.fields.get(TEMPLATE);
    if (!field) return;
    field.requestValue = name;
    field.clearError();
    field.focus();
  }

  /** @param {boolean} sheet */
  #route(sheet) {
    const view = this.view.value;
    if (sheet) return "/generate_all_poses";
    return view === FREE ? "/generate/avatar" : `/generate_pose?pose=${encodeURIComponent(view)}`;
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

  /**
   * The body of the request, or null if the form has errors, which are then shown.
   * @param {boolean} sheet
   */
  #makeBody(sheet) {
    const { t } = this.session;
    /** @type {[Place, string | null][]} */
    const errors = []; // null if the place already shows its error
    /** @type {Record<string, unknown>} */
    const body = {};
    const chosen = this.chosenModel;
    const applied = {
      severalViews: sheet,
      pose: Boolean(this.slots.pose.fileId),
      reference: Boolean(this.slots.reference.fileId || this.references.value.length),
      pixelArt: this.fields.get("pixel_height")?.requestValue !== undefined,
      settings: chosen?.settings,
      lacks: chosen?.lacks,
    };
    for (const [name, field] of this.fields) {
      if (field.problem) errors.push([field, field.problem]);
      else if (field.requestValue !== undefined && !field.isIgnored(applied)) body[name] = field.requestValue;
    }
    for (const [kind, slot] of Object.entries(this.slots)) {
      if (slot.uploadFailed) errors.push([slot, null]);
      else if (slot.fileId) body[`${kind}_file_id`] = slot.fileId;
    }
    this.#addReferences(body);
    for (const [place, error] of errors) if (error !== null) place.showError(error);
    if (!errors.length) return body;
    this.#showAlert(t("check_fields"));
    errors[0][0].focus();
    return null;
  }

  /**
   * With several references, that of the slot is one of them: its own fields are refused then.
   * @param {Record<string, unknown>} body
   */
  #addReferences(body) {
    const others = this.references.value;
    if (!others.length) return;
    const { reference_file_id: fileId, reference_strength: strength } = body;
    const first = { file_id: fileId, role: "identity", ...(strength === undefined ? {} : { strength }) };
    body.references = fileId ? [first, ...others] : others;
    delete body.reference_file_id;
    delete body.reference_strength;
  }

  /**
   * @param {unknown} error
   * @param {boolean} sheet
   */
  #showError(error, sheet) {
    const { t } = this.session;
    if (!(error instanceof ApiError) || !error.problems.length) {
      this.#showAlert(errorMessage(error, t));
      return;
    }
    /** @type {Record<string, Place | null | undefined>} */
    const places = {
      ...Object.fromEntries(this.fields),
      pose: sheet ? null : this.view,
      pose_file_id: this.slots.pose,
      reference_file_id: this.slots.reference,
      references: this.references,
    };
    const otherMessages = [];
    /** @type {Place | null} */
    let first = null;
    for (const problem of error.problems) {
      const { loc } = problem;
      const message = problemMessage(error, problem, t);
      const place = places[loc[loc.length - 1]] ?? places[loc[1]];
      if (place) place.showError(message);
      else otherMessages.push(message);
      first ??= place ?? null;
    }
    this.#showAlert([t("check_fields"), ...otherMessages].join(" "));
    first?.focus();
  }

  /** @param {string} text */
  #showAlert(text) {
    this.alert.textContent = text;
    this.alert.hidden = false;
  }

  #clearErrors() {
    this.alert.hidden = true;
    this.alert.textContent = "";
    for (const field of [...this.fields.values(), this.view, this.references]) field.clearError();
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
