// What the form lets the user choose from a list: a model, a LoRA, a style, an earlier prompt. Loaded when it is
// first needed.
import { translateIfKnown } from "../shared/i18n.mjs";
import { chooseFrom } from "./choose_dialog.mjs";
import { clearPrompts, listPrompts } from "./prompt_history.mjs";

/** @import { InstalledModel, LoraFile, Style, Translate } from "../shared/types.d.ts" */
/** @import { Choice } from "./choose_dialog.mjs" */

/**
 * @param {InstalledModel[]} models all of them, those that cannot be used last
 * @param {{ chosen: string, t: Translate }} options
 */
export function chooseModel(models, { chosen, t }) {
  const choices = models.map((model) => modelChoice(model, t));
  choices.sort((one, other) => Number(Boolean(one.problem)) - Number(Boolean(other.problem)));
  const automatic = { value: "", title: t("automatic"), detail: t("model_auto") };
  return chooseFrom({ t, title: t("model_choose"), choices: [automatic, ...choices], chosen, empty: t("no_models") });
}

/**
 * @param {InstalledModel} model
 * @param {Translate} t
 * @returns {Choice}
 */
function modelChoice(model, t) {
  const { name, family_label: family, variant_label: variant, drawn, defaults, missing, supported } = model;
  const { pose = [], references = [], reference = [] } = model;
  const seen = reference.filter(({ works }) => works).map((way) => way.name);
  const most = Math.max(0, ...references.filter(({ method }) => seen.includes(method)).map((way) => way.most));
  const abilities = [
    variant && variant !== "base" ? `${family} ${variant}` : (family ?? t("unknown_family")),
    defaults ? `${defaults.width} × ${defaults.height}` : "",
    defaults && !drawn ? t("model_steps", { n: defaults.steps }) : "",
    pose.some(({ works }) => works) ? t("model_poses") : t("model_no_poses"),
    seen.length ? t("model_references", { n: most || 1 }) : t("model_no_references"),
  ];
  let problem;
  if (missing.length) problem = t("model_lacks", { files: missing.map(fileName).join(t("list_separator")) });
  else if (model.problem) problem = t("model_problem", { problem: model.problem });
  else if (!supported) problem = t("model_unusable");
  return {
    value: name,
    title: drawn ? t("paper_doll") : name,
    detail: abilities.filter(Boolean).join(" · "),
    problem,
  };
}

/** @param {InstalledModel["missing"][number]} file */
function fileName({ kind, folder, name }) {
  return `models/${folder}/${name ?? kind}`;
}

/**
 * @param {LoraFile[]} loras
 * @param {{ used: string[], family: string | null | undefined, t: Translate }} options `family` is that of the chosen
 *   model; undefined if the server chooses it
 */
export function chooseLora(loras, { used, family, t }) {
  const choices = loras
    .filter(({ name }) => !used.includes(name))
    .map((lora) => ({
      value: lora.name,
      title: lora.name,
      detail: lora.family_label ?? "",
      // The server would refuse it.
      problem: family && lora.family !== family ? t("lora_other_family") : undefined,
    }));
  choices.sort((one, other) => Number(Boolean(one.problem)) - Number(Boolean(other.problem)));
  return chooseFrom({ t, title: t("lora_choose"), choices, empty: t("lora_none") });
}

/**
 * @param {Style[]} styles
 * @param {{ chosen: string, isDrawn: boolean, t: Translate }} options `isDrawn`: by the paper doll
 */
export function chooseStyle(styles, { chosen, isDrawn, t }) {
  const choices = styles.map(({ name, description, drawn }) => ({
    value: name,
    title: translateIfKnown(`preset_${name.replaceAll(" ", "_")}`, {}, t) ?? name,
    detail: translateIfKnown(`preset_${name.replaceAll(" ", "_")}_hint`, {}, t) ?? description,
    problem: isDrawn && !drawn ? t("style_not_drawn") : undefined,
  }));
  return chooseFrom({ t, title: t("style_choose"), choices, chosen, empty: t("no_styles") });
}

/** @param {Translate} t */
export function choosePrompt(t) {
  const choices = listPrompts().map((text) => ({ value: text, title: text }));
  return chooseFrom({ t, title: t("prompt_history"), choices, empty: t("prompt_history_empty"), clear: clearPrompts });
}
