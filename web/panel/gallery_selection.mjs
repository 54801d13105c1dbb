// What is selected in the gallery, and what can be done with it.
import { button, make } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { Emitter } from "../shared/events.mjs";
import { showModal } from "../shared/modal.mjs";
import { newId } from "./fields.mjs";
import { picturesOf } from "./pictures.mjs";

/** @import { Generation, MarksBody } from "../shared/types.d.ts" */
/** @import { Picture } from "./pictures.mjs" */
/** @import { Session } from "./session.mjs" */

/** As many as the API takes at once. */
const MOST = 500;

/**
 * Events:
 * - "change": other generations are selected, or the mode is on or off
 * - "marked": a generation with other marks
 * - "deleted": the id of a generation
 * @extends {Emitter<{ change: null, marked: Generation, deleted: string }>}
 */
export class Selection extends Emitter {
  /**
   * @param {Session} session
   * @param {(first: Picture, second: Picture) => void} compare
   */
  constructor(session, compare) {
    super();
    const { t } = session;
    this.session = session;
    this.active = false;
    /** @type {Map<string, Generation>} */
    this.chosen = new Map();
    this.compare = compare;
    this.compareButton = button(t("compare"), () => this.#comparePair());
    this.number = make("span", { className: "avatarforge-status", role: "status" });
    this.actions = [
      button(t("gallery_favourite"), () => void this.#mark({ favourite: true })),
      button(t("gallery_no_favourite"), () => void this.#mark({ favourite: false })),
      button(t("gallery_tags"), () => void this.#editTags()),
      button(t("gallery_export"), () => void this.#export()),
      button(t("delete"), () => void this.#delete(), { className: "avatarforge-button avatarforge-danger" }),
    ];
    this.toggle = button(t("gallery_select"), () => this.setActive(!this.active), { "aria-pressed": "false" });
    this.element = make(
      "div",
      { className: "avatarforge-row avatarforge-selection", role: "group", "aria-label": t("gallery_select"), hidden: true },
      this.number,
      ...this.actions,
      this.compareButton,
      button(t("gallery_done"), () => this.setActive(false)),
    );
    this.#show();
  }

  /** @param {boolean} active */
  setActive(active) {
    this.active = active;
    if (!active) this.chosen.clear();
    this.#show();
    if (!active) this.toggle.focus();
  }

  /**
   * Whether it is selected; null while nothing is being selected.
   * @param {string} id
   */
  stateOf(id) {
    return this.active ? this.chosen.has(id) : null;
  }

  /** @param {Generation} generation */
  flip(generation) {
    const id = generation.generation_id;
    if (!this.chosen.delete(id)) this.#choose(generation);
    this.active = true;
    this.#show();
  }

  /** @param {Generation[]} generations */
  add(generations) {
    for (const generation of generations) if (!this.#choose(generation)) break;
    this.active = true;
    this.#show();
  }

  /** @param {string} id of one that is gone */
  forget(id) {
    if (this.chosen.delete(id)) this.#show();
  }

  /**
   * Note marks on one generation.
   * @param {Generation} generation
   * @param {Omit<MarksBody, "generation_ids">} marks
   */
  async markOne(generation, marks) {
    await this.#send([generation], marks);
  }

  /**
   * @param {Generation} generation
   * @returns {boolean} false if no more can be selected
   */
  #choose(generation) {
    const { session } = this;
    if (this.chosen.size >= MOST) {
      session.notify(session.t("gallery_most", { n: MOST }));
      return false;
    }
    this.chosen.set(generation.generation_id, generation);
    return true;
  }

  #show() {
    const { t } = this.session;
    this.element.hidden = !this.active;
    this.toggle.setAttribute("aria-pressed", String(this.active));
    this.number.textContent = t("gallery_selected", { n: this.chosen.size });
    for (const action of this.actions) action.disabled = !this.chosen.size;
    this.compareButton.disabled = !this.#pair();
    this.emit("change", null);
  }

  /** @param {Omit<MarksBody, "generation_ids">} marks */
  async #mark(marks) {
    await this.#send([...this.chosen.values()], marks);
  }

  /**
   * @param {Generation[]} generations
   * @param {Omit<MarksBody, "generation_ids">} marks
   */
  async #send(generations, marks) {
    const { session } = this;
    const known = new Map(generations.map((generation) => [generation.generation_id, generation]));
    try {
      const answer = await session.client.markGenerations({ generation_ids: [...known.keys()], ...marks });
      for (const { generation_id: id, favourite, tags } of answer.generations) {
        const generation = known.get(id);
        if (!generation) continue;
        const marked = { ...generation, favourite, tags };
        if (this.chosen.has(id)) this.chosen.set(id, marked);
        this.emit("marked", marked);
      }
      for (const id of answer.missing) this.emit("deleted", id);
      session.announce(session.t("gallery_marked", { n: answer.generations.length }));
    } catch (error) {
      session.notify(errorMessage(error, session.t));
    }
  }

  /** The first pictures of two generations; null unless two with pictures are selected. */
  #pair() {
    const pictures = [...this.chosen.values()].map((generation) => picturesOf(generation)[0]);
    return pictures.length === 2 && pictures.every(Boolean) ? pictures : null;
  }

  #comparePair() {
    const pair = this.#pair();
    if (pair) this.compare(pair[0], pair[1]);
  }

  async #editTags() {
    const { t } = this.session;
    const present = [...new Set([...this.chosen.values()].flatMap(({ tags }) => tags))].sort();
    const headingId = newId();
    const added = make("input", { id: newId(), className: "avatarforge-control", maxLength: 400 });
    const kept = present.map((tag) => make("input", { type: "checkbox", id: newId(), value: tag, checked: true }));
    const dialog = make("dialog", { className: "avatarforge-dialog avatarforge-small avatarforge-marking", "aria-labelledby": headingId });
    const form = make(
      "form",
      { method: "dialog" },
      make("h2", { id: headingId, textContent: t("gallery_tags_of", { n: this.chosen.size }) }),
      make("label", { htmlFor: added.id, textContent: t("gallery_new_tags") }),
      added,
      ...kept.map((box) =>
        make("div", { className: "avatarforge-row" }, box, make("label", { htmlFor: box.id, textContent: box.value })),
      ),
      make(
        "div",
        { className: "avatarforge-row" },
        button(t("cancel"), () => dialog.close()),
        make("button", { className: "avatarforge-button", type: "submit", value: "save", textContent: t("gallery_save") }),
      ),
    );
    dialog.append(form);
    await showModal(dialog);
    if (dialog.returnValue !== "save") return;
    const marks = {
      add_tags: added.value.split(/[,，]/).map((tag) => tag.trim()).filter(Boolean),
      remove_tags: kept.filter((box) => !box.checked).map((box) => box.value),
    };
    if (marks.add_tags.length || marks.remove_tags.length) await this.#mark(marks);
  }

