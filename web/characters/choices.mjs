// Tiles of which one or several are chosen: the poses, outfits, expressions and views of a character.
import { make } from "../shared/elements.mjs";
import { Fieldset, newId } from "../panel/fields.mjs";

/** @import { ApiClient } from "../panel/client.mjs" */
/** @typedef {{ value: string, text: string, title?: string, drawing?: Element | null, fileId?: string | null }} Choice */

const SIZE = 128; // pixels of a thumbnail

/** Radio buttons, or check boxes if several can be chosen. A value may be "", such as for the usual outfit. */
export class Choices extends Fieldset {
  /**
   * @param {string} label
   * @param {{ client: ApiClient, multiple?: boolean, hint?: string, changed?: () => void }} options
   */
  constructor(label, { client, multiple = false, hint = "", changed = () => {} }) {
    const row = make("div", { className: "avatarforge-picks" });
    super(label, ...(hint ? [make("p", { className: "avatarforge-hint", textContent: hint })] : []), row);
    this.client = client;
    this.multiple = multiple;
    this.row = row;
    this.name = newId();
    /** @type {HTMLInputElement[]} */
    this.inputs = [];
    this.shown = ""; // the tiles as JSON
    /** @type {string[]} */
    this.wanted = []; // values that were set before there were tiles for them
    this.element.addEventListener("change", () => {
      this.wanted = [];
      this.clearError();
      changed();
    });
  }

  /**
   * Replace the tiles. What was chosen stays chosen; otherwise a single choice is that of the first tile.
   * @param {Choice[]} choices
   */
  setChoices(choices) {
    const shown = JSON.stringify(choices.map(({ value, text, title, fileId }) => [value, text, title, fileId]));
    if (shown !== this.shown) this.#draw(choices); // otherwise the focus stays where it is
    this.shown = shown;
    if (!this.multiple && this.inputs.length && !this.values.length) this.inputs[0].checked = true;
  }

  /** @param {Choice[]} choices */
  #draw(choices) {
    const offered = this.wanted.filter((wanted) => choices.some(({ value }) => value === wanted));
    const chosen = new Set(offered.length && !this.multiple ? offered : [...this.values, ...offered]);
    this.wanted = this.wanted.filter((value) => !offered.includes(value));
    const type = this.multiple ? "checkbox" : "radio";
    this.inputs = choices.map(({ value }) =>
      make("input", { type, name: this.name, value, checked: chosen.has(value) }),
    );
    const isWords = choices.every(({ drawing, fileId }) => !drawing && !fileId);
    this.row.classList.toggle("avatarforge-words", isWords);
    this.row.replaceChildren(...choices.map((choice, index) => this.#tile(choice, this.inputs[index])));
  }

  /**
   * @param {Choice} choice
   * @param {HTMLInputElement} input
   */
  #tile({ text, title = "", drawing = null, fileId = null }, input) {
    let picture = drawing;
    if (fileId) {
      const image = make("img", { alt: "", loading: "lazy", draggable: false });
      image.addEventListener("error", () => (image.hidden = true));
      void this.client.applyUrl(`/files/${fileId}/thumbnail?size=${SIZE}`, (url) => (image.src = url));
      picture = image;
    }
    return make(
      "label",
      { className: "avatarforge-choice", title },
      input,
      picture && make("span", { className: "avatarforge-pick-picture" }, picture),
      make("span", { textContent: text }),
    );
  }

  /** The chosen values, in the order of the tiles. */
  get values() {
    return this.inputs.filter((input) => input.checked).map((input) => input.value);
  }

  set values(values) {
    for (const input of this.inputs) input.checked = values.includes(input.value);
    this.wanted = values.filter((value) => !this.inputs.some((input) => input.value === value));
    this.clearError();
  }

  /** The chosen values, and those that will be when there are tiles for them. */
  get kept() {
    return this.wanted.length && !this.multiple ? this.wanted : [...this.values, ...this.wanted];
  }

  /** The chosen value of a single choice; "" if there is none. */
  get value() {
    return this.values[0] ?? "";
  }

  focus() {
    (this.inputs.find((input) => input.checked) ?? this.inputs[0])?.focus();
  }
}
