// The reference pictures of a character: a zone for each role, into which the user drops, pastes, uploads or chooses
// pictures, and between which they are dragged.
import { make, setStatus } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { ROLES, ROLE_NAMES, Zone } from "./reference_zone.mjs";
import { storePicture } from "./store_picture.mjs";

/** @import { CharacterReference, ReferenceRole } from "../shared/types.d.ts" */
/** @import { Session } from "../panel/session.mjs" */

const MOST = 16; // of a character

export class References {
  /**
   * @param {Session} session
   * @param {() => void} changed
   */
  constructor(session, changed) {
    this.session = session;
    this.changed = changed;
    /** @type {CharacterReference[]} */
    this.references = [];
    /** @type {Promise<unknown>} */
    this.uploads = Promise.resolve();
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.zones = ROLE_NAMES.map((role) => new Zone(this, role));
    this.element = make(
      "div",
      { className: "avatarforge-role-zones" },
      ...this.zones.map((zone) => zone.element),
      this.status,
    );
  }

  get value() {
    return this.references;
  }

  set value(references) {
    this.references = references;
    setStatus(this.status, "");
    this.#draw();
  }

  /** Resolves when no upload is in progress. */
  uploadsFinished() {
    return this.uploads;
  }

  /**
   * Store pictures and add them in a role.
   * @param {File[]} files
   * @param {ReferenceRole} role
   */
  upload(files, role) {
    this.uploads = Promise.all([this.uploads, this.#upload(files, role)]);
  }

  /**
   * @param {File[]} files
   * @param {ReferenceRole} role
   */
  async #upload(files, role) {
    const { client, t } = this.session;
    const target = this.references; // another character may be shown before the upload ends
    for (const file of files) {
      setStatus(this.status, t("uploading", { name: file.name }));
      try {
        const fileId = await storePicture(client, file);
        if (target !== this.references) return;
        setStatus(this.status, t("uploaded"));
        this.add(fileId, role);
      } catch (error) {
        if (target !== this.references) return;
        setStatus(this.status, errorMessage(error, t), true);
        return;
      }
    }
  }

  /**
   * Add a stored picture. Says why if it cannot be added.
   * @param {string} fileId
   * @param {ReferenceRole} role
   */
  add(fileId, role) {
    const { t } = this.session;
    if (this.#has(fileId, role)) setStatus(this.status, t("reference_there", { role: ROLES[role].name(t) }));
    else if (this.references.length >= MOST) setStatus(this.status, t("references_full", { limit: MOST }), true);
    else {
      this.references.push({ file_id: fileId, role, view: null });
      this.#finish();
    }
  }

  /**
   * @param {number} index
   * @param {ReferenceRole} role
   */
  move(index, role) {
    const { t } = this.session;
    const reference = this.references[index];
    if (!reference || reference.role === role) return;
    if (this.#has(reference.file_id, role)) {
      setStatus(this.status, t("reference_there", { role: ROLES[role].name(t) }));
      this.#draw(); // its list shows the old role again
      return;
    }
    reference.role = role;
    this.#finish();
    this.zones[ROLE_NAMES.indexOf(role)].focusLast();
    this.session.announce(t("reference_moved", { role: ROLES[role].name(t) }));
  }

  /**
   * @param {number} index
   * @param {string | null} view
   */
  setView(index, view) {
    this.references[index].view = view;
    this.changed();
  }

  /** @param {number} index */
  remove(index) {
    const [{ role }] = this.references.splice(index, 1);
    this.#finish();
    this.zones[ROLE_NAMES.indexOf(role)].focus(); // the pressed button is gone
  }

  /**
   * @param {string} fileId
   * @param {ReferenceRole} role
   */
  #has(fileId, role) {
    return this.references.some((reference) => reference.file_id === fileId && reference.role === role);
  }

  #finish() {
    this.#draw();
    this.changed();
  }

  #draw() {
    for (const zone of this.zones) zone.draw(this.references);
  }
}
