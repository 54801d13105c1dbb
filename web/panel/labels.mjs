// Names and descriptions of generations, for all views.
import { make } from "../shared/elements.mjs";
import { translateIfKnown } from "../shared/i18n.mjs";

/** @import { Generation, Reason, Translate } from "../shared/types.d.ts" */
/** @typedef {Record<string, (t: Translate) => string>} Labels */

/** @type {Labels} */
const VIEWS = {
  front: (t) => t("view_front"),
  back: (t) => t("view_back"),
  side: (t) => t("view_side"),
  quarter: (t) => t("view_quarter"),
  left: (t) => t("view_left"),
  right: (t) => t("view_right"),
  quarter_left: (t) => t("view_quarter_left"),
  quarter_right: (t) => t("view_quarter_right"),
  back_left: (t) => t("view_back_left"),
  back_right: (t) => t("view_back_right"),
};
/** @type {Labels} */
const STATUSES = {
  queued: (t) => t("queued"),
  processing: (t) => t("processing"),
  completed: (t) => t("completed"),
  failed: (t) => t("failed"),
};
/** @type {Labels} */
const KINDS = {
  avatar: (t) => t("kind_avatar"),
  pose: (t) => t("kind_pose"),
  all_poses: (t) => t("kind_sheet"),
  expressions: (t) => t("kind_expressions"),
  graph: (t) => t("kind_graph"),
};

const ENDED = new Set(["completed", "failed"]);
const CANCELLED = new Set(["cancelled", "interrupted", "removed_from_queue"]);

/** @param {Generation} generation */
export const hasEnded = (generation) => ENDED.has(generation.status);

/** @param {Generation} generation */
export const wasCancelled = (generation) => CANCELLED.has(generation.error_code ?? "");

/**
 * Why it failed, in the user's language where there is a text for the code.
 * @param {Generation} generation
 * @param {Translate} t
 */
export const failureText = ({ error, error_code: code }, t) =>
  translateIfKnown(`failure_${code}`, { detail: error ?? "" }, t) ?? error ?? "";

/**
 * Why something cannot be done, in the user's language where there is a text for the code.
 * @param {Reason} reason
 * @param {Translate} t
 */
export const reasonText = ({ code, detail, parameters }, t) =>
  translateIfKnown(`error_${code}`, { ...parameters, detail }, t) ?? detail;

/**
 * @param {string | null} view null if only the pose image decided it
 * @param {Translate} t
 */
export const viewName = (view, t) => (view && VIEWS[view]?.(t)) || t("view_free");

/**
 * @param {Generation} generation
 * @param {Translate} t
 */
export const kindName = (generation, t) => KINDS[generation.kind]?.(t) ?? generation.kind;

/**
 * @param {Generation} generation
 * @param {Translate} t
 */
export const statusName = (generation, t) =>
  wasCancelled(generation) ? t("cancelled") : (STATUSES[generation.status]?.(t) ?? generation.status);

/**
 * The title of a generation, which is its prompt. One of a saved character may have none.
 * @param {Generation} generation
 * @param {Translate} t
 */
export function generationTitle({ generation_id: id, kind, parameters }, t) {
  if (kind === "expressions") return `${t("kind_expressions")} · ${id}`;
  return parameters ? parameters.prompt || parameters.outfit || parameters.clothing || id : t("kind_graph");
}

/**
 * The status in colour and text, never in colour alone.
 * @param {Generation} generation
 * @param {Translate} t
 */
export function statusBadge(generation, t) {
  return make("span", {
    className: `avatarforge-mark avatarforge-${wasCancelled(generation) ? "cancelled" : generation.status}`,
    textContent: statusName(generation, t),
  });
}

/**
 * @param {string} time as in the API, ISO 8601
 * @param {string} locale
 */
export function formatTime(time, locale) {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(new Date(time));
}

/**
 * Like `formatTime`, for small places: with the year only if it is not the current one.
 * @param {string} time
 * @param {string} locale
 */
export function formatTimeShort(time, locale) {
  const date = new Date(time);
  /** @type {Intl.DateTimeFormatOptions} */
  const options = { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" };
  if (date.getFullYear() !== new Date().getFullYear()) options.year = "numeric";
  return new Intl.DateTimeFormat(locale, options).format(date);
}

/**
 * @param {number} seconds
 * @param {Translate} t
 */
export function formatDuration(seconds, t) {
  const whole = Math.max(1, Math.round(seconds));
  return whole < 100 ? t("seconds", { n: whole }) : t("minutes", { n: Math.round(whole / 60) });
}

/**
 * The progress of an active generation: its queue position, or view, step and time left.
 * @param {Generation} generation
 * @param {Translate} t
 */
export function progressText(generation, t) {
  const { current, eta_seconds: left, queue_position: position } = generation;
  if (generation.status === "queued") return position ? t("queue_position", { n: position }) : t("queued");
  const parts = [];
  if (current?.view) parts.push(viewName(current.view, t));
  if (current && current.steps > 1) parts.push(t("step", { step: current.step, steps: current.steps }));
  if (left !== null && left !== undefined) parts.push(t("time_left", { time: formatDuration(left, t) }));
  return parts.join(" · ") || t("processing");
}
