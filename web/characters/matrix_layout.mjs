// Which row and column of the grid shows which picture of a matrix.

/** @import { BatchItem } from "../shared/types.d.ts" */
/** @typedef {"outfit" | "expression" | "view" | "pose_id" | "seed"} Axis */
/** @typedef {Partial<Record<Axis, string | null>>} Header the values that a row or a column stands for */
/** @typedef {{ rows: Header[], columns: Header[], items: (BatchItem | null)[][] }} Layout null: it was deleted */

/** @type {Axis[]} */
const AXES = ["outfit", "expression", "view", "pose_id", "seed"];
/**
 * The axis of the columns, the best first: what one compares side by side.
 * @type {Axis[]}
 */
const COLUMNS = ["view", "expression", "pose_id", "seed", "outfit"];

/**
 * @param {BatchItem} item
 * @param {Axis} axis
 */
const valueOf = (item, axis) => (item[axis] === null ? null : String(item[axis]));

/**
 * Everything that differs among the items is in the headers; what all share is in none.
 * @param {BatchItem[]} items in the order of the request
 * @returns {Layout}
 */
export function layOut(items) {
  const varying = AXES.filter((axis) => new Set(items.map((item) => valueOf(item, axis))).size > 1);
  const column = COLUMNS.find((axis) => varying.includes(axis));
  const rowAxes = varying.filter((axis) => axis !== column);
  const columnAxes = column ? [column] : [];
  /** @type {Map<string, Header>} */
  const rows = new Map();
  /** @type {Map<string, Header>} */
  const columns = new Map();
  /** @type {Map<string, BatchItem>} */
  const cells = new Map();
  for (const item of items) {
    const [row, rowKey] = header(item, rowAxes);
    const [head, columnKey] = header(item, columnAxes);
    // What has the same values as another one, such as in a batch that is no matrix, gets another row.
    let place = rowKey;
    while (cells.has(`${place} ${columnKey}`)) place += "+";
    if (!rows.has(place)) rows.set(place, row);
    if (!columns.has(columnKey)) columns.set(columnKey, head);
    cells.set(`${place} ${columnKey}`, item);
  }
  const grid = [...rows.keys()].map((rowKey) =>
    [...columns.keys()].map((columnKey) => cells.get(`${rowKey} ${columnKey}`) ?? null),
  );
  return { rows: [...rows.values()], columns: [...columns.values()], items: grid };
}

/**
 * @param {BatchItem} item
 * @param {Axis[]} axes
 * @returns {[Header, key: string]}
 */
function header(item, axes) {
  const values = axes.map((axis) => valueOf(item, axis));
  return [Object.fromEntries(axes.map((axis, index) => [axis, values[index]])), JSON.stringify(values)];
}

/**
 * The place that an arrow key, Home or End leads to from a cell; undefined for other keys and at the edges. Empty
 * places are passed over.
 * @param {string} key
 * @param {[row: number, column: number]} place
 * @param {boolean[][]} isFilled
 * @returns {[row: number, column: number] | undefined}
 */
export function neighbour(key, [row, column], isFilled) {
  /** @type {Record<string, [number, number]>} */
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  if (key === "Home" || key === "End") {
    const places = isFilled[row].flatMap((filled, index) => (filled ? [index] : []));
    return [row, key === "Home" ? places[0] : places[places.length - 1]];
  }
  const step = steps[key];
  if (!step) return undefined;
  let [nextRow, nextColumn] = [row + step[0], column + step[1]];
  while (isFilled[nextRow]?.[nextColumn] === false) {
    nextRow += step[0];
    nextColumn += step[1];
  }
  return isFilled[nextRow]?.[nextColumn] ? [nextRow, nextColumn] : undefined;
}
