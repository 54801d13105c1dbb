// How generations are named and described, the same way everywhere.
import { make } from "../picker/elements.mjs";

const VIEWS = {
  front: (words) => words("view_front"),
  back: (words) => words("view_back"),
  side: (words) => words("view_side"),
  quarter: (words) => words("view_quarter"),
};
const STATUSES = {
  queued: (words) => words("queued"),
  processing: (words) => words("processing"),
  completed: (words) => words("completed"),
  failed: (words) => words("failed"),
};
const KINDS = {
  avatar: (words) => words("kind_avatar"),
  pose: (words) => words("kind_pose"),
  all_poses: (words) => words("kind_sheet"),
  graph: (words) => words("kind_graph"),
};

/** The name of a view; null is a picture whose pose image alone decided. */
export const viewName = (view, words) => VIEWS[view]?.(words) ?? words("view_free");

export const kindName = (generation, words) => KINDS[generation.kind]?.(words) ?? generation.kind;

export const wasCancelled = (generation) =>
  generation.status === "failed" && Boolean(generation.error?.startsWith("Cancelled"));

export const statusName = (generation, words) =>
  wasCancelled(generation) ? words("cancelled") : (STATUSES[generation.status]?.(words) ?? generation.status);

/** What a person would call it: its prompt. */
export const titleOf = (generation, words) => generation.parameters?.prompt ?? words("kind_graph");

/** A mark of colour and text: never of colour alone. */
export function statusMark(generation, words) {
  return make("span", {
    className: `avatarforge-mark avatarforge-${wasCancelled(generation) ? "cancelled" : generation.status}`,
    textContent: statusName(generation, words),
  });
}

export function when(time, locale) {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(new Date(time));
}

/** As `when`, for where there is little room: the year only where it is another one. */
export function shortly(time, locale) {
  const moment = new Date(time);
  const year = moment.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
  const rest = { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" };
  return new Intl.DateTimeFormat(locale, { ...rest, ...year }).format(moment);
}

export function seconds(value, words) {
  const whole = Math.max(1, Math.round(value));
  return whole < 100 ? words("seconds", { n: whole }) : words("minutes", { n: Math.round(whole / 60) });
}

/** What happens with one that waits or runs: its place in the queue, or view, step and time left. */
export function progressText(generation, words) {
  if (generation.status === "queued")
    return generation.queue_position
      ? words("queue_position", { n: generation.queue_position })
      : words("queued");
  const { current, eta_seconds: left } = generation;
  const parts = [];
  if (current?.view) parts.push(viewName(current.view, words));
  if (current?.steps > 1) parts.push(words("step", { step: current.step, steps: current.steps }));
  if (left !== null && left !== undefined) parts.push(words("time_left", { time: seconds(left, words) }));
  return parts.join(" · ") || words("processing");
}
