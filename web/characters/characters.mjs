// Saved characters: the list, the page of one, and its matrices. The panel loads this when it is first shown.
import { button, make } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { CharacterList } from "./character_list.mjs";
import { CharacterPage } from "./character_page.mjs";
import { CharactersClient } from "./characters_client.mjs";
import { MatrixForm } from "./matrix_form.mjs";
import { MatrixGrid } from "./matrix_grid.mjs";

/** @import { LibraryPose } from "../shared/types.d.ts" */
/** @import { Session } from "../panel/session.mjs" */

const NEW_MATRIX = "matrix"; // in the place of a batch's id
const ID = /^[0-9a-f-]{36}$/;
const MOST_POSES = 500; // that are offered as tiles

export class Characters {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {(id: string) => void} options.open shows a generation in detail
   * @param {(path: string) => void} options.go shows another path of this view
   */
  constructor({ session, open, go }) {
    const { t } = session;
    this.session = session;
    this.characters = new CharactersClient(session.client);
    this.go = go;
    this.shownId = ""; // of the character that was shown last
    this.lastRequest = 0;
    /** @type {LibraryPose[]} */
    this.poses = [];
    const { characters } = this;
    this.list = new CharacterList({ session, characters, open: go, getCapabilities: () => session.client.getCapabilities() });
    this.page = new CharacterPage({
      session,
      characters,
      back: () => go(""),
      open,
      openMatrix: (batchId) => go(`${this.shownId}/${batchId || NEW_MATRIX}`),
    });
    this.matrixForm = new MatrixForm({ session, characters, submitted: (batch) => go(`${this.shownId}/${batch.batch_id}`) });
    this.matrixGrid = new MatrixGrid({ session, characters, open });
    this.matrixHeading = make("h2", { className: "avatarforge-heading", tabIndex: -1 });
    this.matrixStatus = make("p", { className: "avatarforge-status avatarforge-error", role: "status" });
    this.matrix = make(
      "section",
      { className: "avatarforge-matrix-page", hidden: true },
      make("div", { className: "avatarforge-row" }, button(t("back_to_character"), () => go(this.shownId))),
      this.matrixStatus,
      this.matrixHeading,
      this.matrixForm.element,
      this.matrixGrid.element,
    );
    this.matrix.setAttribute("aria-label", t("matrix"));
    this.element = make("div", {}, this.list.element, this.page.element, this.matrix);
  }

  /**
   * @param {string} path "" for the list, the id of a character for its page, and after a slash the id of a batch, or
   *   "matrix" for a new one
   */
  async show(path) {
    const [id, batch] = path.toLowerCase().split("/");
    const isPage = ID.test(id) && !batch;
    const isMatrix = ID.test(id) && Boolean(batch) && (batch === NEW_MATRIX || ID.test(batch));
    const before = this.shownId;
    this.lastRequest++;
    this.list.element.hidden = isPage || isMatrix;
    this.page.element.hidden = !isPage;
    this.matrix.hidden = !isMatrix;
    if (!isPage) this.page.close();
    if (!isMatrix) void this.matrixGrid.show("", []);
    if (!isPage && !isMatrix) {
      await this.list.load();
      this.list.focus(before);
      return;
    }
    this.shownId = id;
    void this.#loadOptions();
    if (isPage) await this.page.open(id);
    else await this.#showMatrix(id, batch);
  }

  /** Load again what is shown, because the server is back. A matrix does so itself. */
  async reload() {
    if (!this.list.element.hidden) await this.list.load();
    else if (!this.page.element.hidden) await Promise.all([this.#loadOptions(), this.page.open(this.shownId, false)]);
  }

  /** Stop following what is shown, because another view is. */
  close() {
    this.lastRequest++;
    this.page.close();
    void this.matrixGrid.show("", []);
  }

  /**
   * @param {string} id of the character
   * @param {string} batch
   */
  async #showMatrix(id, batch) {
    const { t } = this.session;
    const request = this.lastRequest;
    const isNew = batch === NEW_MATRIX;
    this.matrixStatus.textContent = "";
    this.matrixForm.element.hidden = this.matrixHeading.hidden = !isNew;
    this.matrixGrid.element.hidden = isNew;
    if (!isNew) {
      await this.matrixGrid.show(batch, this.poses);
      if (request === this.lastRequest) this.matrixGrid.heading.focus();
      return;
    }
    try {
      const character = await this.characters.get(id);
      if (request !== this.lastRequest) return;
      this.matrixForm.setCharacter(character);
      this.matrixHeading.textContent = t("matrix_of", { name: character.name });
      this.matrixHeading.focus();
    } catch (error) {
      if (request === this.lastRequest) this.matrixStatus.textContent = errorMessage(error, t);
    }
  }

  /** Offer the installed models and the poses of the library. */
  async #loadOptions() {
    const { client, t } = this.session;
    try {
      const [capabilities, poses, fields] = await Promise.all([
        client.getCapabilities(),
        this.#getPoses(),
        client.getFormFields(),
      ]);
      this.poses = poses;
      this.page.setFields(fields);
      this.matrixForm.setExpressions(fields.expressions);
      this.page.setModels(capabilities);
      this.page.setPoses(poses);
      this.matrixForm.setPoses(poses);
      this.matrixGrid.setPoses(poses);
    } catch (error) {
      this.session.notify(errorMessage(error, t));
    }
  }

  async #getPoses() {
    const first = await this.characters.listPoses();
    const poses = [...first.poses, ...first.built_in];
    let cursor = first.next_cursor;
    while (cursor && poses.length < MOST_POSES) {
      const page = await this.characters.listPoses(cursor);
      poses.splice(poses.length - first.built_in.length, 0, ...page.poses);
      cursor = page.next_cursor;
    }
    return poses;
  }
}
