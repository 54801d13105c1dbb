// Controls with a label, and with room for what the server says against their value.
import { make } from "../picker/elements.mjs";

let made = 0;

/** An id that no other element of this document has. */
export const newId = () => `avatarforge-${++made}`;

export class Field {
  /** `hint` stands below the control, `control` is an input, a textarea or a select. */
  constructor(label, control, { hint = "", wide = false } = {}) {
    this.control = control;
    control.id = newId();
    control.classList.add("avatarforge-control");
    const hintId = newId();
    this.error = make("p", { id: newId(), className: "avatarforge-field-error", hidden: true });
    control.setAttribute("aria-describedby", hint ? `${hintId} ${this.error.id}` : this.error.id);
    this.element = make(
      "div",
      { className: wide ? "avatarforge-field avatarforge-wide" : "avatarforge-field" },
      make("label", { htmlFor: control.id, textContent: label }),
      control,
      hint ? make("p", { id: hintId, className: "avatarforge-hint", textContent: hint }) : null,
      this.error,
    );
    control.addEventListener("input", () => this.clear());
  }

  /** What was entered, without spaces around it; "" when nothing was. */
  get value() {
    return this.control.value.trim();
  }

  set value(value) {
    this.control.value = value ?? "";
    this.clear();
  }

  /** Text in a number's place gives no value at all, which must not pass for "left out". */
  get unreadable() {
    return Boolean(this.control.validity?.badInput);
  }

  fail(text) {
    this.error.textContent = text;
    this.error.hidden = false;
    this.control.setAttribute("aria-invalid", "true");
  }

  clear() {
    this.error.hidden = true;
    this.error.textContent = "";
    this.control.removeAttribute("aria-invalid");
  }

  focus() {
    // A folded group would hide it.
    for (let up = this.element.closest("details"); up; up = up.parentElement.closest("details")) up.open = true;
    this.control.focus();
  }
}

export function textField(label, { rows = 0, placeholder = "", list = null, ...rest } = {}) {
  const control = rows
    ? make("textarea", { rows, placeholder })
    : make("input", { type: "text", placeholder, autocomplete: "off" });
  if (list) control.setAttribute("list", list);
  return new Field(label, control, rest);
}

export function numberField(label, { min, max, step = "any", placeholder = "", ...rest } = {}) {
  const control = make("input", { type: "number", min, max, step, placeholder, inputMode: "decimal" });
  return new Field(label, control, rest);
}

/** `choices` are [value, text] pairs, after one that leaves the choice to the server. */
export function selectField(label, automatic, choices = [], rest = {}) {
  const field = new Field(label, make("select"), rest);
  offer(field, automatic, choices);
  return field;
}

/** Give a select its choices, and keep what was chosen. */
export function offer(field, automatic, choices) {
  const before = field.control.value;
  const every = [["", automatic], ...choices];
  // What a generation used may be gone; it stays to be seen, and the server says that it is gone.
  if (before && !every.some(([value]) => value === before)) every.push([before, before]);
  field.control.replaceChildren(...every.map(([value, textContent]) => make("option", { value, textContent })));
  field.control.value = before;
}

/** Radio buttons in a row; `choices` are {value, text, title, drawing}. */
export class Choice {
  constructor(label, choices, value) {
    const name = newId();
    this.error = make("p", { id: newId(), className: "avatarforge-field-error", hidden: true });
    this.inputs = choices.map((choice) =>
      make("input", { type: "radio", name, value: choice.value, checked: choice.value === value }),
    );
    this.row = make(
      "div",
      { className: "avatarforge-choices" },
      ...choices.map((choice, at) =>
        make(
          "label",
          { className: "avatarforge-choice", title: choice.title ?? "" },
          this.inputs[at],
          make("span", { className: "avatarforge-drawing" }),
          make("span", { textContent: choice.text }),
        ),
      ),
    );
    this.element = make(
      "fieldset",
      { className: "avatarforge-field avatarforge-wide", "aria-describedby": this.error.id },
      make("legend", { textContent: label }),
      this.row,
      this.error,
    );
    this.element.addEventListener("change", () => this.clear());
  }

  /** Put a drawing above the text of one choice. */
  draw(value, drawing) {
    const at = this.inputs.findIndex((input) => input.value === value);
    this.row.children[at]?.querySelector(".avatarforge-drawing").replaceChildren(drawing);
  }

  get value() {
    return this.inputs.find((input) => input.checked)?.value ?? "";
  }

  set value(value) {
    for (const input of this.inputs) input.checked = input.value === value;
    this.clear();
  }

  get unreadable() {
    return false;
  }

  fail(text) {
    this.error.textContent = text;
    this.error.hidden = false;
  }

  clear() {
    this.error.hidden = true;
    this.error.textContent = "";
  }

  focus() {
    (this.inputs.find((input) => input.checked) ?? this.inputs[0]).focus();
  }
}
