// Settings of a used generation for which the form has no field. They are sent again, and shown as chips.
import { SHEET } from "./form_request.mjs";
import { viewName } from "./labels.mjs";

/** @import { Generation, Translate } from "../shared/types.d.ts" */
/** @import { Chip } from "./chips.mjs" */
/** @typedef {Record<string, unknown>} Carried */

/** What goes with each setting, and has no meaning without it. */
const COMPANIONS = {
  character_id: ["character_version", "outfit"],
  views: [],
};
const SHEET_VIEWS = ["front", "back", "side", "quarter"]; // if a request names none
/** @typedef {keyof typeof COMPANIONS} Name */

const NAMES = /** @type {Name[]} */ (Object.keys(COMPANIONS));

/** @type {Record<Name, (t: Translate) => string>} */
const LABELS = {
  character_id: (t) => t("character"),
  views: (t) => t("views"),
};

/** @param {unknown} value */
const isSet = (value) => value !== null && value !== undefined && (!Array.isArray(value) || value.length > 0);

/** @param {string} id */
const shortId = (id) => (/^[0-9a-f-]{36}$/.test(id) ? id.slice(0, 8) : id);

/**
 * @param {Generation} generation
 * @returns {Carried}
 */
export function carriedSettings({ kind, parameters }) {
  /** @type {Carried} */
  const values = { ...parameters };
  const areUsual = JSON.stringify(values.views) === JSON.stringify(SHEET_VIEWS);
  if (kind !== "all_poses" || areUsual) delete values.views;
  const found = NAMES.filter((name) => isSet(values[name])).flatMap((name) => [name, ...COMPANIONS[name]]);
  return Object.fromEntries(found.filter((name) => isSet(values[name])).map((name) => [name, values[name]]));
}

/**
 * What is sent with a request for this view.
 * @param {Carried} carried
 * @param {string} view
 * @returns {Carried}
 */
export function carriedRequest(carried, view) {
  return view === SHEET ? { ...carried } : without(carried, "views");
}

/**
 * @param {Carried} carried
 * @param {object} options
 * @param {Translate} options.t
 * @param {string | undefined} options.character its name, once it is known
 * @param {(carried: Carried) => void} options.change
 * @returns {Chip[]}
 */
export function carriedChips(carried, { t, character, change }) {
  return NAMES.filter((name) => name in carried).map((name) => ({
    label: LABELS[name](t),
    value: textOf(name, carried, { t, character }),
    reset: () => change(without(carried, name)),
    show: null,
  }));
}

/**
 * @param {Name} name
 * @param {Carried} carried
 * @param {{ t: Translate, character: string | undefined }} options
 */
function textOf(name, carried, { t, character }) {
  const value = carried[name];
  if (name === "views" && Array.isArray(value)) return value.map((view) => viewName(view, t)).join(t("list_separator"));
  const outfit = name === "character_id" ? carried.outfit : null;
  return [character ?? shortId(String(value)), outfit].filter(Boolean).join(" · ");
}

/**
 * @param {Carried} carried
 * @param {Name} name
 */
function without(carried, name) {
  const gone = [name, ...COMPANIONS[name]];
  return Object.fromEntries(Object.entries(carried).filter(([key]) => !gone.includes(key)));
}
