// The panel as a standalone page.
import { PREFIX } from "../shared/files_client.mjs";
import { createTranslate, fallbackLanguages } from "../shared/i18n.mjs";
import { ApiClient } from "./client.mjs";
import { generationTitle, wasCancelled } from "./labels.mjs";
import { Panel } from "./panel.mjs";
import { Session } from "./session.mjs";
import { addShortcuts } from "./shortcuts.mjs";

/** @import { ComfyApi } from "../shared/types.d.ts" */

const LANGUAGES = ["en", "zh"];
/** This script is <base>panel/panel/page.mjs; a proxy may add a path before it. */
const BASE = new URL("../../", import.meta.url);

/**
 * Stands in for the editor's `api` object.
 * @type {ComfyApi}
 */
const api = {
  apiURL: (path) => new URL(path.replace(PREFIX, "").replace(/^\//, ""), BASE).href,
  fetchApi: (path, options) => fetch(api.apiURL(path), options),
};

/**
 * @param {string} language
 * @returns {Promise<Record<string, string> | null>}
 */
async function loadCatalog(language) {
  const response = await fetch(new URL(`panel/locales/${language}.json`, BASE));
  return response.ok ? (await response.json()).avatarforge : null;
}

async function start() {
  const languages = navigator.languages.flatMap(fallbackLanguages); // ends with English
  const language = languages.find((candidate) => LANGUAGES.includes(candidate)) ?? "en";
  const t = createTranslate(await Promise.all([...new Set([language, "en"])].map(loadCatalog)));
  document.documentElement.lang = language;
  const session = new Session({ client: new ApiClient(api), t, locale: navigator.language });
  const panel = new Panel(session);
  document.querySelector("#avatarforge")?.replaceChildren(panel.element);
  document.addEventListener("paste", (event) => {
    if (!(event.target instanceof Node && panel.element.contains(event.target))) panel.paste(event);
  });
  for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
  addShortcuts(panel);
  notifyWhenEnded(session, panel);
  syncAddress(panel);
  void panel.load();
  session.live.start();
}

/**
 * Notify the user of ended generations, as toasts do in the editor, and show the number of active ones in the title.
 * @param {Session} session
 * @param {Panel} panel
 */
function notifyWhenEnded(session, panel) {
  const { live, t } = session;
  live.on("ended", (generation) => {
    const id = generation.generation_id;
    // A batch can have hundreds of them.
    if (session.pendingDeletes.has(id) || wasCancelled(generation) || generation.batch_id) return;
    const name = generationTitle(generation, t);
    const text = generation.status === "completed" ? t("finished_named", { name }) : t("failed_named", { name });
    session.notify(text, t("open"), () => panel.open(id));
  });
  const updateTitle = () => {
    document.title = session.activeCount ? `(${session.activeCount}) AvatarForge` : "AvatarForge";
  };
  for (const name of /** @type {const} */ (["change", "deleted", "ended"])) live.on(name, updateTitle);
}

/**
 * Keep the address and the view in sync, so that the browser's back button works.
 * @param {Panel} panel
 */
function syncAddress(panel) {
  const showAddress = () => {
    const [, view, rawId, ...rest] = location.hash.split("/");
    if (view === "characters") {
      const path = [rawId, ...rest].join("/");
      if (panel.view !== "characters" || panel.charactersPath !== path) void panel.openCharacters(path);
      return;
    }
    const id = rawId?.toLowerCase(); // ids in responses are in lower case
    if (id && /^[0-9a-f-]{36}$/.test(id)) {
      if (panel.view !== "detail" || panel.openedId !== id) panel.open(id);
    } else if (["detail", "characters"].includes(panel.view) || view)
      panel.show(view === "gallery" ? "gallery" : "create", false);
  };
  panel.on("shown", ({ view, id }) => {
    const hash = view === "create" ? "" : id ? `#/${view}/${id}` : `#/${view}`;
    if (location.hash !== hash) history.pushState(null, "", hash || location.pathname + location.search);
  });
  addEventListener("popstate", showAddress);
  showAddress();
}

void start();
