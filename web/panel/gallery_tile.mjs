// One generation in the gallery.
import { button, make } from "../shared/elements.mjs";
import { formatTimeShort, generationTitle, kindName, statusBadge, statusName } from "./labels.mjs";

/** @import { Generation } from "../shared/types.d.ts" */
/** @import { Session } from "./session.mjs" */

/** Milliseconds in view before its picture is loaded, so that fast scrolling loads none. */
const PATIENCE = 80;

/**
 * @typedef {object} TileActions
 * @property {(event: MouseEvent) => void} press
 * @property {() => void} toggleFavourite
 */

export class Tile {
  /**
   * @param {Session} session
   * @param {Generation} generation
   * @param {TileActions} actions
   */
  constructor(session, generation, { press, toggleFavourite }) {
    this.session = session;
    this.generation = generation;
    this.url = "";
    // Not `hidden`, because browsers never load a lazy picture without a box.
    this.picture = make("img", { alt: "", decoding: "async", loading: "lazy", className: "avatarforge-not-loaded" });
    this.picture.addEventListener("load", () => this.picture.classList.remove("avatarforge-not-loaded"));
    this.picture.addEventListener("error", () => this.picture.classList.add("avatarforge-not-loaded"));
    this.marks = make("span", { className: "avatarforge-marks" });
    this.title = make("span", { className: "avatarforge-title" });
    this.details = make("span", { className: "avatarforge-details" });
    this.button = make(
      "button",
      { type: "button", className: "avatarforge-tile", tabIndex: -1, onclick: press },
      make("span", { className: "avatarforge-tile-picture" }, this.picture, this.marks),
      this.title,
      this.details,
    );
    // The key F does the same, so that the grid has one stop for Tab.
    this.star = button("★", toggleFavourite, { className: "avatarforge-star", tabIndex: -1 });
    this.element = make("li", {}, this.button, this.star);
    this.timer = setTimeout(() => this.#updatePicture(), PATIENCE);
    this.#updateText();
  }

  /** @param {Generation} generation */
  update(generation) {
    if (generation === this.generation) return;
    this.generation = generation;
    this.#updatePicture();
    this.#updateText();
  }

  /**
   * @param {boolean | null} selected null while nothing is being selected
   */
  showSelected(selected) {
    if (selected === null) this.button.removeAttribute("aria-pressed");
    else this.button.setAttribute("aria-pressed", String(selected));
    this.element.classList.toggle("avatarforge-selected", selected === true);
  }

  /** Stop loading its picture: it is out of view. */
  dispose() {
    clearTimeout(this.timer);
    this.picture.removeAttribute("src");
  }

  #updatePicture() {
    const url = this.generation.output_files[0]?.url ?? "";
    if (!url || url === this.url) return;
    this.url = url;
    void this.session.client.applyUrl(url, (browserUrl) => {
      if (url === this.url) this.picture.src = browserUrl;
    });
  }

  #updateText() {
    const { generation } = this;
    const { locale, t } = this.session;
    const title = generationTitle(generation, t);
    const kind = kindName(generation, t);
    this.title.textContent = title;
    this.button.title = [title, ...generation.tags.map((tag) => `#${tag}`)].join(" ");
    this.details.textContent = `${kind} · ${formatTimeShort(generation.created_at, locale)}`;
    this.marks.replaceChildren(...(generation.status === "completed" ? [] : [statusBadge(generation, t)]));
    const marked = generation.favourite ? `, ${t("gallery_favourite")}` : "";
    this.button.setAttribute("aria-label", `${title}, ${kind}${marked}, ${statusName(generation, t)}`);
    this.star.setAttribute("aria-label", t("gallery_favourite_named", { name: title }));
    this.star.setAttribute("aria-pressed", String(generation.favourite));
  }
}
