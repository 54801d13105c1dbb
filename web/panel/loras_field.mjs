// A list of LoRAs, each with its strength.
import { button, make } from "../shared/elements.mjs";
import { Fieldset } from "./fields.mjs";

/** @import { FormField, LoraFile, LoraParameter, Translate } from "../shared/types.d.ts" */

const NO_EFFECT = 0;
const USUAL = 1;

/** One LoRA: its name and strength. */
class LoraRow {
  /**
   * @param {FormField} schema
   * @param {Translate} t
   * @param {(row: LoraRow) => void} onRemove
   */
  constructor(schema, t, onRemove) {
    this.clipStrength = /** @type {number | null} */ (null); // of an earlier request, which is sent again
    this.name = make("select", { className: "avatarforge-control", "aria-label": t("lora") });
    this.strength = make("input", {
      type: "number",
      className: "avatarforge-control avatarforge-lora-strength",
      min: String(schema.minimum),
      max: String(schema.maximum),
      step: String(schema.step),
      value: String(USUAL),
      "aria-label": t("lora_strength"),
    });
    this.element = make(
      "div",
      { className: "avatarforge-row avatarforge-lora" },
      this.name,
      this.strength,
      button(t("lora_remove"), () => onRemove(this)),
    );
  }

  /** @param {LoraFile[]} loras */
  setInstalled(loras) {
    const { value } = this.name;
    const options = loras.map(({ name, family_label: label }) =>
      make("option", { value: name, textContent: label ? `${name} (${label})` : name }),
    );
    // The LoRA of an earlier generation may no longer be installed. It stays visible, and the server reports it.
    if (value && !loras.some(({ name }) => name === value)) options.push(make("option", { value, textContent: value }));
    this.name.replaceChildren(...options);
    if (value) this.name.value = value;
  }

  /** @returns {LoraParameter} */
  get requestValue() {
    const strength = this.strength.value === "" ? USUAL : Number(this.strength.value);
    const clip = this.clipStrength === null ? {} : { clip_strength: this.clipStrength };
    return { name: this.name.value, strength, ...clip };
  }
}

export class LorasField extends Fieldset {
  /**
   * @param {string} label
   * @param {FormField} schema
   * @param {Translate} t
   */
  constructor(label, schema, t) {
    const list = make("div", {});
    const add = button(t("lora_add"), () => this.#add()?.name.focus());
    super(label, list, add);
    this.schema = schema;
    this.t = t;
    /** @type {LoraRow[]} */
    this.rows = [];
    /** @type {LoraFile[]} */
    this.installed = [];
    this.list = list;
    this.add = add;
    this.element.addEventListener("input", () => this.clearError());
  }

  /** @param {LoraFile[]} loras */
  setInstalled(loras) {
    this.installed = loras;
    for (const row of this.rows) row.setInstalled(loras);
    this.#update();
  }

  /** @returns {LoraParameter[]} without those that have no effect */
  get value() {
    return this.rows.map((row) => row.requestValue).filter(({ name, strength }) => name && strength !== NO_EFFECT);
  }

  /** @param {LoraParameter[]} loras */
  set value(loras) {
    this.rows = [];
    for (const { name, strength, clip_strength: clipStrength } of loras) {
      const row = this.#add();
      if (!row) break;
      row.name.append(make("option", { value: name, textContent: name }));
      row.name.value = name;
      row.setInstalled(this.installed);
      row.strength.value = String(strength);
      row.clipStrength = clipStrength ?? null;
    }
    this.#update();
    this.clearError();
  }

  get isBadNumber() {
    return this.rows.some((row) => row.strength.validity.badInput);
  }

  focus() {
    (this.rows[0]?.name ?? this.add).focus();
  }

  #add() {
    if (this.rows.length >= (this.schema.max_items ?? Infinity)) return null;
    const row = new LoraRow(this.schema, this.t, (removed) => {
      this.rows = this.rows.filter((each) => each !== removed);
      this.#update();
      this.add.focus();
    });
    row.setInstalled(this.installed);
    this.rows.push(row);
    this.#update();
    return row;
  }

  #update() {
    this.list.replaceChildren(...this.rows.map((row) => row.element));
    const full = this.rows.length >= (this.schema.max_items ?? Infinity);
    this.add.hidden = full || (!this.installed.length && !this.rows.length);
    this.element.hidden = !this.installed.length && !this.rows.length;
  }
}
