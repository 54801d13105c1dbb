// The outfits or the expressions of a character: each has a name and words, an outfit also a picture.
import { button, make } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { chooseFile } from "../shared/file_dialog.mjs";
import { textAreaField, textField } from "../panel/fields.mjs";
import { PICTURE_TYPES, givenPictures, hasPictures, storePicture } from "./store_picture.mjs";

/** @import { Session } from "../panel/session.mjs" */
/** @typedef {{ name: string, words: string, file_id?: string | null }} Named */

const MOST = 64; // of a character
const LONGEST_NAME = 100;
const LONGEST_WORDS = 1000;
const SIZE = 128; // pixels of a thumbnail

export class NamedList {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {string} options.label
   * @param {string} options.addText of the button that adds one
   * @param {string} options.example placeholder of the words
   * @param {boolean} options.hasPictures whether each may have a picture
   * @param {() => void} options.changed
   */
  constructor({ session, label, addText, example, hasPictures: withPictures, changed }) {
    this.session = session;
    this.example = example;
    this.withPictures = withPictures;
    this.changed = changed;
    /** @type {Row[]} */
    this.rows = [];
    this.list = make("ul", { className: "avatarforge-named-list" });
    this.list.setAttribute("aria-label", label);
    this.addButton = button(addText, () => this.#add());
    this.element = make("div", { className: "avatarforge-named" }, this.list, this.addButton);
  }

  /** @returns {Named[]} */
  get value() {
    return this.rows.map((row) => row.value);
  }

  set value(entries) {
    this.rows = entries.map((entry) => new Row(this, entry));
    this.#draw();
  }

  /** The first row without a name or words, after showing the error there; null if there is none. */
  findProblem() {
    for (const row of this.rows) if (row.showProblem()) return row;
    return null;
  }

  #add() {
    const row = new Row(this, { name: "", words: "", file_id: null });
    this.rows.push(row);
    this.#draw();
    row.focus();
    this.changed();
  }

  /** @param {Row} row */
  remove(row) {
    this.rows = this.rows.filter((other) => other !== row);
    this.#draw();
    this.addButton.focus(); // the pressed button is gone
    this.changed();
  }

  #draw() {
    this.list.replaceChildren(...this.rows.map((row) => row.element));
    this.list.hidden = !this.rows.length;
    this.addButton.disabled = this.rows.length >= MOST;
  }
}

class Row {
  /**
   * @param {NamedList} owner
   * @param {Named} entry
   */
  constructor(owner, { name, words, file_id: fileId = null }) {
    const { t } = owner.session;
    this.owner = owner;
    this.fileId = fileId;
    this.name = textField(t("name"));
    this.name.control.maxLength = LONGEST_NAME;
    this.name.value = name;
    this.words = textAreaField(t("in_words"), { rows: 2, placeholder: owner.example });
    this.words.control.maxLength = LONGEST_WORDS;
    this.words.value = words;
    for (const field of [this.name, this.words]) field.control.addEventListener("input", () => owner.changed());
    this.picture = make("img", { alt: t("picture_of_outfit"), hidden: true });
    this.picture.addEventListener("error", () => (this.picture.hidden = true));
    this.removePicture = button(t("remove_picture_of_outfit"), () => this.#setPicture(null));
    this.element = make(
      "li",
      {},
      this.name.element,
      this.words.element,
      make(
        "div",
        { className: "avatarforge-row" },
        owner.withPictures ? this.picture : null,
        owner.withPictures ? button(t("choose_picture_of_outfit"), () => void this.#choose()) : null,
        owner.withPictures ? this.removePicture : null,
        button(t("remove_file"), () => owner.remove(this)),
      ),
    );
    if (!owner.withPictures) return;
    for (const type of /** @type {const} */ (["dragenter", "dragover", "dragleave", "drop"]))
      this.element.addEventListener(type, (event) => this.#handleDrag(event));
    this.#showPicture();
  }

  /** @returns {Named} */
  get value() {
    const entry = { name: this.name.value, words: this.words.value };
    return this.owner.withPictures ? { ...entry, file_id: this.fileId } : entry;
  }

  /** Show what is missing, and return whether something is. */
  showProblem() {
    const { t } = this.owner.session;
    const missing = [this.name, this.words].filter((field) => !field.value);
    for (const field of missing) field.showError(t("value_missing"));
    return missing.length > 0;
  }

  focus() {
    (this.name.value && !this.words.value ? this.words : this.name).focus();
  }

  /** @param {string | null} fileId */
  #setPicture(fileId) {
    this.fileId = fileId;
    this.#showPicture();
    this.owner.changed();
    if (!fileId) this.name.focus(); // the pressed button is hidden
  }

  #showPicture() {
    const { fileId } = this;
    this.picture.hidden = true;
    this.removePicture.hidden = !fileId;
    if (!fileId) return;
    void this.owner.session.client.applyUrl(`/files/${fileId}/thumbnail?size=${SIZE}`, (url) => {
      if (fileId !== this.fileId) return;
      this.picture.src = url;
      this.picture.hidden = false;
    });
  }

  async #choose() {
    const { client, t } = this.owner.session;
    const file = await chooseFile({
      client,
      t,
      title: t("choose_reference"),
      chosenId: this.fileId ?? "",
      accepts: ({ mime_type: type }) => PICTURE_TYPES.includes(type),
    });
    if (file) this.#setPicture(file.file_id);
  }

  /** @param {DragEvent} event */
  #handleDrag(event) {
    if (!hasPictures(event.dataTransfer)) return;
    event.preventDefault();
    event.stopPropagation(); // otherwise the editor opens it as a workflow
    this.element.classList.toggle("avatarforge-drag-over", event.type === "dragenter" || event.type === "dragover");
    if (event.type === "drop") void this.#drop(event.dataTransfer);
  }

  /** @param {DataTransfer | null} transfer */
  async #drop(transfer) {
    const { client, t } = this.owner.session;
    try {
      const [file] = await givenPictures(transfer, client);
      if (file) this.#setPicture(await storePicture(client, file));
      else this.words.showError(t("no_picture_in_drop"));
    } catch (error) {
      this.words.showError(errorMessage(error, t));
    }
  }
}
