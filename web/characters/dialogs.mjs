// The dialogs of characters: a new one, one as a file, one from a file, and the question before one is deleted.
import { withKey } from "../shared/api_key.mjs";
import { button, make } from "../shared/elements.mjs";
import { ApiError, errorMessage } from "../shared/errors.mjs";
import { showModal } from "../shared/modal.mjs";
import { newId, selectField, textAreaField, textField } from "../panel/fields.mjs";
import { modelText, usableModels } from "../panel/form_fields.mjs";

/** @import { Capabilities, Character, ImportedCharacter, Translate } from "../shared/types.d.ts" */
/** @import { Session } from "../panel/session.mjs" */
/** @import { CharactersClient } from "./characters_client.mjs" */
/** @typedef {{ element: HTMLElement }} Part */

const LONGEST_NAME = 100;
const LONGEST_LICENCE = 2000;
const URL_LIFE = 10_000; // ms in which a browser begins to save a file

/**
 * Show a dialog until `work` succeeds or the user cancels. An error is shown in it.
 * @param {object} options
 * @param {Session} options.session
 * @param {string} options.title
 * @param {Part[]} options.parts
 * @param {string} options.action text of the button that begins `work`
 * @param {boolean} [options.isDanger]
 * @param {() => Promise<void>} options.work
 * @returns {Promise<void>}
 */
export function ask({ session, title, parts, action, isDanger = false, work }) {
  const { client, t } = session;
  const titleId = newId();
  const alert = make("p", { className: "avatarforge-status avatarforge-error", role: "alert" });
  const kind = isDanger ? "avatarforge-button avatarforge-danger" : "avatarforge-button avatarforge-main";
  const submit = make("button", { type: "submit", className: kind, textContent: action });
  const form = make("form", { className: "avatarforge-form", noValidate: true });
  const dialog = make("dialog", { className: "avatarforge-dialog avatarforge-small avatarforge-character-dialog" });
  form.append(
    ...parts.map(({ element }) => element),
    alert,
    make("div", { className: "avatarforge-row" }, submit, button(t("cancel"), () => dialog.close())),
  );
  dialog.append(make("h2", { id: titleId, textContent: title }), form);
  dialog.setAttribute("aria-labelledby", titleId);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (submit.disabled) return;
    submit.disabled = true;
    alert.textContent = "";
    try {
      await withKey(client, t, work);
      dialog.close();
    } catch (error) {
      alert.textContent = error instanceof MissingValue ? error.message : errorMessage(error, t);
    } finally {
      submit.disabled = false;
    }
  });
  return showModal(dialog);
}

/** A field of a dialog is empty that must not be, or has no value that could be sent. Its text is shown below the fields. */
export class MissingValue extends Error {}

/**
 * @param {ReturnType<typeof textField> | ReturnType<typeof textAreaField>} field
 * @param {Translate} t
 */
function needed(field, t) {
  if (field.value) return field.value;
  field.showError(t("value_missing"));
  field.focus();
  throw new MissingValue(t("check_fields"));
}

/**
 * Ask for the name and description of a new character, and save it.
 * @param {Session} session
 * @param {CharactersClient} characters
 * @param {Capabilities} capabilities
 * @returns {Promise<Character | null>} null if the user cancelled
 */
export async function createCharacter(session, characters, capabilities) {
  const { t } = session;
  const models = usableModels(capabilities);
  const name = textField(t("name"));
  name.control.maxLength = LONGEST_NAME;
  const description = textAreaField(t("description"), {
    rows: 4,
    placeholder: t("description_example"),
    hint: t("description_hint"),
  });
  const model = selectField(
    t("model"),
    t("model_of_request"),
    models.map((item) => [item.name, modelText(item, t)]),
  );
  const doll = models.find(({ drawn }) => drawn);
  // Without a model only the paper doll can draw the character.
  if (doll && models.every(({ drawn }) => drawn)) model.value = doll.name;
  /** @type {Character | null} */
  let created = null;
  await ask({
    session,
    title: t("character_new"),
    parts: [name, description, model],
    action: t("character_create"),
    work: async () => {
      const content = { name: needed(name, t), description: needed(description, t) };
      created = await characters.create(model.value ? { ...content, model: model.value } : content);
    },
  });
  return created;
}

