// The place of a pose or a reference: drop, paste, upload or choose a picture.
import { chooseFile } from "../picker/dialog.mjs";
import { button, make } from "../picker/elements.mjs";
import { newId } from "./fields.mjs";
import { hashOf } from "./hash.mjs";

const SIZE = 256; // pixels of the thumbnail
const PICTURES = ["image/png", "image/jpeg", "image/webp"];
const POSE_DATA = "application/json"; // a pose may also come as OpenPose JSON

export const bringsFiles = (transfer) => Boolean(transfer) && [...transfer.types].includes("Files");

export class Slot {
  /** `kind` is pose or reference. `changed` is called when another file, or none, is in the slot. */
  constructor({ session, kind, label, changed = () => {} }) {
    const { words } = session;
    Object.assign(this, { session, kind, changed, fileId: "", turn: 0, pending: Promise.resolve() });
    this.types = kind === "pose" ? [...PICTURES, POSE_DATA] : PICTURES;
    const labelId = newId();
    this.picture = make("img", { alt: "", hidden: true, draggable: false });
    this.picture.addEventListener("error", () => (this.picture.hidden = true));
    this.name = make("span", { className: "avatarforge-name" });
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.bar = make("progress", { max: 1, value: 0, hidden: true, "aria-label": words("upload_progress") });
    this.input = make("input", { type: "file", accept: this.types.join(","), hidden: true, tabIndex: -1 });
    this.input.addEventListener("change", () => {
      this.take(this.input.files);
      this.input.value = ""; // so that the same file can be taken again
    });
    this.upload = button(words("upload"), () => this.input.click());
    this.choose = button(words("choose"), () => void this.#choose());
    this.insert = button(words("insert_node"), () => session.editor.insertNode(kind, this.fileId));
    this.clear = button(words("remove_file"), () => this.#empty());
    this.element = make(
      "div",
      { className: "avatarforge-slot", role: "group", "aria-labelledby": labelId },
      make("h2", { id: labelId, textContent: label }),
      make("div", { className: "avatarforge-slot-shown" }, this.picture, this.name, this.status, this.bar),
      make(
        "div",
        { className: "avatarforge-row" },
        this.choose,
        this.upload,
        session.editor ? this.insert : null,
        this.clear,
        this.input,
      ),
    );
    for (const kindOfEvent of ["dragenter", "dragover", "dragleave", "drop"])
      this.element.addEventListener(kindOfEvent, (event) => this.#drag(event));
    this.element.addEventListener("paste", (event) => this.paste(event));
    this.#show();
  }

  /** Put a stored file here, or with "" none. */
  set(fileId) {
    this.#stop();
    this.fileId = fileId ?? "";
    this.#show();
    if (this.fileId) void this.#nameIt(this.fileId);
    this.changed();
  }

  /** Resolves when what was dropped is stored; `fileId` is "" when it was refused. */
  settled() {
    return this.pending;
  }

  /** Take the first of these files. Gives back whether there was one. */
  take(files) {
    const file = files?.[0];
    if (!file) return false;
    this.pending = this.#store(file);
    return true;
  }

  /** Take a pasted picture; gives back whether there was one. */
  paste(event) {
    if (!bringsFiles(event.clipboardData)) return false;
    event.preventDefault();
    event.stopPropagation(); // the editor would make a node of it
    return this.take(event.clipboardData.files);
  }

  fail(text) {
    this.#say(text, true);
  }

  focus() {
    this.choose.focus();
  }

  async #store(file) {
    const { client, words } = this.session;
    this.#stop();
    const turn = this.turn;
    const current = () => turn === this.turn;
    this.fileId = "";
    this.failed = false;
    this.stopper = new AbortController();
    this.#show();
    this.name.textContent = file.name;
    this.#say(words("checking"));
    this.element.setAttribute("aria-busy", "true");
    this.clear.hidden = false;
    try {
      const hash = await hashOf(file);
      const known = hash && (await client.known(hash));
      if (!current()) return;
      if (known) {
        this.#put({ file_id: known, filename: file.name }, words("already_there"));
        void this.#nameIt(known);
        return;
      }
      this.bar.hidden = false;
      this.#say(words("uploading", { name: file.name }));
      const stored = await client.send(
        this.kind,
        file,
        (fraction) => {
          if (current()) this.bar.value = fraction;
        },
        this.stopper.signal,
      );
      if (current()) this.#put(stored, stored.is_duplicate ? words("was_there") : words("uploaded"));
    } catch (error) {
      if (!current()) return;
      this.failed = true;
      this.#say(error.detail || words("unreachable"), true);
      this.session.say(error.detail || words("unreachable"));
    } finally {
      if (current()) {
        this.bar.hidden = true;
        this.element.removeAttribute("aria-busy");
      }
    }
  }

  #put(file, text) {
    this.fileId = file.file_id;
    this.#show();
    this.name.textContent = file.filename;
    this.name.title = file.filename;
    this.picture.alt = file.filename;
    this.#say(text);
    this.changed();
  }

  async #choose() {
    const { client, words } = this.session;
    const file = await chooseFile({
      store: client,
      words,
      title: this.kind === "pose" ? words("choose_pose") : words("choose_reference"),
      chosenId: this.fileId,
      accepts: (one) => this.types.includes(one.mime_type),
    });
    if (!file) return;
    this.#stop();
    this.#put(file, "");
  }

  #empty() {
    this.#stop();
    this.fileId = "";
    this.#show();
    this.choose.focus(); // the button that had the focus is gone
    this.changed();
  }

  #stop() {
    this.turn++;
    this.failed = false;
    this.stopper?.abort();
    this.bar.hidden = true;
    this.element.removeAttribute("aria-busy");
  }

  #show() {
    const { client, words } = this.session;
    const turn = this.turn;
    this.insert.hidden = this.clear.hidden = !this.fileId;
    this.bar.value = 0;
    this.picture.hidden = true;
    this.name.textContent = "";
    this.#say(this.fileId ? "" : this.kind === "pose" ? words("drop_pose") : words("drop_reference"));
    if (!this.fileId) return;
    void client.show(`/files/${this.fileId}/thumbnail?size=${SIZE}`, (address) => {
      if (turn !== this.turn) return;
      this.picture.hidden = false;
      this.picture.src = address;
    });
  }

  async #nameIt(fileId) {
    try {
      const name = await this.session.client.name(fileId);
      if (fileId !== this.fileId) return;
      this.name.textContent = this.name.title = this.picture.alt = name;
    } catch (error) {
      if (fileId === this.fileId) this.#say(error.detail || this.session.words("unreachable"), true);
    }
  }

  #say(text, failed = false) {
    this.status.textContent = text;
    this.status.classList.toggle("avatarforge-error", failed);
  }

  #drag(event) {
    if (!bringsFiles(event.dataTransfer)) return;
    event.preventDefault();
    event.stopPropagation(); // the editor would open it as a workflow
    const inside = event.type === "dragenter" || event.type === "dragover";
    this.element.classList.toggle("avatarforge-over", inside);
    if (event.type === "drop") this.take(event.dataTransfer.files);
  }
}
