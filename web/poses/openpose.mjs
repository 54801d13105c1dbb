// Reads and writes OpenPose JSON for the pose editor. Pure, like figure.mjs.
import { JOINT_COUNT, PART_NAMES, visible } from "./figure.mjs";

/** @import { Figure, Part, PartName, Person, Point, Points } from "./figure.mjs" */

/** @type {Record<PartName, string>} */
const KEYS = {
  left_hand: "hand_left_keypoints_2d",
  right_hand: "hand_right_keypoints_2d",
  face: "face_keypoints_2d",
};
/** @type {Record<PartName, number[]>} */
const COUNTS = { left_hand: [21], right_hand: [21], face: [68, 70] };
const BODY = "pose_keypoints_2d";
const BODY_25 = 25;
const MIDDLE_OF_HIPS = 8; // of BODY_25, which has no counterpart in the 18 joints
const LARGEST_FRACTION = 2; // as the server reads them: no pose in pixels fits into two pixels
const DIGITS = 100; // 1 / the precision of written coordinates

/**
 * The first person of a pose that can be edited, and the others as they are; null if there is none.
 * @param {any} document OpenPose JSON: a frame, or a list of frames of which the first that shows somebody is read
 * @returns {Figure | null}
 */
export function readFigure(document) {
  for (const frame of Array.isArray(document) ? document : [document]) {
    const people = Array.isArray(frame?.people) ? frame.people : [];
    const at = people.findIndex((/** @type {any} */ person) => visible(readBody(person)).length);
    if (at >= 0) return readFrame(frame, people, at);
  }
  return null;
}

/**
 * One frame of OpenPose JSON, in pixels. Parts that are not shown are left out.
 * @param {Figure} figure
 */
export function writeFigure(figure) {
  return {
    people: [figure, ...figure.others].map(writePerson),
    canvas_width: figure.width,
    canvas_height: figure.height,
  };
}

/** @param {Person} person */
function writePerson(person) {
  const parts = PART_NAMES.flatMap((name) => {
    const part = person[name];
    return part?.shown ? [[KEYS[name], flat(part.points)]] : [];
  });
  return { [BODY]: flat(person.body), ...Object.fromEntries(parts) };
}

/**
 * @param {any} frame
 * @param {any[]} people
 * @param {number} at the place of the person to edit
 * @returns {Figure}
 */
function readFrame(frame, people, at) {
  const everybody = people.map(readPerson);
  const points = everybody.flatMap(({ body }) => visible(body));
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const width = positive(frame.canvas_width) ?? extent(xs);
  const height = positive(frame.canvas_height) ?? extent(ys);
  const scaled = everybody.map((person) => ({
    body: inPixels(person.body, width, height),
    left_hand: partInPixels(person.left_hand, width, height),
    right_hand: partInPixels(person.right_hand, width, height),
    face: partInPixels(person.face, width, height),
  }));
  const others = scaled.filter(({ body }, place) => place !== at && visible(body).length);
  return { ...scaled[at], width, height, others };
}

/**
 * A side of the canvas of a pose that has none: with the margin before the smallest coordinate also after the largest
 * one, as on the server.
 * @param {number[]} values
 */
function extent(values) {
  return Math.max(1, Math.ceil(Math.max(...values) + Math.max(Math.min(...values), 0)));
}

/**
 * @param {any} person
 * @returns {Person}
 */
function readPerson(person) {
  const [rightHand, leftHand, face] = PART_NAMES.map((name) => readPart(person, name));
  return { body: readBody(person), left_hand: leftHand, right_hand: rightHand, face };
}

/**
 * The 18 joints of a person; none if there is no list of them in a known form.
 * @param {any} person
 * @returns {Points}
 */
function readBody(person) {
  const points = readPoints(person?.[BODY], [JOINT_COUNT, BODY_25]);
  if (points.length !== BODY_25) return points;
  return points.filter((_, at) => at !== MIDDLE_OF_HIPS).slice(0, JOINT_COUNT);
}

/**
 * @param {any} person
 * @param {PartName} name
 * @returns {Part | null}
 */
function readPart(person, name) {
  const points = readPoints(person?.[KEYS[name]], COUNTS[name]);
  return visible(points).length ? { points, shown: true } : null;
}

/**
 * The points of a flat list of x, y and confidence; none if it is anything else.
 * @param {unknown} numbers
 * @param {number[]} counts how many points it may have
 * @returns {Points}
 */
function readPoints(numbers, counts) {
  if (!Array.isArray(numbers) || !counts.includes(numbers.length / 3) || !numbers.every(Number.isFinite)) return [];
  return Array.from({ length: numbers.length / 3 }, (_, at) => {
    const [x, y, confidence] = numbers.slice(3 * at, 3 * at + 3);
    return confidence > 0 ? [x, y] : null;
  });
}

/**
 * @param {Points} points in pixels, or in fractions of the canvas
 * @param {number} width
 * @param {number} height
 * @returns {Points}
 */
function inPixels(points, width, height) {
  const inFractions = visible(points).every((point) => point.every((number) => Math.abs(number) <= LARGEST_FRACTION));
  return inFractions ? points.map((point) => point && /** @type {Point} */ ([point[0] * width, point[1] * height])) : points;
}

/**
 * @param {Part | null} part
 * @param {number} width
 * @param {number} height
 * @returns {Part | null}
 */
function partInPixels(part, width, height) {
  return part && { ...part, points: inPixels(part.points, width, height) };
}

/** @param {unknown} value */
function positive(value) {
  return typeof value === "number" && value >= 1 && value < Infinity ? Math.round(value) : null;
}

/**
 * @param {Points} points
 * @returns {number[]}
 */
function flat(points) {
  return points.flatMap((point) => (point ? [...point.map((number) => Math.round(number * DIGITS) / DIGITS), 1] : [0, 0, 0]));
}
