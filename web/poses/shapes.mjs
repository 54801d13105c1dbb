// The shapes that the pose editor adds to a figure: a joint, a hand or a face that it lacks. Pure, like figure.mjs.
// Proportions are those of the built-in poses (forge/pictures/body.py, library/hands.py and library/face.py).
import { EYES, HANDS, LIMBS, NECK, NOSE, PARENTS, distance } from "./figure.mjs";

/** @import { Figure, HandName, Part, PartName, Point } from "./figure.mjs" */

/**
 * A standing person in statures, seen from the front, the neck at 0, 0.
 * @type {Point[]}
 */
const STANDING = [
  [0, -0.09],
  [0, 0],
  [-0.104, 0],
  [-0.13, 0.184],
  [-0.145, 0.329],
  [0.104, 0],
  [0.13, 0.184],
  [0.145, 0.329],
  [-0.057, 0.288],
  [-0.06, 0.533],
  [-0.063, 0.779],
  [0.057, 0.288],
  [0.06, 0.533],
  [0.063, 0.779],
  [-0.018, -0.118],
  [0.018, -0.118],
  [-0.041, -0.108],
  [0.041, -0.108],
];
const UNKNOWN_STATURE = 0.85; // of the canvas, for a figure without any limb
const HAND = 0.108; // statures
const EYE_DISTANCE = 0.036; // statures
const NARROWEST_FACE = 0.35; // of its usual width: a head seen from the side
const SIDE_OF_THUMB = { left_hand: 1, right_hand: -1 };

// A slightly bent hand in hand lengths: along the fingers, and to the thumb's side.
const THUMB = [
  [0.18, 0.2],
  [0.33, 0.33],
  [0.51, 0.41],
  [0.7, 0.46],
];
const FINGERS = [
  { aside: 0.2, share: 0.92 },
  { aside: 0.065, share: 1 },
  { aside: -0.074, share: 0.94 },
  { aside: -0.194, share: 0.78 },
];
const KNUCKLES = [0.5, 0.71, 0.85, 0.95];

/** @returns {number[][]} the 21 points, in OpenPose's order: the wrist, then four of each finger from the thumb on */
function handShape() {
  const fingers = FINGERS.flatMap(({ aside, share }) =>
    KNUCKLES.map((ahead) => [KNUCKLES[0] + (ahead - KNUCKLES[0]) * share, aside * (1 + (ahead - KNUCKLES[0]) * 0.3)]),
  );
  return [[0, 0], ...THUMB, ...fingers];
}

/** @returns {number[][]} the 70 points in statures, from the nose: to the person's left, and up */
function faceShape() {
  const outline = Array.from({ length: 17 }, (_, at) => {
    const part = (at - 8) / 8; // -1 at the right ear, 0 at the chin
    return [0.043 * Math.sin((part * Math.PI) / 2), 0.062 * Math.abs(part) ** 2.2 - 0.038];
  });
  const brow = [[-0.033, 0.036], [-0.028, 0.041], [-0.022, 0.043], [-0.015, 0.042], [-0.009, 0.039]];
  const otherBrow = brow.map(([x, y]) => [-x, y]).reverse();
  const bridge = [0.028, 0.0187, 0.0093, 0].map((up) => [0, up]);
  const nostrils = [[-0.012, -0.004], [-0.006, -0.006], [0, -0.007], [0.006, -0.006], [0.012, -0.004]];
  const lids = [[-0.009, 0], [-0.003, 0.004], [0.003, 0.004], [0.009, 0], [0.003, -0.003], [-0.003, -0.003]];
  const eye = (/** @type {number} */ side) => lids.map(([x, y]) => [side * (EYE_DISTANCE / 2) + x, 0.028 + y]);
  const upper = lip(0.016, [0, 0.004, 0.006, 0.005, 0.006, 0.004, 0]);
  const lower = lip(0.016, [0, -0.004, -0.006, -0.007, -0.006, -0.004, 0]);
  const innerUpper = lip(0.013, [0, 0.001, 0.001, 0.001, 0]);
  const innerLower = lip(0.013, [0, -0.001, -0.001, -0.001, 0]);
  return [
    ...[...outline, ...brow, ...otherBrow, ...bridge, ...nostrils, ...eye(-1), ...eye(1)],
    ...[...upper, ...lower.slice(1, -1).reverse(), ...innerUpper, ...innerLower.slice(1, -1).reverse()],
    ...[-1, 1].map((side) => [side * (EYE_DISTANCE / 2), 0.028]), // the pupils
  ];
}

/**
 * @param {number} width
 * @param {number[]} heights from the right corner to the left one
 */
