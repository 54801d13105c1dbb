// The text, number and select fields of the form.
import { numberField, selectField, textAreaField, textField } from "./fields.mjs";

/** @import { Translate } from "../shared/types.d.ts" */

/** Styles that most models know. Prompts are English. */
export const STYLES = [
  "watercolor",
  "oil painting",
  "pencil sketch",
  "ink drawing",
  "comic book",
  "cel shading",
  "pixel art",
  "low poly",
  "3D render",
  "concept art",
  "vintage photograph",
  "stained glass",
];

/**
 * The fields by their names in the API, in the order in which they are shown.
 * @param {Translate} t
 * @param {string} stylesId the id of a datalist
 */
export function makeFields(t, stylesId) {
  const automatic = t("automatic");
  const size = { min: 64, max: 4096, step: 8, placeholder: automatic };
  const strength = { min: 0, max: 1, step: 0.05 };
  const fields = {
    prompt: textAreaField(t("prompt"), { rows: 4, placeholder: t("prompt_example"), wide: true }),
    clothing: textField(t("clothing"), { placeholder: t("clothing_example"), wide: true }),
    style: textField(t("style"), { list: stylesId, placeholder: t("style_example"), wide: true }),
    negative_prompt: textAreaField(t("negative_prompt"), { rows: 2, wide: true }),
    width: numberField(t("width"), size),
    height: numberField(t("height"), size),
    steps: numberField(t("steps"), { min: 1, max: 150, step: 1, placeholder: automatic }),
    cfg: numberField(t("cfg"), { min: 0, max: 30, step: 0.5, placeholder: automatic }),
    sampler: selectField(t("sampler"), automatic),
    scheduler: selectField(t("scheduler"), automatic),
    seed: textField(t("seed"), { placeholder: t("random"), hint: t("seed_hint") }),
    checkpoint: selectField(t("checkpoint"), t("by_realism")),
    pose_strength: numberField(t("pose_strength"), {
      ...strength,
      max: 2,
      placeholder: "1",
      hint: t("pose_strength_hint"),
    }),
    pose_mode: selectField(t("pose_mode"), t("recognise"), [
      ["skeleton", t("mode_skeleton")],
      ["photo", t("mode_photo")],
      ["raw", t("mode_raw")],
    ]),
    reference_strength: numberField(t("reference_strength"), { ...strength, placeholder: "0.8" }),
    consistency: numberField(t("consistency"), { ...strength, placeholder: "0.7", hint: t("consistency_hint") }),
    turnaround: selectField(t("turnaround"), automatic, [
      ["batch", t("in_one_batch")],
      ["sequential", t("one_after_another")],
    ]),
  };
  fields.prompt.control.required = true;
  fields.seed.control.inputMode = "numeric";
  return fields;
}
