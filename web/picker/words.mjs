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
  // zh-TW knows nothing of its own: Chinese is closer to it than English.
  const languages = [locale, String(locale ?? "").split("-")[0], "en"];
  const sources = languages.map((language) => all[language]?.[SECTION]).filter(Boolean);
  return (key, values = {}) => {
    const text = sources.find((source) => key in source)?.[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  };
}
