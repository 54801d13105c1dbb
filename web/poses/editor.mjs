// The dialog in which a pose is edited and saved in the pose library.
import { withKey } from "../shared/api_key.mjs";
import { button, make, setStatus } from "../shared/elements.mjs";
import { errorMessage, statusOf } from "../shared/errors.mjs";
import { showModal } from "../shared/modal.mjs";
import { PoseControls } from "./controls.mjs";
import { fitCanvas, mirrorFigure, scaleFigure } from "./figure.mjs";
import { History } from "./history.mjs";
import { writeFigure } from "./openpose.mjs";
import { PosesClient } from "./poses_client.mjs";
import { PoseStage } from "./stage.mjs";

/** @import { FilesClient } from "../shared/files_client.mjs" */
/** @import { LibraryPoseDocument, Translate } from "../shared/types.d.ts" */
/** @import { Figure } from "./figure.mjs" */

const LONGEST_NAME = 100;
const CONFLICT = 409;
const LARGER = 1.05; // with each press

/**
 * @typedef {object} Options
 * @property {FilesClient} client
 * @property {Translate} t
 * @property {Figure} figure to start from
 * @property {string} name suggested
 * @property {string} picture the id of a stored picture to show behind the figure; "" for none
 */

/**
 * Let the user edit a pose.
 * @param {Options} options
 * @returns {Promise<LibraryPoseDocument | null>} what was saved; null when nothing was
 */
export function openEditor(options) {
  return new PoseEditor(options).open();
}

