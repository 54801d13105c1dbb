// Texts in the user's language. ComfyUI translates its own screens from a pack's locales/; scripts load them here.

/** @import { ComfyApi, Translate } from "./types.d.ts" */

const SECTION = "avatarforge";

/**
 * Load the texts of `locales/<language>/main.json`; English if the language or a text is missing.
 * @param {ComfyApi} api
 * @param {unknown} locale such as zh-TW
 */
export async function loadTranslations(api, locale) {
  /** @type {Record<string, Record<string, Record<string, string>> | undefined>} */
  let byLanguage = {};
  try {
    const response = await api.fetchApi("/i18n");
    if (response.ok) byLanguage = await response.json();
  } catch (error) {
    console.warn("AvatarForge: no translations", error);
  }
  return createTranslate(fallbackLanguages(locale).map((language) => byLanguage[language]?.[SECTION]));
}

/**
 * The languages to try, best first. zh-TW has no texts of its own, and falls back to zh before English.
 * @param {unknown} locale
 */
export function fallbackLanguages(locale) {
  const language = String(locale ?? "");
  return [language, language.split("-")[0], "en"];
}

/**
 * Each text comes from the first catalog that has its key; missing catalogs are skipped.
 * @param {(Record<string, string> | null | undefined)[]} catalogs
 * @returns {Translate}
 */
export function createTranslate(catalogs) {
  return (key, values = {}) => {
    const text = catalogs.find((catalog) => catalog && key in catalog)?.[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (placeholder, name) => (name in values ? String(values[name]) : placeholder));
  };
}

/**
 * The text of a key that contains a code of the API, or undefined if the user's language has none.
 * @param {string} key
 * @param {Record<string, string | number>} values
 * @param {Translate} t
 */
export function translateIfKnown(key, values, t) {
  const text = t(/** @type {Parameters<Translate>[0]} */ (key), values);
  return text === key ? undefined : text;
}
