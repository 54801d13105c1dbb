// The part of the node Load Saved View that shows its picture and lets the user choose or drop another one.
import { generationTitle } from "../panel/labels.mjs";
import { pictureName, picturesOf } from "../panel/pictures.mjs";
import { getDragged, isDragged } from "../shared/dragged.mjs";
import { button, make, setStatus } from "../shared/elements.mjs";
import { errorMessage, statusOf } from "../shared/errors.mjs";
import { callAfter } from "./picker.mjs";

/** @import { ApiClient } from "../panel/client.mjs" */
/** @import { GraphNode, Translate, Widget } from "../shared/types.d.ts" */

const HEIGHT = 190; // pixels that the part needs in a node
const WIDTH = 260;
const UNAUTHORIZED = 401;

/**
 * Put the picture below the widgets of a node. The prompt still contains the node's plain `generation_id` and `position`.
 * @param {object} options
 * @param {GraphNode} options.node
 * @param {ApiClient} options.client
 * @param {Translate} options.t
 */
export function addSavedView({ node, client, t }) {
  const [id, position] = ["generation_id", "position"].map((name) =>
    node.widgets?.find((widget) => widget.name === name),
  );
  if (!id || !position) return;
  const part = new SavedView({ node, client, t }, id, position);
  const domWidget = node.addDOMWidget("saved_view", "avatarforge_saved_view", part.element, {
    serialize: false, // not in the prompt
    hideOnZoom: false,
    getMinHeight: () => HEIGHT,
    onDraw: () => part.update(),
  });
  domWidget.serialize = false; // nor in the workflow
  for (const widget of [id, position]) callAfter(widget, "callback", () => part.update());
  callAfter(node, "onConfigure", () => part.update());
  node.onDragOver = (event) => isDragged(event.dataTransfer);
  node.onDragDrop = async (event) => part.takeDropped(event.dataTransfer);
  node.setSize?.([Math.max(node.size[0], WIDTH), Math.max(node.size[1], node.computeSize()[1])]);
  part.update();
}

class SavedView {
  /**
   * @param {{ node: GraphNode, client: ApiClient, t: Translate }} options
   * @param {Widget} id
   * @param {Widget} position
   */
  constructor({ node, client, t }, id, position) {
    this.node = node;
    this.client = client;
    this.t = t;
    this.id = id;
    this.position = position;
    this.shown = "";
    /** @type {string | null} */
    this.rejectedKey = null; // the key with which the server refused to show the picture
    this.lastRequest = 0;
    this.picture = make("img", { alt: "", hidden: true, draggable: false });
    this.picture.addEventListener("error", () => (this.picture.hidden = true));
    this.label = make("span", { className: "avatarforge-name" });
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.element = make(
      "div",
      { className: "avatarforge-picker" },
      make("div", { className: "avatarforge-preview" }, this.picture, this.label),
      this.status,
      make("div", { className: "avatarforge-row" }, button(t("choose"), () => void this.#choose())),
    );
    // This element covers the canvas, which therefore gets no drop events here.
    this.element.addEventListener("dragover", (event) => this.#captureDrag(event));
    this.element.addEventListener("drop", (event) => {
      if (this.#captureDrag(event)) this.takeDropped(event.dataTransfer);
    });
  }

  get #chosen() {
    return { id: String(this.id.value ?? "").trim(), number: Number(this.position.value ?? 1) };
  }

  /** Show the picture that the widgets name now. */
  update() {
    const { id, number } = this.#chosen;
    const keyChanged = this.rejectedKey !== null && this.rejectedKey !== this.client.key;
    if (`${id}/${number}` !== this.shown || keyChanged) void this.#show(id, number);
  }

  /**
   * @param {DataTransfer | null} transfer
   * @returns whether it was one of our pictures
   */
  takeDropped(transfer) {
    const picture = getDragged(transfer);
    if (picture) this.#select(picture.generation_id, picture.number);
    return picture !== null;
  }

  async #choose() {
    const { client, t } = this;
    const { id, number } = this.#chosen;
    try {
      const { chooseView } = await import("./view_dialog.mjs");
      const picture = await chooseView({ client, t, chosenId: id, chosenNumber: number });
      if (picture) this.#select(picture.generation.generation_id, picture.number);
    } catch (error) {
      setStatus(this.status, errorMessage(error, t), true);
    }
  }

  /**
   * @param {string} id
   * @param {number} number
   */
  #select(id, number) {
    const { node } = this;
    for (const [widget, value] of /** @type {[Widget, unknown][]} */ ([
      [this.id, id],
      [this.position, number],
    ])) {
      const oldValue = widget.value;
      widget.value = value;
      widget.callback?.(value);
      node.onWidgetChanged?.(widget.name, value, oldValue, widget);
    }
    node.graph?.change?.();
    this.update();
  }

  /**
   * @param {string} id
   * @param {number} number
   */
  async #show(id, number) {
    const { client, t } = this;
    const request = ++this.lastRequest;
    this.shown = `${id}/${number}`;
    this.rejectedKey = null;
    this.picture.hidden = true;
    this.label.textContent = "";
    setStatus(this.status, id ? "" : t("no_view_chosen"));
    if (!id) return;
    try {
      const generation = await client.getGeneration(id);
      const picture = picturesOf(generation)[number - 1];
      if (request !== this.lastRequest) return;
      if (!picture) {
        setStatus(this.status, t("no_such_picture", { n: number }), true);
        return;
      }
      const name = `${generationTitle(generation, t)} · ${pictureName(picture, t)}`;
      this.label.textContent = this.label.title = this.picture.alt = name;
      void client.applyUrl(picture.output.url, (browserUrl) => {
        if (request !== this.lastRequest) return;
        this.picture.hidden = false;
        this.picture.src = browserUrl;
      });
    } catch (error) {
      if (request !== this.lastRequest) return;
      // No dialog, because a graph from another user may name many pictures that are not stored here.
      const keyRequired = statusOf(error) === UNAUTHORIZED;
      if (keyRequired) this.rejectedKey = client.key;
      setStatus(this.status, keyRequired ? t("key_required") : errorMessage(error, t), true);
    }
  }

  /**
   * Keep a picture that is dragged here from the editor, which would make a node of it.
   * @param {DragEvent} event
   * @returns whether it is one of ours
   */
  #captureDrag(event) {
    if (!isDragged(event.dataTransfer)) return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }
}