function lip(width, heights) {
  return heights.map((height, at) => [width * ((2 * at) / (heights.length - 1) - 1), height - 0.02]);
}

/**
 * The stature of a figure in pixels, estimated from the limbs that are visible.
 * @param {Figure} figure
 */
export function statureOf({ body, width, height }) {
  let [seen, standing] = [0, 0];
  for (const [from, to] of LIMBS) {
    const [start, end] = [body[from], body[to]];
    if (!start || !end) continue;
    seen += distance(start, end);
    standing += distance(STANDING[from], STANDING[to]);
  }
  return seen > 0 ? seen / standing : UNKNOWN_STATURE * Math.min(height, width * 2);
}

/**
 * The figure with a joint that it lacks, where a standing person has it beside the one that it hangs on.
 * @param {Figure} figure
 * @param {number} joint
 * @returns {Figure}
 */
export function addJoint(figure, joint) {
  if (figure.body[joint]) return figure;
  const stature = statureOf(figure);
  // The nearest joint towards the neck, else any.
  let base = PARENTS[joint];
  while (base !== null && !figure.body[base]) base = PARENTS[base];
  const known = base ?? figure.body.findIndex((point) => point !== null);
  const at = figure.body[known] ?? [figure.width / 2, figure.height / 4];
  const offset = STANDING[known] ?? STANDING[NECK];
  /** @type {Point} */
  const place = [
    at[0] + (STANDING[joint][0] - offset[0]) * stature,
    at[1] + (STANDING[joint][1] - offset[1]) * stature,
  ];
  return { ...figure, body: figure.body.map((point, each) => (each === joint ? place : point)) };
}

/**
 * Whether a hand or face can be shown: it is there already, or it is known where it would be.
 * @param {Figure} figure
 * @param {PartName} name
 */
export function canShow(figure, name) {
  return figure[name] !== null || figure.body[name === "face" ? NOSE : HANDS[name].wrist] !== null;
}

/**
 * The figure with a hand or face shown or not. One that it never had gets a usual shape.
 * @param {Figure} figure
 * @param {PartName} name
 * @param {boolean} shown
 * @returns {Figure}
 */
export function showPart(figure, name, shown) {
  const part = figure[name] ?? (shown ? newPart(figure, name) : null);
  return part ? { ...figure, [name]: { ...part, shown } } : figure;
}

/**
 * @param {Figure} figure
 * @param {PartName} name
 * @returns {Part | null}
 */
function newPart(figure, name) {
  const points = name === "face" ? newFace(figure) : newHand(figure, name);
  return points && { points, shown: true };
}

/**
 * @param {Figure} figure
 * @param {HandName} name
 * @returns {Point[] | null}
 */
function newHand(figure, name) {
  const { elbow, wrist } = HANDS[name];
  const [from, at] = [figure.body[elbow], figure.body[wrist]];
  if (!at) return null;
  const forearm = from ? distance(from, at) : 0;
  const ahead = from && forearm > 0 ? [(at[0] - from[0]) / forearm, (at[1] - from[1]) / forearm] : [0, 1];
  const side = SIDE_OF_THUMB[name];
  // The thumbs of arms that hang down point to each other.
  const aside = [-ahead[1] * side, ahead[0] * side];
  const size = HAND * statureOf(figure);
  return handShape().map(([along, across]) => [
    at[0] + (along * ahead[0] + across * aside[0]) * size,
    at[1] + (along * ahead[1] + across * aside[1]) * size,
  ]);
}

/**
 * @param {Figure} figure
 * @returns {Point[] | null}
 */
function newFace(figure) {
  const [nose, neck] = [figure.body[NOSE], figure.body[NECK]];
  const [rightEye, leftEye] = EYES.map((eye) => figure.body[eye]);
  if (!nose) return null;
  const stature = statureOf(figure);
  const between = rightEye && leftEye ? distance(rightEye, leftEye) : 0;
  let up = [0, -1];
  const height = neck ? distance(neck, nose) : 0;
  if (neck && height > 0) up = [(nose[0] - neck[0]) / height, (nose[1] - neck[1]) / height];
  let along = [-up[1], up[0]];
  if (rightEye && leftEye && between > 0)
    along = [(leftEye[0] - rightEye[0]) / between, (leftEye[1] - rightEye[1]) / between];
  const width = Math.max(NARROWEST_FACE, Math.min(between ? between / (EYE_DISTANCE * stature) : 1, 1.5)) * stature;
  return faceShape().map(([x, y]) => [
    nose[0] + x * width * along[0] + y * stature * up[0],
    nose[1] + x * width * along[1] + y * stature * up[1],
  ]);
}
