// The part of a node that shows the chosen file, lets the user choose another, and takes uploads.
import { withKey } from "../shared/api_key.mjs";
import { takePicture } from "../panel/taken.mjs";
import { getDragged, isDragged } from "../shared/dragged.mjs";
import { button, hasFiles, make, setStatus } from "../shared/elements.mjs";
import { errorMessage, statusOf } from "../shared/errors.mjs";
import { chooseFile } from "../shared/file_dialog.mjs";
import { acceptedTypes } from "../shared/file_types.mjs";

/** @import { ApiClient } from "../panel/client.mjs" */
/** @import { DraggedPicture, FileKind, GraphCanvas, GraphNode, StoredFile, Translate, Widget } from "../shared/types.d.ts" */

const HEIGHT = 190; // pixels that the picker needs in a node
const SIZE = 256; // pixels of the thumbnail

/**
 * @typedef {object} Options
 * @property {GraphNode} node
 * @property {FileKind} kind
 * @property {ApiClient} client
 * @property {Translate} t
 * @property {(detail: string) => void} notify shows an error outside the node
 */

/** @type {WeakMap<GraphNode, Picker>} */
const pickers = new WeakMap();

/**
 * Put a picker below the widgets of a node. The prompt still contains the node's plain `file_id`.
 * @param {Options} options
 */
export function addPicker(options) {
  const { node } = options;
  const widget = node.widgets?.find(({ name }) => name === "file_id");
  if (!widget) return;
  const picker = new Picker(options, widget);
  pickers.set(node, picker);
  const domWidget = node.addDOMWidget("picker", "avatarforge_picker", picker.element, {
    serialize: false, // not in the prompt
    hideOnZoom: false,
    getMinHeight: () => HEIGHT,
    onDraw: () => picker.update(),
  });
  domWidget.serialize = false; // nor in the workflow
  callAfter(widget, "callback", () => picker.update());
  callAfter(node, "onConfigure", () => picker.update());
  node.onDragOver = (event) => isDragged(event.dataTransfer) || hasFiles(event.dataTransfer);
  node.onDragDrop = async (event) => picker.takeDropped(event.dataTransfer);
  node.pasteFiles = (files) => picker.uploadFirst(files);
  node.setSize?.([Math.max(node.size[0], 260), Math.max(node.size[1], node.computeSize()[1])]);
  picker.update();
}

/**
 * Give a pasted picture to the picker of the selected node, if exactly one node is selected.
 * @param {ClipboardEvent} event
 * @param {GraphCanvas | undefined} canvas
 */
