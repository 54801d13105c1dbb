// The page of one character: a new picture, what it is, its versions, its matrices and all its pictures.
import { withKey } from "../shared/api_key.mjs";
import { button, make } from "../shared/elements.mjs";
import { errorMessage, statusOf } from "../shared/errors.mjs";
import { CharacterForm } from "./character_form.mjs";
import { deleteCharacter, exportCharacter } from "./dialogs.mjs";
import { changesBetween, contentOf, readDraft, writeDraft } from "./draft.mjs";
import { MatrixList } from "./matrix_list.mjs";
import { NewPicture } from "./new_picture.mjs";
import { OwnPictures } from "./own_pictures.mjs";
import { Versions } from "./versions.mjs";

/** @import { Capabilities, Character, CharacterContent, LibraryPose, RequestFields } from "../shared/types.d.ts" */
/** @import { Session } from "../panel/session.mjs" */
/** @import { CharactersClient } from "./characters_client.mjs" */

const CONFLICT = 412; // the status of a change to a version that is no longer the newest

export class CharacterPage {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {CharactersClient} options.characters
   * @param {() => void} options.back
   * @param {(id: string) => void} options.open shows a generation in detail
   * @param {(batchId: string) => void} options.openMatrix shows a matrix of this character; "" makes one
   */
  constructor({ session, characters, back, open, openMatrix }) {
    const { t } = session;
    this.session = session;
    this.characters = characters;
    this.back = back;
    this.id = "";
    this.baseVersion = 0; // that the user saw before the first change
    this.busy = false;
    this.lastRequest = 0;
    /** @type {Character | null} */
    this.character = null; // as it is saved
    this.portrait = make("img", { alt: "", className: "avatarforge-portrait", hidden: true });
    this.portrait.addEventListener("error", () => (this.portrait.hidden = true));
    this.heading = make("h2", { className: "avatarforge-heading", tabIndex: -1 });
    this.line = make("p", { className: "avatarforge-line" });
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.retry = button(t("retry"), () => void this.open(this.id), { hidden: true });
    this.newPicture = new NewPicture({ session, submitted: () => {} });
    this.form = new CharacterForm({
      session,
      changed: () => this.#noteChanges(),
      save: () => void this.#save(),
      discard: () => this.#discard(),
    });
    this.versions = new Versions({ session, characters, restore: (version) => this.#restore(version) });
    this.matrices = new MatrixList({ session, characters, open: openMatrix });
    this.pictures = new OwnPictures({ session, characters, open });
    this.body = make(
      "div",
      { className: "avatarforge-character-body", hidden: true },
      this.newPicture.element,
      make(
        "div",
        { className: "avatarforge-character-side" },
        this.form.element,
        this.matrices.element,
        this.versions.element,
        this.pictures.element,
      ),
    );
    const run = (/** @type {typeof exportCharacter} */ work) => {
      if (this.character) void work(session, characters, this.character);
    };
    this.actions = make(
      "div",
      { className: "avatarforge-row", hidden: true },
      button(t("matrix_new"), () => openMatrix("")),
      button(t("export_dots"), () => run(exportCharacter)),
      button(t("export_pictures_dots"), () => void this.#exportPictures()),
      button(t("delete_dots"), () => void this.#delete(), { className: "avatarforge-button avatarforge-danger" }),
    );
    this.element = make(
      "section",
      { className: "avatarforge-character-page", "aria-label": t("character") },
      make(
        "div",
        { className: "avatarforge-character-top" },
        make("div", { className: "avatarforge-row" }, button(t("all_characters"), back)),
        make(
          "div",
          { className: "avatarforge-character-head" },
          this.portrait,
          make("div", { className: "avatarforge-lines" }, this.heading, this.line, this.actions),
        ),
        this.status,
        this.retry,
      ),
      this.body,
      this.form.bar,
    );
  }

  /**
   * Show a character.
   * @param {string} id
   * @param {boolean} focus whether to move the focus there
   */
  async open(id, focus = true) {
    const { t } = this.session;
    const request = ++this.lastRequest;
    if (id !== this.id) {
      this.body.hidden = this.actions.hidden = this.portrait.hidden = true;
      this.character = null;
      this.heading.textContent = this.line.textContent = "";
      this.form.setDirty(false);
    }
    this.id = id;
    this.retry.hidden = true;
    this.status.textContent = this.character ? "" : t("loading");
    if (focus) this.heading.focus();
    try {
      const character = await this.characters.get(id);
      if (request !== this.lastRequest) return;
      this.status.textContent = "";
      const isEdited = Object.keys(this.#changes).length > 0;
      const isNewer = this.character?.version !== character.version;
      this.#show(character);
      // What the user has entered is not replaced; a draft of an earlier visit takes its place in the form.
      if (!isEdited) this.#fillForm(character);
      else if (isNewer) this.#warn();
      this.pictures.show(id);
    } catch (error) {
      if (request !== this.lastRequest) return;
      this.status.textContent = errorMessage(error, t);
      this.retry.hidden = statusOf(error) === 404;
    }
  }

  async #exportPictures() {
    const { exportPictures } = await import("../panel/export_dialog.mjs");
    await exportPictures(this.session, { path: `/characters/${encodeURIComponent(this.id)}`, isCharacter: true });
  }

  /** Stop following the pictures. What was not saved stays. */
  close() {
    this.lastRequest++;
    this.pictures.show("");
  }

  /** @param {Capabilities} capabilities */
  setModels(capabilities) {
    this.form.setModels(capabilities);
  }

  /** @param {RequestFields} fields */
  setFields({ expressions, fields }) {
    this.newPicture.setExpressions(expressions);
    const loras = fields.find(({ name }) => name === "loras");
    if (loras) this.form.setLoras(loras);
  }

  /** @param {LibraryPose[]} poses */
  setPoses(poses) {
    this.form.setPoses(poses);
    this.newPicture.setPoses(poses);
  }

  /** @param {Character} character */
  #show(character) {
    const { client, t } = this.session;
    this.character = character;
    this.heading.textContent = character.name;
    this.line.textContent = `${t("version_number", { n: character.version })} · ${character.description}`;
    const { thumbnail } = character;
    this.portrait.hidden = !thumbnail;
    if (thumbnail)
      void client.applyUrl(thumbnail, (url) => {
        if (this.character === character) this.portrait.src = url;
      });
    this.body.hidden = this.actions.hidden = false;
    this.newPicture.setCharacter(character);
    this.versions.setCharacter(character);
    this.matrices.setCharacter(character);
  }

  /**
   * Put a character into the form, or what was entered and not saved.
   * @param {Character} character
   */
  #fillForm(character) {
    const draft = readDraft(character.character_id);
    this.form.content = draft?.content ?? contentOf(character);
    this.baseVersion = draft?.version ?? character.version;
    this.#noteChanges();
    if (this.baseVersion !== character.version) this.#warn();
  }

  /** The fields that differ from what is saved. */
  get #changes() {
    return this.character ? changesBetween(contentOf(this.character), this.form.content) : {};
  }

  #noteChanges() {
    const { character } = this;
    if (!character) return;
    const isDirty = Object.keys(this.#changes).length > 0;
    if (!isDirty) this.baseVersion = character.version;
    writeDraft(character.character_id, isDirty ? { version: this.baseVersion, content: this.form.content } : null);
    if (!isDirty && this.form.bar.contains(document.activeElement)) this.heading.focus(); // the bar is hidden now
    this.form.setDirty(isDirty);
    this.newPicture.setDirty(isDirty);
  }

  async #save() {
    const { client, t } = this.session;
    const { character } = this;
    if (this.busy || !character) return;
    const { character_id: id, version } = character;
    this.busy = true;
    this.form.element.setAttribute("aria-busy", "true");
    try {
      await this.form.references.uploadsFinished();
      if (this.id !== id) return; // the user has gone to another one, and the draft waits
      const changes = this.#changes;
      if (!this.form.check() || !Object.keys(changes).length) return;
      const sent = contentOf(this.form.content);
      const saved = await withKey(client, t, () => this.characters.change(id, version, changes));
      if (this.id !== id) {
        this.#keepRest(id, sent, saved.version);
        return;
      }
      this.#show(saved);
      this.baseVersion = saved.version;
      // What the user entered in the meantime is a change to the version that was saved just now.
      const isUnchanged = Object.keys(changesBetween(sent, contentOf(this.form.content))).length === 0;
      if (isUnchanged) this.form.content = contentOf(saved);
      this.#noteChanges();
      this.session.announce(t("version_saved", { n: saved.version }));
    } catch (error) {
      if (this.id === id) await this.#showRefusal(error);
    } finally {
      this.busy = false;
      this.form.element.removeAttribute("aria-busy");
    }
  }

