// Texts in the user's language. ComfyUI gives a pack's locales/ to its own screens; scripts ask for them here.

const SECTION = "avatarforge";

/**
 * The texts of `locales/<language>/main.json`, English where the language or a text is missing.
 * Returns words(key, values): the text with each {name} replaced by values.name.
 */
export async function loadWords(api, locale) {
  let all = {};
  try {
    const answer = await api.fetchApi("/i18n");
    if (answer.ok) all = await answer.json();
  } catch (error) {
    console.warn("AvatarForge: no translations", error);
  }
  return wordsOf(
    languagesOf(locale).map((language) => all[language]?.[SECTION]),
  );
}

/** The languages to look in, best first. zh-TW knows nothing of its own: Chinese is closer to it than English. */
export function languagesOf(locale) {
  return [locale, String(locale ?? "").split("-")[0], "en"];
}

/** words(key, values) of several sources of texts, the first that has the key; an absent source is passed over. */
export function wordsOf(sources) {
  const there = sources.filter(Boolean);
  return (key, values = {}) => {
    const text = there.find((source) => key in source)?.[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  };
}
