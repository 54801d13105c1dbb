// The detail view of one generation: its progress, pictures, settings and actions.
import { button, make } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { copyText } from "./clipboard.mjs";
import { curlCommand } from "./curl.mjs";
import { inputFiles, pictures, receipt, settings, summary, warnings } from "./detail_sections.mjs";
import { failureText, generationTitle, hasEnded, progressText } from "./labels.mjs";
import { showPreviews } from "./running.mjs";
import { TakeStrips } from "./takes.mjs";

/** @import { Generation } from "../shared/types.d.ts" */
/** @import { Properties } from "../shared/elements.mjs" */
/** @import { PictureActions } from "./picture_actions.mjs" */
/** @import { Picture } from "./pictures.mjs" */
/** @import { Session } from "./session.mjs" */
/** @import { ComparePictures } from "./takes.mjs" */

export class Detail {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {() => void} options.back leaves the view
   * @param {(generation: Generation) => void} options.useSettings puts its settings into the form
   * @param {PictureActions} options.actions
   * @param {(picture: Picture) => void} options.view shows a picture large
   * @param {ComparePictures} options.compare
   */
  constructor({ session, back, useSettings, actions, view, compare }) {
    const { live, t } = session;
    this.session = session;
    this.takes = new TakeStrips(session, compare);
    this.back = back;
    this.useSettings = useSettings;
    this.actions = actions;
    this.view = view;
    this.id = "";
    this.lastRequest = 0;
    this.rendered = ""; // the data that the sections show, as JSON
    this.heading = make("h2", { tabIndex: -1, className: "avatarforge-heading" });
    this.bar = make("progress", { max: 1, value: 0, "aria-label": t("progress") });
    this.text = make("p", { className: "avatarforge-progress-text" });
    this.previews = make("div", { className: "avatarforge-previews" });
    this.body = make("div", { className: "avatarforge-detail-body" });
    this.backButton = button(t("back"), () => this.back());
    this.element = make(
      "section",
      { className: "avatarforge-detail", "aria-label": t("details") },
      make("div", { className: "avatarforge-row" }, this.backButton),
      this.heading,
      this.body,
    );
    live.on("change", (generation) => {
      if (generation.generation_id === this.id) this.#render(generation);
    });
    live.on("deleted", (id) => this.#leaveIfShown(id));
    session.on("deleted", (id) => this.#leaveIfShown(id));
  }

  /**
   * Show a generation: immediately as cached, then as the server returns it.
   * @param {string} id
   * @param {Generation | null} cached
   */
  async open(id, cached = null) {
    const { client, live, t } = this.session;
    const request = ++this.lastRequest;
    this.id = id;
    this.rendered = "";
    this.heading.textContent = "";
    this.body.replaceChildren(make("p", { className: "avatarforge-status", textContent: t("loading") }));
    const first = live.active.get(id) ?? cached;
    if (first) this.#render(first);
    this.heading.focus();
    try {
      const generation = await client.getGeneration(id);
      if (request !== this.lastRequest) return;
      if (hasEnded(generation)) this.#render(generation);
      else live.watch(generation);
    } catch (error) {
      if (request !== this.lastRequest) return;
      this.body.replaceChildren(
        make("p", { className: "avatarforge-error", role: "alert", textContent: errorMessage(error, t) }),
        button(t("retry"), () => void this.open(id, cached)),
      );
    }
  }

  close() {
    this.id = "";
    this.lastRequest++;
  }

  /** @param {string} id */
  #leaveIfShown(id) {
    if (id === this.id) this.back();
  }

  /** @param {Generation} generation */
  #render(generation) {
    const { t } = this.session;
    const { status, output_files: outputs, reroll_position: reroll, warnings: notes } = generation;
    const { inputs, error, progress, waiting_rerolls: waiting } = generation;
    // Progress arrives ten times a second and must not rebuild the sections that the user is reading.
    const rendered = JSON.stringify([status, outputs, reroll, waiting, notes, inputs.length, error]);
    if (rendered !== this.rendered) {
      this.rendered = rendered;
      const focused = document.activeElement;
      const hadFocus = this.body.contains(focused);
      const action = focused instanceof HTMLElement ? focused.dataset.act : undefined;
      this.heading.textContent = generationTitle(generation, t);
      this.body.replaceChildren(...this.#sections(generation));
      /** @type {HTMLElement | null} */
      const sameButton = this.body.querySelector(`[data-act="${action}"]`);
      if (hadFocus) (sameButton ?? this.heading).focus();
    }
    if (hasEnded(generation)) return;
    this.text.textContent = progressText(generation, t);
    if (progress !== undefined && progress !== null) this.bar.value = progress;
    else if (status === "processing") this.bar.removeAttribute("value");
    showPreviews(this.previews, generation, this.session);
  }

  /** @param {Generation} generation */
  #sections(generation) {
    const { session } = this;
    const { error, inputs, parameters } = generation;
    return [
      summary(generation, session),
      hasEnded(generation) ? null : this.#progress(),
      error ? make("p", { className: "avatarforge-alert", textContent: failureText(generation, session.t) }) : null,
      pictures(generation, session, { actions: this.actions, view: this.view, takes: this.takes }),
      this.#actions(generation),
      generation.warnings.length ? warnings(generation.warning_details, session) : null,
      parameters && generation.kind !== "expressions" ? inputFiles(parameters, session) : null,
      parameters ? settings(parameters, session) : null,
      inputs.length ? receipt(inputs, session) : null,
    ].filter((section) => section !== null);
  }

