// What waits and runs now, with a bar, the preview and a way to stop it.
import { button, make } from "../picker/elements.mjs";
import { progressText, titleOf, viewName } from "./cards.mjs";

export class Running {
  /** `open(id)` shows one of them. */
  constructor({ session, open }) {
    Object.assign(this, { session, open, cards: new Map() });
    const { live, words } = session;
    this.list = make("ul", { className: "avatarforge-running" });
    this.element = make(
      "section",
      { className: "avatarforge-now", hidden: true, "aria-label": words("now") },
      this.list,
    );
    live.addEventListener("change", ({ detail }) => this.#show(detail));
    live.addEventListener("gone", ({ detail }) => this.#drop(detail));
    session.addEventListener("removal", ({ detail }) => this.#hide(detail));
    for (const generation of live.active.values()) this.#show(generation);
  }

  #show(generation) {
    const id = generation.generation_id;
    if (!this.session.live.active.has(id)) {
      this.#drop(id);
      return;
    }
    if (!this.cards.has(id)) {
      const card = new Card({ session: this.session, open: () => this.open(id), id });
      this.cards.set(id, card);
      this.list.append(card.element);
    }
    this.cards.get(id).show(generation);
    this.#hide(id);
  }

  #drop(id) {
    this.cards.get(id)?.element.remove();
    this.cards.delete(id);
    this.#count();
  }

  #hide(id) {
    const card = this.cards.get(id);
    if (card) card.element.hidden = this.session.leaving.has(id);
    this.#count();
  }

  #count() {
    this.element.hidden = ![...this.cards.values()].some((card) => !card.element.hidden);
  }
}

class Card {
  constructor({ session, open, id }) {
    const { words } = session;
    Object.assign(this, { session, shown: "" });
    this.pictures = make("span", { className: "avatarforge-previews" });
    this.title = make("span", { className: "avatarforge-title" });
    this.text = make("span", { className: "avatarforge-progress-text" });
    this.bar = make("progress", { max: 1, value: 0, "aria-label": words("progress") });
    this.stop = button(words("cancel"), () => void this.#cancel(id));
    this.element = make(
      "li",
      {},
      make(
        "button",
        { type: "button", className: "avatarforge-open", onclick: open },
        this.pictures,
        make("span", { className: "avatarforge-lines" }, this.title, this.text),
      ),
      this.stop,
      this.bar,
    );
  }

  show(generation) {
    const { words } = this.session;
    const title = titleOf(generation, words);
    this.title.textContent = title;
    this.stop.setAttribute("aria-label", words("cancel_named", { name: title }));
    this.text.textContent = progressText(generation, words);
    const known = generation.progress ?? null;
    // Without a value the bar says that something goes on, but not how far it is.
    if (known === null && generation.status === "processing") this.bar.removeAttribute("value");
    else this.bar.value = known ?? 0;
    showPreviews(this.pictures, generation, this.session);
  }

  async #cancel(id) {
    const { client, live, words } = this.session;
    this.stop.disabled = true;
    try {
      live.watch(await client.act(id, "cancel"));
      this.session.say(words("cancelled"));
    } catch (error) {
      this.stop.disabled = false;
      this.session.notice(error.detail || words("unreachable"));
    }
  }
}

/** Put the previews of a running generation into an element, each where it was before. */
export function showPreviews(element, generation, { client, words }) {
  for (const [at, { view, url }] of (generation.previews ?? []).entries()) {
    if (!element.children[at]) element.append(make("img", { alt: "", hidden: true }));
    const picture = element.children[at];
    if (picture.dataset.url === url) continue;
    picture.dataset.url = url;
    picture.alt = words("preview_of", { view: viewName(view, words) });
    picture.onload = () => (picture.hidden = false);
    picture.onerror = () => (picture.hidden = !picture.naturalWidth); // the newer one is on its way
    void client.show(url, (address) => {
      if (picture.dataset.url === url) picture.src = address;
    });
  }
}
