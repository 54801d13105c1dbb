// Seeds: up to 20 digits, more than a JavaScript number keeps.
import { textField } from "../panel/fields.mjs";

/** @import { Translate } from "../shared/types.d.ts" */

const SEED = /^\d{1,20}$/;
const EXACT_DIGITS = 15;

/**
 * @param {string} label
 * @param {Translate} t
 */
export function seedField(label, t) {
  const field = textField(label, { placeholder: t("seed_auto") });
  field.control.inputMode = "numeric";
  return Object.defineProperty(/** @type {typeof field & { readonly problem: string }} */ (field), "problem", {
    get: () => (field.value && !SEED.test(field.value) ? t("invalid_seed") : ""),
  });
}

/**
 * A seed as requests have it: a number, digits if it is too large for one (see json.mjs), or null for none.
 * @param {string} text
 */
export function numberOfDigits(text) {
  if (!text) return null;
  return text.length > EXACT_DIGITS ? text : Number(text);
}

/** A new random seed. */
export const randomSeed = () => crypto.getRandomValues(new Uint32Array(1))[0];
