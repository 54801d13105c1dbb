// The pictures of a generation in a small box: a sheet as a sheet, and the previews of what still runs.
import { make } from "../shared/elements.mjs";
import { placeInBox } from "./pictures.mjs";

/** @import { Dimensions, Generation } from "../shared/types.d.ts" */
/** @import { Session } from "./session.mjs" */
/** @typedef {Dimensions & { key: string, apply: (use: (browserUrl: string) => void) => void }} Shown */

const MOST = 16; // pictures in one box
const RATIO = 2 / 3; // of the box, as in generations.css
const UNKNOWN = { width: 2, height: 3 };

export class TilePictures {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** @type {HTMLImageElement[]} */
    this.images = [];
    this.layout = ""; // the sizes for which the places were computed
    this.element = make("span", { className: "avatarforge-tile-picture" });
  }

  /** @param {Generation} generation */
  update(generation) {
    const shown = this.#pictures(generation).slice(0, MOST);
    this.#placeImages(shown);
    for (const [index, { key, apply }] of shown.entries()) {
      const image = this.images[index];
      if (image.dataset.key === key) continue;
      image.dataset.key = key;
      apply((browserUrl) => {
        if (image.dataset.key === key) image.src = browserUrl;
      });
    }
  }

  /**
   * @param {Generation} generation
   * @returns {Shown[]}
   */
  #pictures({ output_files: outputs, parameters, previews }) {
    const { client } = this.session;
    if (outputs.length)
      return outputs.map((output) => ({
        ...output.dimensions,
        key: `${output.url}#${output.seed}`,
        apply: (use) => client.applyUrl(output.url, use),
      }));
    const size = parameters?.width ? { width: parameters.width, height: parameters.height } : UNKNOWN;
    return (previews ?? []).map(({ url }) => ({ ...size, key: url, apply: (use) => void client.applyUrl(url, use) }));
  }

  /** @param {Shown[]} shown */
  #placeImages(shown) {
    const layout = JSON.stringify(shown.map(({ width, height }) => [width, height]));
    if (layout === this.layout) return;
    this.layout = layout;
    while (this.images.length > shown.length) this.images.pop()?.remove();
    while (this.images.length < shown.length) {
      const image = makeImage();
      this.images.push(image);
      this.element.append(image);
    }
    for (const [index, place] of placeInBox(shown, RATIO).entries())
      for (const [name, value] of Object.entries(place)) this.images[index].style.setProperty(name, `${value}%`);
  }
}

function makeImage() {
  // Not `hidden`, because browsers never load a lazy picture without a box.
  const image = make("img", { alt: "", loading: "lazy", draggable: false, className: "avatarforge-not-loaded" });
  image.addEventListener("load", () => image.classList.remove("avatarforge-not-loaded"));
  image.addEventListener("error", () => image.classList.add("avatarforge-not-loaded"));
  return image;
}
