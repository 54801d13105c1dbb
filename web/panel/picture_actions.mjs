// What a finished picture can be used for next.
import { downloadPicture } from "../shared/dragged.mjs";
import { button, make } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { showModal } from "../shared/modal.mjs";
import { newKey } from "./client.mjs";
import { requestOf } from "./curl.mjs";
import { poseOf } from "./picture_pose.mjs";
import { canRerollNow } from "./pictures.mjs";
import { ROLES, roleName } from "./references.mjs";

/** @import { MenuEntry } from "../shared/menu.mjs" */
/** @import { Form } from "./form.mjs" */
/** @import { Picture } from "./pictures.mjs" */
/** @import { Session } from "./session.mjs" */

const LONGEST_NAME = 100;

export class PictureActions {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {Form} options.form
   * @param {() => void} options.showForm
   * @param {(id: string) => void} options.open shows a generation
   * @param {(picture: Picture) => void} options.edit puts its settings into the form
   */
  constructor({ session, form, showForm, open, edit }) {
    this.session = session;
    this.form = form;
    this.showForm = showForm;
    this.open = open;
    this.edit = edit;
  }

  /**
   * @param {Picture} picture
   * @param {() => void} leave is called before the form or the graph comes to the front
   * @returns {MenuEntry[]}
   */
  entries(picture, leave = () => {}) {
    const { editor, t } = this.session;
    const { kind, parameters, generation_id: id } = picture.generation;
    const repeatable = parameters !== null && kind !== "expressions" && requestOf(picture.generation) !== null;
    /**
     * @param {string} name
     * @param {string} label
     * @param {() => void} run
     */
    const leaving = (name, label, run) => ({
      name,
      label,
      run: () => {
        leave();
        run();
      },
    });
    return [
      ...ROLES.map((role) =>
        leaving(`reference-${role}`, t("use_as_reference", { role: roleName(role, t) }), () =>
          void this.#useReference(picture, role),
        ),
      ),
      leaving("pose", t("use_as_pose"), () => void this.#usePose(picture)),
      ...(repeatable
        ? [
            { name: "variation", label: t("variation"), run: () => void this.#vary(picture) },
            leaving("edit", t("edit_and_repeat"), () => this.edit(picture)),
          ]
        : []),
      ...(kind === "graph"
        ? []
        : [{ name: "character", label: t("create_character"), run: () => void this.#createCharacter(picture) }]),
      ...(kind === "graph" || !canRerollNow(picture.generation)
        ? []
        : [{ name: "judge", label: t("judge"), run: () => void this.#judge(picture) }]),
      ...(editor ? [leaving("insert", t("insert_picture"), () => editor.insertView(id, picture.number))] : []),
    ];
  }

  /**
   * Draw this picture again, with another seed.
   * @param {Picture} picture
   */
  async reroll({ generation, number }) {
    const { client, live } = this.session;
    await this.#try(async () =>
      live.watch(await client.runAction(generation.generation_id, `reroll?position=${number}`)),
    );
  }

  /** @param {Picture} picture */
  async #judge({ generation }) {
    const { client, live } = this.session;
    await this.#try(async () => live.watch(await client.judge(generation.generation_id)));
  }

  /**
   * @param {Picture} picture
   * @param {string} role
   */
  async #useReference({ generation, output, number }, role) {
    const { client } = this.session;
    const { generation_id: id } = generation;
    this.showForm();
    await this.#try(async () => {
      const file = await downloadPicture(client, { generation_id: id, number, filename: output.filename });
      this.form.useReference(file, role, output.pose_type);
    });
  }

  /** @param {Picture} picture */
  async #usePose(picture) {
    this.showForm();
    await this.#try(async () => this.form.usePose(await poseOf(picture, this.session.client)));
  }

  /**
   * The same request with a new seed.
   * @param {Picture} picture
   */
  async #vary({ generation }) {
    const { client, live, t } = this.session;
    const request = requestOf(generation);
    if (!request) return;
    const { seed: _seed, count: _count, ...body } = request.body;
    await this.#try(async () => {
      const varied = await client.createGeneration(request.route, body, newKey());
      live.watch(varied);
      this.session.notify(t("accepted"), t("open"), () => this.open(varied.generation_id));
    });
  }

  /** @param {Picture} picture */
  async #createCharacter({ generation }) {
    const { client, t } = this.session;
    const name = await askForName(t("create_character"), t("character_name"), this.session);
    if (!name) return;
    await this.#try(async () => {
      const character = await client.createCharacterOf(generation.generation_id, name);
      this.session.emit("character", character.character_id);
      this.session.notify(t("character_created", { name: character.name }));
    });
  }

  /** @param {() => Promise<void>} work */
  async #try(work) {
    try {
      await work();
    } catch (error) {
      this.session.notify(errorMessage(error, this.session.t));
    }
  }
}

/**
 * Resolves to the entered name, or to "".
 * @param {string} title
 * @param {string} label
 * @param {Session} session
 */
async function askForName(title, label, { t }) {
  let entered = "";
  const input = make("input", {
    type: "text",
    className: "avatarforge-key",
    autocomplete: "off",
    required: true,
    maxLength: LONGEST_NAME,
  });
  const dialog = make("dialog", { className: "avatarforge-dialog avatarforge-small", "aria-label": title });
  const form = make(
    "form",
    { method: "dialog", className: "avatarforge-form" },
    make("label", {}, make("span", { textContent: label }), input),
    make(
      "div",
      { className: "avatarforge-row" },
      make("button", { type: "submit", className: "avatarforge-button", textContent: title }),
      button(t("cancel"), () => dialog.close()),
    ),
  );
  form.addEventListener("submit", () => (entered = input.value.trim()));
  dialog.append(make("h2", { textContent: title }), form);
  const closed = showModal(dialog);
  input.focus();
  await closed;
  return entered;
}
