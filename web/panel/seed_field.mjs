// The seed: random for each picture, or fixed; the field always says which.
import { button, make } from "../shared/elements.mjs";
import { Field } from "./fields.mjs";

/** @import { Translate } from "../shared/types.d.ts" */

/** @extends {Field<HTMLInputElement>} */
export class SeedField extends Field {
  /**
   * @param {string} label
   * @param {Translate} t
   */
  constructor(label, t) {
    const control = make("input", {
      type: "text",
      inputMode: "numeric",
      autocomplete: "off",
      placeholder: t("seed_auto"),
    });
    super(label, control, { hint: t("seed_hint") });
    this.t = t;
    this.last = ""; // the seed of the last picture
    this.toggle = button("", () => this.#toggle());
    control.after(this.toggle);
    control.addEventListener("input", () => this.refresh());
    this.refresh();
  }

  /**
   * Offer the seed of a picture that was just accepted.
   * @param {unknown} seed
   */
  offer(seed) {
    this.last = String(seed ?? "");
    this.refresh();
  }

  /** Fixed becomes random; random becomes the seed of the last picture. */
  #toggle() {
    this.value = this.control.value ? "" : this.last;
    this.control.dispatchEvent(new Event("input", { bubbles: true }));
    this.control.focus();
  }

  /** @override */
  refresh() {
    const { last, t } = this;
    const isFixed = Boolean(this.control.value.trim());
    if (this.hint) this.hint.textContent = isFixed ? t("seed_fixed") : t("seed_hint");
    this.element.classList.toggle("avatarforge-fixed", isFixed);
    this.toggle.hidden = !isFixed && !last;
    this.toggle.textContent = isFixed ? t("seed_make_random") : t("seed_use_last", { seed: last });
  }
}
