// What dragging a joint or a hand does to a figure. Pure, like figure.mjs.
import { HAND_NAMES, HANDS, NECK, NOSE, PARENTS, distance, handlePoint, mapFigure, mapPart, subtree } from "./figure.mjs";

/** @import { Figure, Handle, HandName, Point } from "./figure.mjs" */

/** Joints at the end of a limb of two bones: the joint in between bends. Wrists and ankles. */
const ENDS = new Set([4, 7, 10, 13]);
const SMALLEST_HAND = 4; // pixels from the wrist to the farthest point
const TINY = 1e-6; // pixels: too short for a direction

/**
 * The figure with a handle dragged to a point.
 *
 * Without `fixed`, a joint moves alone, except that the head moves with the nose. With `fixed`, every limb keeps its
 * length: the neck moves the whole figure, a wrist or an ankle bends its elbow or knee, and any other joint turns
 * around the one that it hangs on, with all that hang on itself. Hands follow their forearms in either case. A hand
 * turns around its wrist; without `fixed` it also becomes larger or smaller.
 * @param {Figure} figure
 * @param {Handle} handle
 * @param {Point} target
 * @param {boolean} fixed
 * @returns {Figure}
 */
export function moveHandle(figure, handle, target, fixed) {
  const from = handlePoint(figure, handle);
  if (!from) return figure;
  if (typeof handle !== "number") return turnHand(figure, handle, from, target, fixed);
  if (fixed && handle === NECK) return mapFigure(figure, shift(from, target));
  const moved = fixed ? moveFixed(figure, handle, from, target) : moveFree(figure, handle, from, target);
  return followWithHands(figure, moved);
}

/**
 * @param {Figure} figure
 * @param {number} joint
 * @param {Point} from
 * @param {Point} target
 */
function moveFree(figure, joint, from, target) {
  return mapSubtree(figure, joint === NOSE ? subtree(NOSE) : [joint], shift(from, target));
}

/**
 * @param {Figure} figure
 * @param {number} joint
 * @param {Point} from
 * @param {Point} target
 */
function moveFixed(figure, joint, from, target) {
  const parent = PARENTS[joint];
  const pivot = parent === null ? null : figure.body[parent];
  if (parent === null || !pivot) return mapSubtree(figure, subtree(joint), shift(from, target));
  const root = PARENTS[parent];
  const start = root === null ? null : figure.body[root];
  if (ENDS.has(joint) && start) return bend(figure, [start, pivot, from], parent, joint, target);
  return mapSubtree(figure, subtree(joint), rotation(pivot, angleBetween(pivot, from, target)));
}

/**
 * Move the end of a limb to a target, or as near as the limb reaches. The joint in between stays on its side.
 * @param {Figure} figure
 * @param {[start: Point, middle: Point, end: Point]} limb
 * @param {number} middleJoint
 * @param {number} endJoint
 * @param {Point} target
 * @returns {Figure}
 */
function bend(figure, [start, middle, end], middleJoint, endJoint, target) {
  const [upper, lower] = [distance(start, middle), distance(middle, end)];
  const aim = distance(start, target) > TINY ? target : end;
  const length = distance(start, aim);
  if (length <= TINY || upper <= TINY) return figure;
  const reach = Math.max(TINY, Math.min(Math.max(distance(start, target), Math.abs(upper - lower)), upper + lower));
  const along = [(aim[0] - start[0]) / length, (aim[1] - start[1]) / length];
  const side = Math.sign(cross(start, end, middle)) || 1;
  const ahead = Math.max(-upper, Math.min((upper ** 2 + reach ** 2 - lower ** 2) / (2 * reach), upper));
  const aside = side * Math.sqrt(Math.max(0, upper ** 2 - ahead ** 2));
  const body = [...figure.body];
  body[middleJoint] = [start[0] + along[0] * ahead - along[1] * aside, start[1] + along[1] * ahead + along[0] * aside];
  body[endJoint] = [start[0] + along[0] * reach, start[1] + along[1] * reach];
  return { ...figure, body };
}

