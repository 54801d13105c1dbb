// The buttons beside the labels of the form's fields: earlier prompts, preset styles, and a comparison of models.
import { button } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { Field } from "./fields.mjs";

/** @import { Capabilities, Style } from "../shared/types.d.ts" */
/** @import { FormInput } from "./form_input.mjs" */

/**
 * @param {FormInput} input with its fields
 * @param {() => Capabilities | null} getCapabilities
 */
export function addHelpers(input, getCapabilities) {
  const { client, t } = input.session;
  const isDrawn = () => Boolean(input.chosenModel?.drawn);
  /** @type {Style[]} */
  let styles = [];
  add(input, "prompt", t("prompt_history"), async () => (await pickers()).choosePrompt(t));
  add(input, "style", t("style_presets"), async (chosen) => {
    if (!styles.length) ({ styles } = await client.listStyles());
    return (await pickers()).chooseStyle(styles, { chosen, isDrawn: isDrawn(), t });
  });
  add(input, "model", t("model_compare"), async (chosen) => {
    return (await pickers()).chooseModel(getCapabilities()?.models ?? [], { chosen, t });
  });
}

/** They are loaded when they are first needed. */
function pickers() {
  return import("./pickers.mjs");
}

/**
 * @param {FormInput} input
 * @param {string} name of the field
 * @param {string} label
 * @param {(value: string) => Promise<string | null>} choose
 */
function add(input, name, label, choose) {
  const field = input.fields.get(name);
  if (!field || !(field.control instanceof Field)) return;
  const { session } = input;
  const run = async () => {
    try {
      const chosen = await choose(String(field.requestValue ?? ""));
      if (chosen === null) return;
      field.requestValue = chosen;
      input.changed(field);
      field.focus();
    } catch (error) {
      session.notify(errorMessage(error, session.t));
    }
  };
  field.control.addHelper(button(label, () => void run(), { className: "avatarforge-button avatarforge-helper" }));
}
