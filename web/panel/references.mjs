// Reference pictures beside that of the slot, each in a role.
import { button, make } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { newId } from "./fields.mjs";
import { hashFile } from "./hash.mjs";

/** @import { Reference, Translate } from "../shared/types.d.ts" */
/** @import { Labels } from "./labels.mjs" */
/** @import { Session } from "./session.mjs" */
/** @typedef {Reference & { key: number }} Item `file_id` is "" while it is uploaded */

/** The most references of a request. */
const MOST = 8;
const SIZE = 128; // pixels of the thumbnail

/** @type {Labels} */
const NAMES = {
  identity: (t) => t("role_identity"),
  face: (t) => t("role_face"),
  outfit: (t) => t("role_outfit"),
  style: (t) => t("role_style"),
};
export const ROLES = Object.keys(NAMES);

/**
 * @param {string} role
 * @param {Translate} t
 */
export const roleName = (role, t) => NAMES[role]?.(t) ?? role;

export class ReferenceList {
  /**
   * @param {Session} session
   * @param {() => void} changed called when the user has added, changed or removed one
   */
  constructor(session, changed) {
    const { t } = session;
    this.changed = changed;
    this.session = session;
    /** @type {Item[]} */
    this.items = [];
    this.lastKey = 0;
    /** @type {Promise<void>} */
    this.pending = Promise.resolve();
    const labelId = newId();
    this.list = make("ul", {});
    this.error = make("p", { className: "avatarforge-field-error", role: "alert", hidden: true });
    this.element = make(
      "div",
      { className: "avatarforge-references", role: "group", "aria-labelledby": labelId, hidden: true },
      make("h2", { id: labelId, textContent: t("more_references") }),
      this.list,
      this.error,
    );
  }

  /**
   * As in a request.
   * @returns {Reference[]}
   */
  get value() {
    return this.items.filter(({ file_id: id }) => id).map(({ key: _key, ...item }) => item);
  }

  /** @param {Reference[]} references */
  set value(references) {
    this.items = references.map((reference) => ({ ...reference, key: ++this.lastKey }));
    this.#show();
  }

  /** Resolves when no upload is in progress. */
  uploadFinished() {
    return this.pending;
  }

  /**
   * Upload a picture and add it.
   * @param {File} file
   * @param {string} role
   * @param {string | null} view the view that it shows, if that is known
   */
  add(file, role, view) {
    const { t } = this.session;
    if (this.items.length >= MOST) {
      this.showError(t("too_many_references", { n: MOST }));
      return;
    }
    /** @type {Item} */
    const item = { file_id: "", role, key: ++this.lastKey, ...(view ? { view } : {}) };
    this.items.push(item);
    this.#show();
    this.pending = Promise.all([this.pending, this.#store(item, file)]).then(() => {});
  }

  /** @param {string} text */
  showError(text) {
    this.error.textContent = text;
    this.error.hidden = !text;
    this.element.hidden = !text && !this.items.length;
  }

  clearError() {
    this.showError("");
  }

  focus() {
    this.list.querySelector("select")?.focus();
  }

  /**
   * @param {Item} item
   * @param {File} file
   */
  async #store(item, file) {
    const { client, t } = this.session;
    try {
      const hash = await hashFile(file);
      item.file_id = (hash && (await client.findByHash(hash))) || (await client.upload("reference", file)).file_id;
      this.#show();
      this.changed();
    } catch (error) {
      this.#remove(item);
      this.showError(errorMessage(error, t));
    }
  }

  /** @param {Item} item */
  #remove(item) {
    this.items = this.items.filter((other) => other !== item);
    this.#show();
    this.changed();
  }

  #show() {
    const hadFocus = this.list.contains(document.activeElement);
    this.list.replaceChildren(...this.items.map((item, index) => this.#makeRow(item, index + 1)));
    this.clearError();
    if (hadFocus) this.focus();
  }

  /**
   * @param {Item} item
   * @param {number} n its number, from 1
   */
  #makeRow(item, n) {
    const { client, t } = this.session;
    const image = make("img", { alt: "" });
    image.addEventListener("error", () => (image.hidden = true));
    if (item.file_id) void client.applyUrl(`/files/${item.file_id}/thumbnail?size=${SIZE}`, (url) => (image.src = url));
    const select = make(
      "select",
      { className: "avatarforge-control", "aria-label": t("reference_role", { n }) },
      ...ROLES.map((value) => make("option", { value, textContent: roleName(value, t) })),
    );
    select.value = item.role;
    select.addEventListener("change", () => (item.role = select.value));
    const remove = button(t("remove_file"), () => this.#remove(item));
    return make("li", { "aria-busy": String(!item.file_id) }, image, select, remove);
  }
}
