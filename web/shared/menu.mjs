// A button that opens a menu.
import { button, make } from "./elements.mjs";

/** @typedef {{ label: string, run: () => void, name?: string }} MenuEntry `name` finds the entry again */

const MARGIN = 8; // pixels between the menu and the edges of the window

/**
 * The entries are asked for each time the menu opens.
 * @param {string} label
 * @param {() => MenuEntry[]} entries
 * @param {Parameters<typeof button>[2]} properties of the button
 */
export function menuButton(label, entries, properties = {}) {
  // A popover lies above everything, so no scrolled container cuts it off.
  const menu = make("div", { className: "avatarforge-menu", role: "menu", popover: "auto", "aria-label": label });
  const opener = button(label, () => {}, { "aria-haspopup": "menu", "aria-expanded": "false", ...properties });
  // Not by a click handler: the browser closes the menu when something beside it is pressed, and that would open it again.
  opener.popoverTargetElement = menu;
  menu.addEventListener("beforetoggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== "open") return;
    const items = entries().map(({ label: text, run, name = "" }) =>
      make("button", {
        type: "button",
        role: "menuitem",
        tabIndex: -1,
        textContent: text,
        "data-act": name,
        onclick: () => {
          menu.hidePopover(); // gives the focus back, so it must come before what may move the focus
          run();
        },
      }),
    );
    menu.replaceChildren(...items);
    menu.style.visibility = "hidden"; // until it has its place
  });
  menu.addEventListener("toggle", (event) => {
    const open = /** @type {ToggleEvent} */ (event).newState === "open";
    opener.setAttribute("aria-expanded", String(open));
    if (!open) return;
    placeBelow(menu, opener);
    menu.style.visibility = "";
    menu.querySelector("button")?.focus();
  });
  menu.addEventListener("keydown", (event) => moveInMenu(event, menu));
  return make("span", { className: "avatarforge-menu-place" }, opener, menu);
}

/**
 * Below the button, or above it where there is more room.
 * @param {HTMLElement} menu
 * @param {HTMLElement} opener
 */
function placeBelow(menu, opener) {
  const from = opener.getBoundingClientRect();
  const below = innerHeight - from.bottom - MARGIN;
  const upwards = menu.offsetHeight > below && from.top > below;
  const room = upwards ? from.top - MARGIN : below;
  menu.style.maxHeight = `${Math.max(80, room)}px`;
  menu.style.left = `${Math.max(MARGIN, Math.min(from.left, innerWidth - menu.offsetWidth - MARGIN))}px`;
  menu.style.top = upwards ? `${Math.max(MARGIN, from.top - Math.min(menu.offsetHeight, room))}px` : `${from.bottom}px`;
}

/**
 * @param {KeyboardEvent} event
 * @param {HTMLElement} menu
 */
function moveInMenu(event, menu) {
  const items = [...menu.querySelectorAll("button")];
  const current = items.findIndex((item) => item === document.activeElement);
  /** @type {Record<string, number>} */
  const targets = { ArrowDown: current + 1, ArrowUp: current - 1, Home: 0, End: items.length - 1 };
  event.stopPropagation(); // keep it from the dialog and the editor below
  if (event.key === "Escape" || event.key === "Tab") {
    if (event.key === "Escape") event.preventDefault(); // else the dialog below closes, too
    menu.hidePopover();
  }
  if (!(event.key in targets)) return;
  event.preventDefault();
  items[(targets[event.key] + items.length) % items.length]?.focus();
}
