// A dialog in which the user searches a list and chooses one of its items.
import { button, make, setStatus } from "../shared/elements.mjs";
import { showModal } from "../shared/modal.mjs";

/** @import { Translate } from "../shared/types.d.ts" */

/**
 * @typedef {object} Choice
 * @property {string} value
 * @property {string} title
 * @property {string} [detail] a second line
 * @property {string} [problem] why it cannot be chosen
 */

/**
 * Let the user choose.
 * @param {object} options
 * @param {Translate} options.t
 * @param {string} options.title
 * @param {Choice[]} options.choices
 * @param {string} [options.chosen] the value that is chosen now
 * @param {string} options.empty shown if there is no choice
 * @param {(() => void) | null} [options.clear] empties the list
 * @returns {Promise<string | null>} null if the dialog was cancelled
 */
export async function chooseFrom({ t, title, choices, chosen = "", empty, clear = null }) {
  /** @type {string | null} */
  let result = null;
  const dialog = make("dialog", { className: "avatarforge-dialog avatarforge-choose", "aria-label": title });
  const search = make("input", {
    type: "search",
    className: "avatarforge-key",
    autocomplete: "off",
    placeholder: t("search"),
    "aria-label": t("search"),
    hidden: choices.length < 2,
  });
  const status = make("p", { className: "avatarforge-status", role: "status" });
  const buttons = choices.map((choice) => {
    const item = makeOption(choice, choice.value === chosen);
    item.addEventListener("click", () => {
      if (item.getAttribute("aria-disabled") === "true") return;
      result = choice.value;
      dialog.close();
    });
    return item;
  });
  const items = buttons.map((item) => make("li", {}, item));
  const texts = choices.map(({ title: name, detail = "" }) => `${name}\n${detail}`.toLowerCase());
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/);
    items.forEach((item, index) => (item.hidden = !words.every((word) => texts[index].includes(word))));
    const found = items.filter((item) => !item.hidden).length;
    setStatus(status, choices.length ? t("found", { n: found }) : empty);
  };
  search.addEventListener("input", filter);
  dialog.append(
    make("h2", { textContent: title }),
    search,
    make("ul", { className: "avatarforge-options", "aria-label": title }, ...items),
    status,
    make(
      "div",
      { className: "avatarforge-row" },
      clear && choices.length
        ? button(t("forget_all"), () => {
            clear();
            dialog.close();
          })
        : null,
      button(t("cancel"), () => dialog.close()),
    ),
  );
  dialog.addEventListener("keydown", (event) => {
    const shown = buttons.filter((_, index) => !items[index].hidden);
    const target = nextOption(event, shown, search);
    if (target === undefined) return;
    event.preventDefault();
    target.focus();
  });
  const closed = showModal(dialog);
  filter();
  dialog.style.minHeight = `${dialog.offsetHeight}px`; // a search does not make it jump
  if (search.hidden) buttons[0]?.focus();
  else search.focus();
  buttons[choices.findIndex(({ value }) => value === chosen)]?.scrollIntoView({ block: "nearest" });
  await closed;
  return result;
}

/**
 * @param {Choice} choice
 * @param {boolean} pressed
 */
function makeOption({ title, detail, problem }, pressed) {
  return make(
    "button",
    {
      type: "button",
      className: "avatarforge-option",
      "aria-pressed": String(pressed),
      ...(problem ? { "aria-disabled": "true" } : {}),
    },
    make("b", { textContent: title }),
    detail ? make("span", { textContent: detail }) : null,
    problem ? make("span", { className: "avatarforge-option-problem", textContent: problem }) : null,
  );
}

/**
 * The option that an arrow key leads to, from the search field or from another option.
 * @param {KeyboardEvent} event
 * @param {HTMLButtonElement[]} options those that are shown
 * @param {HTMLInputElement} search
 * @returns {HTMLElement | undefined}
 */
function nextOption({ key }, options, search) {
  const current = options.findIndex((item) => item === document.activeElement);
  if (key === "ArrowDown" && (current >= 0 || document.activeElement === search)) return options[current + 1];
  if (key === "ArrowUp" && current >= 0) return options[current - 1] ?? (search.hidden ? undefined : search);
  if (key === "Enter" && document.activeElement === search && search.value) return options[0];
  return undefined;
}
