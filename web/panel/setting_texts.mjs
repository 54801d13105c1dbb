// The settings of generations in words, and what differs between two of them.
import { translateIfKnown } from "../shared/i18n.mjs";
import { formatTime, generationTitle, kindName } from "./labels.mjs";
import { DRAWN, pictureName } from "./pictures.mjs";

/** @import { Parameters, Translate } from "../shared/types.d.ts" */
/** @import { Picture } from "./pictures.mjs" */
/** @import { Session } from "./session.mjs" */
/** @typedef {{ name: string, values: [string, string] }} Difference */

/**
 * The settings that have a value, without files.
 * @param {Parameters} parameters
 * @returns {Record<string, unknown>}
 */
export function shownSettings(parameters) {
  /** @type {Record<string, unknown>} */
  const values = { ...parameters };
  if (values.model) delete values.checkpoint; // the same under its older name
  const shown = Object.entries(values).filter(([name, value]) => !name.endsWith("_file_id") && value !== null);
  return Object.fromEntries(shown);
}

/**
 * @param {string} name as in the API
 * @param {Translate} t
 */
export const settingName = (name, t) => translateIfKnown(name, {}, t) ?? name;

/**
 * @param {string} name
 * @param {unknown} value
 * @param {Translate} t
 * @returns {string}
 */
export function settingText(name, value, t) {
  if (name === "model" && value === DRAWN) return t("paper_doll");
  if (Array.isArray(value)) return value.map((item) => settingText(name, item, t)).join(t("list_separator"));
  if (typeof value === "object" && value !== null)
    return Object.values(value)
      .filter((item) => item !== null)
      .join(" · ");
  return translateIfKnown(`${name}_${value}`, {}, t) ?? String(value);
}

/**
 * What differs between two pictures, their own seeds and files included. `settings` of the same name are compared by
 * value, and one that only one picture has is compared with "".
 * @param {Picture} first
 * @param {Picture} second
 * @param {Session} session
 * @returns {Difference[]}
 */
export function differences(first, second, session) {
  const [left, right] = [first, second].map((picture) => everySetting(picture, session));
  const names = [...new Set([...left.keys(), ...right.keys()])];
  return names.flatMap((name) => {
    const values = /** @type {[string, string]} */ ([left.get(name) ?? "", right.get(name) ?? ""]);
    return values[0] === values[1] ? [] : [{ name, values }];
  });
}

/**
 * @param {Picture} picture
 * @param {Session} session
 * @returns {Map<string, string>} name -> value, both in words
 */
function everySetting(picture, { locale, t }) {
  const { generation, output } = picture;
  const { parameters } = generation;
  const { width, height } = output.dimensions;
  /** @type {[string, string][]} */
  const own = [
    [t("view"), pictureName(picture, t)],
    [t("kind"), kindName(generation, t)],
    [t("picture_size"), `${width} × ${height}`],
    [t("created"), formatTime(generation.created_at, locale)],
  ];
  if (!parameters) return new Map([[t("prompt"), generationTitle(generation, t)], ...own]);
  const values = { ...shownSettings(parameters), seed: output.seed ?? parameters.seed };
  const files = Object.entries(parameters).filter(([name, value]) => name.endsWith("_file_id") && value);
  /** @type {Map<string, string>} */
  const all = new Map();
  for (const [name, value] of Object.entries(values)) all.set(settingName(name, t), settingText(name, value, t));
  for (const [name, value] of files) all.set(settingName(name.replace("_file_id", ""), t), String(value));
  for (const [name, value] of own) all.set(name, value);
  return all;
}
