// The slot of a pose or a reference, into which the user drops, pastes, uploads or chooses a picture.
import { button, hasFiles, make, setStatus } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { getDragged, isDragged } from "../shared/dragged.mjs";
import { chooseFile } from "../shared/file_dialog.mjs";
import { acceptedTypes } from "../shared/file_types.mjs";
import { newId } from "./fields.mjs";
import { hashFile } from "./hash.mjs";
import { takePicture } from "./taken.mjs";

/** @import { DraggedPicture, FileKind } from "../shared/types.d.ts" */
/** @import { Session } from "./session.mjs" */

const SIZE = 256; // pixels of the thumbnail

export class Slot {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {FileKind} options.kind
   * @param {string} options.label
   * @param {() => void} [options.changed] called when the user has put in or removed a file
   */
  constructor({ session, kind, label, changed = () => {} }) {
    const { editor, t } = session;
    this.changed = changed;
    this.session = session;
    this.kind = kind;
    this.types = acceptedTypes(kind);
    this.fileId = ""; // "" if the slot is empty
    this.uploadFailed = false;
    this.lastChange = 0; // numbers the changes, so that late responses to earlier ones are dropped
    this.abortController = new AbortController();
    /** @type {Promise<void>} */
    this.pendingUpload = Promise.resolve();
    const labelId = newId();
    this.picture = make("img", { alt: "", hidden: true, draggable: false });
    this.picture.addEventListener("error", () => (this.picture.hidden = true));
    this.name = make("span", { className: "avatarforge-name" });
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.bar = make("progress", { max: 1, value: 0, hidden: true, "aria-label": t("upload_progress") });
    this.input = make("input", { type: "file", accept: this.types.join(","), hidden: true, tabIndex: -1 });
    this.input.addEventListener("change", () => {
      this.uploadFirst(this.input.files);
      this.input.value = ""; // so that the same file can be chosen again
    });
    this.uploadButton = button(t("upload"), () => this.input.click());
    this.chooseButton = button(t("choose"), () => void this.#choose());
    this.insertButton = editor ? button(t("insert_node"), () => editor.insertNode(kind, this.fileId)) : null;
    this.removeButton = button(t("remove_file"), () => this.#removeFile());
    this.element = make(
      "div",
      { className: "avatarforge-slot", role: "group", "aria-labelledby": labelId },
      make("h2", { id: labelId, textContent: label }),
      make("div", { className: "avatarforge-slot-shown" }, this.picture, this.name, this.status, this.bar),
      make(
        "div",
        { className: "avatarforge-row" },
        this.chooseButton,
        this.uploadButton,
        this.insertButton,
        this.removeButton,
        this.input,
      ),
    );
    for (const name of /** @type {const} */ (["dragenter", "dragover", "dragleave", "drop"]))
      this.element.addEventListener(name, (event) => this.#handleDrag(event));
    this.element.addEventListener("paste", (event) => this.paste(event));
    this.#show();
  }

  /**
   * Put a stored file into the slot.
   * @param {string | null} fileId null for none
   */
  setFile(fileId) {
    this.#reset();
    this.fileId = fileId ?? "";
    this.#show();
    if (this.fileId) void this.#loadName(this.fileId);
  }

  /** Resolves when no upload is in progress; `uploadFailed` is its result. */
  uploadFinished() {
    return this.pendingUpload;
  }

  /**
   * Upload the first of these files.
   * @param {ArrayLike<File> | null | undefined} files
   * @returns whether there was one
   */
  uploadFirst(files) {
    const file = files?.[0];
    if (!file) return false;
    this.pendingUpload = this.#upload(file);
    return true;
  }

  /**
   * Use a finished picture that was dragged here.
   * @param {DraggedPicture} picture
   */
  take(picture) {
    this.pendingUpload = this.#take(picture);
  }

  /**
   * Upload a pasted picture.
   * @param {ClipboardEvent} event
   * @returns whether there was one
   */
  paste(event) {
    if (!hasFiles(event.clipboardData)) return false;
    event.preventDefault();
    event.stopPropagation(); // otherwise the editor creates a node from it
    return this.uploadFirst(event.clipboardData?.files);
  }

  /** @param {string} text */
  showError(text) {
    setStatus(this.status, text, true);
  }

  /** Remove the problem of a request. That of an upload stays until there is another file. */
  clearError() {
    if (!this.uploadFailed) setStatus(this.status, this.#emptyText);
  }

  focus() {
    this.chooseButton.focus();
  }

  get #emptyText() {
    const { t } = this.session;
    if (this.fileId) return "";
    return this.kind === "pose" ? t("drop_pose") : t("drop_reference");
  }

  /** @param {DraggedPicture} picture */
  async #take(picture) {
    const { client, t } = this.session;
    this.#reset();
    const change = this.lastChange;
    this.fileId = "";
    this.#show();
    this.changed();
    setStatus(this.status, t("checking"));
    this.element.setAttribute("aria-busy", "true");
    try {
      const source = await takePicture(client, this.kind, picture);
      if (change !== this.lastChange) return; // something else was put here meanwhile
      if ("file" in source) await this.#upload(source.file);
      else {
        this.setFile(source.fileId);
        this.changed();
      }
    } catch (error) {
      if (change !== this.lastChange) return;
      this.element.removeAttribute("aria-busy");
      this.uploadFailed = true;
      this.showError(errorMessage(error, t));
    }
  }

  /** @param {File} file */
  async #upload(file) {
    const { client, t } = this.session;
    this.#reset();
    const change = this.lastChange;
    const isCurrent = () => change === this.lastChange;
    this.fileId = "";
    this.abortController = new AbortController();
    const { signal } = this.abortController;
    this.#show();
    this.changed();
    this.name.textContent = file.name;
    this.removeButton.hidden = false;
    setStatus(this.status, t("checking"));
    this.element.setAttribute("aria-busy", "true");
    try {
      await client.requireFits(this.kind, file);
      const hash = await hashFile(file);
      const storedId = hash && (await client.findByHash(hash));
      if (!isCurrent()) return;
      if (storedId) {
        this.#setStored({ file_id: storedId, filename: file.name }, t("already_stored"));
        void this.#loadName(storedId);
        return;
      }
      this.bar.hidden = false;
      setStatus(this.status, t("uploading", { name: file.name }));
      const onProgress = (/** @type {number} */ fraction) => {
        if (isCurrent()) this.bar.value = fraction;
      };
      const stored = await client.uploadWithProgress(this.kind, file, onProgress, signal);
      if (isCurrent()) this.#setStored(stored, stored.is_duplicate ? t("uploaded_duplicate") : t("uploaded"));
    } catch (error) {
      if (!isCurrent()) return;
      this.uploadFailed = true;
      this.showError(errorMessage(error, t));
      this.session.announce(errorMessage(error, t));
    } finally {
      if (isCurrent()) {
        this.bar.hidden = true;
        this.element.removeAttribute("aria-busy");
      }
    }
  }

  /**
   * @param {{ file_id: string, filename: string }} file
   * @param {string} text
   */
  #setStored(file, text) {
    this.fileId = file.file_id;
    this.#show();
    this.#setName(file.filename);
    this.changed();
    setStatus(this.status, text);
  }

