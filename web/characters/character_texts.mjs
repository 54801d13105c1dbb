// The fields for the words of a character.
import { textAreaField, textField } from "../panel/fields.mjs";

/** @import { Translate } from "../shared/types.d.ts" */

/** @param {Translate} t */
export function makeTexts(t) {
  const texts = {
    name: textField(t("name"), { wide: true }),
    description: textAreaField(t("description"), {
      rows: 3,
      placeholder: t("description_example"),
      hint: t("description_hint"),
      wide: true,
    }),
    clothing: textAreaField(t("clothing"), { rows: 2, placeholder: t("clothing_example"), wide: true }),
    style: textField(t("style"), { placeholder: t("style_example") }),
    negative: textAreaField(t("negative_prompt"), { rows: 2, wide: true }),
  };
  texts.name.control.maxLength = 100;
  texts.name.control.required = texts.description.control.required = true;
  return texts;
}