  #progress() {
    this.bar.value = 0;
    this.previews.replaceChildren();
    return make("div", { className: "avatarforge-live" }, this.bar, this.text, this.previews);
  }

  /** @param {Generation} generation */
  #actions(generation) {
    const { client, editor, t } = this.session;
    const { kind, parameters, status } = generation;
    const curl = curlCommand(generation, client);
    /**
     * @param {string} name
     * @param {string} label
     * @param {() => void} run
     * @param {Properties<"button">} properties
     */
    const action = (name, label, run, properties = {}) => button(label, run, { "data-act": name, ...properties });
    return make(
      "div",
      { className: "avatarforge-row avatarforge-acts" },
      hasEnded(generation) ? null : action("cancel", t("cancel"), () => void this.#runAction("cancel")),
      status === "failed" && kind !== "graph"
        ? action("retry", t("run_again"), () => void this.#runAction("retry"))
        : null,
      parameters && kind !== "expressions"
        ? action("again", t("use_settings"), () => this.useSettings(generation))
        : null,
      curl ? action("curl", t("copy_curl"), () => void this.#copy(curl)) : null,
      editor && kind !== "graph" ? action("graph", t("open_graph"), () => void this.#openGraph(generation)) : null,
      generation.output_files.length ? action("export", t("export_dots"), () => void this.#export()) : null,
      action("delete", t("delete"), () => this.session.deleteLater(generation), {
        className: "avatarforge-button avatarforge-danger",
      }),
    );
  }

  /** @param {string} action as for ApiClient.runAction */
  async #runAction(action) {
    const { client, live, t } = this.session;
    try {
      const generation = await client.runAction(this.id, action);
      live.watch(generation);
      // A retry may return another generation.
      if (generation.generation_id !== this.id) await this.open(generation.generation_id, generation);
    } catch (error) {
      this.session.notify(errorMessage(error, t));
    }
  }

  async #export() {
    const { exportPictures } = await import("./export_dialog.mjs");
    await exportPictures(this.session, { path: `/generations/${encodeURIComponent(this.id)}` });
  }

  /** @param {string} text */
  async #copy(text) {
    const { t } = this.session;
    const copied = await copyText(text, this.element);
    this.session.notify(copied ? t("copied") : t("not_copied"));
  }

  /** @param {Generation} generation */
  async #openGraph(generation) {
    const { editor, t } = this.session;
    try {
      await editor?.openGraph(generation);
    } catch (error) {
      this.session.notify(errorMessage(error, t));
    }
  }
}