  async #export() {
    const { session } = this;
    session.announce(session.t("gallery_exporting"));
    try {
      const archive = await session.client.exportPictures([...this.chosen.keys()]);
      const link = make("a", { href: URL.createObjectURL(archive), download: "avatarforge-pictures.zip" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser may ask where to save it first
    } catch (error) {
      session.notify(errorMessage(error, session.t));
    }
  }

  async #delete() {
    const { session } = this;
    const { t } = session;
    const ids = [...this.chosen.keys()];
    if (!(await confirmed(t("gallery_delete_question", { n: ids.length }), t("delete"), t("cancel")))) return;
    try {
      const { deleted } = await session.client.deleteGenerations(ids);
      for (const id of ids) this.emit("deleted", id);
      this.setActive(false);
      session.notify(t("gallery_deleted", { n: deleted }));
    } catch (error) {
      session.notify(errorMessage(error, t));
    }
  }
}

/**
 * Ask before something that cannot be undone.
 * @param {string} question
 * @param {string} yes
 * @param {string} no
 * @returns {Promise<boolean>}
 */
async function confirmed(question, yes, no) {
  const id = newId();
  const dialog = make("dialog", { className: "avatarforge-dialog avatarforge-small avatarforge-marking", role: "alertdialog", "aria-labelledby": id });
  dialog.append(
    make("p", { id, textContent: question }),
    make(
      "div",
      { className: "avatarforge-row" },
      button(no, () => dialog.close()),
      button(yes, () => dialog.close("yes"), { className: "avatarforge-button avatarforge-danger" }),
    ),
  );
  await showModal(dialog);
  return dialog.returnValue === "yes";
}
