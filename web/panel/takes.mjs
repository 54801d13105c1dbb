// The takes of one picture, below it: small pictures, of which one is current. A press makes another one current.
import { button, make } from "../shared/elements.mjs";
import { errorMessage, statusOf } from "../shared/errors.mjs";
import { pictureOfTake } from "./pictures.mjs";

/** @import { Generation, Take } from "../shared/types.d.ts" */
/** @import { Picture } from "./pictures.mjs" */
/** @import { Session } from "./session.mjs" */
/** @typedef {(first: Picture, second: Picture, others: Picture[]) => void} ComparePictures */

/** The takes of all pictures of the generation that is shown. They outlive a redraw of the view around them. */
export class TakeStrips {
  /**
   * @param {Session} session
   * @param {ComparePictures} compare
   */
  constructor(session, compare) {
    this.session = session;
    this.compare = compare;
    this.id = "";
    /** @type {Map<number, TakeStrip>} */
    this.strips = new Map();
  }

  /**
   * The takes of a picture, loaded again if they have changed.
   * @param {Picture} picture
   * @param {string} name of the picture
   */
  show(picture, name) {
    const { generation, number } = picture;
    const { generation_id: id } = generation;
    if (this.id !== id) this.strips.clear();
    this.id = id;
    const strip = this.strips.get(number) ?? new TakeStrip(picture, name, this.session, this.compare);
    this.strips.set(number, strip);
    strip.update(picture);
    return strip.element;
  }
}

class TakeStrip {
  /**
   * @param {Picture} picture
   * @param {string} name of the picture
   * @param {Session} session
   * @param {ComparePictures} compare
   */
  constructor(picture, name, session, compare) {
    this.picture = picture;
    this.id = picture.generation.generation_id;
    this.number = picture.number;
    this.name = name;
    this.session = session;
    this.compare = compare;
    this.lastRequest = 0;
    this.loaded = ""; // the current take and the number of takes that were loaded last
    /** @type {Take[]} */
    this.takes = [];
    /**
     * The numbers of takes whose deletion can still be undone.
     * @type {Set<number>}
     */
    this.pendingDeletes = new Set();
    this.list = make("ul", {
      className: "avatarforge-takes",
      "aria-label": session.t("takes_of", { view: name }),
    });
    const compareTakes = button(session.t("compare"), () => this.#compare(), {
      "aria-label": session.t("compare_takes", { view: name }),
      "data-act": `compare-takes-${this.number}`,
    });
    const row = make("div", { className: "avatarforge-row" }, compareTakes);
    this.element = make("div", { className: "avatarforge-takes-box" }, this.list, row);
  }

  /**
   * Load the takes if there are others than before. Another one is current, or there are more or fewer.
   * @param {Picture} picture
   */
  update(picture) {
    this.picture = picture;
    const { take, takes } = picture.output;
    const wanted = `${take}/${takes}`;
    if (wanted === this.loaded) {
      requestAnimationFrame(() => this.#reveal()); // an element that moves loses its place
      return;
    }
    this.loaded = wanted;
    void this.load();
  }

  /** Scroll the current take into sight, without the page around it. */
  #reveal() {
    const item = this.element.querySelector('[aria-pressed="true"]')?.parentElement;
    if (item) this.list.scrollLeft = item.offsetLeft - (this.list.clientWidth - item.offsetWidth) / 2;
  }

  async load() {
    const { client, t } = this.session;
    const request = ++this.lastRequest;
    this.list.setAttribute("aria-busy", "true");
    try {
      const { takes } = await client.listTakes(this.id, this.number);
      if (request !== this.lastRequest) return;
      this.takes = takes;
      this.#fill(takes.map((take) => this.#item(take)));
    } catch (error) {
      if (request !== this.lastRequest) return;
      this.loaded = "";
      const message = make("span", { className: "avatarforge-error", textContent: errorMessage(error, t) });
      this.#fill([make("li", {}, message, button(t("retry"), () => void this.load()))]);
    } finally {
      if (request === this.lastRequest) this.list.removeAttribute("aria-busy");
    }
  }

  /**
   * Show these items; the button with the focus keeps it.
   * @param {HTMLLIElement[]} items
   */
  #fill(items) {
    const focused = document.activeElement;
    const hadFocus = this.list.contains(focused);
    const action = focused instanceof HTMLElement ? focused.dataset.act : undefined;
    this.list.replaceChildren(...items);
    this.#reveal();
    if (!hadFocus) return;
    /** @type {HTMLElement | null} */
    const same = this.element.querySelector(`[data-act="${action}"]`);
    (same ?? this.element.querySelector("button"))?.focus();
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
    const item = make("li", { hidden: this.pendingDeletes.has(take.take) }, choose);
    if (!take.current) {
      item.append(
        make("button", {
          type: "button",
          className: "avatarforge-take-delete",
          textContent: "×",
          title: t("delete"),
          "aria-label": t("delete_take", { number: take.take, view: this.name }),
          "data-act": `delete-take-${this.number}-${take.take}`,
          onclick: () => this.#deleteLater(take),
        }),
      );
    }
    return item;
  }

  /** Compare the current take with the newest other one; the rest can be chosen there. */
  #compare() {
    const shown = this.takes.filter(({ take }) => !this.pendingDeletes.has(take));
    const pictures = shown.map((take) => pictureOfTake(this.picture, take));
    const current = pictures[shown.findIndex((take) => take.current)];
    const other = pictures.filter((one) => one !== current).at(-1);
    if (current && other) this.compare(current, other, pictures);
    else this.session.notify(this.session.t("nothing_to_compare"));
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
   */
  #deleteLater(take) {
    const { t } = this.session;
    const number = take.take;
    this.pendingDeletes.add(number);
    this.#updateVisibility(number);
    const timer = setTimeout(() => void this.#delete(number), this.session.undoSeconds() * 1000);
    this.session.notify(t("deleted", { name: t("take_named", { number, view: this.name }) }), t("undo"), () => {
      clearTimeout(timer);
      this.pendingDeletes.delete(number);
      this.#updateVisibility(number);
      this.#button(number)?.focus();
    });
  }

  /** @param {number} number of a take */
  async #delete(number) {
    const { client, live, t } = this.session;
    try {
      await client.deleteTake(this.id, this.number, number);
      // Without a stream of events nothing else would tell it.
      if (live.state !== "live") live.watch(await client.getGeneration(this.id));
    } catch (error) {
      if (statusOf(error) === 404) return;
      this.session.notify(errorMessage(error, t));
    }
    this.pendingDeletes.delete(number);
    await this.load();
  }

  /**
   * Hide or show a take; the focus goes from a hidden one to the first that is left.
   * @param {number} number
   */
  #updateVisibility(number) {
    const item = this.#button(number)?.closest("li");
    if (!item) return;
    const hadFocus = item.contains(document.activeElement);
    item.hidden = this.pendingDeletes.has(number);
    if (!item.hidden || !hadFocus) return;
    const [next] = [...this.element.querySelectorAll("li")].filter((other) => !other.hidden);
    next?.querySelector("button")?.focus();
  }

  /**
   * The button that chooses a take.
   * @param {number} number
   * @returns {HTMLButtonElement | null}
   */
  #button(number) {
    return this.element.querySelector(`[data-act="take-${this.number}-${number}"]`);
  }
}
