// The dialog that saves the editor's graph as a template: what was found in it, its name, and why it is refused.
import { withKey } from "../shared/api_key.mjs";
import { button, make, setStatus } from "../shared/elements.mjs";
import { errorMessage, statusOf } from "../shared/errors.mjs";
import { showModal } from "../shared/modal.mjs";
import { SLOTS } from "./marks.mjs";
import { TemplatesClient } from "./templates_client.mjs";

/** @import { ApiClient } from "../panel/client.mjs" */
/** @import { FoundSlot, MissingModel, MissingNode, Template, TemplateGraph, TemplateInspection } from "../shared/types.d.ts" */
/** @import { Translate } from "../shared/types.d.ts" */

const LONGEST_NAME = 100;
const CONFLICT = 409;

/**
 * @typedef {object} Options
 * @property {ApiClient} client
 * @property {Translate} t
 * @property {string} name suggested for the template
 * @property {() => Promise<TemplateGraph>} read converts the graph
 */

/**
 * Let the user save the graph.
 * @param {Options} options
 * @returns {Promise<Template | null>} null when nothing was saved
 */
export function saveTemplate(options) {
  return new SaveDialog(options).open();
}

class SaveDialog {
  /** @param {Options} options */
  constructor({ client, t, name, read }) {
    this.client = client;
    this.templates = new TemplatesClient(client);
    this.t = t;
    this.read = read;
    /** @type {TemplateGraph | null} */
    this.graph = null;
    /** @type {Template | null} */
    this.saved = null;
    /** @type {Template | null} */
    this.existing = null; // the template that has this name
    this.busy = false;
    const headingId = `avatarforge-${crypto.randomUUID?.() ?? Math.random()}`;
    this.input = make("input", {
      type: "text",
      className: "avatarforge-key",
      autocomplete: "off",
      required: true,
      maxLength: LONGEST_NAME,
      value: name.slice(0, LONGEST_NAME),
    });
    this.input.addEventListener("input", () => this.#setExisting(null));
    this.found = make("div", { className: "avatarforge-found", tabIndex: 0, role: "group" });
    this.found.setAttribute("aria-label", t("template_found"));
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.alert = make("p", { className: "avatarforge-status avatarforge-error", role: "alert" });
    this.save = make("button", { type: "submit", className: "avatarforge-button", textContent: t("template_save") });
    this.retry = button(t("retry"), () => void this.#inspect(), { hidden: true });
    const form = make(
      "form",
      { className: "avatarforge-form avatarforge-save", noValidate: true },
      make("label", {}, make("span", { textContent: t("template_name") }), this.input),
      this.found,
      this.status,
      this.alert,
      make(
        "div",
        { className: "avatarforge-row" },
        this.retry,
        this.save,
        button(t("cancel"), () => this.dialog.close()),
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
    this.dialog = make(
      "dialog",
      { className: "avatarforge-dialog avatarforge-template" },
      make("h2", { id: headingId, textContent: t("template_title") }),
      form,
    );
    this.dialog.setAttribute("aria-labelledby", headingId);
  }

  /** @returns {Promise<Template | null>} */
  async open() {
    const closed = showModal(this.dialog);
    this.input.focus();
    this.input.select();
    void this.#inspect();
    await closed;
    return this.saved;
  }

  async #inspect() {
    const { t } = this;
    this.retry.hidden = true;
    this.#setBusy(true);
    setStatus(this.alert, "", true);
    setStatus(this.status, t("template_checking"));
    try {
      const graph = await this.read();
      this.graph = graph;
      const { unused: _, ...body } = graph;
      const inspection = await withKey(this.client, t, () => this.templates.inspect(body));
      this.#show(inspection, graph.unused);
    } catch (error) {
      setStatus(this.alert, this.#reason(error), true);
      this.retry.hidden = false;
    } finally {
      setStatus(this.status, "");
      this.#setBusy(false);
    }
  }

  async #submit() {
    const { t } = this;
    const name = this.input.value.trim();
    if (this.busy || !this.graph) return;
    if (!name) {
      setStatus(this.alert, t("template_name_missing"), true);
      this.input.focus();
      return;
    }
    const { unused: _, ...graph } = this.graph;
    this.#setBusy(true);
    setStatus(this.alert, "", true);
    try {
      const body = { ...graph, name };
      const { existing } = this;
      this.saved = await withKey(this.client, t, () =>
        existing ? this.templates.replace(existing.template_id, body) : this.templates.create(body),
      );
      this.dialog.close();
    } catch (error) {
      if (statusOf(error) === CONFLICT && !this.existing) await this.#offerToReplace(name, error);
      else setStatus(this.alert, this.#reason(error), true);
    } finally {
      this.#setBusy(false);
    }
  }

  /**
   * The name is taken: the next press of the button saves a new version of that template.
   * @param {string} name
   * @param {unknown} conflict
   */
  async #offerToReplace(name, conflict) {
    const { t } = this;
    try {
      this.#setExisting(await this.templates.get(name));
      setStatus(this.alert, t("template_exists", { name }), true);
    } catch {
      setStatus(this.alert, this.#reason(conflict), true);
    }
  }

  /** @param {Template | null} existing */
  #setExisting(existing) {
    this.existing = existing;
    this.save.textContent = existing ? this.t("template_replace") : this.t("template_save");
    setStatus(this.alert, "", true);
  }

  /**
   * @param {TemplateInspection} inspection
   * @param {string[]} unused titles of marked nodes that are not in the prompt
   */
  #show({ slots, missing_nodes: nodes, missing_models: models, problems }, unused) {
    const { t } = this;
    const found = SLOTS.flatMap((slot) => (slots[slot] ?? []).map((place) => this.#slotLine(slot, place)));
    const wrong = [...problems, ...unused.map((title) => t("template_mark_unused", { title }))];
    this.found.replaceChildren(
      make("h3", { textContent: t("template_slots") }),
      found.length ? make("ul", {}, ...found) : make("p", { textContent: t("template_no_slots") }),
      ...this.#section(t("template_missing_nodes"), nodes.map(missingNodeText)),
      ...this.#section(t("template_missing_models"), models.map(missingModelText)),
      ...this.#section(t("template_problems"), wrong),
    );
  }

  /**
   * @param {(typeof SLOTS)[number]} slot
   * @param {FoundSlot} place
   */
  #slotLine(slot, { node, title, class_type: type, input, source }) {
    const { t } = this;
    const where = [title || type, input].filter(Boolean).join(" · ");
    /** @type {Record<FoundSlot["source"], string>} */
    const sources = {
      request: t("slot_from_mark"),
      title: t("slot_from_title"),
      app: t("slot_from_app"),
      node: t("slot_from_node"),
      link: t("slot_from_link"),
    };
    return make(
      "li",
      { title: `${type} (${node})` },
      make("strong", { textContent: t(`slot_${slot}`) }),
      make("span", { textContent: where }),
      make("small", { textContent: sources[source] }),
    );
  }

  /**
   * @param {string} heading
   * @param {string[]} lines
   */
  #section(heading, lines) {
    if (!lines.length) return [];
    const items = lines.map((textContent) => make("li", { textContent }));
    return [make("h3", { className: "avatarforge-error", textContent: heading }), make("ul", {}, ...items)];
  }

  /** @param {unknown} error */
  #reason(error) {
    // What is no answer of the server is the frontend's own failure to convert the graph.
    if (statusOf(error) === undefined && error instanceof Error)
      return this.t("template_not_converted", { reason: error.message });
    return errorMessage(error, this.t);
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.busy = busy;
    this.save.setAttribute("aria-disabled", String(busy || !this.graph));
    this.dialog.setAttribute("aria-busy", String(busy));
  }
}

/** @param {MissingNode} node */
function missingNodeText({ class_type: type, title }) {
  return title && title !== type ? `${type} (${title})` : type;
}

/** @param {MissingModel} model */
function missingModelText({ value, title, class_type: type }) {
  return `${value} (${title || type})`;
}
