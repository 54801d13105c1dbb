// The marks "use as slot" on the nodes of a graph. They are kept in a property of the node, so that they are saved with
// the workflow, copied with the node and undone like any other change.

/** @import { GraphNode, SlotMarks, SlotName, Widget } from "../shared/types.d.ts" */

export const PROPERTY = "AvatarForge slots";
/** @type {readonly SlotName[]} */
export const SLOTS = [
  "prompt",
  "negative",
  "character",
  "pose",
  "reference",
  "seed",
  "width",
  "height",
  "steps",
  "cfg",
  "output",
];
/** Stands for the node itself, in place of the name of an input. */
export const WHOLE_NODE = "";

/** Names of inputs that fit a slot, for each slot with a value. */
const NAMES = {
  prompt: /text|prompt|string|value/i,
  negative: /text|prompt|string|value/i,
  pose: /image|file/i,
  reference: /image|file/i,
  seed: /seed/i,
  width: /width/i,
  height: /height/i,
  steps: /steps/i,
  cfg: /^(cfg|guidance)$/i,
};
const TYPES = {
  prompt: "text",
  negative: "text",
  pose: "file",
  reference: "file",
  seed: "number",
  width: "number",
  height: "number",
  steps: "number",
  cfg: "number",
};
/** A node with so few numbers offers them for each slot: that of a PrimitiveInt is called "value". */
const FEW_NUMBERS = 2;
const MULTILINE = "customtext"; // the frontend's type of a text field
const PICTURE = /\.(png|jpe?g|webp)$/i;
const BADGE_COLORS = { fgColor: "#fff", bgColor: "#3b5b92" };

/**
 * The marks of a node, without what is no mark: the property may have been edited by hand.
 * @param {GraphNode} node
 * @returns {SlotMarks}
 */
export function getMarks(node) {
  const stored = node.properties?.[PROPERTY];
  if (!stored || typeof stored !== "object") return {};
  const known = Object.entries(stored).filter(
    ([slot, inputs]) => SLOTS.includes(/** @type {SlotName} */ (slot)) && Array.isArray(inputs) && inputs.length,
  );
  return Object.fromEntries(known.map(([slot, inputs]) => [slot, inputs.map(String)]));
}

/**
 * Whether an input of a node is marked as a slot.
 * @param {GraphNode} node
 * @param {SlotName} slot
 * @param {string} input WHOLE_NODE for the node itself
 */
export const isMarked = (node, slot, input) => getMarks(node)[slot]?.includes(input) ?? false;

/**
 * Mark an input as a slot, or remove that mark.
 * @param {GraphNode} node
 * @param {SlotName} slot
 * @param {string} input WHOLE_NODE for the node itself
 */
export function toggleMark(node, slot, input) {
  const marks = getMarks(node);
  const others = (marks[slot] ?? []).filter((name) => name !== input);
  setMarks(node, { ...marks, [slot]: isMarked(node, slot, input) ? others : [...others, input] });
}

/**
 * Remove all marks of a node.
 * @param {GraphNode} node
 */
export const clearMarks = (node) => setMarks(node, {});

/**
 * @param {GraphNode} node
 * @param {SlotMarks} marks
 */
function setMarks(node, marks) {
  const kept = Object.entries(marks).filter(([, inputs]) => inputs.length);
  const { graph } = node;
  graph?.beforeChange?.();
  node.properties ??= {};
  if (kept.length) node.properties[PROPERTY] = Object.fromEntries(kept);
  else delete node.properties[PROPERTY];
  graph?.afterChange?.();
  graph?.change?.();
  showMarks(node);
}

/** Nodes that have our badge. */
const badged = new WeakSet();

/**
 * Show the marks of a node as a badge above it. A node without marks gets none.
 * @param {GraphNode} node
 */
export function showMarks(node) {
  const { LGraphBadge } = window;
  if (!LGraphBadge || !node.badges || badged.has(node) || !Object.keys(getMarks(node)).length) return;
  badged.add(node);
  node.badges.push(() => new LGraphBadge({ text: Object.keys(getMarks(node)).join(", "), ...BADGE_COLORS }));
}

/**
 * The inputs of a node that can be marked as the slot. For the output it is the node itself. The nodes of a character
 * are found without a mark.
 * @param {GraphNode} node
 * @param {SlotName} slot
 * @returns {string[]}
 */
export function candidates(node, slot) {
  if (slot === "output") return node.constructor.nodeData?.output_node ? [WHOLE_NODE] : [];
  if (slot === "character") return [];
  const fitting = (node.widgets ?? []).filter((widget) => kindOf(widget) === TYPES[slot]);
  const named = fitting.filter(({ name }) => NAMES[slot].test(name));
  if (named.length) return named.map(({ name }) => name);
  if (TYPES[slot] === "number" && fitting.length > FEW_NUMBERS) return [];
  return fitting.filter((widget) => TYPES[slot] === "number" || widget.type === MULTILINE).map(({ name }) => name);
}

/**
 * The slots that a widget can be.
 * @param {Widget} widget
 * @returns {SlotName[]}
 */
export function slotsOf(widget) {
  const kind = kindOf(widget);
  return SLOTS.filter((slot) => slot !== "output" && slot !== "character" && TYPES[slot] === kind);
}

/**
 * @param {Widget} widget
 * @returns {"text" | "number" | "file" | ""} "" if it is no input of the node, or of another kind
 */
function kindOf({ name, options, type, value }) {
  if (options?.serialize === false || type === "button") return ""; // such as "control after generate"
  if (typeof value === "number") return "number";
  if (name === "file_id") return "file";
  if (type === "combo") return NAMES.reference.test(name) || PICTURE.test(String(value)) ? "file" : "";
  return typeof value === "string" ? "text" : "";
}