/**
 * Let the user save a character as a file.
 * @param {Session} session
 * @param {CharactersClient} characters
 * @param {Character} character
 */
export async function exportCharacter(session, characters, { character_id: id, name }) {
  const { t } = session;
  const licence = textAreaField(t("licence"), { rows: 2, placeholder: t("licence_example"), hint: t("licence_hint") });
  licence.control.maxLength = LONGEST_LICENCE;
  const newestOnly = make("input", { type: "checkbox" });
  const check = make(
    "label",
    { className: "avatarforge-check" },
    newestOnly,
    make("span", { textContent: t("export_newest_only") }),
  );
  await ask({
    session,
    title: t("export_named", { name }),
    parts: [licence, { element: check }],
    action: t("export"),
    work: async () => {
      const versions = newestOnly.checked ? "newest" : "all";
      const file = await characters.exportFile(id, { versions, licence: licence.value || null });
      const url = URL.createObjectURL(file);
      make("a", { href: url, download: `${name.replace(/[^\p{L}\p{N}._ -]/gu, "_")}.zip` }).click();
      setTimeout(() => URL.revokeObjectURL(url), URL_LIFE);
    },
  });
}

/**
 * Restore a character from a file. If it is here in another form, the user chooses what becomes of the two.
 * @param {Session} session
 * @param {CharactersClient} characters
 * @param {File} file
 * @returns {Promise<ImportedCharacter | null>} null if the user cancelled
 * @throws {ApiError}
 */
export async function importCharacter(session, characters, file) {
  const { client, t } = session;
  const format = file.name.toLowerCase().endsWith(".char") ? "omnichar" : "avatarforge";
  try {
    return await withKey(client, t, () => characters.importFile(file, { format }));
  } catch (error) {
    if (!(error instanceof ApiError) || !["character_differs", "character_exists"].includes(error.code)) throw error;
    return await askHow(session, characters, file, format, error);
  }
}

/**
 * @param {Session} session
 * @param {CharactersClient} characters
 * @param {File} file
 * @param {"avatarforge" | "omnichar"} format
 * @param {ApiError} reason
 */
async function askHow(session, characters, file, format, reason) {
  const { t } = session;
  const differs = reason.code === "character_differs";
  const how = selectField(t("import_how"), t("import_as_copy"), differs ? [["replace", t("import_replace")]] : []);
  const name = textField(t("import_name"));
  name.control.maxLength = LONGEST_NAME;
  name.value = t("copy_of", { name: file.name.replace(/\.\w+$/, "") }).slice(0, LONGEST_NAME);
  const showName = () => (name.element.hidden = how.value === "replace");
  how.control.addEventListener("change", showName);
  showName();
  /** @type {ImportedCharacter | null} */
  let imported = null;
  await ask({
    session,
    title: t("import_character"),
    parts: [{ element: make("p", { textContent: errorMessage(reason, t) }) }, ...(differs ? [how] : []), name],
    action: t("import"),
    work: async () => {
      const replace = how.value === "replace";
      const query = replace ? { format, replace } : { format, as_copy: differs, name: needed(name, t) };
      imported = await characters.importFile(file, query);
    },
  });
  return imported;
}

/**
 * Delete a character after asking.
 * @param {Session} session
 * @param {CharactersClient} characters
 * @param {Character} character
 * @returns {Promise<boolean>} whether it was deleted
 */
export async function deleteCharacter(session, characters, { character_id: id, name }) {
  const { t } = session;
  let isDeleted = false;
  await ask({
    session,
    title: t("delete_named", { name }),
    parts: [{ element: make("p", { textContent: t("delete_character_hint") }) }],
    action: t("delete"),
    isDanger: true,
    work: async () => {
      await characters.delete(id);
      isDeleted = true;
    },
  });
  return isDeleted;
}
