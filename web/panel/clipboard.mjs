import { make } from "../shared/elements.mjs";

/**
 * Copy a text to the clipboard. On pages over plain http only the deprecated execCommand works, which needs a text
 * field in the page.
 * @param {string} text
 * @param {HTMLElement} parent gets the text field for a moment
 * @returns whether the browser allowed it
 */
export async function copyText(text, parent) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", { value: text, readOnly: true });
    parent.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}
