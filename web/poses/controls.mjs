// The pose editor's controls: what keeps its length, the selected joint by numbers, hands and face, the picture behind.
import { withKey } from "../shared/api_key.mjs";
import { button, make, setStatus } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { chooseFile } from "../shared/file_dialog.mjs";
import { acceptedTypes } from "../shared/file_types.mjs";
import { PART_NAMES, handlePoint, handlesOf, hideJoint, visible } from "./figure.mjs";
import { addJoint, canShow, showPart } from "./shapes.mjs";

/** @import { FilesClient } from "../shared/files_client.mjs" */
/** @import { Translate } from "../shared/types.d.ts" */
/** @import { Handle, PartName } from "./figure.mjs" */
/** @import { PoseStage } from "./stage.mjs" */

const OPACITY = 0.45; // of the picture, at first
const PICTURES = acceptedTypes("reference");

export class PoseControls {
  /**
   * @param {object} options
   * @param {FilesClient} options.client
   * @param {Translate} options.t
   * @param {PoseStage} options.stage
   * @param {string} options.picture the id of a stored picture; "" for none
   */
  constructor({ client, t, stage, picture }) {
    this.client = client;
    this.t = t;
    this.stage = stage;
    this.pictureId = picture;
    this.pictureUrl = "";
    this.listed = ""; // the handles in the lists
    this.fixed = checkbox(t("pose_fixed"), (checked) => (stage.fixed = checked));
    this.fixed.label.title = t("pose_fixed_hint");
    this.joint = make("select", { className: "avatarforge-key", "aria-label": t("pose_joint") });
    this.joint.addEventListener("change", () => stage.select(handleNamed(this.joint.value)));
    this.x = this.#coordinate("X");
    this.y = this.#coordinate("Y");
    this.removeButton = button(t("remove_file"), () => this.#removeJoint());
    this.missing = make("select", { className: "avatarforge-key", "aria-label": t("pose_add_joint") });
    this.addRow = make(
      "div",
      { className: "avatarforge-row" },
      this.missing,
      button(t("pose_add_joint"), () => this.#addJoint()),
    );
    /** @type {Record<PartName, string>} */
    const names = { right_hand: t("right_hand"), left_hand: t("left_hand"), face: t("pose_face") };
    this.parts = new Map(
      PART_NAMES.map((name) => [
        name,
        checkbox(names[name], (checked) => stage.change(showPart(stage.history.state, name, checked))),
      ]),
    );
    this.file = make("input", { type: "file", accept: PICTURES.join(","), hidden: true, tabIndex: -1 });
    this.file.addEventListener("change", () => this.#showLocal());
    this.opacity = make("input", { type: "range", min: "0", max: "1", step: "0.05", value: String(OPACITY) });
    this.opacity.addEventListener("input", () => this.#showPicture(this.pictureUrl));
    this.pictureRow = make(
      "div",
      { className: "avatarforge-row", hidden: true },
      make("label", { className: "avatarforge-pose-field" }, make("span", { textContent: t("pose_opacity") }), this.opacity),
      button(t("remove_file"), () => this.#removePicture()),
    );
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.chooseButton = button(t("choose"), () => void this.#choosePicture());
    this.element = this.#layOut();
  }

  #layOut() {
    const { t } = this;
    return make(
      "div",
      { className: "avatarforge-pose-controls" },
      this.fixed.label,
      group(
        t("pose_joint"),
        make("div", { className: "avatarforge-row" }, this.joint, this.removeButton),
        make("div", { className: "avatarforge-row" }, label("X", this.x), label("Y", this.y)),
        this.addRow,
      ),
      group(
        t("pose_parts"),
        make("div", { className: "avatarforge-row" }, ...[...this.parts.values()].map((part) => part.label)),
      ),
      group(
        t("pose_picture"),
        make(
          "div",
          { className: "avatarforge-row" },
          this.chooseButton,
          button(t("pose_picture_local"), () => this.file.click()),
          this.file,
        ),
        this.pictureRow,
        this.status,
      ),
    );
  }

  /** Show the picture that the editor was opened with. */
  async load() {
    if (this.pictureId) await this.#showStored(this.pictureId);
    else this.#showPicture("");
  }

  /** Free what the picture of this device holds. */
  close() {
    if (this.pictureUrl.startsWith("blob:")) URL.revokeObjectURL(this.pictureUrl);
  }

  /** Show the current figure and selection. */
  update() {
    const { stage } = this;
    const { selected } = stage;
    const figure = stage.history.state;
    this.#list();
    this.joint.value = String(selected);
    const [x, y] = handlePoint(figure, selected) ?? [0, 0];
    this.x.value = String(Math.round(x));
    this.y.value = String(Math.round(y));
    const removable = typeof selected === "number" && visible(figure.body).length > 1;
    this.removeButton.setAttribute("aria-disabled", String(!removable));
    for (const [name, { input }] of this.parts) {
      input.checked = figure[name]?.shown ?? false;
      input.disabled = !canShow(figure, name);
    }
  }

  /** Fill the lists, if other joints or hands are visible now. */
  #list() {
    const { stage } = this;
    const figure = stage.history.state;
    const present = handlesOf(figure);
    if (present.join() === this.listed) return;
    this.listed = present.join();
    const option = (/** @type {Handle} */ handle) =>
      make("option", { value: String(handle), textContent: stage.labels.get(handle) ?? "" });
    this.joint.replaceChildren(...present.map(option));
    const missing = [...figure.body.keys()].filter((joint) => !figure.body[joint]);
    this.missing.replaceChildren(...missing.map(option));
    this.addRow.hidden = !missing.length;
  }

  /** @param {string} name */
  #coordinate(name) {
    const input = make("input", { type: "number", className: "avatarforge-key", step: "1", name });
    input.addEventListener("change", () => {
      const target = /** @type {const} */ ([this.x.valueAsNumber, this.y.valueAsNumber]);
      if (target.every(Number.isFinite)) this.stage.move(target);
      this.update(); // what cannot be reached, or is no number, is replaced
    });
    return input;
  }

  #addJoint() {
    const { stage } = this;
    const joint = Number(this.missing.value);
    stage.change(addJoint(stage.history.state, joint));
    stage.select(joint);
    stage.focus(); // the list may be gone
  }

  #removeJoint() {
    const { stage } = this;
    if (typeof stage.selected === "number") stage.change(hideJoint(stage.history.state, stage.selected));
  }

  async #choosePicture() {
    const { client, t } = this;
    const file = await chooseFile({
      client,
      t,
      title: t("choose_reference"),
      chosenId: this.pictureId,
      accepts: ({ mime_type: type }) => PICTURES.includes(type),
    });
    if (file) await this.#showStored(file.file_id);
  }

