// The form's alert: what is wrong with the request, and questions about it. It goes when its cause goes.
import { button, make } from "../shared/elements.mjs";
import { ApiError, errorMessage, problemMessage } from "../shared/errors.mjs";

/** @import { Translate } from "../shared/types.d.ts" */
/** @typedef {{ showError(text: string): void, clearError(): void, focus(): void }} Place shows a problem of the request */
/** @typedef {{ place: Place | null, text: string | null }} Finding `text` is null if the place already shows it */

export class FormAlert {
  /** @param {Translate} t */
  constructor(t) {
    this.t = t;
    /** @type {Set<Place>} */
    this.marked = new Set(); // the places that show a problem
    this.isUnreachable = false; // whether it says that the server did not respond
    this.element = make("div", { className: "avatarforge-alert", role: "alert", hidden: true });
  }

  /** Remove the alert and every mark. */
  clear() {
    for (const place of this.marked) place.clearError();
    this.marked.clear();
    this.#show("");
  }

  /**
   * The user has changed something at this place: its problem is no longer known to exist.
   * @param {Place | null | undefined} place
   */
  changed(place) {
    if (place && this.marked.delete(place)) place.clearError();
    if (!this.marked.size) this.#show("");
  }

  /** The server responds again. */
  reconnected() {
    if (this.isUnreachable) this.#show("");
  }

  /**
   * Mark the places, and move the focus to the first.
   * @param {Finding[]} findings
   */
  mark(findings) {
    const rest = [];
    for (const { place, text } of findings) {
      if (place) this.marked.add(place);
      if (text === null) continue;
      if (place) place.showError(text);
      else rest.push(text);
    }
    this.#show([this.t("check_fields"), ...rest].join(" "));
    findings.find(({ place }) => place)?.place?.focus();
  }

  /**
   * @param {unknown} error
   * @param {(loc: (string | number)[]) => Place | null} placeOf the place of a field in the request
   */
  showError(error, placeOf) {
    const { t } = this;
    if (!(error instanceof ApiError) || !error.problems.length) {
      this.#show(errorMessage(error, t));
      // An error without a code is not ours, but of a proxy before a server that does not respond.
      this.isUnreachable = !(error instanceof ApiError && error.code);
      return;
    }
    const { problems } = error;
    this.mark(problems.map((problem) => ({ place: placeOf(problem.loc), text: problemMessage(error, problem, t) })));
  }

  /**
   * Ask the user, and move the focus to the first answer.
   * @param {string} text
   * @param {[label: string, run: () => void][]} answers
   */
  ask(text, answers) {
    const buttons = answers.map(([label, run]) =>
      button(label, () => {
        this.#show("");
        run();
      }),
    );
    this.#show(text, make("div", { className: "avatarforge-row" }, ...buttons));
    this.element.classList.add("avatarforge-question");
    buttons[0]?.focus();
  }

  /**
   * @param {string} text "" for none
   * @param {HTMLElement[]} answers
   */
  #show(text, ...answers) {
    this.isUnreachable = false;
    this.element.classList.remove("avatarforge-question");
    this.element.replaceChildren(text, ...answers);
    this.element.hidden = !text;
  }
}
