// The offer of a first picture when no model is installed: a knight, drawn as a paper doll.
import { button, make } from "../shared/elements.mjs";

/** @import { Translate } from "../shared/types.d.ts" */

/** The prompt, if the user has not entered another. The paper doll reads English words in every language. */
export const KNIGHT = "female knight, silver armor, red cape";

export class FirstStart {
  /**
   * @param {Translate} t
   * @param {() => void} accept
   */
  constructor(t, accept) {
    const heading = make("h2", { className: "avatarforge-heading", textContent: t("first_start") });
    this.element = make(
      "section",
      { className: "avatarforge-first-start", "aria-label": t("first_start"), hidden: true },
      heading,
      make("p", { textContent: t("first_start_hint") }),
      button(t("try_without_model"), accept, { className: "avatarforge-button avatarforge-main" }),
    );
  }
}