  /**
   * A character was saved that is no longer shown: keep what the user had entered after that.
   * @param {string} id
   * @param {CharacterContent} sent
   * @param {number} version that was saved
   */
  #keepRest(id, sent, version) {
    const draft = readDraft(id);
    const isSaved = !draft || Object.keys(changesBetween(sent, draft.content)).length === 0;
    writeDraft(id, isSaved ? null : { ...draft, version });
  }

  /** @param {unknown} error */
  async #showRefusal(error) {
    if (statusOf(error) !== CONFLICT) {
      this.form.showError(error);
      return;
    }
    // Somebody else has changed it. The user's own changes stay in the form, now beside the newest version.
    const { id } = this;
    const newest = await this.characters.get(id).catch(() => null);
    if (id !== this.id) return;
    if (newest) this.#show(newest);
    this.#noteChanges();
    this.#warn();
  }

  #warn() {
    if (this.character) this.form.showAlert(this.session.t("changed_elsewhere", { n: this.character.version }));
  }

  #discard() {
    const { character } = this;
    if (!character) return;
    this.form.content = contentOf(character);
    this.#noteChanges();
  }

  /** @param {Character} version */
  #restore(version) {
    const { t } = this.session;
    this.form.content = contentOf(version);
    this.#noteChanges();
    this.session.announce(t("version_in_form", { n: version.version }));
  }

  async #delete() {
    const { session, characters, character } = this;
    if (!character || !(await deleteCharacter(session, characters, character))) return;
    writeDraft(character.character_id, null);
    this.character = null;
    this.id = "";
    session.announce(session.t("deleted", { name: character.name }));
    this.back();
  }
}
