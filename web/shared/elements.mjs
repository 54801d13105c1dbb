// Creates elements. Texts become text nodes, never markup, because file names are untrusted.

/**
 * The properties of an element. Names with a dash, and `role`, become attributes.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @typedef {Partial<HTMLElementTagNameMap[Tag]> & { [attribute: `${string}-${string}`]: string; role?: string }}
 *   Properties
 */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Properties<Tag>} properties
 * @param {(Node | string | null)[]} children null is skipped
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties = /** @type {Properties<Tag>} */ ({}), ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, String(value));
    else Object.assign(element, { [name]: value });
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/**
 * @param {string} label
 * @param {() => void} onclick
 * @param {Properties<"button">} properties
 */
export function button(label, onclick, properties = {}) {
  return make("button", { type: "button", className: "avatarforge-button", textContent: label, onclick, ...properties });
}

/**
 * Show a message in a status line.
 * @param {HTMLElement} element
 * @param {string} text
 * @param {boolean} failed whether it is an error
 */
export function setStatus(element, text, failed = false) {
  element.textContent = text;
  element.classList.toggle("avatarforge-error", failed);
}

/**
 * Whether a drop or a paste contains files.
 * @param {DataTransfer | null} transfer
 */
export const hasFiles = (transfer) => transfer !== null && transfer.types.includes("Files");

/**
 * The button that an arrow key, Home or End leads to in a grid of buttons; undefined for other keys and at the
 * edges. The grid is one stop for Tab: only the button with the focus has tabIndex 0.
 * @param {KeyboardEvent} event
 * @param {HTMLButtonElement[]} buttons
 */
export function gridTarget(event, buttons) {
  const current = buttons.findIndex((item) => item === document.activeElement);
  if (current < 0) return undefined;
  const columns = Math.max(1, buttons.filter((item) => item.offsetTop === buttons[0].offsetTop).length);
  /** @type {Record<string, number>} */
  const targets = {
    ArrowLeft: current - 1,
    ArrowRight: current + 1,
    ArrowUp: current - columns,
    ArrowDown: current + columns,
    Home: 0,
    End: buttons.length - 1,
  };
  if (!(event.key in targets)) return undefined;
  event.preventDefault();
  event.stopPropagation(); // keep it from the editor's shortcuts
  return buttons[targets[event.key]];
}
