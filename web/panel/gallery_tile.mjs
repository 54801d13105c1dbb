// One generation in the gallery.
import { button, make } from "../shared/elements.mjs";
import { formatTimeShort, generationTitle, kindName, statusBadge, statusName } from "./labels.mjs";
import { drag, picturesOf } from "./pictures.mjs";
import { TilePictures } from "./tile_pictures.mjs";

/** @import { Generation } from "../shared/types.d.ts" */
/** @import { Session } from "./session.mjs" */

/** Milliseconds in view before its pictures are loaded, so that fast scrolling loads none. */
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
    this.pictures = new TilePictures(session);
    this.marks = make("span", { className: "avatarforge-marks" });
    this.title = make("span", { className: "avatarforge-title" });
    this.details = make("span", { className: "avatarforge-details" });
    this.button = make(
      "button",
      { type: "button", className: "avatarforge-tile", tabIndex: -1, onclick: press },
      this.pictures.element,
      this.title,
      this.details,
    );
    this.pictures.element.append(this.marks);
    // The key F does the same, so that the grid has one stop for Tab.
    this.star = button("★", toggleFavourite, { className: "avatarforge-star", tabIndex: -1 });
    this.element = make("li", { draggable: true }, this.button, this.star);
    this.element.addEventListener("dragstart", (event) => this.#startDrag(event));
    this.timer = setTimeout(() => this.pictures.update(this.generation), PATIENCE);
    this.#updateText();
  }

  /** @param {Generation} generation */
  update(generation) {
    if (generation === this.generation) return;
    this.generation = generation;
    this.pictures.update(generation);
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

  /** Stop loading its pictures: it is out of view. */
  dispose() {
    clearTimeout(this.timer);
    for (const image of this.pictures.images) image.removeAttribute("src");
  }

  /** @param {DragEvent} event */
  #startDrag(event) {
    const [first] = picturesOf(this.generation);
    const [image] = this.pictures.images;
    if (first && image) drag(event, first, image);
    else event.preventDefault();
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
