// Small drawings for buttons that have no room for words. The buttons have a label beside them.
import { makeSvg } from "../panel/skeletons.mjs";

/** Paths in a square of 16. */
const PATHS = {
  again: "M13.2 9A5.4 5.4 0 1 1 11.9 4.2L13.5 5.8M13.5 2.4V5.8H10.1",
  download: "M8 2V10M4.5 6.8L8 10.3L11.5 6.8M3 13.5H13",
};

/** @param {keyof typeof PATHS} name */
export function drawIcon(name) {
  return makeSvg(
    "svg",
    { class: "avatarforge-icon", viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" },
    makeSvg("path", { d: PATHS[name] }),
  );
}
