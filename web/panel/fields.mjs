// Form controls with a label, a hint and an error message.
import { make } from "../shared/elements.mjs";

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Control */
/** @typedef {{ hint?: string, wide?: boolean }} FieldOptions `hint` is shown below the control */

let lastId = 0;

/** An id that is unique in this document. */
export const newId = () => `avatarforge-${++lastId}`;

const makeError = () => make("p", { id: newId(), className: "avatarforge-field-error", hidden: true });

/** @template {Control} Type */
export class Field {
  /**
   * @param {string} label
   * @param {Type} control
   * @param {FieldOptions} options
   */
  constructor(label, control, { hint = "", wide = false } = {}) {
    this.control = control;
    control.id = newId();
    control.classList.add("avatarforge-control");
    this.hint = hint ? make("p", { id: newId(), className: "avatarforge-hint", textContent: hint }) : null;
    this.error = makeError();
    control.setAttribute("aria-describedby", this.hint ? `${this.hint.id} ${this.error.id}` : this.error.id);
    this.label = make("label", { htmlFor: control.id, textContent: label });
    this.element = make(
      "div",
      { className: wide ? "avatarforge-field avatarforge-wide" : "avatarforge-field" },
      this.label,
      control,
      this.hint,
      this.error,
    );
    control.addEventListener("input", () => this.clearError());
  }

  /**
   * Put a button beside the label, which fills the field in another way than typing.
   * @param {HTMLButtonElement} helper
   */
  addHelper(helper) {
    const head = make("div", { className: "avatarforge-field-head" });
    this.label.replaceWith(head);
    head.append(this.label, helper);
  }

  /**
   * The entered text, without surrounding spaces; "" if there is none.
   * @returns {string}
   */
  get value() {
    return this.control.value.trim();
  }

  /** @param {unknown} value null and undefined empty the field */
  set value(value) {
    this.control.value = String(value ?? "");
    this.clearError();
    this.refresh();
  }

  /** Called when the value was set; a subclass shows more than the control does. */
  refresh() {}

  /** Whether a number field contains something else. Its value is then "", which must not count as "left out". */
  get isBadNumber() {
    return this.control.validity.badInput;
  }

  /** @param {string} text */
  showError(text) {
    this.error.textContent = text;
    this.error.hidden = false;
    this.control.setAttribute("aria-invalid", "true");
  }

  clearError() {
    this.error.hidden = true;
    this.error.textContent = "";
    this.control.removeAttribute("aria-invalid");
  }

  focus() {
    // Open the groups around it, because a closed one hides it.
    let group = this.element.closest("details");
    while (group) {
      group.open = true;
      group = group.parentElement?.closest("details") ?? null;
    }
    this.control.focus();
  }
}

/**
 * @param {string} label
 * @param {FieldOptions & { placeholder?: string, list?: string }} options `list` is the id of a datalist
 */
export function textField(label, { placeholder = "", list, ...options } = {}) {
  const control = make("input", { type: "text", placeholder, autocomplete: "off" });
  if (list) control.setAttribute("list", list);
  return new Field(label, control, options);
}

/**
 * @param {string} label
 * @param {FieldOptions & { rows: number, placeholder?: string }} options
 */
export function textAreaField(label, { rows, placeholder = "", ...options }) {
  return new Field(label, make("textarea", { rows, placeholder }), options);
}

/**
 * @param {string} label
 * @param {FieldOptions & { min: number, max: number, step: number, placeholder?: string }} options
 */
export function numberField(label, { min, max, step, placeholder = "", ...options }) {
  const control = make("input", {
    type: "number",
    min: String(min),
    max: String(max),
    step: String(step),
    placeholder,
    inputMode: "decimal",
  });
  return new Field(label, control, options);
}

/**
 * @param {string} label
 * @param {string} automatic the text of the option that leaves the choice to the server
 * @param {[value: string, text: string][]} options
 */
export function selectField(label, automatic, options = []) {
  const field = new Field(label, make("select"));
  setOptions(field, automatic, options);
  return field;
}

/**
 * Replace the options of a select and keep its value.
 * @param {Field<HTMLSelectElement>} field
 * @param {string} automatic
 * @param {[value: string, text: string][]} options
 */
export function setOptions(field, automatic, options) {
  const { value } = field.control;
  const all = [["", automatic], ...options];
  // The value of an earlier generation may no longer be installed. It stays visible, and the server reports it.
  if (value && !options.some(([option]) => option === value)) all.push([value, value]);
  field.control.replaceChildren(...all.map(([option, text]) => make("option", { value: option, textContent: text })));
  field.control.value = value;
}

/** Several controls with one legend and one error message. */
export class Fieldset {
  /**
   * @param {string} label
   * @param {HTMLElement[]} children
   */
  constructor(label, ...children) {
    this.error = makeError();
    this.element = make(
      "fieldset",
      { className: "avatarforge-field avatarforge-wide", "aria-describedby": this.error.id },
      make("legend", { textContent: label }),
      ...children,
      this.error,
    );
  }

  /** @param {string} text */
  showError(text) {
    this.error.textContent = text;
    this.error.hidden = false;
  }

  clearError() {
    this.error.hidden = true;
    this.error.textContent = "";
  }
}

/** Radio buttons in a row. */
export class RadioGroup extends Fieldset {
  /**
   * @param {string} label
   * @param {{ value: string, text: string, title?: string }[]} options
   * @param {string} value
   */
  constructor(label, options, value) {
    const name = newId();
    const inputs = options.map((option) =>
      make("input", { type: "radio", name, value: option.value, checked: option.value === value }),
    );
    const drawings = options.map(() => make("span", { className: "avatarforge-drawing" }));
    const row = make(
      "div",
      { className: "avatarforge-choices" },
      ...options.map((option, index) =>
        make(
          "label",
          { className: "avatarforge-choice", title: option.title ?? "" },
          inputs[index],
          drawings[index],
          make("span", { textContent: option.text }),
        ),
      ),
    );
    super(label, row);
    this.inputs = inputs;
    this.drawings = drawings;
    this.row = row;
    this.element.addEventListener("change", () => this.clearError());
  }

  /**
   * Put a drawing above the text of an option.
   * @param {string} value
   * @param {Element} drawing
   */
  setDrawing(value, drawing) {
    const index = this.inputs.findIndex((input) => input.value === value);
    this.drawings[index]?.replaceChildren(drawing);
  }

  get value() {
    return this.inputs.find((input) => input.checked)?.value ?? "";
  }

  set value(value) {
    for (const input of this.inputs) input.checked = input.value === value;
    this.clearError();
  }

  focus() {
    (this.inputs.find((input) => input.checked) ?? this.inputs[0]).focus();
  }
}
