// The dialog that exports pictures for another program.
import { ask, MissingValue } from "../characters/dialogs.mjs";
import { make } from "../shared/elements.mjs";
import { numberField, selectField, textField } from "./fields.mjs";

/** @import { Translate } from "../shared/types.d.ts" */
/** @import { Session } from "./session.mjs" */

const ZIP = "zip";
const WITHOUT_FRAMES = [ZIP, "lora"];
const HEIGHTS = { min: 16, max: 4096, step: 1 }; // pixels
const REPEATS = { min: 1, max: 100, step: 1 };
const URL_LIFE = 60_000; // ms: the browser may ask where to save the file first

/**
 * Let the user choose what the pictures are for, and save them.
 * @param {Session} session
 * @param {object} options
 * @param {string} options.path of what is exported, such as "/batch/ID"
 * @param {boolean} [options.isCharacter] whether the export can be limited to favourites
 */
export async function exportPictures(session, { path, isCharacter = false }) {
  const { client, t } = session;
  const format = selectField(t("export_for"), t("export_zip"), formats(t));
  const height = numberField(t("export_height"), { ...HEIGHTS, placeholder: t("export_as_it_is"), hint: t("export_height_hint") });
  const trigger = textField(t("export_trigger"), { placeholder: t("export_trigger_example"), hint: t("export_trigger_hint") });
  const repeats = numberField(t("export_repeats"), { ...REPEATS, placeholder: t("export_chosen") });
  trigger.control.maxLength = 40;
  const favourites = make("input", { type: "checkbox" });
  const check = make(
    "label",
    { className: "avatarforge-check", hidden: !isCharacter },
    favourites,
    make("span", { textContent: t("export_favourites") }),
  );
  const chosen = () => format.value || ZIP;
  const showFields = () => {
    height.element.hidden = WITHOUT_FRAMES.includes(chosen());
    trigger.element.hidden = repeats.element.hidden = chosen() !== "lora";
  };
  format.control.addEventListener("change", showFields);
  showFields();
  await ask({
    session,
    title: t("export_pictures"),
    parts: [format, height, trigger, repeats, { element: check }],
    action: t("export"),
    work: async () => {
      /** @type {Record<string, string>} */
      const query = { format: chosen() };
      for (const [key, field] of Object.entries({ height, trigger, repeats })) {
        if (field.element.hidden) continue;
        if (field.isBadNumber) {
          field.showError(t("not_a_number"));
          field.focus();
          throw new MissingValue(t("check_fields"));
        }
        if (field.value) query[key] = field.value;
      }
      if (isCharacter && favourites.checked) query.favourites = "true";
      session.announce(t("gallery_exporting"));
      const { file, name } = await client.exportFile(path, query);
      const url = URL.createObjectURL(file);
      make("a", { href: url, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(url), URL_LIFE);
    },
  });
}

/**
 * What pictures can be exported for, besides what takes them as they are.
 * @param {Translate} t
 * @returns {[value: string, text: string][]}
 */
function formats(t) {
  return [
    ["sheet", t("export_sheet")],
    ["atlas", t("export_atlas")],
    ["aseprite", t("export_aseprite")],
    ["godot", t("export_godot")],
    ["unity", t("export_unity")],
    ["rpgmaker", t("export_rpgmaker")],
    ["renpy", t("export_renpy")],
    ["lora", t("export_lora")],
    ["3d", t("export_3d")],
  ];
}