class PoseEditor {
  /** @param {Options} options */
  constructor({ client, t, figure, name, picture }) {
    this.client = client;
    this.poses = new PosesClient(client);
    this.t = t;
    this.history = new History(figure);
    /** @type {LibraryPoseDocument | null} */
    this.saved = null;
    /** @type {LibraryPoseDocument | null} */
    this.existing = null; // the saved pose that has the entered name
    this.busy = false;
    this.stage = new PoseStage({ history: this.history, t, onChange: () => this.#update() });
    this.controls = new PoseControls({ client, t, stage: this.stage, picture });
    this.undoButton = button(t("undo"), () => this.#undo());
    this.redoButton = button(t("redo"), () => this.#redo());
    this.name = make("input", {
      type: "text",
      className: "avatarforge-key",
      autocomplete: "off",
      required: true,
      maxLength: LONGEST_NAME,
      value: name.slice(0, LONGEST_NAME),
    });
    this.name.addEventListener("input", () => this.#setExisting(null));
    this.saveButton = make("button", { type: "submit", className: "avatarforge-button avatarforge-pose-main", textContent: t("template_save") });
    this.status = make("p", { className: "avatarforge-status avatarforge-error", role: "alert" });
    this.keepButton = button(t("pose_keep_editing"), () => this.#keepEditing());
    this.question = make(
      "div",
      { className: "avatarforge-row avatarforge-pose-question", role: "alert", hidden: true },
      make("span", { textContent: t("pose_discard_question") }),
      button(t("pose_discard"), () => this.dialog.close()),
      this.keepButton,
    );
    this.dialog = this.#layOut();
    this.#update();
  }

  #layOut() {
    const { history, stage, t } = this;
    const headingId = `avatarforge-${crypto.randomUUID?.() ?? Math.random()}`;
    const change = (/** @type {(figure: Figure) => Figure} */ edit) => () => stage.change(edit(history.state));
    const form = make(
      "form",
      { className: "avatarforge-pose-save", noValidate: true },
      this.question,
      this.status,
      make(
        "div",
        { className: "avatarforge-row" },
        make("label", { className: "avatarforge-pose-field" }, make("span", { textContent: t("template_name") }), this.name),
        this.saveButton,
        button(t("cancel"), () => this.#leave()),
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#save();
    });
    const zoomButton = (/** @type {string} */ text, /** @type {string} */ label, /** @type {() => void} */ act) =>
      button(text, act, { "aria-label": label, title: label });
    const dialog = make(
      "dialog",
      { className: "avatarforge-dialog avatarforge-pose-editor", "aria-labelledby": headingId },
      make("h2", { id: headingId, textContent: t("pose_editor") }),
      make(
        "div",
        { className: "avatarforge-pose-stage" },
        stage.svg,
        make(
          "div",
          { className: "avatarforge-row avatarforge-pose-zoom" },
          zoomButton("−", t("zoom_out"), () => stage.zoomStep(-1)),
          zoomButton("+", t("zoom_in"), () => stage.zoomStep(1)),
          button(t("zoom_fit"), () => stage.zoom.fit()),
        ),
      ),
      make(
        "div",
        { className: "avatarforge-row avatarforge-pose-bar", role: "group", "aria-label": t("pose_editor") },
        this.undoButton,
        this.redoButton,
        button(t("pose_mirror"), change(mirrorFigure)),
        button(t("pose_smaller"), change((figure) => scaleFigure(figure, 1 / LARGER))),
        button(t("pose_larger"), change((figure) => scaleFigure(figure, LARGER))),
      ),
      make("div", { className: "avatarforge-pose-tools" }, this.controls.element, stage.hint),
      form,
    );
    dialog.addEventListener("keydown", (event) => this.#handleShortcut(event));
    return dialog;
  }

  /** @returns {Promise<LibraryPoseDocument | null>} */
  async open() {
    const closed = showModal(this.dialog, () => this.#leave());
    this.stage.focus();
    void this.controls.load();
    await closed;
    this.controls.close();
    return this.saved;
  }

  #update() {
    const { history } = this;
    this.controls.update();
    // A disabled button would lose the focus.
    this.undoButton.setAttribute("aria-disabled", String(!history.canUndo));
    this.redoButton.setAttribute("aria-disabled", String(!history.canRedo));
  }

  #undo() {
    this.history.undo();
    this.#restored();
  }

  #redo() {
    this.history.redo();
    this.#restored();
  }

  #restored() {
    this.stage.draw();
    this.#update();
    // The joint with the focus may be gone.
    if (this.stage.svg.contains(document.activeElement)) this.stage.focus();
  }

  /** @param {KeyboardEvent} event */
  #handleShortcut(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    // A text field has an undo of its own.
    const typing = event.target === this.name;
    if (key === "s") void this.#save();
    else if (typing) return;
    else if (key === "y" || (key === "z" && event.shiftKey)) this.#redo();
    else if (key === "z") this.#undo();
    else return;
    event.preventDefault();
    // ComfyUI's frontend hears keys before any dialog does, and a frame later it would undo a change of its graph.
    for (const name of ["ctrlKey", "metaKey"]) Object.defineProperty(event, name, { value: false });
  }

  /** Close, but ask first if that loses changes. */
  #leave() {
    if (this.busy) return;
    if (!this.history.isChanged) this.dialog.close();
    else if (this.question.hidden) {
      this.question.hidden = false;
      this.keepButton.focus();
    } else this.#keepEditing(); // Escape gives the harmless answer
  }

  #keepEditing() {
    this.question.hidden = true;
    this.stage.focus();
  }

  async #save() {
    const { t } = this;
    const name = this.name.value.trim();
    if (this.busy) return;
    if (!name) {
      setStatus(this.status, t("template_name_missing"), true);
      this.name.focus();
      return;
    }
    const pose = writeFigure(fitCanvas(this.history.state));
    this.#setBusy(true);
    setStatus(this.status, "", true);
    try {
      const { existing } = this;
      this.saved = await withKey(this.client, t, () =>
        existing ? this.poses.replace(existing.pose_id, pose) : this.poses.save(name, pose),
      );
      this.dialog.close();
    } catch (error) {
      if (statusOf(error) === CONFLICT && !this.existing) await this.#offerToReplace(name, error);
      else setStatus(this.status, errorMessage(error, t), true);
    } finally {
      this.#setBusy(false);
    }
  }

  /**
   * A saved pose may have this name: the next press of the button replaces it.
   * @param {string} name
   * @param {unknown} conflict
   */
  async #offerToReplace(name, conflict) {
    const { t } = this;
    const existing = await this.poses.get(name).catch(() => null); // it may be a full library instead of a name
    if (existing && !existing.built_in) {
      this.#setExisting(existing);
      setStatus(this.status, t("pose_exists", { name }), true);
    } else setStatus(this.status, errorMessage(conflict, t), true);
  }

  /** @param {LibraryPoseDocument | null} existing */
  #setExisting(existing) {
    this.existing = existing;
    this.saveButton.textContent = existing ? this.t("template_replace") : this.t("template_save");
    setStatus(this.status, "", true);
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.busy = busy;
    this.saveButton.setAttribute("aria-disabled", String(busy));
    this.dialog.setAttribute("aria-busy", String(busy));
  }
}
