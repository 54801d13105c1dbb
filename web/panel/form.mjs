// What the character is to be: words, view, pictures, and folded away, every setting of the API.
import { button, make } from "../picker/elements.mjs";
import { newKey } from "./client.mjs";
import { Choice, newId, numberField, offer, selectField, textField } from "./fields.mjs";
import { drawSkeleton } from "./skeletons.mjs";
import { Slot } from "./slots.mjs";

const FREE = "free"; // no view asked for
const SHEET = "sheet";
/** Words that most models know, in the language of prompts. */
const STYLES = [
  "watercolor",
  "oil painting",
  "pencil sketch",
  "ink drawing",
  "comic book",
  "cel shading",
  "pixel art",
  "low poly",
  "3D render",
  "concept art",
  "vintage photograph",
  "stained glass",
];
const WHOLE = new Set(["width", "height", "steps"]);
const NUMBERS = new Set(["cfg", "pose_strength", "reference_strength", "consistency", ...WHOLE]);

export class Form {
  /** `submitted(generation)` is called with what the server has accepted. */
  constructor({ session, submitted }) {
    Object.assign(this, { session, submitted, busy: false, attempt: null });
    const { words } = session;
    const automatic = words("automatic");
    const styles = make("datalist", { id: newId() }, ...STYLES.map((value) => make("option", { value })));
    const sizes = { min: 64, max: 4096, step: 8, placeholder: automatic };
    const zeroTo = (max, placeholder) => ({ min: 0, max, step: 0.05, placeholder });
    this.fields = {
      prompt: textField(words("prompt"), { rows: 4, placeholder: words("prompt_example"), wide: true }),
      clothing: textField(words("clothing"), { placeholder: words("clothing_example"), wide: true }),
      style: textField(words("style"), { list: styles.id, placeholder: words("style_example"), wide: true }),
      negative_prompt: textField(words("negative_prompt"), { rows: 2, wide: true }),
      width: numberField(words("width"), sizes),
      height: numberField(words("height"), sizes),
      steps: numberField(words("steps"), { min: 1, max: 150, step: 1, placeholder: automatic }),
      cfg: numberField(words("cfg"), { min: 0, max: 30, step: 0.5, placeholder: automatic }),
      sampler: selectField(words("sampler"), automatic),
      scheduler: selectField(words("scheduler"), automatic),
      seed: textField(words("seed"), { placeholder: words("random"), hint: words("seed_hint") }),
      checkpoint: selectField(words("checkpoint"), words("by_realism")),
      pose_strength: numberField(words("pose_strength"), { ...zeroTo(2, "1"), hint: words("pose_strength_hint") }),
      pose_mode: selectField(words("pose_mode"), words("recognise"), [
        ["skeleton", words("mode_skeleton")],
        ["photo", words("mode_photo")],
        ["raw", words("mode_raw")],
      ]),
      reference_strength: numberField(words("reference_strength"), zeroTo(1, "0.8")),
      consistency: numberField(words("consistency"), { ...zeroTo(1, "0.7"), hint: words("consistency_hint") }),
      turnaround: selectField(words("turnaround"), automatic, [
        ["batch", words("in_one_batch")],
        ["sequential", words("one_after_another")],
      ]),
    };
    const { prompt, clothing, style, seed, ...settings } = this.fields;
    seed.control.inputMode = "numeric";
    prompt.control.required = true;
    this.realism = new Choice(
      words("look"),
      [
        { value: "false", text: words("anime") },
        { value: "true", text: words("realistic") },
      ],
      "false",
    );
    this.view = new Choice(
      words("view"),
      [
        { value: FREE, text: words("view_free"), title: words("view_free_hint") },
        { value: "front", text: words("view_front") },
        { value: "back", text: words("view_back") },
        { value: "side", text: words("view_side") },
        { value: "quarter", text: words("view_quarter") },
      ],
      FREE,
    );
    this.view.row.classList.add("avatarforge-views");
    this.slots = {
      pose: new Slot({ session, kind: "pose", label: words("pose") }),
      reference: new Slot({ session, kind: "reference", label: words("reference") }),
    };
    this.alert = make("div", { className: "avatarforge-alert", role: "alert", hidden: true });
    this.missing = make("details", { className: "avatarforge-missing", hidden: true });
    this.one = button(words("generate"), () => void this.submit(), { className: "avatarforge-button avatarforge-main" });
    this.sheet = button(words("generate_sheet"), () => void this.submit(true));
    this.advanced = make(
      "details",
      { className: "avatarforge-advanced" },
      make("summary", { textContent: words("advanced") }),
      make(
        "div",
        { className: "avatarforge-fields" },
        ...Object.values({ ...settings, seed }).map((field) => field.element),
        button(words("reset"), () => this.#reset(Object.values({ ...settings, seed }))),
      ),
    );
    this.element = make(
      "form",
      { className: "avatarforge-character", noValidate: true, "aria-label": words("create") },
      prompt.element,
      clothing.element,
      style.element,
      styles,
      this.realism.element,
      this.view.element,
      make("div", { className: "avatarforge-slots" }, this.slots.pose.element, this.slots.reference.element),
      this.advanced,
      this.missing,
      make(
        "div",
        { className: "avatarforge-actions" },
        this.alert,
        make("div", { className: "avatarforge-row" }, this.one, this.sheet),
      ),
    );
    this.element.addEventListener("submit", (event) => event.preventDefault());
    this.element.addEventListener("keydown", (event) => this.#keys(event));
  }

  /** Show the skeletons and what is installed. Throws Refused. */
  async load() {
    const { client, words } = this.session;
    const [table, { poses }] = await Promise.all([client.capabilities(), client.poses()]);
    for (const pose of poses) this.view.draw(pose.name, drawSkeleton(pose.skeleton));
    if (poses.length) this.view.draw(FREE, drawSkeleton(poses[0].skeleton, true));
    const { checkpoint, sampler, scheduler } = this.fields;
    const usable = table.checkpoints.filter((one) => one.supported);
    offer(checkpoint, words("by_realism"), usable.map((one) => [one.name, `${one.name} (${one.family_label})`]));
    for (const [field, names] of [[sampler, table.samplers], [scheduler, table.schedulers]])
      offer(field, words("automatic"), (names ?? []).map((name) => [name, name]));
    this.missing.hidden = !table.reasons.length;
    this.missing.replaceChildren(
      make("summary", { textContent: usable.length ? words("some_missing") : words("no_model") }),
      make("ul", {}, ...table.reasons.map((textContent) => make("li", { textContent }))),
    );
    if (usable.length) return;
    this.missing.open = true;
    this.element.prepend(this.missing); // nothing works without a model
  }

  /** Take over every setting of a generation, to make it again or another like it. */
  fill(generation) {
    const used = generation.parameters;
    for (const [name, field] of Object.entries(this.fields)) field.value = used[name] ?? "";
    // A select shows only what it offers.
    for (const name of ["sampler", "scheduler", "checkpoint", "pose_mode", "turnaround"]) {
      const { control } = this.fields[name];
      const value = used[name] ?? "";
      if (value && value !== "auto" && control.value !== value) control.add(make("option", { value, textContent: value }));
      control.value = value === "auto" ? "" : value;
    }
    this.realism.value = String(used.realism);
    this.view.value = (generation.kind === "pose" && generation.output_files[0]?.pose_type) || FREE;
    this.slots.pose.set(used.pose_file_id);
    this.slots.reference.set(used.reference_file_id);
    this.#clear();
  }

  /** Send the form; `sheet` asks for all four views. */
  async submit(sheet = false) {
    const { client, words } = this.session;
    if (this.busy) return;
    this.#clear();
    this.#work(true);
    try {
      await Promise.all(Object.values(this.slots).map((slot) => slot.settled()));
      const body = this.#body();
      if (!body) return;
      const view = this.view.value;
      const route = sheet
        ? "/generate_all_poses"
        : view === FREE
          ? "/generate/avatar"
          : `/generate_pose?pose=${encodeURIComponent(view)}`;
      if (!sheet) for (const name of ["consistency", "turnaround"]) delete body[name];
      const generation = await client.submit(route, body, this.#key(route, body));
      this.attempt = null;
      this.submitted(generation);
    } catch (error) {
      if (error.status) this.attempt = null; // it was heard
      this.#refused(error, sheet ? SHEET : "");
    } finally {
      this.#work(false);
    }
  }

  focus() {
    this.fields.prompt.focus();
  }

  /** A second press on a request whose answer never came must not make a second generation. */
  #key(route, body) {
    const what = JSON.stringify([route, body]);
    if (this.attempt?.what !== what) this.attempt = { what, key: newKey() };
    return this.attempt.key;
  }

  /** What is to be sent, or null when something cannot be. */
  #body() {
    const { words } = this.session;
    const wrong = [];
    const body = { realism: this.realism.value === "true" };
    for (const [name, field] of Object.entries(this.fields)) {
      const { value } = field;
      if (field.unreadable) wrong.push([field, words("no_number")]);
      else if (name === "prompt" && !value) wrong.push([field, words("prompt_missing")]);
      else if (name === "seed" && value && !/^\d{1,20}$/.test(value)) wrong.push([field, words("no_seed")]);
      else if (value) body[name] = NUMBERS.has(name) ? Number(value) : value;
    }
    for (const [kind, slot] of Object.entries(this.slots)) {
      if (slot.failed) wrong.push([slot, null]);
      else if (slot.fileId) body[`${kind}_file_id`] = slot.fileId;
    }
    if (!body.pose_file_id) delete body.pose_mode;
    for (const [field, text] of wrong) if (text) field.fail(text);
    if (!wrong.length) return body;
    this.#alarm(words("check_fields"));
    wrong[0][0].focus();
    return null;
  }

  #refused(error, sheet) {
    const { words } = this.session;
    if (!error.problems?.length) {
      this.#alarm(error.detail || words("unreachable"));
      return;
    }
    const places = {
      ...this.fields,
      realism: this.realism,
      pose: sheet ? null : this.view,
      pose_file_id: this.slots.pose,
      reference_file_id: this.slots.reference,
    };
    const others = [];
    let first = null;
    for (const { loc, msg } of error.problems) {
      const place = places[loc.at(-1)] ?? places[loc[1]];
      if (place) place.fail(msg);
      else others.push(msg);
      first ??= place;
    }
    this.#alarm([words("check_fields"), ...others].join(" "));
    first?.focus();
  }

  #alarm(text) {
    this.alert.textContent = text;
    this.alert.hidden = false;
  }

  #clear() {
    this.alert.hidden = true;
    this.alert.textContent = "";
    for (const field of [...Object.values(this.fields), this.realism, this.view]) field.clear();
  }

  #reset(fields) {
    for (const field of fields) field.value = "";
  }

  #work(busy) {
    this.busy = busy;
    this.element.setAttribute("aria-busy", String(busy));
    for (const one of [this.one, this.sheet]) one.setAttribute("aria-disabled", String(busy));
  }

  #keys(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    event.preventDefault();
    event.stopPropagation(); // the editor would queue its graph
    void this.submit(event.shiftKey);
  }
}
