// The fields of the form, built from the schema of GET /request_fields.
import { make } from "../shared/elements.mjs";
import { translateIfKnown } from "../shared/i18n.mjs";
import { RadioGroup, newId, numberField, selectField, setOptions, textAreaField, textField } from "./fields.mjs";
import { LorasField } from "./loras_field.mjs";
import { SeedField } from "./seed_field.mjs";

/** @import { Capabilities, FormField, InstalledModel, LoraFile, LoraParameter, Translate } from "../shared/types.d.ts" */

const SEED = /^\d{1,20}$/;

/** One field: its schema, its control, and its value in the request. */
class SchemaField {
  /**
   * @param {FormField} schema
   * @param {Translate} t
   */
  constructor(schema, t) {
    this.schema = schema;
    this.t = t;
    this.label = this.#text("") ?? schema.name;
    this.control = this.#makeControl();
    this.element = this.control.element;
  }

  /** @returns {ReturnType<typeof textField> | ReturnType<typeof textAreaField> | ReturnType<typeof selectField> | RadioGroup | LorasField | SeedField} */
  #makeControl() {
    const { label, t } = this;
    const { control, minimum, maximum, step, choices } = this.schema;
    const options = { hint: this.#text("_hint") ?? "", wide: this.schema.group === "main" };
    switch (control) {
      case "switch":
        return new RadioGroup(
          label,
          ["false", "true"].map((value) => ({ value, text: this.#text(`_${value}`) ?? value })),
          String(this.schema.default),
        );
      case "number":
        return numberField(label, {
          ...options,
          min: Number(minimum),
          max: Number(maximum),
          step: Number(step),
          placeholder: this.#placeholder(t("automatic")),
        });
      case "choice":
        return selectField(
          label,
          this.#text("_auto") ?? t("automatic"),
          choices.map((value) => [value, this.#text(`_${value}`) ?? value]),
        );
      case "digits":
        return new SeedField(label, t);
      case "loras":
        return new LorasField(label, this.schema, t);
      case "installed":
        return selectField(label, this.#text("_auto") ?? t("automatic"));
      default:
        return this.#makeTextControl(label, options);
    }
  }

  /**
   * @param {string} label
   * @param {{ hint: string, wide: boolean }} options
   */
  #makeTextControl(label, options) {
    const { rows, suggestions, required } = this.schema;
    const placeholder = this.#placeholder("");
    if (rows > 1) {
      const field = textAreaField(label, { ...options, rows, placeholder, wide: true });
      field.control.required = required;
      return field;
    }
    const list = suggestions.length ? newId() : undefined;
    const field = textField(label, { ...options, placeholder, list });
    field.control.required = required;
    if (list) {
      const listOptions = suggestions.map((value) => make("option", { value }));
      field.element.append(make("datalist", { id: list }, ...listOptions));
    }
    return field;
  }

  /** @param {string} fallback */
  #placeholder(fallback) {
    const { default: value } = this.schema;
    return this.#text("_example") ?? this.#text("_auto") ?? (value === null ? fallback : String(value));
  }

  /** @param {string} suffix */
  #text(suffix) {
    return translateIfKnown(`${this.schema.name}${suffix}`, {}, this.t);
  }

  /**
   * Offer the installed models, families, LoRAs, samplers or schedulers.
   * @param {Capabilities} capabilities
   */
  setInstalled(capabilities) {
    const { source } = this.schema;
    if (!source || source === "templates") return;
    if (this.control instanceof LorasField) {
      this.control.setInstalled(usableLoras(capabilities));
      return;
    }
    this.#setOptions(installedOptions(capabilities, source, this.t));
  }

  /**
   * Offer the stored templates.
   * @param {string[]} names
   */
  setTemplates(names) {
    if (this.schema.source === "templates") this.#setOptions(names.map((name) => [name, name]));
  }

  /** @param {[value: string, text: string][]} options */
  #setOptions(options) {
    if (this.control instanceof RadioGroup) return;
    const select = /** @type {ReturnType<typeof selectField>} */ (this.control);
    setOptions(select, this.#text("_auto") ?? this.t("automatic"), options);
  }

  /**
   * Whether a new request omits this field even with a value, because the server would refuse it.
   * @param {{ severalViews?: boolean, pose?: boolean, reference?: boolean, pixelArt?: boolean, settings?: string[], lacks?: string[] }} applied
   *   `settings` are the optional fields that the chosen model has, and `lacks` those that it does not have although
   *   most do; undefined if the server chooses the model
   */
  isIgnored({ severalViews = false, pose = false, reference = false, pixelArt = false, settings, lacks }) {
    const { applies, name } = this.schema;
    if (lacks?.includes(name)) return true;
    if (applies === "family") return settings !== undefined && !settings.includes(name);
    if (applies === "reference") return !reference;
    if (applies === "pixel_art") return !pixelArt;
    return (applies === "several_views" && !severalViews) || (applies === "pose" && !pose);
  }

  /** The value as a short text, for the user. */
  get valueText() {
    const { control } = this;
    if (control instanceof LorasField) return control.valueText;
    if (control instanceof RadioGroup) return control.value;
    const { control: element } = control;
    return element instanceof HTMLSelectElement ? (element.selectedOptions[0]?.text ?? "") : control.value;
  }

  /** The value in the request; undefined omits the field. */
  get requestValue() {
    if (this.control instanceof LorasField) return this.control.value.length ? this.control.value : undefined;
    const { value } = this.control;
    if (this.schema.control === "switch") return value === "true";
    if (!value) return undefined;
    return this.schema.control === "number" ? Number(value) : value;
  }

  /** @param {unknown} value as in the `parameters` of a generation */
  set requestValue(value) {
    if (this.control instanceof LorasField) {
      this.control.value = Array.isArray(value) ? /** @type {LoraParameter[]} */ (value) : [];
      return;
    }
    const text = value === null || value === undefined || value === "auto" ? "" : String(value);
    if (this.control instanceof RadioGroup) {
      this.control.value = text || String(this.schema.default);
      return;
    }
    const { control } = this.control;
    // A select can show only its own options.
    if (text && control instanceof HTMLSelectElement && ![...control.options].some((option) => option.value === text))
      control.add(make("option", { value: text, textContent: text }));
    this.control.value = text;
  }

  /** Whether a request says more than without this field. */
  get isChanged() {
    const { requestValue } = this;
    return requestValue !== undefined && !(this.schema.control === "switch" && requestValue === this.schema.default);
  }

  reset() {
    this.requestValue = null;
  }

  /**
   * Whether a value from elsewhere, such as a file, can be entered. What is not installed cannot.
   * @param {unknown} value
   */
  accepts(value) {
    const { control, minimum, maximum } = this.schema;
    if (control === "switch") return typeof value === "boolean";
    if (control === "number") return typeof value === "number" && value >= Number(minimum) && value <= Number(maximum);
    if (control === "digits") return SEED.test(String(value));
    if (this.control instanceof LorasField || this.control instanceof RadioGroup || typeof value !== "string") return false;
    const { control: element } = this.control;
    return !(element instanceof HTMLSelectElement) || [...element.options].some((option) => option.value === value);
  }

  /** Why the value cannot be sent; "" if it can. */
  get problem() {
    const { t, control } = this;
    if (control instanceof RadioGroup) return "";
    if (control.isBadNumber) return t("not_a_number");
    if (control instanceof LorasField) return "";
    if (this.schema.required && !control.value) return t("prompt_missing");
    const { max_length: limit } = this.schema;
    if (limit !== null && [...control.value].length > limit) return t("too_long", { limit });
    if (this.schema.control === "digits" && control.value && !SEED.test(control.value)) return t("invalid_seed");
    return "";
  }

  /** @param {string} text */
  showError(text) {
    this.control.showError(text);
  }

  clearError() {
    this.control.clearError();
  }

  focus() {
    this.control.focus();
  }
}

/**
 * The options of a list, with their texts.
 * @param {Capabilities} capabilities
 * @param {NonNullable<FormField["source"]>} source
 * @param {Translate} t
 * @returns {[value: string, text: string][]}
 */
function installedOptions(capabilities, source, t) {
  if (source === "families")
    return capabilities.families
      .filter(({ installed }) => installed)
      .map(({ name, label, drawn }) => [name, drawn ? t("paper_doll") : label]);
  if (source === "samplers" || source === "schedulers") return capabilities[source].map((name) => [name, name]);
  return usableModels(capabilities).map((model) => [model.name, modelText(model, t)]);
}

/**
 * @param {InstalledModel} model
 * @param {Translate} t
 */
export function modelText({ name, family_label: family, variant_label: variant, drawn }, t) {
  if (drawn) return t("paper_doll");
  return variant && variant !== "base" ? `${name} (${family} ${variant})` : `${name} (${family})`;
}

/**
 * The LoRAs that can be used, with the label of their family.
 * @param {Capabilities} capabilities
 * @returns {LoraFile[]}
 */
export function usableLoras({ families, loras }) {
  const labels = new Map(families.map(({ name, label }) => [name, label]));
  const usable = loras.filter(({ family, problem }) => family && !problem);
  return usable.map((lora) => ({ ...lora, family_label: labels.get(lora.family ?? "") }));
}

/**
 * The models that a request can name, with what is drawn without one.
 * @param {Capabilities} capabilities
 */
export function usableModels({ models }) {
  return models.filter(({ supported, problem, missing }) => supported && !problem && !missing.length);
}

/** @typedef {SchemaField} FormControl */

/**
 * The fields of a group, by their names in the API, in the order in which they are shown.
 * @param {FormField[]} schema
 * @param {FormField["group"]} group
 * @param {Translate} t
 * @returns {Map<string, SchemaField>}
 */
export function makeFields(schema, group, t) {
  return new Map(schema.filter((field) => field.group === group).map((field) => [field.name, new SchemaField(field, t)]));
}
