// A row of small pictures, of which one or two are marked.
import { gridTarget, make } from "../shared/elements.mjs";
import { generationTitle } from "./labels.mjs";
import { pictureKey, pictureName } from "./pictures.mjs";

/** @import { Picture } from "./pictures.mjs" */
/** @import { Session } from "./session.mjs" */

export class Filmstrip {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {(picture: Picture) => void} options.choose
   */
  constructor({ session, choose }) {
    const { t } = session;
    this.session = session;
    this.choose = choose;
    /** @type {Map<string, HTMLButtonElement>} */
    this.buttons = new Map();
    this.element = make("ul", { className: "avatarforge-strip", "aria-label": t("filmstrip") });
    this.element.addEventListener("keydown", (event) => {
      // The viewer uses the other keys for itself.
      if (event.key === "Home" || event.key === "End") this.#focus(gridTarget(event, [...this.buttons.values()]));
    });
  }

  /**
   * @param {Picture[]} pictures
   * @param {Map<string, string>} marks the marked pictures by their keys, each with a text, such as "A"
   */
  show(pictures, marks) {
    const before = this.buttons;
    const hadFocus = this.element.contains(document.activeElement);
    this.buttons = new Map();
    const items = pictures.map((picture, index) => {
      const item = this.#makeItem(picture, before, marks);
      const first = index === 0 || pictures[index - 1].generation.generation_id !== picture.generation.generation_id;
      item.classList.toggle("avatarforge-strip-first", first && index > 0);
      return item;
    });
    this.element.replaceChildren(...items);
    const marked = [...this.buttons].filter(([key]) => marks.has(key)).map(([, button]) => button);
    const current = marked[0] ?? this.buttons.values().next().value;
    if (current) current.tabIndex = 0; // one stop for Tab
    if (hadFocus) current?.focus();
    current?.scrollIntoView({ block: "nearest", inline: "center" });
  }

  /**
   * @param {Picture} picture
   * @param {Map<string, HTMLButtonElement>} before
   * @param {Map<string, string>} marks
   */
  #makeItem(picture, before, marks) {
    const { client, t } = this.session;
    const key = pictureKey(picture);
    const button = before.get(key) ?? makeButton();
    const [image, letter] = button.children;
    const { output, generation } = picture;
    const shown = `${output.url}#${output.seed}`;
    if (button.dataset.shown !== shown) {
      button.dataset.shown = shown;
      void client.applyUrl(output.url, (browserUrl) => (/** @type {HTMLImageElement} */ (image).src = browserUrl));
    }
    const mark = marks.get(key) ?? "";
    letter.textContent = mark;
    const name = `${pictureName(picture, t)}, ${generationTitle(generation, t)}`;
    button.setAttribute("aria-label", mark ? `${mark}: ${name}` : name);
    if (marks.has(key)) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    button.title = name;
    button.tabIndex = -1;
    button.onclick = () => this.choose(picture);
    this.buttons.set(key, button);
    return make("li", {}, button);
  }

  /** @param {HTMLButtonElement | undefined} target */
  #focus(target) {
    if (target) target.click();
    target?.focus();
  }
}

function makeButton() {
  return make("button", { type: "button" }, make("img", { alt: "", draggable: false }), make("b"));
}