export function pasteIntoPicker(event, canvas) {
  const selected = Object.values(canvas?.selected_nodes ?? {});
  const picker = selected.length === 1 ? pickers.get(selected[0]) : undefined;
  const typing =
    event.target instanceof Element && event.target.closest("input, textarea, [contenteditable='true'], dialog");
  if (!picker || typing || !hasFiles(event.clipboardData)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  picker.uploadFirst(event.clipboardData?.files);
}

class Picker {
  /**
   * @param {Options} options
   * @param {Widget} widget the node's `file_id`
   */
  constructor({ node, kind, client, t, notify }, widget) {
    this.node = node;
    this.kind = kind;
    this.client = client;
    this.t = t;
    this.notify = notify;
    this.widget = widget;
    this.types = acceptedTypes(kind);
    /** @type {string | null} */
    this.shownFileId = null;
    /** @type {string | null} */
    this.rejectedKey = null; // the key with which the server refused to show the file
    this.lastRequest = 0;
    this.picture = make("img", { alt: "", hidden: true, draggable: false });
    this.picture.addEventListener("error", () => (this.picture.hidden = true));
    this.label = make("span", { className: "avatarforge-name" });
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.input = make("input", { type: "file", accept: this.types.join(","), hidden: true });
    this.input.addEventListener("change", () => {
      this.uploadFirst(this.input.files);
      this.input.value = ""; // so that the same file can be chosen again
    });
    this.buttons = [
      button(t("choose"), () => void this.choose()),
      button(t("upload"), () => this.input.click()),
    ];
    if (kind === "pose")
      this.buttons.push(
        button(t("pose_library_open"), () => void this.#openPoses("choosePoseFile")),
        button(t("pose_edit"), () => void this.#openPoses("editPoseFile")),
      );
    this.element = make(
      "div",
      { className: "avatarforge-picker" },
      make("div", { className: "avatarforge-preview" }, this.picture, this.label),
      this.status,
      make("div", { className: "avatarforge-row" }, ...this.buttons, this.input),
    );
    // This element covers the canvas, which therefore gets no drop events here.
    this.element.addEventListener("dragover", (event) => this.#captureDrag(event));
    this.element.addEventListener("drop", (event) => {
      if (this.#captureDrag(event)) this.takeDropped(event.dataTransfer);
    });
  }

  /** Show the file named by the current `file_id`, which may have been typed, or set by another script. */
  update() {
    const fileId = String(this.widget.value ?? "").trim();
    const keyChanged = this.rejectedKey !== null && this.rejectedKey !== this.client.key;
    if (fileId !== this.shownFileId || keyChanged) void this.#show(fileId);
  }

  async choose() {
    const file = await chooseFile({
      client: this.client,
      t: this.t,
      title: this.kind === "pose" ? this.t("choose_pose") : this.t("choose_reference"),
      chosenId: String(this.widget.value ?? "").trim().toLowerCase(), // as in the list
      accepts: ({ mime_type: type }) => this.types.includes(type),
    });
    if (file) this.#select(file);
  }

  /**
   * Upload the first of these files and choose it.
   * @param {FileList | null | undefined} files
   * @returns whether there was one
   */
  uploadFirst(files) {
    const file = files?.[0];
    if (!file) return false;
    void this.#store(file.name, () => this.client.upload(this.kind, file));
    return true;
  }

  /**
   * Choose a pose of the library, or edit the one that is chosen.
   * @param {"choosePoseFile" | "editPoseFile"} way
   */
  async #openPoses(way) {
    const { client, t } = this;
    try {
      const poses = await import("../poses/node_files.mjs");
      const file = await poses[way]({ client, t, fileId: String(this.widget.value ?? "").trim() });
      if (file) this.#select(file);
    } catch (error) {
      this.#setStatus(errorMessage(error, t), true);
    }
  }

  /**
   * Take what was dropped: a finished picture, or the first of the files.
   * @param {DataTransfer | null} transfer
   * @returns whether there was one
   */
  takeDropped(transfer) {
    if (!isDragged(transfer)) return this.uploadFirst(transfer?.files);
    const picture = getDragged(transfer);
    if (picture) void this.#store(picture.filename, () => this.#take(picture));
    return picture !== null;
  }

  /**
   * @param {DraggedPicture} picture
   * @returns {Promise<{ file_id: string, filename?: string }>}
   */
  async #take(picture) {
    const source = await takePicture(this.client, this.kind, picture);
    return "file" in source ? this.client.upload(this.kind, source.file) : { file_id: source.fileId };
  }

  /**
   * @param {string} name is shown meanwhile
   * @param {() => Promise<{ file_id: string, filename?: string }>} store
   */
  async #store(name, store) {
    const request = ++this.lastRequest;
    this.#setBusy(true);
    this.#setStatus(this.t("uploading", { name }));
    try {
      const stored = await withKey(this.client, this.t, store);
      if (request === this.lastRequest) this.#select(stored);
    } catch (error) {
      if (request !== this.lastRequest) return;
      const detail = errorMessage(error, this.t);
      this.#setStatus(detail, true);
      this.notify(detail);
    } finally {
      if (request === this.lastRequest) this.#setBusy(false);
    }
  }

  /** @param {Pick<StoredFile, "file_id"> & { filename?: string }} file */
  #select(file) {
    const { node, widget } = this;
    const oldValue = widget.value;
    void this.#show(file.file_id, file.filename);
    widget.value = file.file_id;
    widget.callback?.(file.file_id);
    node.onWidgetChanged?.(widget.name, file.file_id, oldValue, widget);
    node.graph?.change?.();
  }

  /**
   * @param {string} fileId
   * @param {string} [filename] requested from the server if omitted
   */
  async #show(fileId, filename) {
    const request = ++this.lastRequest;
    this.shownFileId = fileId;
    this.rejectedKey = null;
    this.#setBusy(false);
    this.#setStatus(fileId ? "" : this.t("drop_here"));
    this.picture.hidden = true;
    this.label.textContent = "";
    if (!fileId) return;
    try {
      const name = filename ?? (await this.client.getFileName(fileId));
      const [url] = await this.client.thumbnailUrls([fileId], SIZE);
      if (request !== this.lastRequest) return;
      this.label.textContent = this.label.title = this.picture.alt = name;
      this.picture.hidden = false;
      this.picture.src = url;
    } catch (error) {
      if (request !== this.lastRequest) return;
      // No toast and no dialog, because a graph from another user may name many files that are not stored here.
      const keyRequired = statusOf(error) === 401;
      if (keyRequired) this.rejectedKey = this.client.key;
      this.#setStatus(keyRequired ? this.t("key_required") : errorMessage(error, this.t), true);
    }
  }

  /**
   * Keep files that are dragged here from the editor, which would open them as a workflow.
   * @param {DragEvent} event
   * @returns whether the drag contains files, or one of our pictures
   */
  #captureDrag(event) {
    if (!hasFiles(event.dataTransfer) && !isDragged(event.dataTransfer)) return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  /**
   * @param {string} text
   * @param {boolean} failed
   */
  #setStatus(text, failed = false) {
    setStatus(this.status, text, failed);
    this.status.title = text;
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.element.setAttribute("aria-busy", String(busy));
    for (const item of this.buttons) item.disabled = busy;
  }
}

/**
 * Run `after` whenever a hook of a widget or node runs. The hook keeps its effect and its result.
 * @template {string} Hook
 * @param {{ [name in Hook]?: (...values: any[]) => unknown }} target
 * @param {Hook} hook
 * @param {() => void} after
 */
export function callAfter(target, hook, after) {
  const original = target[hook];
  target[hook] = function (...values) {
    const result = original?.apply(this, values);
    after();
    return result;
  };
}
