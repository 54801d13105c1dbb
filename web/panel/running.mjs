// The queued and running generations, each with a progress bar, its previews and a cancel button.
import { button, make } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { generationTitle, progressText, viewName } from "./labels.mjs";

/** @import { Generation } from "../shared/types.d.ts" */
/** @import { Session } from "./session.mjs" */

export class Running {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {(id: string) => void} options.open shows a generation in detail
   */
  constructor({ session, open }) {
    const { live, t } = session;
    this.session = session;
    this.open = open;
    /** @type {Map<string, Card>} */
    this.cards = new Map();
    this.list = make("ul", { className: "avatarforge-running" });
    this.element = make(
      "section",
      { className: "avatarforge-now", hidden: true, "aria-label": t("running") },
      this.list,
    );
    live.on("change", (generation) => this.#update(generation));
    live.on("deleted", (id) => this.#remove(id));
    session.on("pending", (id) => this.#updateVisibility(id));
    for (const generation of live.active.values()) this.#update(generation);
  }

  /** @param {Generation} generation */
  #update(generation) {
    const id = generation.generation_id;
    // A batch can have hundreds that wait.
    const waits = Boolean(generation.batch_id) && generation.status === "queued";
    if (waits || !this.session.live.active.has(id)) {
      this.#remove(id);
      return;
    }
    let card = this.cards.get(id);
    if (!card) {
      card = new Card({ session: this.session, open: () => this.open(id), id });
      this.cards.set(id, card);
      this.list.append(card.element);
    }
    card.update(generation);
    this.#updateVisibility(id);
  }

  /** @param {string} id */
  #remove(id) {
    this.cards.get(id)?.element.remove();
    this.cards.delete(id);
    this.#updateSection();
  }

  /** @param {string} id */
  #updateVisibility(id) {
    const card = this.cards.get(id);
    if (card) card.element.hidden = this.session.pendingDeletes.has(id);
    this.#updateSection();
  }

  #updateSection() {
    this.element.hidden = [...this.cards.values()].every((card) => card.element.hidden);
  }
}

class Card {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {() => void} options.open
   * @param {string} options.id
   */
  constructor({ session, open, id }) {
    const { t } = session;
    this.session = session;
    this.previews = make("span", { className: "avatarforge-previews" });
    this.title = make("span", { className: "avatarforge-title" });
    this.text = make("span", { className: "avatarforge-progress-text" });
    this.bar = make("progress", { max: 1, value: 0, "aria-label": t("progress") });
    this.cancelButton = button(t("cancel"), () => void this.#cancel(id));
    this.element = make(
      "li",
      {},
      make(
        "button",
        { type: "button", className: "avatarforge-open", onclick: open },
        this.previews,
        make("span", { className: "avatarforge-lines" }, this.title, this.text),
      ),
      this.cancelButton,
      this.bar,
    );
  }

  /** @param {Generation} generation */
  update(generation) {
    const { t } = this.session;
    const title = generationTitle(generation, t);
    this.title.textContent = title;
    this.cancelButton.setAttribute("aria-label", t("cancel_named", { name: title }));
    this.text.textContent = progressText(generation, t);
    const progress = generation.progress ?? null;
    // Without a value the bar is indeterminate.
    if (progress === null && generation.status === "processing") this.bar.removeAttribute("value");
    else this.bar.value = progress ?? 0;
    showPreviews(this.previews, generation, this.session);
  }

  /** @param {string} id */
  async #cancel(id) {
    const { client, live, t } = this.session;
    this.cancelButton.disabled = true;
    try {
      live.watch(await client.runAction(id, "cancel"));
      this.session.announce(t("cancelled"));
    } catch (error) {
      this.cancelButton.disabled = false;
      this.session.notify(errorMessage(error, t));
    }
  }
}

/**
 * Show the previews of a running generation in an element. Each replaces the earlier preview of its view.
 * @param {HTMLElement} element
 * @param {Generation} generation
 * @param {Session} session
 */
export function showPreviews(element, generation, { client, t }) {
  for (const [index, { view, url }] of (generation.previews ?? []).entries()) {
    const pictures = element.querySelectorAll("img");
    const picture = pictures[index] ?? make("img", { alt: "", hidden: true });
    if (!pictures[index]) element.append(picture);
    if (picture.dataset.url === url) continue;
    picture.dataset.url = url;
    picture.alt = t("preview_of", { view: viewName(view, t) });
    picture.onload = () => (picture.hidden = false);
    picture.onerror = () => (picture.hidden = !picture.naturalWidth); // a newer one will follow
    void client.applyUrl(url, (browserUrl) => {
      if (picture.dataset.url === url) picture.src = browserUrl;
    });
  }
}
