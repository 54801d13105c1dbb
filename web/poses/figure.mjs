// A figure as the pose editor keeps it: the keypoints of one person on a canvas, beside other people. Pure: every
// function returns a new figure, and nothing here touches the page. Coordinates are pixels of the canvas, x to the
// right and y down.

/** @typedef {readonly [x: number, y: number]} Point */
/** @typedef {readonly (Point | null)[]} Points null: not visible */
/** @typedef {{ points: Points, shown: boolean }} Part its points move with the body also while it is not shown */
/** @typedef {"left_hand" | "right_hand"} HandName */
/** @typedef {HandName | "face"} PartName */
/** @typedef {number | HandName} Handle what can be dragged: a joint by its number, or a hand */
/**
 * @typedef {object} Person
 * @property {Points} body the 18 joints in OpenPose's order
 * @property {Part | null} left_hand 21 points
 * @property {Part | null} right_hand
 * @property {Part | null} face 68 or 70 points
 */
/** @typedef {Person & { width: number, height: number, others: readonly Person[] }} Figure the others stay as they are */

// OpenPose's order of the 18 joints: POSE_COCO_BODY_PARTS.
export const NOSE = 0;
export const NECK = 1;
export const JOINT_COUNT = 18;
const HARDLY = 0.2; // of the reach of a pointer: a handle is hardly farther away than another one
const CANVAS_MARGIN = 0.05; // around a figure, of its longer side, where its canvas is extended
const [RIGHT_ELBOW, RIGHT_WRIST, LEFT_ELBOW, LEFT_WRIST] = [3, 4, 6, 7];
const [RIGHT_EYE, LEFT_EYE] = [14, 15];
export const HANDS = /** @type {const} */ ({
  left_hand: { elbow: LEFT_ELBOW, wrist: LEFT_WRIST },
  right_hand: { elbow: RIGHT_ELBOW, wrist: RIGHT_WRIST },
});
export const EYES = [RIGHT_EYE, LEFT_EYE];
/** @type {readonly HandName[]} */
export const HAND_NAMES = ["right_hand", "left_hand"];
/** @type {readonly PartName[]} */
export const PART_NAMES = ["right_hand", "left_hand", "face"];

/** Pairs of joints, in the order in which they are drawn. */
export const LIMBS = /** @type {const} */ ([
  [1, 2],
  [1, 5],
  [2, 3],
  [3, 4],
  [5, 6],
  [6, 7],
  [1, 8],
  [8, 9],
  [9, 10],
  [1, 11],
  [11, 12],
  [12, 13],
  [1, 0],
  [0, 14],
  [14, 16],
  [0, 15],
  [15, 17],
]);

/** The joint that each joint hangs on; null for the neck, which is the root. */
export const PARENTS = Array.from({ length: JOINT_COUNT }, (_, joint) => LIMBS.find(([, end]) => end === joint)?.[0] ?? null);

/** The joint of the other side that each joint becomes in a mirror. */
export const SWAP = [0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16];

/** Which point of a face takes the place of each one in a mirror; the last two are the pupils, which 68 points lack. */
export const FACE_SWAP = swapPairs(70, [
  ...Array.from({ length: 8 }, (_, at) => [at, 16 - at]), // the outline
  ...Array.from({ length: 5 }, (_, at) => [17 + at, 26 - at]), // the brows
  ...[[31, 35], [32, 34]], // the nostrils
  ...[[36, 45], [37, 44], [38, 43], [39, 42], [40, 47], [41, 46]], // the eyes
  ...[[48, 54], [49, 53], [50, 52], [55, 59], [56, 58]], // the lips, outside
  ...[[60, 64], [61, 63], [65, 67], [68, 69]], // the lips, inside, and the pupils
]);

/**
 * @param {number} count
 * @param {number[][]} pairs
 */
function swapPairs(count, pairs) {
  const order = Array.from({ length: count }, (_, at) => at);
  for (const [first, second] of pairs) [order[first], order[second]] = [second, first];
  return order;
}

/**
 * The joint and all that hang on it.
 * @param {number} joint
 * @returns {number[]}
 */
export function subtree(joint) {
  const children = PARENTS.flatMap((parent, child) => (parent === joint ? [child] : []));
  return [joint, ...children.flatMap(subtree)];
}

/**
 * The points of a part, if it is shown.
 * @param {Figure} figure
 * @param {PartName} name
 * @returns {Points}
 */
export function shownPoints(figure, name) {
  const part = figure[name];
  return part?.shown ? part.points : [];
}

/**
 * Where a handle is; null if what it moves is not visible.
 * @param {Figure} figure
 * @param {Handle} handle
 * @returns {Point | null}
 */
export function handlePoint(figure, handle) {
  if (typeof handle === "number") return figure.body[handle];
  const wrist = figure.body[HANDS[handle].wrist];
  const points = visible(shownPoints(figure, handle));
  if (!points.length) return null;
  // The point farthest from the wrist turns the hand most finely.
  const from = wrist ?? points[0];
  return points.reduce((best, point) => (distance(from, point) > distance(from, best) ? point : best));
}

/**
 * All handles that can be dragged now, in the order in which a keyboard goes through them.
 * @param {Figure} figure
 * @returns {Handle[]}
 */
