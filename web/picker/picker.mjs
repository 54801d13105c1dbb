// The part of a node that shows the chosen file, lets another be chosen, and takes uploads.
import { chooseFile } from "./dialog.mjs";
import { button, make } from "./elements.mjs";
import { withKey } from "./key.mjs";

const HEIGHT = 190; // pixels that the picker needs in a node
const SIZE = 256;
const PICTURES = ["image/png", "image/jpeg", "image/webp"];
const POSE_DATA = "application/json"; // a pose may also come as OpenPose JSON

const pickers = new WeakMap();

/** Put a picker below the widgets of `node`. Its plain `file_id` stays what the prompt carries. */
export function addPicker({ node, kind, store, words, notify }) {
  const widget = node.widgets?.find((one) => one.name === "file_id");
  if (!widget) return;
  const picker = new Picker({ node, kind, store, words, notify, widget });
  pickers.set(node, picker);
  const shown = node.addDOMWidget("picker", "avatarforge_picker", picker.element, {
    serialize: false, // not in the prompt
    hideOnZoom: false,
    getMinHeight: () => HEIGHT,
    onDraw: () => picker.follow(),
  });
  shown.serialize = false; // nor in the workflow
  chain(widget, "callback", () => picker.follow());
  chain(node, "onConfigure", () => picker.follow());
  node.onDragOver = (event) => hasFiles(event.dataTransfer);
  node.onDragDrop = async (event) => picker.take(event.dataTransfer?.files);
  node.pasteFiles = (files) => picker.take(files);
  node.setSize?.([Math.max(node.size[0], 260), Math.max(node.size[1], node.computeSize()[1])]);
  picker.follow();
}

/** A picture that is pasted while one node with a picker is selected goes there. */
export function pasteIntoPicker(event, canvas) {
  const selected = Object.values(canvas?.selected_nodes ?? {});
  const picker = selected.length === 1 ? pickers.get(selected[0]) : undefined;
  const writing = event.target?.closest?.("input, textarea, [contenteditable='true'], dialog");
  if (!picker || writing || !hasFiles(event.clipboardData)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  picker.take(event.clipboardData.files);
}

class Picker {
  constructor({ node, kind, store, words, notify, widget }) {
    Object.assign(this, { node, kind, store, words, notify, widget });
    this.types = kind === "pose" ? [...PICTURES, POSE_DATA] : PICTURES;
    this.following = null; // the file id on show
    this.refused = null; // the key with which it was not shown
    this.asked = 0;
    this.picture = make("img", { alt: "", hidden: true, draggable: false });
    this.picture.addEventListener("error", () => (this.picture.hidden = true));
    this.label = make("span", { className: "avatarforge-name" });
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.input = make("input", { type: "file", accept: this.types.join(","), hidden: true });
    this.input.addEventListener("change", () => {
      this.take(this.input.files);
      this.input.value = ""; // so that the same file can be sent again
    });
    this.buttons = [
      button(words("choose"), () => this.choose()),
      button(words("upload"), () => this.input.click()),
    ];
    this.element = make(
      "div",
      { className: "avatarforge-picker" },
      make("div", { className: "avatarforge-preview" }, this.picture, this.label),
      this.status,
      make("div", { className: "avatarforge-row" }, ...this.buttons, this.input),
    );
    // This element lies above the canvas, which therefore does not see what is dropped here.
    this.element.addEventListener("dragover", (event) => {
      if (!hasFiles(event.dataTransfer)) return;
      event.preventDefault();
      event.stopPropagation();
    });
    this.element.addEventListener("drop", (event) => {
      if (!hasFiles(event.dataTransfer)) return;
      event.preventDefault();
      event.stopPropagation();
      this.take(event.dataTransfer.files);
    });
  }

  /** Show the file that `file_id` names now, whoever wrote it. */
  follow() {
    const fileId = String(this.widget.value ?? "").trim();
    const otherKey = this.refused !== null && this.refused !== this.store.key;
    if (fileId === this.following && !otherKey) return;
    this.#show(fileId, fileId && this.#nameOf(fileId));
  }

  async choose() {
    const file = await chooseFile({
      store: this.store,
      words: this.words,
      title: this.words(this.kind === "pose" ? "choose_pose" : "choose_reference"),
      chosenId: String(this.widget.value ?? "").trim().toLowerCase(), // as the list gives it
      accepts: (one) => this.types.includes(one.mime_type),
    });
    if (file) this.#select(file);
  }

  /** Upload the first of these files and choose it. Gives back whether there was one to take. */
  take(files) {
    const file = files?.[0];
    if (!file) return false;
    void this.#upload(file);
    return true;
  }

  async #upload(file) {
    const turn = ++this.asked;
    this.#busy(true);
    this.#say(this.words("uploading", { name: file.name }));
    try {
      const stored = await withKey(this.store, this.words, () => this.store.upload(this.kind, file));
      if (turn === this.asked) this.#select(stored);
    } catch (error) {
      if (turn === this.asked) this.#fail(error);
    } finally {
      if (turn === this.asked) this.#busy(false);
    }
  }

  #select(file) {
    const before = this.widget.value;
    this.#show(file.file_id, file.filename);
    this.widget.value = file.file_id;
    this.widget.callback?.(file.file_id);
    this.node.onWidgetChanged?.(this.widget.name, file.file_id, before, this.widget);
    this.node.graph?.change?.();
  }

  async #show(fileId, name) {
    const turn = ++this.asked;
    this.following = fileId;
    this.refused = null;
    this.#busy(false);
    this.#say(fileId ? "" : this.words("drop_here"));
    this.picture.hidden = true;
    this.label.textContent = "";
    if (!fileId) return;
    try {
      const shown = await name;
      const [source] = await this.store.thumbnails([fileId], SIZE);
      if (turn !== this.asked) return;
      this.label.textContent = shown;
      this.label.title = shown;
      this.picture.alt = shown;
      this.picture.hidden = false;
      this.picture.src = source;
    } catch (error) {
      if (turn !== this.asked) return;
      // Neither as a toast nor as a dialog: a graph of somebody else may name many files that are not here.
      if (error.status === 401) this.refused = this.store.key;
      this.#say(error.status === 401 ? this.words("key_wanted") : error.detail || this.words("unreachable"), true);
    }
  }

  #nameOf(fileId) {
    return this.store.name(fileId);
  }

  #fail(error) {
    const detail = error.detail || this.words("unreachable");
    this.#say(detail, true);
    this.notify(detail);
  }

  #say(text, failed = false) {
    this.status.textContent = text;
    this.status.title = text;
    this.status.classList.toggle("avatarforge-error", failed);
  }

  #busy(busy) {
    this.element.setAttribute("aria-busy", String(busy));
    for (const one of this.buttons) one.disabled = busy;
  }
}

function hasFiles(transfer) {
  return Boolean(transfer) && [...transfer.types].includes("Files");
}

/** Have `after` run when the object's own hook does, which keeps its work and its answer. */
function chain(object, hook, after) {
  const before = object[hook];
  object[hook] = function (...values) {
    const answer = before?.apply(this, values);
    after();
    return answer;
  };
}
