// How well a picture matches what was asked for, below it: each score with how it was measured as its title.
import { make } from "../shared/elements.mjs";

/** @import { Judgement, Scores, Translate } from "../shared/types.d.ts" */
/** @import { Picture } from "./pictures.mjs" */

const NAMES = /** @type {const} */ (["pose", "view", "palette", "identity", "clean"]);
/** Below these a number is marked: it is worth a look. */
const LOW = { pose: 0.8, palette: 70 };

/** @type {Record<"right" | "wrong" | "unsure", (t: Translate) => string>} */
const VIEWS = {
  right: (t) => t("score_view_right"),
  wrong: (t) => t("score_view_wrong"),
  unsure: (t) => t("score_view_unsure"),
};

/**
 * @param {Picture} picture
 * @param {Translate} t
 * @returns {HTMLElement | null} null if it was not judged, or is an earlier take
 */
export function scoreList({ generation, output, number }, t) {
  const { scores } = output;
  if (!scores) return null;
  const judgement = generation.judgements.find(({ position }) => position === number);
  const items = NAMES.filter((name) => scores[name] !== null).map((name) => {
    const text = scoreText(name, scores, t);
    const item = make("li", { textContent: text, title: howMeasured(judgement, name) });
    if (isLow(name, scores)) item.className = "avatarforge-low";
    return item;
  });
  if (!items.length) return null;
  return make("ul", { className: "avatarforge-scores", "aria-label": t("scores") }, ...items);
}

/**
 * @param {keyof Scores} name
 * @param {Scores} scores
 * @param {Translate} t
 */
function scoreText(name, scores, t) {
  if (name === "view") return VIEWS[scores.view ?? "unsure"](t);
  if (name === "clean") return scores.clean ? t("score_clean") : t("score_not_clean");
  const value = scores[name] ?? 0;
  const percent = Math.round(name === "pose" ? 100 * value : value);
  if (name === "pose") return t("score_pose", { n: percent });
  return name === "palette" ? t("score_palette", { n: percent }) : t("score_identity", { n: percent });
}

/**
 * @param {keyof Scores} name
 * @param {Scores} scores
 */
function isLow(name, scores) {
  if (name === "view") return scores.view === "wrong";
  if (name === "clean") return scores.clean === false;
  return name !== "identity" && (scores[name] ?? 0) < LOW[name];
}

/**
 * @param {Judgement | undefined} judgement
 * @param {keyof Scores} name
 */
function howMeasured(judgement, name) {
  const { method, model } = judgement?.[name] ?? {};
  return [method, model].filter(Boolean).join(", ");
}
