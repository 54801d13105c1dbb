// A list of LoRAs, each with its strength.
import { button, make } from "../shared/elements.mjs";
import { Fieldset } from "./fields.mjs";

/** @import { FormField, LoraFile, LoraParameter, Translate } from "../shared/types.d.ts" */

const NO_EFFECT = 0;
const USUAL = 1;
const SLIDER_MOST = 2; // the slider covers what people use; the field takes all that the API takes

/** One LoRA: its name and strength. */
class LoraRow {
  /**
   * @param {LoraParameter} lora
   * @param {FormField} schema
   * @param {Translate} t
   * @param {(row: LoraRow) => void} onRemove
   */
  constructor({ name, strength, clip_strength: clipStrength }, schema, t, onRemove) {
    this.name = name;
    this.clipStrength = clipStrength ?? null; // of an earlier request, which is sent again
    const step = String(schema.step);
    const label = t("lora_strength");
    this.slider = make("input", {
      type: "range",
      min: String(Math.max(Number(schema.minimum), -SLIDER_MOST)),
      max: String(Math.min(Number(schema.maximum), SLIDER_MOST)),
      step,
      tabIndex: -1, // the field beside it does the same with the keyboard
      "aria-hidden": "true",
    });
    this.strength = make("input", {
      type: "number",
      className: "avatarforge-control avatarforge-lora-strength",
      min: String(schema.minimum),
      max: String(schema.maximum),
      step,
      "aria-label": label,
    });
    this.strength.value = this.slider.value = String(strength);
    this.slider.addEventListener("input", () => (this.strength.value = this.slider.value));
    this.strength.addEventListener("input", () => (this.slider.value = this.strength.value));
    this.family = make("span", { className: "avatarforge-hint" });
    this.element = make(
      "div",
      { className: "avatarforge-lora", role: "group", "aria-label": name },
      make("b", { className: "avatarforge-name", textContent: name, title: name }),
      this.family,
      make(
        "div",
        { className: "avatarforge-row" },
        this.slider,
        this.strength,
        button(t("lora_remove"), () => onRemove(this)),
      ),
    );
  }

  /** @returns {LoraParameter} */
  get requestValue() {
    const strength = this.strength.value === "" ? USUAL : Number(this.strength.value);
    const clip = this.clipStrength === null ? {} : { clip_strength: this.clipStrength };
    return { name: this.name, strength, ...clip };
  }
}

export class LorasField extends Fieldset {
  /**
   * @param {string} label
   * @param {FormField} schema
   * @param {Translate} t
   */
  constructor(label, schema, t) {
    const list = make("div", { className: "avatarforge-loras" });
    const add = button(t("lora_add"), () => void this.#choose());
    super(label, list, add);
    this.schema = schema;
    this.t = t;
    /** @type {LoraRow[]} */
    this.rows = [];
    /** @type {LoraFile[]} */
    this.installed = [];
    /** The family of the chosen model; undefined if the server chooses. */
    this.getFamily = () => /** @type {string | null | undefined} */ (undefined);
    this.list = list;
    this.add = add;
    this.element.addEventListener("input", () => this.clearError());
  }

  /** @param {LoraFile[]} loras */
  setInstalled(loras) {
    this.installed = loras;
    this.#update();
  }

  /** @returns {LoraParameter[]} without those that have no effect */
  get value() {
    return this.rows.map((row) => row.requestValue).filter(({ strength }) => strength !== NO_EFFECT);
  }

  /** @param {LoraParameter[]} loras */
  set value(loras) {
    this.rows = [];
    for (const lora of loras.slice(0, this.#most)) this.#add(lora);
    this.#update();
    this.clearError();
  }

  get valueText() {
    return this.value.map(({ name, strength }) => `${name} ${strength}`).join(this.t("list_separator"));
  }

  get isBadNumber() {
    return this.rows.some((row) => row.strength.validity.badInput);
  }

  focus() {
    let group = this.element.closest("details");
    while (group) {
      group.open = true;
      group = group.parentElement?.closest("details") ?? null;
    }
    (this.rows[0]?.strength ?? this.add).focus();
  }

  get #most() {
    return this.schema.max_items ?? Infinity;
  }

  async #choose() {
    const { chooseLora } = await import("./pickers.mjs");
    const used = this.rows.map(({ name }) => name);
    const name = await chooseLora(this.installed, { used, family: this.getFamily(), t: this.t });
    if (name === null) return;
    const row = this.#add({ name, strength: USUAL });
    this.#changed();
    row.strength.focus();
    row.strength.select();
  }

  /** @param {LoraParameter} lora */
  #add(lora) {
    const row = new LoraRow(lora, this.schema, this.t, (removed) => {
      this.rows = this.rows.filter((each) => each !== removed);
      this.#changed();
      this.add.focus();
    });
    this.rows.push(row);
    return row;
  }

  #changed() {
    this.#update();
    this.element.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #update() {
    // The LoRA of an earlier generation may no longer be installed. It stays visible, and the server reports it.
    for (const row of this.rows)
      row.family.textContent = this.installed.find(({ name }) => name === row.name)?.family_label ?? "";
    this.list.replaceChildren(...this.rows.map((row) => row.element));
    this.add.hidden = this.rows.length >= this.#most || (!this.installed.length && !this.rows.length);
    this.element.hidden = !this.installed.length && !this.rows.length;
  }
}