  /** @param {string} fileId */
  async #showStored(fileId) {
    const { client, t } = this;
    try {
      const url = await withKey(client, t, () => client.browserUrl(`/files/${encodeURIComponent(fileId)}`));
      this.pictureId = fileId;
      this.#showPicture(url);
    } catch (error) {
      setStatus(this.status, errorMessage(error, t), true);
    }
  }

  #showLocal() {
    const file = this.file.files?.[0];
    this.file.value = ""; // so that the same file can be chosen again
    if (!file) return;
    this.pictureId = "";
    this.#showPicture(URL.createObjectURL(file));
  }

  #removePicture() {
    this.pictureId = "";
    this.#showPicture("");
    this.chooseButton.focus(); // the button with the focus is now hidden
  }

  /** @param {string} url "" for none */
  #showPicture(url) {
    if (url !== this.pictureUrl) this.close();
    this.pictureUrl = url;
    this.pictureRow.hidden = !url;
    setStatus(this.status, "");
    this.stage.setPicture(url, this.opacity.valueAsNumber);
  }
}

/** @param {string} text the value of an option */
function handleNamed(text) {
  const joint = Number(text);
  return Number.isNaN(joint) ? /** @type {Handle} */ (text) : joint;
}

/**
 * @param {string} text
 * @param {(checked: boolean) => void} onChange
 */
function checkbox(text, onChange) {
  const input = make("input", { type: "checkbox" });
  input.addEventListener("change", () => onChange(input.checked));
  return { input, label: make("label", { className: "avatarforge-pose-check" }, input, make("span", { textContent: text })) };
}

/**
 * @param {string} text
 * @param {HTMLElement} control
 */
function label(text, control) {
  return make("label", { className: "avatarforge-pose-field" }, make("span", { textContent: text }), control);
}

/**
 * @param {string} legend
 * @param {HTMLElement[]} children
 */
function group(legend, ...children) {
  return make("fieldset", { className: "avatarforge-pose-group" }, make("legend", { textContent: legend }), ...children);
}
