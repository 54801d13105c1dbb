// The part of the node Library Pose that shows its pose, lets the user choose another one, and opens the editor.
import { drawSkeleton } from "../panel/skeletons.mjs";
import { callAfter } from "../picker/picker.mjs";
import { button, make, setStatus } from "../shared/elements.mjs";
import { errorMessage, statusOf } from "../shared/errors.mjs";
import { poseName } from "./labels.mjs";
import { PosesClient } from "./poses_client.mjs";

/** @import { FilesClient } from "../shared/files_client.mjs" */
/** @import { GraphNode, LibraryPose, Translate, Widget } from "../shared/types.d.ts" */

const HEIGHT = 190; // pixels that the part needs in a node
const WIDTH = 260;

/**
 * Put the pose below the widgets of a node. The prompt still contains the node's plain `pose` and `mirrored`.
 * @param {object} options
 * @param {GraphNode} options.node
 * @param {FilesClient} options.client
 * @param {Translate} options.t
 */
export function addPosePart({ node, client, t }) {
  const [pose, mirrored] = ["pose", "mirrored"].map((name) => node.widgets?.find((widget) => widget.name === name));
  if (!pose || !mirrored) return;
  const part = new PosePart({ node, client, t }, pose, mirrored);
  const domWidget = node.addDOMWidget("pose_library", "avatarforge_pose", part.element, {
    serialize: false, // not in the prompt
    hideOnZoom: false,
    getMinHeight: () => HEIGHT,
    onDraw: () => part.update(),
  });
  domWidget.serialize = false; // nor in the workflow
  for (const widget of [pose, mirrored]) callAfter(widget, "callback", () => part.update());
  callAfter(node, "onConfigure", () => part.update());
  node.setSize?.([Math.max(node.size[0], WIDTH), Math.max(node.size[1], node.computeSize()[1])]);
  part.update();
}

class PosePart {
  /**
   * @param {{ node: GraphNode, client: FilesClient, t: Translate }} options
   * @param {Widget} pose
   * @param {Widget} mirrored
   */
  constructor({ node, client, t }, pose, mirrored) {
    this.node = node;
    this.client = client;
    this.t = t;
    this.pose = pose;
    this.mirrored = mirrored;
    /** @type {string | null} */
    this.shownPose = null;
    /** @type {string | null} */
    this.rejectedKey = null; // the key with which the server refused to show the pose
    this.lastRequest = 0;
    this.drawing = make("div", { className: "avatarforge-pose-drawing", hidden: true });
    this.label = make("span", { className: "avatarforge-name" });
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.element = make(
      "div",
      { className: "avatarforge-picker" },
      make("div", { className: "avatarforge-preview" }, this.drawing, this.label),
      this.status,
      make(
        "div",
        { className: "avatarforge-row" },
        button(t("pose_library_open"), () => void this.#choose()),
        button(t("pose_edit"), () => void this.#edit()),
      ),
    );
  }

  /** Show the pose that the widget names now. */
  update() {
    const reference = String(this.pose.value ?? "").trim();
    this.drawing.classList.toggle("avatarforge-mirrored", this.mirrored.value === true);
    const keyChanged = this.rejectedKey !== null && this.rejectedKey !== this.client.key;
    if (reference !== this.shownPose || keyChanged) void this.#show(reference);
  }

  /** @param {string} reference */
  async #show(reference) {
    const request = ++this.lastRequest;
    this.shownPose = reference;
    this.rejectedKey = null;
    this.drawing.hidden = true;
    this.label.textContent = "";
    setStatus(this.status, "");
    if (!reference) return;
    try {
      const pose = await new PosesClient(this.client).get(reference);
      if (request !== this.lastRequest) return;
      this.drawing.replaceChildren(drawSkeleton(pose.skeleton));
      this.drawing.hidden = false;
      this.label.textContent = this.label.title = poseName(pose, this.t);
    } catch (error) {
      if (request !== this.lastRequest) return;
      // No dialog, because a graph from another user may name many poses that are not stored here.
      const keyRequired = statusOf(error) === 401;
      if (keyRequired) this.rejectedKey = this.client.key;
      setStatus(this.status, keyRequired ? this.t("key_required") : errorMessage(error, this.t), true);
    }
  }

  #choose() {
    return this.#open(async ({ choosePose }) => {
      const { client, t } = this;
      const chosen = String(this.pose.value ?? "").trim();
      const choice = await choosePose({ client, t, picture: "", chosen, mirrored: this.mirrored.value === true });
      if (choice) this.#select(choice.pose, choice.mirrored);
    });
  }

  #edit() {
    return this.#open(async ({ editPose }) => {
      const { client, t } = this;
      const saved = await editPose(String(this.pose.value ?? "").trim(), { client, t, picture: "" });
      if (saved) this.#select(saved, false);
    });
  }

  /** @param {(poses: typeof import("./open.mjs")) => Promise<void>} work */
  async #open(work) {
    try {
      await work(await import("./open.mjs"));
    } catch (error) {
      setStatus(this.status, errorMessage(error, this.t), true);
    }
  }

  /**
   * @param {LibraryPose} pose
   * @param {boolean} mirrored
   */
  #select({ name }, mirrored) {
    const { node } = this;
    this.shownPose = null; // a pose that was replaced has the same name
    for (const [widget, value] of /** @type {[Widget, unknown][]} */ ([
      [this.pose, name],
      [this.mirrored, mirrored],
    ])) {
      const oldValue = widget.value;
      widget.value = value;
      widget.callback?.(value);
      node.onWidgetChanged?.(widget.name, value, oldValue, widget);
    }
    node.graph?.change?.();
    this.update();
  }
}
