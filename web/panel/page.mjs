// The panel as a page of its own.
import { PREFIX } from "../picker/store.mjs";
import { languagesOf, wordsOf } from "../picker/words.mjs";
import { titleOf, wasCancelled } from "./cards.mjs";
import { Client } from "./client.mjs";
import { Panel } from "./panel.mjs";
import { Session } from "./session.mjs";

const LANGUAGES = ["en", "zh"];
/** This script is <base>panel/panel/page.mjs, whatever path a proxy puts before it. */
const BASE = new URL("../../", import.meta.url);

/** What ComfyUI's `api` object is in the editor. */
const api = {
  apiURL: (path) => new URL(path.replace(PREFIX, "").replace(/^\//, ""), BASE).href,
  fetchApi: (path, options) => fetch(api.apiURL(path), options),
};

async function texts(language) {
  const answer = await fetch(new URL(`panel/locales/${language}.json`, BASE));
  return answer.ok ? (await answer.json()).avatarforge : null;
}

async function start() {
  const wanted = navigator.languages.flatMap(languagesOf).find((language) => LANGUAGES.includes(language));
  const chosen = [...new Set([wanted, "en"])];
  const words = wordsOf(await Promise.all(chosen.map(texts)));
  document.documentElement.lang = wanted;
  const session = new Session({ client: new Client(api), words, locale: navigator.language });
  const panel = new Panel(session);
  document.querySelector("#avatarforge").replaceChildren(panel.element);
  document.addEventListener("paste", (event) => {
    if (!panel.element.contains(event.target)) panel.paste(event);
  });
  for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => event.preventDefault());
  announce(session, panel);
  follow(panel);
  void panel.load();
  session.live.start();
}

/** Say what has ended, as ComfyUI's toasts do in the editor, and how many run in the title. */
function announce(session, panel) {
  const { live, words } = session;
  live.addEventListener("ended", ({ detail: generation }) => {
    if (session.leaving.has(generation.generation_id) || wasCancelled(generation)) return;
    const name = titleOf(generation, words);
    const text = generation.status === "completed" ? words("finished", { name }) : words("went_wrong", { name });
    session.notice(text, words("open"), () => panel.open(generation.generation_id));
  });
  const count = () => (document.title = session.running ? `(${session.running}) AvatarForge` : "AvatarForge");
  for (const kind of ["change", "gone", "ended"]) live.addEventListener(kind, count);
}

/** The address says what is shown, so that a phone's back button goes back. */
function follow(panel) {
  const read = () => {
    const [, view, sent] = location.hash.split("/");
    const id = sent?.toLowerCase(); // answers give ids in lower case
    if (id && /^[0-9a-f-]{36}$/.test(id)) {
      if (panel.view !== "detail" || panel.opened !== id) panel.open(id);
    } else if (panel.view === "detail" || view) panel.show(view === "gallery" ? "gallery" : "create", false);
  };
  panel.addEventListener("shown", ({ detail: { view, id } }) => {
    const hash = view === "detail" ? `#/detail/${id}` : view === "gallery" ? "#/gallery" : "";
    if (location.hash !== hash) history.pushState(null, "", hash || location.pathname + location.search);
  });
  addEventListener("popstate", read);
  read();
}

void start();
