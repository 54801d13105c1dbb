// One picture of a matrix: its state or picture, and the buttons that re-roll and export it.
import { button, make } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { failureText, hasEnded, progressText, statusBadge, statusName } from "../panel/labels.mjs";
import { drag } from "../panel/pictures.mjs";
import { showPreviews } from "../panel/running.mjs";
import { drawIcon } from "./icons.mjs";

/** @import { BatchItem, Generation } from "../shared/types.d.ts" */
/** @import { Session } from "../panel/session.mjs" */

export class Cell {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {BatchItem} options.item
   * @param {string} options.label what the picture shows
   * @param {() => void} options.open
   */
  constructor({ session, item, label, open }) {
    const { t } = session;
    this.session = session;
    this.id = item.generation_id;
    this.label = label;
    this.status = item.status;
    this.shown = ""; // the URL and seed of the shown picture
    /** @type {Generation | null} */
    this.generation = null; // once it is loaded
    this.picture = make("img", { alt: "", loading: "lazy", hidden: true, draggable: false });
    this.picture.addEventListener("load", () => this.element.classList.add("avatarforge-filled"));
    this.previews = make("span", { className: "avatarforge-previews" });
    this.state = make("span", { className: "avatarforge-cell-state" });
    this.button = make(
      "button",
      { type: "button", className: "avatarforge-cell-picture", tabIndex: -1, draggable: true, onclick: open },
      this.picture,
      this.previews,
      this.state,
    );
    this.button.addEventListener("dragstart", (event) => this.#startDrag(event));
    this.reroll = button("", () => void this.#again(), { hidden: true, tabIndex: -1 });
    this.reroll.append(drawIcon("again"));
    const downloadText = t("download_named", { view: label });
    this.download = make(
      "a",
      { className: "avatarforge-button", title: downloadText, hidden: true, tabIndex: -1, "aria-label": downloadText },
      drawIcon("download"),
    );
    this.element = make(
      "div",
      { className: "avatarforge-cell" },
      this.button,
      make("div", { className: "avatarforge-cell-actions" }, this.reroll, this.download),
    );
    this.#showState(t(item.status));
  }

  /** @param {boolean} reachable with Tab */
  setReachable(reachable) {
    for (const control of [this.button, this.reroll, this.download]) control.tabIndex = reachable ? 0 : -1;
  }

  /** @param {Generation} generation */
  update(generation) {
    const { client, t } = this.session;
    this.generation = generation;
    const ended = hasEnded(generation);
    const failed = generation.status === "failed";
    const [output] = generation.output_files;
    this.status = generation.status;
    this.button.title = failed ? failureText(generation, t) : "";
    this.#showState(statusName(generation, t));
    this.state.replaceChildren(
      ...(generation.status === "completed" ? [] : [ended ? statusBadge(generation, t) : progressText(generation, t)]),
    );
    if (ended) this.previews.replaceChildren();
    else showPreviews(this.previews, generation, this.session);
    this.reroll.hidden = !ended || generation.kind === "graph";
    this.reroll.title = failed ? t("run_again_named", { name: this.label }) : t("reroll_named", { view: this.label });
    this.reroll.setAttribute("aria-label", this.reroll.title);
    this.download.hidden = !ended || !output;
    const shown = output ? `${output.url} ${output.seed}` : "";
    if (!output || shown === this.shown) return;
    this.shown = shown;
    this.download.download = output.filename;
    void client.applyUrl(output.url, (url) => {
      if (shown !== this.shown) return;
      this.download.href = url;
      this.picture.src = url;
      this.picture.hidden = false;
    });
  }

  /** @param {DragEvent} event */
  #startDrag(event) {
    const [output] = this.generation?.output_files ?? [];
    if (this.generation && output) drag(event, { generation: this.generation, output, number: 1 }, this.picture);
    else event.preventDefault();
  }

  /** @param {string} text */
  #showState(text) {
    this.state.textContent = text;
    this.button.setAttribute("aria-label", `${this.label}, ${text}`);
    this.element.dataset.status = this.status;
  }

  /** Re-roll the picture, or run it again if it has failed. */
  async #again() {
    const { client, live, t } = this.session;
    const hadFocus = document.activeElement === this.reroll;
    this.reroll.disabled = true;
    try {
      const action = this.status === "failed" ? "retry" : "reroll?position=1";
      live.watch(await client.runAction(this.id, action));
      this.session.announce(t("accepted"));
    } catch (error) {
      this.session.notify(errorMessage(error, t));
    } finally {
      this.reroll.disabled = false;
      if (hadFocus) this.button.focus(); // the pressed button is hidden while it runs
    }
  }
}
