// Compares two pictures: side by side, with a slider, or in turn, and by their settings.
import { button, make } from "../shared/elements.mjs";
import { showModal } from "../shared/modal.mjs";
import { RadioGroup } from "./fields.mjs";
import { Filmstrip } from "./filmstrip.mjs";
import { generationTitle } from "./labels.mjs";
import { PanZoom } from "./pan_zoom.mjs";
import { pictureKey, pictureName } from "./pictures.mjs";
import { differences } from "./setting_texts.mjs";

/** @import { Picture } from "./pictures.mjs" */
/** @import { Session } from "./session.mjs" */
/** @typedef {"side" | "slider" | "blink"} Mode */

const LETTERS = /** @type {const} */ (["A", "B"]);
const BLINK = 700; // ms; slower than three times a second, which is harmless
const KEY_STEP = 5; // per cent

export class Compare {
  /**
   * @param {object} options
   * @param {Session} options.session
   */
  constructor({ session }) {
    const { t } = session;
    this.session = session;
    /** @type {[Picture, Picture] | null} */
    this.pair = null;
    /** @type {Picture[]} */
    this.others = [];
    this.front = 1; // which of the two is seen in turn
    /** @type {number | undefined} */
    this.timer = undefined;
    this.panZoom = new PanZoom({ changed: () => {}, swiped: () => {} });
    this.images = LETTERS.map(() => make("img", { draggable: false }));
    this.captions = LETTERS.map(() => make("p", { className: "avatarforge-caption" }));
    this.stages = LETTERS.map((letter, index) =>
      make(
        "div",
        { className: "avatarforge-stage", tabIndex: 0, role: "group", "aria-label": letter },
        this.images[index],
      ),
    );
    for (const stage of this.stages) this.panZoom.listen(stage);
    const range = { type: "range", min: "0", max: "100", value: "50" };
    this.divider = make("input", { ...range, "aria-label": t("compare_slider") });
    this.divider.addEventListener("input", () => this.#divide());
    this.line = make("span", { className: "avatarforge-divider" });
    this.line.addEventListener("pointerdown", (event) => this.#dragLine(event));
    this.blinkButton = button("", () => this.#setBlinking(this.timer === undefined));
    this.mode = new RadioGroup(
      t("compare_mode"),
      [
        { value: "side", text: t("compare_side") },
        { value: "slider", text: t("compare_slide") },
        { value: "blink", text: t("compare_blink") },
      ],
      "side",
    );
    this.mode.element.addEventListener("change", () => this.#showMode());
    this.side = new RadioGroup(
      t("compare_replace"),
      LETTERS.map((text) => ({ value: text, text })),
      "B",
    );
    this.strip = new Filmstrip({ session, choose: (picture) => this.#replace(picture) });
    this.stageArea = make("div", { className: "avatarforge-compare-stages" }, ...this.stages, this.line);
    this.table = make("div", {
      className: "avatarforge-differences",
      tabIndex: 0,
      role: "region",
      "aria-label": t("differences"),
    });
    this.body = make(
      "div",
      { className: "avatarforge-viewer-frame" },
      make(
        "div",
        { className: "avatarforge-viewer-head" },
        this.mode.element,
        make(
          "div",
          { className: "avatarforge-row" },
          this.divider,
          this.blinkButton,
          button(t("compare_swap"), () => this.#swap()),
          button(t("zoom_fit"), () => this.panZoom.fit()),
          button("1:1", () => this.panZoom.actualSize(), { "aria-label": t("zoom_actual") }),
          button(t("close"), () => this.dialog.close()),
        ),
      ),
      make(
        "div",
        { className: "avatarforge-compare-middle" },
        make(
          "div",
          { className: "avatarforge-compare-pictures" },
          this.stageArea,
          make("div", { className: "avatarforge-captions" }, ...this.captions),
        ),
        this.table,
      ),
      make("div", { className: "avatarforge-compare-choice" }, this.side.element, this.strip.element),
    );
    this.body.addEventListener("keydown", (event) => this.#handleKey(event));
    this.dialog = make("dialog");
  }

  /**
   * Compare two pictures until the dialog is closed.
   * @param {Picture} first
   * @param {Picture[]} others what the user can choose from; the one after the first is the second
   * @param {Picture} [second]
   */
  async open(first, others, second) {
    const { t } = this.session;
    const place = others.findIndex((picture) => pictureKey(picture) === pictureKey(first));
    const other = second ?? others[place + 1] ?? others[place - 1];
    if (!other) {
      this.session.notify(t("nothing_to_compare"));
      return;
    }
    this.pair = [first, other];
    this.others = others;
    const className = "avatarforge-viewer avatarforge-palette";
    this.dialog = make("dialog", { className, "aria-label": t("compare") }, this.body);
    const closed = showModal(this.dialog);
    this.mode.focus();
    this.#showPair();
    await closed;
    this.#setBlinking(false);
    for (const image of this.images) image.removeAttribute("src");
  }

  /** @param {boolean} keep whether zoom and place stay */
  #showPair(keep = false) {
    if (!this.pair) return;
    const { client, t } = this.session;
    for (const [index, picture] of this.pair.entries()) {
      const image = this.images[index];
      const name = `${LETTERS[index]}: ${pictureName(picture, t)}, ${generationTitle(picture.generation, t)}`;
      this.captions[index].textContent = image.alt = name;
      this.stages[index].setAttribute("aria-label", name);
      const key = (image.dataset.key = `${picture.output.url}#${picture.output.seed}`);
      void client.applyUrl(picture.output.url, (browserUrl) => {
        if (image.dataset.key === key) image.src = browserUrl;
      });
    }
    this.strip.show(this.others, new Map(this.pair.map((picture, index) => [pictureKey(picture), LETTERS[index]])));
    this.#showDifferences(...this.pair);
    this.#showMode(keep);
  }

  #showMode(keep = false) {
    if (!this.pair) return;
    const mode = /** @type {Mode} */ (this.mode.value);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.stageArea.dataset.mode = mode;
    this.divider.hidden = this.line.hidden = mode !== "slider";
    this.blinkButton.hidden = mode !== "blink";
    this.#setBlinking(mode === "blink" && !calm);
    this.#divide();
    const panes = this.pair.map(({ output: { dimensions } }, index) => ({
      stage: this.stages[index],
      layers: [{ element: this.images[index], ...dimensions }],
    }));
    this.panZoom.show(panes, keep);
  }

  #divide() {
    const slider = this.mode.value === "slider";
    this.line.style.left = `${this.divider.value}%`;
    this.stages[1].style.clipPath = slider ? `inset(0 0 0 ${this.divider.value}%)` : "";
  }

  /** @param {PointerEvent} start */
  #dragLine(start) {
    start.preventDefault();
    this.line.setPointerCapture(start.pointerId);
    this.line.onpointermove = ({ clientX }) => {
      const { left, width } = this.stageArea.getBoundingClientRect();
      this.divider.value = String((100 * (clientX - left)) / width);
      this.#divide();
    };
    this.line.onlostpointercapture = () => (this.line.onpointermove = null);
  }

  /** @param {boolean} blinking */
  #setBlinking(blinking) {
    const { t } = this.session;
    clearInterval(this.timer);
    this.timer = blinking ? setInterval(() => this.#flip(), BLINK) : undefined;
    this.blinkButton.textContent = blinking ? t("blink_pause") : t("blink_start");
    this.#showFront();
  }

  #flip() {
    this.front = 1 - this.front;
    this.#showFront();
  }

  #showFront() {
    for (const [index, stage] of this.stages.entries())
      for (const element of [stage, this.captions[index]])
        element.classList.toggle("avatarforge-behind", this.mode.value === "blink" && index !== this.front);
  }

  #swap() {
    if (!this.pair) return;
    this.pair = [this.pair[1], this.pair[0]];
    this.#showPair(true);
  }

  /** @param {Picture} picture */
  #replace(picture) {
    if (!this.pair) return;
    this.pair = this.side.value === "A" ? [picture, this.pair[1]] : [this.pair[0], picture];
    this.#showPair(true);
  }

