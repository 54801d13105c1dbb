// Errors of requests to the API.

import { translateIfKnown } from "./i18n.mjs";
import { formatBytes } from "./sizes.mjs";

/** @import { ErrorParameters, FieldProblem, Translate } from "./types.d.ts" */

/** The keys of labels that differ from the field's name in the API. */
const LABELS = {
  pose_file_id: "pose",
  pose_id: "pose",
  pose_image: "pose",
  reference_file_id: "reference",
  reference_image: "reference",
};
const INVALID = "invalid_request";

/** The API refused a request, or did not respond at all. */
export class ApiError extends Error {
  /**
   * @param {number} status the HTTP status; 0 without a response
   * @param {string} detail the server's own sentence; "" without a response
   * @param {object} [options]
   * @param {string} [options.code] what went wrong, for programs; docs/api.md lists the codes
   * @param {ErrorParameters} [options.parameters] values for the sentence of the code
   * @param {FieldProblem[]} [options.problems] the problems of a 422
   */
  constructor(status, detail, { code = "", parameters = {}, problems = [] } = {}) {
    super(detail);
    this.status = status;
    this.detail = detail;
    this.code = code;
    this.parameters = parameters;
    this.problems = problems;
  }
}

/**
 * The error that a response describes: its `detail` is a sentence, or pydantic's list of problems.
 * @param {number} status
 * @param {string} statusText
 * @param {string} body
 */
export function parseApiError(status, statusText, body) {
  try {
    const { detail, code, parameters } = JSON.parse(body);
    if (!Array.isArray(detail)) return new ApiError(status, String(detail), { code, parameters });
    const sentences = detail.map((/** @type {FieldProblem} */ { msg }) => msg).join(" ");
    return new ApiError(status, sentences, { code, parameters, problems: detail });
  } catch {
    return new ApiError(status, `${status} ${statusText}`.trim());
  }
}

/**
 * The HTTP status of a failed request: 0 without a response, undefined for any other error.
 * @param {unknown} error
 */
export const statusOf = (error) => (error instanceof ApiError ? error.status : undefined);

/**
 * The message for the user: a sentence in the user's language for the error's code, otherwise the server's English
 * one.
 * @param {unknown} error
 * @param {Translate} t
 * @returns {string}
 */
export function errorMessage(error, t) {
  if (!(error instanceof ApiError) || !error.detail) return t("unreachable");
  const { code, detail, parameters, problems } = error;
  if (code === INVALID && problems.length)
    return problems.map((problem) => problemMessage(error, problem, t)).join(" ");
  const { field, ...others } = parameters;
  const values = { ...others, ...(field === undefined ? {} : { field: fieldLabel(field, t) }), detail };
  if (code.endsWith("_too_large") && "limit" in values) values.limit = formatBytes(Number(values.limit));
  return translateIfKnown(`error_${code}`, values, t) ?? detail;
}

/**
 * The message for the user about one problem of a 422, with the name of the field.
 * @param {ApiError} error
 * @param {FieldProblem} problem
 * @param {Translate} t
 * @returns {string}
 */
export function problemMessage(error, { loc, msg, type }, t) {
  if (error.code !== INVALID) return errorMessage(error, t); // there is only one problem, and the code identifies it
  const names = loc.filter((part) => typeof part === "string");
  const field = fieldLabel(loc[0] === "query" && names[1] === "pose" ? "view" : (names[1] ?? ""), t);
  const limit = /-?\d+(\.\d+)?/.exec(msg)?.[0] ?? ""; // pydantic's first number: "at most 500 items, not 501"
  const values = { field, limit, detail: msg };
  return translateIfKnown(`problem_${type}`, values, t) ?? translateIfKnown(`error_${INVALID}`, values, t) ?? msg;
}

/**
 * @param {string | number} name
 * @param {Translate} t
 */
function fieldLabel(name, t) {
  const key = Object.hasOwn(LABELS, name) ? LABELS[/** @type {keyof typeof LABELS} */ (name)] : String(name);
  return t(/** @type {Parameters<Translate>[0]} */ (key));
}

/** @param {unknown} error */
export const isAbort = (error) => error instanceof Error && error.name === "AbortError";
