// The takes of one picture, below it: small pictures, of which one is current. A press makes another one current.
import { button, make } from "../shared/elements.mjs";
import { errorMessage, statusOf } from "../shared/errors.mjs";

/** @import { Generation, Take } from "../shared/types.d.ts" */
/** @import { Session } from "./session.mjs" */

/**
 * @param {Generation} generation
 * @param {number} number of the picture, from 1
 * @param {string} name of the picture
 * @param {Session} session
 */
export function takesOf(generation, number, name, session) {
  const strip = new TakeStrip(generation.generation_id, number, name, session);
  void strip.load();
  return strip.element;
}

class TakeStrip {
  /**
   * @param {string} id of the generation
   * @param {number} number of the picture, from 1
   * @param {string} name of the picture
   * @param {Session} session
   */
  constructor(id, number, name, session) {
    this.id = id;
    this.number = number;
    this.name = name;
    this.session = session;
    this.element = make("ul", {
      className: "avatarforge-takes",
      "aria-label": session.t("takes_of", { view: name }),
      "aria-busy": "true",
    });
  }

  async load() {
    const { client, t } = this.session;
    try {
      const { takes } = await client.listTakes(this.id, this.number);
      this.element.replaceChildren(...takes.map((take) => this.#item(take)));
    } catch (error) {
      this.element.replaceChildren(
        make(
          "li",
          {},
          make("span", { className: "avatarforge-error", textContent: errorMessage(error, t) }),
          button(t("retry"), () => void this.load()),
        ),
      );
    } finally {
      this.element.removeAttribute("aria-busy");
    }
  }

  /** @param {Take} take */
  #item(take) {
    const { client, t } = this.session;
    const label = t("take_named", { number: take.take, view: this.name });
    const image = make("img", { alt: "", loading: "lazy", width: take.dimensions.width, height: take.dimensions.height });
    void client.applyUrl(take.url, (browserUrl) => (image.src = browserUrl));
    const choose = make(
      "button",
      {
        type: "button",
        className: "avatarforge-take",
        title: t("take_seed", { number: take.take, seed: take.seed ?? "-" }),
        "aria-label": label,
        "aria-pressed": String(take.current),
        "data-act": `take-${this.number}-${take.take}`,
        onclick: () => void this.#choose(take),
      },
      image,
      make("span", { textContent: String(take.take) }),
    );
    const item = make("li", {}, choose);
    if (!take.current) {
      item.append(
        make("button", {
          type: "button",
          className: "avatarforge-take-delete",
          textContent: "×",
          title: t("delete"),
          "aria-label": t("delete_take", { number: take.take, view: this.name }),
          "data-act": `delete-take-${this.number}-${take.take}`,
          onclick: () => this.#deleteLater(take, item),
        }),
      );
    }
    return item;
  }

  /** @param {Take} take */
  async #choose(take) {
    if (take.current) return;
    const { client, live, t } = this.session;
    try {
      live.watch(await client.chooseTake(this.id, this.number, take.take));
      this.session.announce(t("take_chosen", { number: take.take, view: this.name }));
    } catch (error) {
      this.session.notify(errorMessage(error, t));
      if (statusOf(error) === 404) await this.load();
    }
  }

  /**
   * Delete a take after the time in which this can be undone. If the page is closed before, it stays.
   * @param {Take} take
   * @param {HTMLLIElement} item
   */
  #deleteLater(take, item) {
    const { t } = this.session;
    const timer = setTimeout(() => void this.#delete(take, item), this.session.undoSeconds() * 1000);
    item.hidden = true;
    this.#focusNextTo(item);
    this.session.notify(t("deleted", { name: t("take_named", { number: take.take, view: this.name }) }), t("undo"), () => {
      clearTimeout(timer);
      item.hidden = false;
      item.querySelector("button")?.focus();
    });
  }

  /**
   * @param {Take} take
   * @param {HTMLLIElement} item
   */
  async #delete(take, item) {
    const { client, live, t } = this.session;
    try {
      await client.deleteTake(this.id, this.number, take.take);
    } catch (error) {
      if (statusOf(error) === 404) return;
      item.hidden = false;
      this.session.notify(errorMessage(error, t));
      return;
    }
    // Without a stream of events nothing else would tell it.
    if (live.state !== "live") live.watch(await client.getGeneration(this.id));
  }

  /** @param {HTMLLIElement} item */
  #focusNextTo(item) {
    const items = [...this.element.querySelectorAll("li")].filter((other) => other === item || !other.hidden);
    const next = items[items.indexOf(item) + 1] ?? items[items.indexOf(item) - 1];
    next?.querySelector("button")?.focus();
  }
}
