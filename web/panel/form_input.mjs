// What the user has entered in the form: its fields, view and pictures, and the request that they make.
import { button, make } from "../shared/elements.mjs";
import { Emitter } from "../shared/events.mjs";
import { carriedChips, carriedRequest, carriedSettings } from "./carried.mjs";
import { Chips } from "./chips.mjs";
import { makeFields, usableModels } from "./form_fields.mjs";
import { SHEET } from "./form_request.mjs";
import { LorasField } from "./loras_field.mjs";
import { PoseSlot } from "./pose_slot.mjs";
import { ReferenceList } from "./references.mjs";
import { Slot } from "./slots.mjs";
import { drawViews, makeViews, viewOf } from "./view_field.mjs";

/** @import { Capabilities, FormField, Generation, InstalledModel, Pose } from "../shared/types.d.ts" */
/** @import { FormState } from "./draft.mjs" */
/** @import { Finding, Place } from "./form_alert.mjs" */
/** @import { FormControl } from "./form_fields.mjs" */
/** @import { Session } from "./session.mjs" */

const QUICK = ["model", "count", "seed"]; // advanced settings that are always visible

/**
 * Event "changed": something was entered; the place where, if it was one.
 * @extends {Emitter<{ changed: Place | null }>}
 */
export class FormInput extends Emitter {
  /** @param {Session} session */
  constructor(session) {
    super();
    const { t } = session;
    this.session = session;
    /** @type {Map<string, FormControl>} */
    this.fields = new Map(); // by name, once the schema is loaded
    /** @type {FormControl[]} */
    this.advancedFields = []; // those that are hidden until the group is opened
    /** @type {Record<string, unknown>} */
    this.carried = {}; // settings of a used generation for which there is no field
    /** @type {Map<string, string>} */
    this.characterNames = new Map(); // by id, as far as they are known
    /** @type {InstalledModel[]} */
    this.models = []; // those that a request can name
    this.main = make("div", { className: "avatarforge-group" });
    this.quick = make("div", { className: "avatarforge-fields avatarforge-quick" });
    this.advanced = make("div", { className: "avatarforge-fields" });
    this.summary = make("summary", { textContent: t("advanced") });
    this.group = make("details", { className: "avatarforge-advanced" }, this.summary, this.advanced);
    this.summary.addEventListener("click", () => this.#revealGroup());
    this.chips = new Chips(t, () => this.summary.focus());
    this.view = makeViews(t);
    this.slots = this.#makeSlots();
    this.references = new ReferenceList(session, () => this.changed(this.references));
    this.elements = [
      this.main,
      this.view.element,
      make("div", { className: "avatarforge-slots" }, this.slots.pose.element, this.slots.reference.element),
      this.references.element,
      this.quick,
      this.chips.element,
      this.group,
    ];
    for (const element of this.elements)
      for (const name of ["input", "change"])
        element.addEventListener(name, ({ target }) => this.changed(this.#placeAt(target)));
  }

  /** @returns {{ pose: PoseSlot, reference: Slot }} */
  #makeSlots() {
    const { session } = this;
    const { t } = session;
    const reference = new Slot({
      session,
      kind: "reference",
      label: t("reference"),
      changed: () => this.changed(reference),
    });
    const pose = new PoseSlot({
      session,
      label: t("pose"),
      changed: () => this.changed(pose),
      reference: () => reference.fileId,
    });
    return { pose, reference };
  }

  /**
   * Create the fields from the server's schema.
   * @param {FormField[]} schema
   */
  makeFields(schema) {
    const { t } = this.session;
    const main = makeFields(schema, "main", t);
    const advanced = makeFields(schema, "advanced", t);
    this.fields = new Map([...main, ...advanced]);
    const quick = QUICK.flatMap((name) => advanced.get(name) ?? []);
    this.advancedFields = [...advanced.values()].filter((field) => !quick.includes(field));
    const reset = () => {
      for (const field of advanced.values()) field.reset();
      this.carried = {};
      this.changed(null);
    };
    this.main.replaceChildren(...[...main.values()].map((field) => field.element));
    this.quick.replaceChildren(...quick.map((field) => field.element));
    this.advanced.replaceChildren(...this.advancedFields.map((field) => field.element), button(t("reset"), reset));
    for (const { control } of this.fields.values())
      if (control instanceof LorasField) control.getFamily = () => this.family;
  }

  /**
   * Offer what is installed.
   * @param {Capabilities} capabilities
   * @param {Pose[]} poses
   */
  setInstalled(capabilities, poses) {
    drawViews(this.view, poses);
    for (const field of this.fields.values()) field.setInstalled(capabilities);
    this.models = usableModels(capabilities);
  }

  /** The model that the fields name, or what is drawn; undefined if the server chooses. */
  get chosenModel() {
    const [model, family] = ["model", "family"].map((name) => this.fields.get(name)?.requestValue);
    return this.models.find((item) => (model ? item.name === model : item.drawn && item.family === family));
  }

  /** The family of which the next picture will be; undefined if the server chooses. */
  get family() {
    const family = this.fields.get("family")?.requestValue;
    return this.chosenModel?.family ?? (family === undefined ? undefined : String(family));
  }

  /** @returns {FormState} */
  get state() {
    return {
      values: Object.fromEntries([...this.fields].map(([name, field]) => [name, field.requestValue])),
      view: this.view.value,
      pose: this.slots.pose.fileId,
      libraryPose: this.slots.pose.libraryFields,
      reference: this.slots.reference.fileId,
      references: this.references.value,
      carried: this.carried,
    };
  }

  /** @param {FormState} entered */
  set state(entered) {
    const { values, view, pose, libraryPose, reference, references, carried } = entered;
    for (const [name, field] of this.fields) field.requestValue = values[name] ?? null;
    this.view.value = view;
    this.slots.pose.fill({ pose_file_id: pose, ...libraryPose });
    this.slots.reference.setFile(reference);
    this.references.value = references;
    this.carried = carried;
    this.changed(null);
    void this.#loadCharacterName();
  }

  /** Until its name is known, a character is shown by its id; so is one that was deleted. */
  async #loadCharacterName() {
    const { character_id: id } = this.carried;
    if (typeof id !== "string" || this.characterNames.has(id)) return;
    try {
      const { name } = await this.session.client.requestJson(`/characters/${encodeURIComponent(id)}`);
      this.characterNames.set(id, name);
      this.#showChips();
    } catch {
      // The server says why when the request is sent.
    }
  }

  /**
   * Everything that decided the pictures of a generation.
   * @param {Generation} generation
   * @returns {FormState | null} null for a graph that was queued by hand
   */
  stateOf(generation) {
    const { parameters } = generation;
    if (!parameters) return null;
    return {
      values: { ...parameters },
      view: viewOf(generation),
      pose: parameters.pose_file_id ?? "",
      libraryPose: { pose_id: parameters.pose_id ?? "", pose_mirrored: parameters.pose_mirrored ?? false },
      reference: parameters.reference_file_id ?? "",
      references: parameters.references ?? [],
      carried: carriedSettings(generation),
    };
  }

  /**
   * The body of a request, and what is wrong with it.
   * @param {string} view
   * @returns {{ body: Record<string, unknown>, findings: Finding[] }}
   */
  collect(view) {
    /** @type {Finding[]} */
    const findings = [];
    /** @type {Record<string, unknown>} */
    const body = carriedRequest(this.carried, view);
    const chosen = this.chosenModel;
    const applied = {
      severalViews: view === SHEET,
      pose: Boolean(this.slots.pose.fileId || this.slots.pose.poseId),
      reference: Boolean(this.slots.reference.fileId || this.references.value.length),
      pixelArt: this.fields.get("pixel_height")?.requestValue !== undefined,
      settings: chosen?.settings,
      lacks: chosen?.lacks,
    };
    for (const [name, field] of this.fields) {
      const { problem, requestValue } = field;
      if (problem && !(name === "prompt" && this.carried.character_id && !requestValue))
        findings.push({ place: field, text: problem });
      else if (requestValue !== undefined && !field.isIgnored(applied)) body[name] = requestValue;
    }
    for (const [kind, slot] of Object.entries(this.slots)) {
      if (slot.uploadFailed) findings.push({ place: slot, text: null }); // it shows why
      else if (slot.fileId) body[`${kind}_file_id`] = slot.fileId;
    }
    Object.assign(body, this.slots.pose.libraryFields);
    this.#addReferences(body);
    return { body, findings };
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

  /** Resolves when no upload is in progress. */
  async uploadsFinished() {
    await Promise.all([...Object.values(this.slots), this.references].map((place) => place.uploadFinished()));
  }

  /**
   * The place of a problem.
   * @param {(string | number)[]} loc its location in the request
   * @param {boolean} sheet whether the request asked for all views
   * @returns {Place | null}
   */
  placeOf(loc, sheet) {
    /** @type {Record<string, Place | null>} */
    const places = {
      ...Object.fromEntries(this.fields),
      pose: sheet ? null : this.view,
      pose_file_id: this.slots.pose,
      pose_id: this.slots.pose,
      reference_file_id: this.slots.reference,
      references: this.references,
    };
    return places[loc[loc.length - 1]] ?? places[loc[1]] ?? null;
  }

  /**
   * Something was entered.
   * @param {Place | null} place
   */
  changed(place) {
    this.#showChips();
    this.emit("changed", place);
  }

  #showChips() {
    const fields = this.advancedFields.filter(({ isChanged }) => isChanged);
    this.chips.update([
      ...fields.map((field) => ({
        label: field.label,
        value: field.valueText,
        reset: () => {
          field.reset();
          this.changed(field);
        },
        show: () => field.focus(),
      })),
      ...carriedChips(this.carried, {
        t: this.session.t,
        character: this.characterNames.get(String(this.carried.character_id)),
        change: (carried) => {
          this.carried = carried;
          this.changed(null);
        },
      }),
    ]);
  }

  /**
   * @param {EventTarget | null} target
   * @returns {Place | null}
   */
  #placeAt(target) {
    if (!(target instanceof Node)) return null;
    const places = [...this.fields.values(), this.view, ...Object.values(this.slots), this.references];
    return places.find(({ element }) => element.contains(target)) ?? null;
  }

  /** Scroll to the group when it was opened: it opens below the visible part of the form. */
  #revealGroup() {
    requestAnimationFrame(() => this.group.open && this.group.scrollIntoView({ block: "start" }));
  }
}