  async #choose() {
    const { client, t } = this.session;
    const file = await chooseFile({
      client,
      t,
      title: this.kind === "pose" ? t("choose_pose") : t("choose_reference"),
      chosenId: this.fileId,
      accepts: ({ mime_type: type }) => this.types.includes(type),
    });
    if (!file) return;
    this.#reset();
    this.#setStored(file, "");
  }

  #removeFile() {
    this.#reset();
    this.fileId = "";
    this.#show();
    this.changed();
    this.chooseButton.focus(); // the button with the focus is now hidden
  }

  /** Abort an upload, and clear the result of an earlier one. */
  #reset() {
    this.lastChange++;
    this.uploadFailed = false;
    this.abortController.abort();
    this.bar.hidden = true;
    this.element.removeAttribute("aria-busy");
  }

  /** Called whenever the slot shows another file, or none. */
  shown() {}

  #show() {
    const { client } = this.session;
    const change = this.lastChange;
    this.removeButton.hidden = !this.fileId;
    if (this.insertButton) this.insertButton.hidden = !this.fileId;
    this.bar.value = 0;
    this.picture.hidden = true;
    this.name.textContent = "";
    setStatus(this.status, this.#emptyText);
    this.shown();
    if (!this.fileId) return;
    void client.applyUrl(`/files/${this.fileId}/thumbnail?size=${SIZE}`, (url) => {
      if (change !== this.lastChange) return;
      this.picture.hidden = false;
      this.picture.src = url;
    });
  }

  /** @param {string} fileId */
  async #loadName(fileId) {
    const { client, t } = this.session;
    try {
      const name = await client.getFileName(fileId);
      if (fileId === this.fileId) this.#setName(name);
    } catch (error) {
      if (fileId === this.fileId) this.showError(errorMessage(error, t));
    }
  }

  /** @param {string} name */
  #setName(name) {
    this.name.textContent = this.name.title = this.picture.alt = name;
  }

  /** @param {DragEvent} event */
  #handleDrag(event) {
    // First ours: browsers offer a picture that is dragged out of a page as a file, too.
    const ours = isDragged(event.dataTransfer);
    if (!ours && !hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    event.stopPropagation(); // otherwise the editor opens it as a workflow
    const over = event.type === "dragenter" || event.type === "dragover";
    this.element.classList.toggle("avatarforge-drag-over", over);
    if (event.type !== "drop") return;
    const picture = getDragged(event.dataTransfer);
    if (picture) this.take(picture);
    else if (!ours) this.uploadFirst(event.dataTransfer?.files);
  }
}
