// Shows one picture large: zoom, pan, full screen, and the way to the pictures beside it.
import { button, make } from "../shared/elements.mjs";
import { menuButton } from "../shared/menu.mjs";
import { showModal } from "../shared/modal.mjs";
import { Filmstrip } from "./filmstrip.mjs";
import { generationTitle } from "./labels.mjs";
import { PanZoom } from "./pan_zoom.mjs";
import { canReroll, canRerollNow, pictureKey, pictureName, picturesOf } from "./pictures.mjs";

/** @import { Generation } from "../shared/types.d.ts" */
/** @import { PictureActions } from "./picture_actions.mjs" */
/** @import { Picture } from "./pictures.mjs" */
/** @import { Session } from "./session.mjs" */

const MOST_GENERATIONS = 9; // in the filmstrip
const MESSAGE_SECONDS = 8;

export class Viewer {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {PictureActions} options.actions
   * @param {(id: string, step: 1 | -1) => Promise<Generation | null>} options.neighbour the next generation with
   *   pictures, in the order of the gallery
   * @param {(picture: Picture, others: Picture[]) => Promise<void>} options.compare
   * @param {(picture: Picture) => void} options.closed gets the picture that was shown last
   */
  constructor({ session, actions, neighbour, compare, closed }) {
    const { live, t } = session;
    this.session = session;
    this.actions = actions;
    this.neighbour = neighbour;
    this.closed = closed;
    /** @type {Generation[]} */
    this.generations = []; // those of the filmstrip, in the order of the gallery
    this.key = ""; // of the shown picture
    this.shownUrl = "";
    this.panZoom = new PanZoom({
      changed: () => (this.percent.textContent = `${this.panZoom.percent} %`),
      swiped: (step) => void this.step(step),
    });
    this.image = make("img", { draggable: false });
    this.image.addEventListener("error", () => this.#setLoading(false));
    this.image.addEventListener("load", () => this.#setLoading(false));
    this.percent = make("span", { className: "avatarforge-percent" });
    this.stage = make("div", { className: "avatarforge-stage", tabIndex: 0, role: "group" }, this.image);
    this.title = make("h2", { className: "avatarforge-title" });
    this.counter = make("p", { className: "avatarforge-details", role: "status" });
    this.strip = new Filmstrip({ session, choose: (picture) => this.#show(picture) });
    this.download = make("a", { className: "avatarforge-button", textContent: t("download") });
    this.reroll = button(t("reroll"), () => this.#reroll());
    this.message = make("p", { className: "avatarforge-message", role: "status" });
    /** @type {number | undefined} */
    this.messageTimer = undefined;
    this.previous = button("‹", () => void this.step(-1), { "aria-label": t("previous_picture") });
    this.next = button("›", () => void this.step(1), { "aria-label": t("next_picture") });
    this.frame = make(
      "div",
      { className: "avatarforge-viewer-frame" },
      make(
        "div",
        { className: "avatarforge-viewer-head" },
        make("div", {}, this.title, this.counter),
        make(
          "div",
          { className: "avatarforge-row" },
          this.percent,
          button("−", () => this.panZoom.zoom(-1), { "aria-label": t("zoom_out") }),
          button("+", () => this.panZoom.zoom(1), { "aria-label": t("zoom_in") }),
          button(t("zoom_fit"), () => this.panZoom.fit()),
          button("1:1", () => this.panZoom.actualSize(), { "aria-label": t("zoom_actual") }),
          button(t("full_screen"), () => void this.#toggleFullScreen()),
          button(t("close"), () => this.dialog.close(), { "data-act": "close" }),
        ),
      ),
      make("div", { className: "avatarforge-viewer-middle" }, this.previous, this.stage, this.next),
      this.message,
      make(
        "div",
        { className: "avatarforge-viewer-foot" },
        this.strip.element,
        make(
          "div",
          { className: "avatarforge-row avatarforge-viewer-actions" },
          menuButton(t("continue_with"), () => this.#entries()),
          button(t("compare"), () => this.#withPicture((picture) => void compare(picture, this.pictures))),
          this.reroll,
          this.download,
        ),
      ),
    );
    this.dialog = this.#makeDialog();
    this.frame.addEventListener("keydown", (event) => this.#handleKey(event));
    this.stage.addEventListener("dragstart", (event) => event.preventDefault());
    this.panZoom.listen(this.stage);
    live.on("change", (generation) => this.#update(generation));
    live.on("deleted", (id) => this.#remove(id));
    session.on("deleted", (id) => this.#remove(id));
    session.on("notice", ({ text }) => this.#showMessage(text));
    session.on("pending", (id) => {
      if (session.pendingDeletes.has(id)) this.#remove(id);
    });
  }

  /** A new one each time it opens: `showModal` adds its listeners to it. */
  #makeDialog() {
    const { t } = this.session;
    const className = "avatarforge-viewer avatarforge-palette";
    return make("dialog", { className, "aria-label": t("viewer") }, this.frame);
  }

  /** All pictures of the filmstrip. */
  get pictures() {
    return this.generations.flatMap(picturesOf);
  }

  /** @returns {Picture | undefined} the shown one */
  get picture() {
    return this.pictures.find((picture) => pictureKey(picture) === this.key);
  }

  /**
   * Show a picture until the viewer is closed.
   * @param {Picture} picture
   */
  async open(picture) {
    this.generations = [picture.generation];
    this.key = this.shownUrl = "";
    if (this.dialog.open) {
      this.#show(picture);
      return;
    }
    this.dialog = this.#makeDialog();
    const closed = showModal(this.dialog);
    this.stage.focus();
    this.#show(picture); // now, because an open dialog has a size
    await closed;
    this.#leave();
  }

  close() {
    this.dialog.close();
  }

  /**
   * Show the next or the previous picture, of this generation or of the one beside it.
   * @param {1 | -1} step
   */
  async step(step) {
    const { pictures } = this;
    const target = pictures[pictures.findIndex((picture) => pictureKey(picture) === this.key) + step];
    if (target) this.#show(target);
    else await this.#stepGeneration(step, step < 0);
  }

  /**
   * @param {1 | -1} step
   * @param {boolean} last whether its last picture is shown, not its first
   */
  async #stepGeneration(step, last = false) {
    const { picture } = this;
    if (!picture) return;
    const { generation } = picture;
    const place = this.generations.findIndex(({ generation_id: id }) => id === generation.generation_id);
    const known = this.generations[place + step];
    const target = known ?? (await this.#load(generation.generation_id, step));
    if (!target || this.picture?.generation.generation_id !== generation.generation_id) return;
    const shown = picturesOf(target).at(last ? -1 : 0);
    if (shown) this.#show(shown);
  }

  /**
   * Add the generation beside this one to the filmstrip.
   * @param {string} id
   * @param {1 | -1} step
   */
  async #load(id, step) {
    const found = await this.neighbour(id, step).catch(() => null);
    const edge = this.generations.at(step > 0 ? -1 : 0);
    const listed = this.generations.some((one) => one.generation_id === found?.generation_id);
    if (!found || listed || edge?.generation_id !== id) return found; // the filmstrip may have changed meanwhile
    if (step > 0) this.generations.push(found);
    else this.generations.unshift(found);
    if (this.generations.length > MOST_GENERATIONS) {
      if (step > 0) this.generations.shift();
      else this.generations.pop();
    }
    if (this.dialog.open) this.#showStrip();
    return found;
  }

  /** @param {Picture} picture */
  #show(picture) {
    const { session } = this;
    const { t } = session;
    const { generation, output } = picture;
    const changed = pictureKey(picture) !== this.key;
    this.key = pictureKey(picture);
    const name = pictureName(picture, t);
    const title = generationTitle(generation, t);
    const { width, height } = output.dimensions;
    const count = generation.output_files.length;
    this.title.textContent = title;
    const place = t("picture_number", { view: name, number: picture.number, count });
    this.counter.textContent = `${place} · ${width} × ${height}`;
    this.stage.setAttribute("aria-label", t("picture_of", { view: name }));
    this.image.alt = t("picture_of", { view: name });
    this.reroll.hidden = !canReroll(picture);
    this.reroll.disabled = !canRerollNow(generation);
    this.download.download = output.filename;
    this.download.setAttribute("aria-label", t("download_named", { view: name }));
    const shown = `${output.url}#${output.seed}`;
    if (shown !== this.shownUrl) {
      this.shownUrl = shown;
      this.#setLoading(true);
      void session.client.applyUrl(output.url, (browserUrl) => {
        if (this.shownUrl === shown) this.image.src = this.download.href = browserUrl;
      });
    }
    this.panZoom.show([{ stage: this.stage, layers: [{ element: this.image, width, height }] }], !changed);
    this.#showStrip();
    if (changed) this.#loadAround(generation);
  }

  /**
   * Load the generations beside the shown one before they are asked for.
   * @param {Generation} generation
   */
  #loadAround({ generation_id: id }) {
    if (this.generations.at(-1)?.generation_id === id) void this.#load(id, 1);
    if (this.generations[0]?.generation_id === id) void this.#load(id, -1);
  }

  #showStrip() {
    const { pictures } = this;
    this.strip.show(pictures, new Map([[this.key, ""]]));
    this.strip.element.hidden = pictures.length < 2;
  }

  /** @param {boolean} loading */
  #setLoading(loading) {
    this.stage.setAttribute("aria-busy", String(loading));
  }

  #entries() {
    const { picture } = this;
    // What moves to the form or the graph leaves the viewer first.
    return picture ? this.actions.entries(picture, () => this.close()) : [];
  }

  #reroll() {
    this.#withPicture((picture) => void this.actions.reroll(picture));
    this.stage.focus(); // the button is disabled now, and keys would go to the page
  }

  /**
   * The panel's messages lie below the viewer, so they are shown here, too.
   * @param {string} text
   */
  #showMessage(text) {
    if (!this.dialog.open) return;
    clearTimeout(this.messageTimer);
    this.message.textContent = text;
    this.messageTimer = setTimeout(() => (this.message.textContent = ""), MESSAGE_SECONDS * 1000);
  }

  /** @param {(picture: Picture) => void} run */
  #withPicture(run) {
    const { picture } = this;
    if (picture) run(picture);
  }

  async #toggleFullScreen() {
    try {
      // Not the dialog itself: browsers refuse it.
      if (document.fullscreenElement) await document.exitFullscreen();
      else await this.frame.requestFullscreen();
    } catch {
      this.session.announce(this.session.t("no_full_screen"));
    }
  }

  #leave() {
    if (document.fullscreenElement === this.frame) void document.exitFullscreen();
    const { picture } = this;
    this.image.removeAttribute("src");
    this.message.textContent = "";
    if (picture) this.closed(picture);
  }

  /** @param {Generation} generation */
  #update(generation) {
    const place = this.generations.findIndex((one) => one.generation_id === generation.generation_id);
    if (!this.dialog.open || place < 0) return;
    this.generations[place] = generation;
    const { picture } = this;
    if (picture) this.#show(picture);
    else this.#remove(generation.generation_id);
  }

  /** @param {string} id */
  #remove(id) {
    const place = this.generations.findIndex((one) => one.generation_id === id);
    if (!this.dialog.open || place < 0) return;
    const wasShown = this.key.startsWith(id);
    this.generations.splice(place, 1);
    const beside = this.generations[Math.min(place, this.generations.length - 1)];
    const target = beside ? picturesOf(beside)[0] : undefined;
    if (!wasShown) this.#showStrip();
    else if (target) this.#show(target);
    else this.close();
  }

  /** @param {KeyboardEvent} event */
  #handleKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    /** @type {Record<string, [right: number, down: number]>} */
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = event.shiftKey ? moves[event.key] : undefined;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => void this.step(-1),
      ArrowRight: () => void this.step(1),
      PageUp: () => void this.#stepGeneration(-1),
      PageDown: () => void this.#stepGeneration(1),
      "+": () => this.panZoom.zoom(1),
      "-": () => this.panZoom.zoom(-1),
      0: () => this.panZoom.fit(),
      1: () => this.panZoom.actualSize(),
      f: () => void this.#toggleFullScreen(),
    };
    const run = move ? () => this.panZoom.pan(...move) : keys[event.key];
    if (!run) return;
    event.preventDefault();
    run();
  }
}
