// A group of the page of a character, which the user opens. Its title can say how many entries it has.
import { make } from "../shared/elements.mjs";

/**
 * @param {string} title
 * @param {HTMLElement[]} children
 */
export function section(title, ...children) {
  return make(
    "details",
    { className: "avatarforge-character-section" },
    make("summary", {}, title, " ", make("span", { className: "avatarforge-count" })),
    ...children,
  );
}

/**
 * @param {HTMLElement} group from `section`
 * @param {number} count
 */
export function showCount(group, count) {
  const place = group.querySelector(".avatarforge-count");
  if (place) place.textContent = count ? String(count) : "";
}

/**
 * Open the group around an element, and focus a place in it.
 * @param {HTMLElement} element
 * @param {{ focus(): void }} place
 */
export function focusIn(element, place) {
  const group = element.closest("details");
  if (group) group.open = true;
  place.focus();
}
