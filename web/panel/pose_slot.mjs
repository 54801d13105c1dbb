// The slot of the pose: a file like any slot, or a pose of the library.
import { withKey } from "../shared/api_key.mjs";
import { button, make, setStatus } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { poseName } from "../poses/labels.mjs";
import { PosesClient } from "../poses/poses_client.mjs";
import { drawSkeleton } from "./skeletons.mjs";
import { Slot } from "./slots.mjs";

/** @import { LibraryPose } from "../shared/types.d.ts" */
/** @import { Session } from "./session.mjs" */
/** @typedef {{ pose_id?: string, pose_mirrored?: boolean }} LibraryFields what a request says about a pose of the library */

export class PoseSlot extends Slot {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {string} options.label
   * @param {() => void} options.changed called when the user has changed it
   * @param {() => string} options.reference the id of the reference picture, or ""; a new pose is drawn over it
   */
  constructor({ session, label, changed, reference }) {
    super({ session, kind: "pose", label, changed });
    const { t } = session;
    this.reference = reference;
    this.poseId = ""; // of the library; "" if the slot has a file or nothing
    this.mirrored = false;
    this.drawing = make("div", { className: "avatarforge-pose-drawing", hidden: true });
    this.picture.before(this.drawing);
    this.libraryButton = button(t("pose_library_open"), () => void this.#choose());
    this.editButton = button(t("pose_edit"), () => void this.#edit());
    this.chooseButton.after(this.libraryButton, this.editButton);
  }

  /**
   * Empty without a pose of the library.
   * @returns {LibraryFields}
   */
  get libraryFields() {
    if (!this.poseId) return {};
    return { pose_id: this.poseId, ...(this.mirrored ? { pose_mirrored: true } : {}) };
  }

  /**
   * Put the pose of a request into the slot.
   * @param {LibraryFields & { pose_file_id?: string | null }} fields
   */
  fill({ pose_file_id: fileId, pose_id: poseId, pose_mirrored: mirrored }) {
    this.setFile(fileId ?? null);
    if (poseId) void this.#load(poseId, mirrored === true);
  }

  /**
   * Put a pose of the library into the slot.
   * @param {LibraryPose} pose
   * @param {boolean} mirrored
   */
  setPose(pose, mirrored) {
    this.setFile(null); // calls `shown`, which removes an earlier pose
    this.poseId = pose.pose_id;
    this.mirrored = mirrored;
    this.drawing.hidden = this.removeButton.hidden = false;
    this.drawing.classList.toggle("avatarforge-mirrored", mirrored);
    this.drawing.replaceChildren(drawSkeleton(pose.skeleton));
    this.name.textContent = this.name.title = poseName(pose, this.session.t);
    this.#showMirrored();
  }

  /** @override */
  clearError() {
    if (this.poseId && !this.drawing.hidden) this.#showMirrored();
    else super.clearError();
  }

  #showMirrored() {
    setStatus(this.status, this.mirrored ? this.session.t("pose_mirrored") : "");
  }

  /**
   * A file, or nothing, takes the place of a pose of the library.
   * @override
   */
  shown() {
    this.poseId = "";
    this.mirrored = false;
    // The constructor of the base class calls this before there is a drawing.
    if (this.drawing) this.drawing.hidden = true;
  }

  /**
   * @param {string} poseId
   * @param {boolean} mirrored
   */
  async #load(poseId, mirrored) {
    const { client, t } = this.session;
    const change = this.lastChange;
    // A request names it even if it cannot be drawn; the server then says why.
    this.poseId = poseId;
    this.mirrored = mirrored;
    this.removeButton.hidden = false;
    setStatus(this.status, t("loading"));
    try {
      const pose = await withKey(client, t, () => new PosesClient(client).get(poseId));
      if (change === this.lastChange && this.poseId === poseId) this.setPose(pose, mirrored);
    } catch (error) {
      if (change === this.lastChange) this.showError(errorMessage(error, t));
    }
  }

  /**
   * @param {LibraryPose} pose
   * @param {boolean} mirrored
   */
  #usePose(pose, mirrored) {
    this.setPose(pose, mirrored);
    this.changed();
  }

  #choose() {
    return this.#open(async (poses, options) => {
      const choice = await poses.choosePose({ ...options, chosen: this.poseId, mirrored: this.mirrored });
      if (choice) this.#usePose(choice.pose, choice.mirrored);
    });
  }

  #edit() {
    return this.#open(async (poses, options) => {
      const saved = await (this.fileId ? poses.editFile(this.fileId, options) : poses.editPose(this.poseId, options));
      if (saved) this.#usePose(saved, false);
    });
  }

  /**
   * Load what opens the library and the editor, and run `work` with it.
   * @param {(poses: typeof import("../poses/open.mjs"), options: import("../poses/open.mjs").Options) => Promise<void>} work
   */
  async #open(work) {
    const { client, t } = this.session;
    try {
      await work(await import("../poses/open.mjs"), { client, t, picture: this.reference() });
    } catch (error) {
      this.showError(errorMessage(error, t));
    }
  }
}
