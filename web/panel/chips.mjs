// Chips: the advanced settings that differ from their defaults, each with a button that resets it.
import { button, make } from "../shared/elements.mjs";

/** @import { Translate } from "../shared/types.d.ts" */

/**
 * @typedef {object} Chip
 * @property {string} label
 * @property {string} value
 * @property {() => void} reset
 * @property {(() => void) | null} show moves the focus to the setting; null if the form has no field for it
 */

export class Chips {
  /**
   * @param {Translate} t
   * @param {() => void} leave takes the focus after the last chip is gone
   */
  constructor(t, leave) {
    this.t = t;
    this.leave = leave;
    this.shown = ""; // the texts of the chips
    this.element = make("ul", { className: "avatarforge-chips", "aria-label": t("changed_settings"), hidden: true });
  }

  /** @param {Chip[]} chips */
  update(chips) {
    const shown = JSON.stringify(chips.map(({ label, value }) => [label, value]));
    if (shown === this.shown) return; // typing elsewhere must not rebuild them
    this.shown = shown;
    const items = [...this.element.children];
    const focused = items.findIndex((item) => item.contains(document.activeElement));
    this.element.replaceChildren(...chips.map((chip) => this.#item(chip)));
    this.element.hidden = !chips.length;
    if (focused < 0) return;
    if (!chips.length) this.leave();
    else /** @type {HTMLElement} */ (this.element.children[Math.min(focused, chips.length - 1)].lastChild).focus();
  }

  /** @param {Chip} chip */
  #item({ label, value, reset, show }) {
    const text = this.t("setting_is", { name: label, value });
    // Texts instead of aria-label, which would name the button like the field.
    return make(
      "li",
      { className: "avatarforge-chip" },
      show
        ? button(text, show, { className: "avatarforge-chip-name", title: text })
        : make("span", { className: "avatarforge-chip-name", textContent: text, title: text }),
      make(
        "button",
        { type: "button", className: "avatarforge-chip-reset", onclick: reset, title: this.t("reset_one") },
        make("span", { textContent: "×", "aria-hidden": "true" }),
        make("span", { className: "avatarforge-unseen", textContent: `${this.t("reset_one")}: ${label}` }),
      ),
    );
  }
}
