// The panel's list of installed models, where the user says what a file is that its header and name do not tell.
import { withKey } from "../shared/api_key.mjs";
import { make, setStatus } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { selectField } from "./fields.mjs";

/** @import { ModelFamily, ModelFileInfo, ModelOverride } from "../shared/types.d.ts" */
/** @import { Session } from "./session.mjs" */

export class ModelList {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {() => void} options.changed what the server can do may be another thing now
   */
  constructor({ session, changed }) {
    const { t } = session;
    this.session = session;
    this.changed = changed;
    /** @type {ModelFamily[]} */
    this.families = [];
    this.list = make("ul", { className: "avatarforge-templates-list", "aria-label": t("models") });
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.element = make(
      "details",
      { className: "avatarforge-models" },
      make("summary", { textContent: t("models") }),
      make("p", { className: "avatarforge-hint", textContent: t("models_hint") }),
      this.list,
      this.status,
    );
    this.element.addEventListener("toggle", () => {
      if (this.element.open) void this.load();
    });
  }

  async load() {
    const { client, t } = this.session;
    try {
      const found = await withKey(client, t, () => client.listModels());
      this.families = found.families;
      this.list.replaceChildren(...found.models.map((model) => this.#item(model)));
      this.list.hidden = !found.models.length;
      setStatus(this.status, found.models.length ? "" : t("no_models"));
    } catch (error) {
      setStatus(this.status, errorMessage(error, t), true);
    }
  }

  /** @param {ModelFileInfo} model */
  #item(model) {
    const { t } = this.session;
    const { folder, name, family, family_label: label, override } = model;
    const decided = {
      header: t("told_by_header"),
      name: t("told_by_name"),
      override: t("told_by_override"),
    };
    const variants = this.families.find((item) => item.name === family)?.variants ?? [];
    const familyField = selectField(
      t("family"),
      t("automatic"),
      this.families.map((item) => [item.name, item.label]),
    );
    const variantField = selectField(
      t("variant"),
      t("automatic"),
      variants.map((item) => [item.name, item.label]),
    );
    familyField.value = override?.family;
    variantField.value = override?.variant;
    variantField.element.hidden = !variants.length;
    const variant = variants.find((item) => item.name === model.variant);
    const item = make(
      "li",
      {},
      make("strong", { textContent: `${folder}/${name}` }),
      make("span", {
        className: "avatarforge-line",
        textContent: [
          `${label ?? t("unknown_family")} (${decided[model.told_by]})`,
          variant ? `${variant.label} (${decided[model.variant_told_by]})` : "",
          model.problem ? t("model_problem", { problem: model.problem }) : "",
        ]
          .filter(Boolean)
          .join(" · "),
      }),
      make("div", { className: "avatarforge-fields" }, familyField.element, variantField.element),
    );
    for (const [field, action] of /** @type {const} */ ([
      [familyField, t("family")],
      [variantField, t("variant")],
    ]))
      field.control.setAttribute("aria-label", t("template_action", { action, name }));
    familyField.control.addEventListener("change", () => {
      // The variants of one family are not those of another.
      void this.#store(item, model, { ...override, family: familyField.value || null, variant: null }, 0);
    });
    variantField.control.addEventListener("change", () => {
      void this.#store(item, model, { ...override, variant: variantField.value || null }, 1);
    });
    return item;
  }

  /**
   * @param {HTMLElement} item
   * @param {ModelFileInfo} model
   * @param {Partial<ModelOverride>} override
   * @param {number} focused the number of the changed select
   */
  async #store(item, model, override, focused) {
    const { client, t } = this.session;
    try {
      const stored = await withKey(client, t, () => client.updateOverride(model, override));
      const changed = this.#item(stored);
      item.replaceWith(changed);
      changed.querySelectorAll("select")[focused]?.focus();
      setStatus(this.status, t("model_stored", { name: model.name }));
      this.changed();
    } catch (error) {
      setStatus(this.status, errorMessage(error, t), true);
      item.replaceWith(this.#item(model));
    }
  }
}