  /**
   * @param {Picture} first
   * @param {Picture} second
   */
  #showDifferences(first, second) {
    const { t } = this.session;
    const found = differences(first, second, this.session);
    const heading = make("h3", { textContent: t("differences") });
    if (!found.length) {
      this.table.replaceChildren(heading, make("p", { textContent: t("no_differences") }));
      return;
    }
    const head = ["", ...LETTERS].map((textContent) =>
      textContent ? make("th", { scope: "col", textContent }) : make("td"),
    );
    const rows = found.map(({ name, values }) =>
      make(
        "tr",
        {},
        make("th", { scope: "row", textContent: name }),
        ...values.map((value) => make("td", { textContent: value || "–" })),
      ),
    );
    this.table.replaceChildren(
      heading,
      make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)),
    );
  }

  /** @param {KeyboardEvent} event */
  #handleKey(event) {
    const { target } = event;
    if (!(target instanceof HTMLElement) || !this.stages.includes(/** @type {HTMLDivElement} */ (target))) return;
    /** @type {Record<string, () => void>} */
    const keys = {
      " ": () => this.#flip(),
      "+": () => this.panZoom.zoom(1),
      "-": () => this.panZoom.zoom(-1),
      0: () => this.panZoom.fit(),
      1: () => this.panZoom.actualSize(),
      ArrowLeft: () => this.#pan(event, -1, 0),
      ArrowRight: () => this.#pan(event, 1, 0),
      ArrowUp: () => this.panZoom.pan(0, -1),
      ArrowDown: () => this.panZoom.pan(0, 1),
    };
    if (!(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  }

  /**
   * With Shift the arrows move the divider of the slider.
   * @param {KeyboardEvent} event
   * @param {number} right
   * @param {number} down
   */
  #pan({ shiftKey }, right, down) {
    if (!shiftKey || this.mode.value !== "slider") {
      this.panZoom.pan(right, down);
      return;
    }
    this.divider.value = String(Number(this.divider.value) + right * KEY_STEP);
    this.#divide();
  }
}