/**
 * @param {Figure} figure
 * @param {HandName} name
 * @param {Point} from
 * @param {Point} target
 * @param {boolean} fixed
 * @returns {Figure}
 */
function turnHand(figure, name, from, target, fixed) {
  const wrist = figure.body[HANDS[name].wrist];
  if (!wrist) return { ...figure, [name]: mapPart(figure[name], shift(from, target)) };
  const size = distance(wrist, from);
  if (size <= TINY || distance(wrist, target) <= TINY) return figure;
  const factor = fixed ? 1 : Math.max(SMALLEST_HAND, distance(wrist, target)) / size;
  const turn = rotation(wrist, angleBetween(wrist, from, target));
  const place = (/** @type {Point} */ point) => {
    const [x, y] = turn(point);
    return /** @type {Point} */ ([wrist[0] + (x - wrist[0]) * factor, wrist[1] + (y - wrist[1]) * factor]);
  };
  return { ...figure, [name]: mapPart(figure[name], place) };
}

/**
 * `after` with hands that have followed their wrists and forearms since `before`.
 * @param {Figure} before
 * @param {Figure} after
 * @returns {Figure}
 */
function followWithHands(before, after) {
  const hands = HAND_NAMES.map((name) => {
    const { elbow, wrist } = HANDS[name];
    const [oldWrist, newWrist] = [before.body[wrist], after.body[wrist]];
    const [oldElbow, newElbow] = [before.body[elbow], after.body[elbow]];
    const stayed = oldWrist === newWrist && oldElbow === newElbow;
    if (stayed || !oldWrist || !newWrist) return [name, after[name]];
    const angle = oldElbow && newElbow ? direction(newElbow, newWrist) - direction(oldElbow, oldWrist) : 0;
    const [turn, move] = [rotation(oldWrist, angle), shift(oldWrist, newWrist)];
    return [name, mapPart(after[name], (point) => move(turn(point)))];
  });
  return { ...after, ...Object.fromEntries(hands) };
}

/**
 * Move some joints; the face moves with the nose.
 * @param {Figure} figure
 * @param {number[]} joints
 * @param {(point: Point) => Point} move
 * @returns {Figure}
 */
function mapSubtree(figure, joints, move) {
  return {
    ...figure,
    body: figure.body.map((point, joint) => (point && joints.includes(joint) ? move(point) : point)),
    face: joints.includes(NOSE) ? mapPart(figure.face, move) : figure.face,
  };
}

/**
 * @param {Point} from
 * @param {Point} to
 * @returns {(point: Point) => Point}
 */
function shift(from, to) {
  return ([x, y]) => [x + to[0] - from[0], y + to[1] - from[1]];
}

/**
 * @param {Point} pivot
 * @param {number} angle in radians
 * @returns {(point: Point) => Point}
 */
function rotation(pivot, angle) {
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  return ([x, y]) => {
    const [dx, dy] = [x - pivot[0], y - pivot[1]];
    return [pivot[0] + dx * cosine - dy * sine, pivot[1] + dx * sine + dy * cosine];
  };
}

/**
 * The angle from one point to another as seen from the pivot; 0 if one of them is the pivot itself.
 * @param {Point} pivot
 * @param {Point} from
 * @param {Point} to
 */
function angleBetween(pivot, from, to) {
  if (distance(pivot, from) <= TINY || distance(pivot, to) <= TINY) return 0;
  return direction(pivot, to) - direction(pivot, from);
}

/**
 * @param {Point} from
 * @param {Point} to
 */
function direction(from, to) {
  return Math.atan2(to[1] - from[1], to[0] - from[0]);
}

/**
 * Positive if `point` lies to the right of the way from `start` to `end`, on a canvas whose y points down.
 * @param {Point} start
 * @param {Point} end
 * @param {Point} point
 */
function cross(start, end, point) {
  return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0]);
}