export function handlesOf(figure) {
  /** @type {Handle[]} */
  const all = [...figure.body.keys(), ...HAND_NAMES];
  return all.filter((handle) => handlePoint(figure, handle));
}

/**
 * The handle nearest to a point, at most `reach` away; null if there is none. The preferred one wins if it is hardly
 * farther away, so that joints which lie on one another can be told apart.
 * @param {Figure} figure
 * @param {Point} point
 * @param {number} reach
 * @param {Handle | null} preferred
 * @returns {Handle | null}
 */
export function nearestHandle(figure, point, reach, preferred = null) {
  /** @param {Handle} handle */
  const away = (handle) => distance(/** @type {Point} */ (handlePoint(figure, handle)), point);
  const near = handlesOf(figure).filter((handle) => away(handle) <= reach);
  const nearest = near.reduce(
    (/** @type {Handle | null} */ best, handle) => (best === null || away(handle) < away(best) ? handle : best),
    null,
  );
  const isClose = nearest !== null && preferred !== null && near.includes(preferred);
  return isClose && away(preferred) - away(nearest) <= reach * HARDLY ? preferred : nearest;
}

/**
 * The visible points of a list.
 * @param {Points} points
 * @returns {Point[]}
 */
export function visible(points) {
  return points.flatMap((point) => (point ? [point] : []));
}

/**
 * The smallest box around all that is shown; null if there is nothing.
 * @param {Figure} figure
 */
export function boundsOf(figure) {
  const points = visible([...figure.body, ...PART_NAMES.flatMap((name) => shownPoints(figure, name))]);
  if (!points.length) return null;
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

/**
 * Apply a function to every point of a person, also of parts that are not shown.
 * @param {Person} person
 * @param {(point: Point) => Point} move
 * @returns {Person}
 */
function mapPerson({ body, left_hand: left, right_hand: right, face }, move) {
  return {
    body: mapPoints(body, move),
    left_hand: mapPart(left, move),
    right_hand: mapPart(right, move),
    face: mapPart(face, move),
  };
}

/**
 * The same for the figure; the other people stay where they are.
 * @param {Figure} figure
 * @param {(point: Point) => Point} move
 * @returns {Figure}
 */
export function mapFigure(figure, move) {
  return { ...figure, ...mapPerson(figure, move) };
}

/**
 * @param {Points} points
 * @param {(point: Point) => Point} move
 * @returns {Points}
 */
export function mapPoints(points, move) {
  return points.map((point) => point && move(point));
}

/**
 * @param {Part | null} part
 * @param {(point: Point) => Point} move
 * @returns {Part | null}
 */
export function mapPart(part, move) {
  return part && { ...part, points: mapPoints(part.points, move) };
}

/**
 * The figure with left and right exchanged, at its own place on the canvas.
 * @param {Figure} figure
 * @returns {Figure}
 */
export function mirrorFigure(figure) {
  const box = boundsOf(figure);
  if (!box) return figure;
  const sum = box.left + box.right;
  const mirrored = mapFigure(figure, ([x, y]) => [sum - x, y]);
  const { body, face } = mirrored;
  return {
    ...mirrored,
    body: body.map((_, joint) => body[SWAP[joint]]),
    left_hand: mirrored.right_hand,
    right_hand: mirrored.left_hand,
    face: face && { ...face, points: face.points.map((_, at) => face.points[FACE_SWAP[at]]) },
  };
}

/**
 * The figure larger or smaller, around its own middle.
 * @param {Figure} figure
 * @param {number} factor
 * @returns {Figure}
 */
export function scaleFigure(figure, factor) {
  const box = boundsOf(figure);
  if (!box) return figure;
  const [middleX, middleY] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  return mapFigure(figure, ([x, y]) => [middleX + (x - middleX) * factor, middleY + (y - middleY) * factor]);
}

/**
 * The figure on a canvas that is extended to where the figure reaches out of it, with a margin. The other people keep
 * their places beside it.
 * @param {Figure} figure
 * @returns {Figure}
 */
export function fitCanvas(figure) {
  const { width, height, others } = figure;
  const box = boundsOf(figure);
  if (!box) return figure;
  const margin = CANVAS_MARGIN * Math.max(box.right - box.left, box.bottom - box.top);
  const left = box.left < 0 ? Math.floor(box.left - margin) : 0;
  const top = box.top < 0 ? Math.floor(box.top - margin) : 0;
  const right = box.right > width ? Math.ceil(box.right + margin) : width;
  const bottom = box.bottom > height ? Math.ceil(box.bottom + margin) : height;
  if (!left && !top && right === width && bottom === height) return figure;
  const move = (/** @type {Point} */ [x, y]) => /** @type {Point} */ ([x - left, y - top]);
  return {
    ...mapPerson(figure, move),
    width: right - left,
    height: bottom - top,
    others: others.map((other) => mapPerson(other, move)),
  };
}

/**
 * The figure without a joint. The last one stays, because a pose shows somebody.
 * @param {Figure} figure
 * @param {number} joint
 * @returns {Figure}
 */
export function hideJoint(figure, joint) {
  if (!figure.body[joint] || visible(figure.body).length === 1) return figure;
  return { ...figure, body: figure.body.map((point, at) => (at === joint ? null : point)) };
}

/**
 * @param {Point} a
 * @param {Point} b
 */
export function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
