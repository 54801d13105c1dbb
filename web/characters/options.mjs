// What can be chosen for a picture of a character, as tiles.
import { drawSkeleton } from "../panel/skeletons.mjs";
import { viewName } from "../panel/labels.mjs";
import * as labels from "../poses/labels.mjs";

/** @import { Character, LibraryPose, Translate } from "../shared/types.d.ts" */
/** @import { Labels } from "../panel/labels.mjs" */
/** @import { Choice } from "./choices.mjs" */

/** Eight directions, an eighth of a turn apart, beginning with the front. */
export const DIRECTIONS = [
  "front",
  "quarter_left",
  "left",
  "back_left",
  "back",
  "back_right",
  "right",
  "quarter_right",
];

/**
 * The names of the built-in expressions in the user's language. The server lists which there are.
 * @type {Labels}
 */
const EXPRESSIONS = {
  neutral: (t) => t("expression_neutral"),
  happy: (t) => t("expression_happy"),
  sad: (t) => t("expression_sad"),
  angry: (t) => t("expression_angry"),
  surprised: (t) => t("expression_surprised"),
  afraid: (t) => t("expression_afraid"),
  disgusted: (t) => t("expression_disgusted"),
  embarrassed: (t) => t("expression_embarrassed"),
};

/**
 * @param {string | null} name null for none in particular
 * @param {Translate} t
 */
export const expressionName = (name, t) => (name ? (EXPRESSIONS[name]?.(t) ?? name) : t("any_expression"));

/**
 * @param {string | null} name null for the usual clothing
 * @param {Translate} t
 */
export const outfitName = (name, t) => name ?? t("usual_outfit");

/**
 * The name of a pose of the library.
 * @param {string | null} id null for the usual stance
 * @param {LibraryPose[]} poses
 * @param {Translate} t
 */
export function poseName(id, poses, t) {
  if (!id) return t("usual_pose");
  const pose = poses.find(({ pose_id, name }) => pose_id === id || name === id);
  return pose ? labels.poseName(pose, t) : id;
}

/**
 * The poses of the library, after the usual one.
 * @param {LibraryPose[]} poses
 * @param {Translate} t
 * @returns {Choice[]}
 */
export function poseChoices(poses, t) {
  const tiles = poses.map((pose) => ({
    value: pose.pose_id,
    text: labels.poseName(pose, t),
    title: labels.poseDescription(pose, t),
    drawing: drawSkeleton(pose.skeleton),
  }));
  const any = poses.find(({ built_in: builtIn }) => builtIn);
  return [{ value: "", text: t("usual_pose"), drawing: any ? drawSkeleton(any.skeleton, true) : null }, ...tiles];
}

/**
 * The usual clothing and the outfits of a character.
 * @param {Character} character
 * @param {Translate} t
 * @returns {Choice[]}
 */
export function outfitChoices({ clothing, outfits }, t) {
  const named = outfits.map(({ name, words, file_id: fileId }) => ({ value: name, text: name, title: words, fileId }));
  return [{ value: "", text: t("usual_outfit"), title: clothing ?? "" }, ...named];
}

/**
 * No expression in particular, those of a character, and the built-in ones.
 * @param {Character} character
 * @param {string[]} builtInNames
 * @param {Translate} t
 * @returns {Choice[]}
 */
export function expressionChoices({ expressions }, builtInNames, t) {
  const own = expressions.map(({ name, words }) => ({ value: name, text: name, title: words }));
  const builtIn = builtInNames.map((name) => ({ value: name, text: expressionName(name, t) }));
  return [{ value: "", text: t("any_expression") }, ...own, ...builtIn];
}

/**
 * @param {Translate} t
 * @returns {Choice[]}
 */
export const viewChoices = (t) => DIRECTIONS.map((view) => ({ value: view, text: viewName(view, t) }));

/**
 * Every combination of one value of each list, the last list varying fastest.
 * @template T
 * @param {T[][]} lists
 * @returns {T[][]}
 */
export function product(lists) {
  return lists.reduce(
    (combinations, list) => combinations.flatMap((start) => list.map((value) => [...start, value])),
    /** @type {T[][]} */ ([[]]),
  );
}
