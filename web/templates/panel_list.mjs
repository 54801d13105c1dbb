// The panel's list of templates: use one for the next request, open, export, delete or import one.
import { withKey } from "../shared/api_key.mjs";
import { button, make, setStatus } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { SLOTS } from "./marks.mjs";
import { TemplatesClient } from "./templates_client.mjs";

/** @import { Session } from "../panel/session.mjs" */
/** @import { Capabilities, Template, TemplateDocument } from "../shared/types.d.ts" */

const PAGE = 100; // the most that the server gives at once
const LARGEST_IMPORT = 20 * 2 ** 20; // bytes; the server's own limit is lower

export class TemplateList {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {(name: string) => void} options.choose fills in the template of the form
   * @param {(names: string[]) => void} options.listed gets the names whenever the list was loaded
   */
  constructor({ session, choose, listed }) {
    const { t } = session;
    this.session = session;
    this.templates = new TemplatesClient(session.client);
    this.choose = choose;
    this.listed = listed;
    /** @type {Template[]} */
    this.shown = [];
    /** @type {string | null} */
    this.nextCursor = null;
    this.lastRequest = 0;
    this.list = make("ul", { className: "avatarforge-templates-list", "aria-label": t("templates") });
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.more = button(t("older"), () => void this.load(true), { hidden: true });
    this.file = make("input", { type: "file", accept: ".json,application/json", hidden: true });
    this.file.setAttribute("aria-label", t("template_import"));
    this.file.addEventListener("change", () => void this.#import());
    this.family = make("select", { className: "avatarforge-control" });
    this.start = make(
      "div",
      { className: "avatarforge-row avatarforge-templates-start", hidden: true },
      make("label", { className: "avatarforge-field" }, make("span", { textContent: t("template_family") }), this.family),
      button(session.editor ? t("open_graph") : t("download"), () => void this.#startFromFamily()),
    );
    this.element = make(
      "details",
      { className: "avatarforge-templates" },
      make("summary", { textContent: t("templates") }),
      make("p", { className: "avatarforge-hint", textContent: t("templates_hint") }),
      this.list,
      this.status,
      make("div", { className: "avatarforge-row" }, this.more, button(t("template_import"), () => this.file.click()), this.file),
      this.start,
    );
    this.element.addEventListener("toggle", () => {
      if (this.element.open) void this.load();
    });
  }

  /**
   * Offer the families of the installed models to start from.
   * @param {Capabilities} capabilities
   */
  setFamilies({ families }) {
    const usable = families.filter(({ installed }) => installed);
    const { value } = this.family;
    this.start.hidden = !usable.length;
    this.family.replaceChildren(
      ...usable.map(({ name, label }) => make("option", { value: name, textContent: label })),
    );
    if (usable.some(({ name }) => name === value)) this.family.value = value;
  }

  /**
   * Load the newest templates, or the next older ones in addition.
   * @param {boolean} older
   */
  async load(older = false) {
    const { client, t } = this.session;
    const request = ++this.lastRequest;
    try {
      const cursor = older ? this.nextCursor : null;
      const page = await withKey(client, t, () => this.templates.list(PAGE, cursor));
      if (request !== this.lastRequest) return;
      this.shown = older ? [...this.shown, ...page.templates] : page.templates;
      this.nextCursor = page.next_cursor;
      this.#draw();
    } catch (error) {
      if (request === this.lastRequest) setStatus(this.status, errorMessage(error, t), true);
    }
  }

  #draw() {
    const { t } = this.session;
    this.list.replaceChildren(...this.shown.map((template) => this.#item(template)));
    this.list.hidden = !this.shown.length;
    this.more.hidden = !this.nextCursor;
    setStatus(this.status, this.shown.length ? "" : t("no_templates"));
    this.listed(this.shown.map(({ name }) => name));
  }

  /** @param {Template} template */
  #item(template) {
    const { editor, t } = this.session;
    const { name, version, slots } = template;
    const filled = SLOTS.filter((slot) => slots[slot]?.length).map((slot) => t(`slot_${slot}`));
    /**
     * @param {string} label
     * @param {() => void} run
     */
    const action = (label, run) => button(label, run, { "aria-label": t("template_action", { action: label, name }) });
    return make(
      "li",
      {},
      make("strong", { textContent: name }),
      make("span", {
        className: "avatarforge-line",
        textContent: [t("template_version", { version }), filled.join(t("list_separator"))].filter(Boolean).join(" · "),
      }),
      make(
        "div",
        { className: "avatarforge-row" },
        action(t("use_template"), () => this.choose(name)),
        editor ? action(t("open_graph"), () => void this.#open(template)) : null,
        action(t("download"), () => void this.#download(template)),
        action(t("delete"), () => void this.#delete(template)),
      ),
    );
  }

  /** @param {Template} template */
  #open({ template_id: id }) {
    return this.#attempt(async () => this.session.editor?.openTemplate(await this.#document(this.templates.exportText(id))));
  }

  /** @param {Template} template */
  #download({ template_id: id, name }) {
    return this.#attempt(async () => saveFile(await this.templates.exportText(id), name));
  }

  #startFromFamily() {
    const family = this.family.value;
    return this.#attempt(async () => {
      const text = this.templates.builtinText(family);
      if (this.session.editor) this.session.editor.openTemplate(await this.#document(text));
      else saveFile(await text, family);
    });
  }

  /**
   * @param {Promise<string>} text
   * @returns {Promise<TemplateDocument>}
   */
  async #document(text) {
    return JSON.parse(await text);
  }

  /** @param {Template} template */
  #delete({ template_id: id, name }) {
    const { session } = this;
    const { t } = session;
    return this.#attempt(async () => {
      const text = await this.templates.exportText(id); // what Undo restores
      await this.templates.delete(id);
      await this.load();
      this.element.querySelector("summary")?.focus(); // the pressed button is gone
      session.notify(t("deleted", { name }), t("undo"), () => void this.#restore(text));
    });
  }

  /** @param {string} text */
  #restore(text) {
    return this.#attempt(async () => {
      await this.templates.importText(text);
      await this.load();
    });
  }

  #import() {
    const { session } = this;
    const file = this.file.files?.[0];
    this.file.value = ""; // the same file can be chosen again
    if (!file) return undefined;
    return this.#attempt(async () => {
      if (file.size > LARGEST_IMPORT) throw new Error(session.t("template_too_large"));
      const { name } = await this.templates.importText(await file.text());
      await this.load();
      session.notify(session.t("template_imported", { name }));
    });
  }

  /** @param {() => Promise<unknown>} work */
  async #attempt(work) {
    const { client, t } = this.session;
    setStatus(this.status, "");
    try {
      await withKey(client, t, work);
    } catch (error) {
      const own = error instanceof Error && error.constructor === Error;
      setStatus(this.status, own ? error.message : errorMessage(error, t), true);
    }
  }
}

/**
 * Let the browser save a JSON document.
 * @param {string} text
 * @param {string} name
 */
function saveFile(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  make("a", { href: url, download: `${name.replace(/[^\p{L}\p{N}._ -]/gu, "_")}.avatarforge.json` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
