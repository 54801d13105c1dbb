// Errors of requests to the API.

/** @import { FieldProblem, Translate } from "./types.d.ts" */

/** The API refused a request, or did not respond at all. */
export class ApiError extends Error {
  /**
   * @param {number} status the HTTP status; 0 without a response
   * @param {string} detail the server's own sentence; "" without a response
   * @param {FieldProblem[]} problems those of a 422
   */
  constructor(status, detail, problems = []) {
    super(detail);
    this.status = status;
    this.detail = detail;
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
    const { detail } = JSON.parse(body);
    if (!Array.isArray(detail)) return new ApiError(status, String(detail));
    return new ApiError(status, detail.map((/** @type {FieldProblem} */ { msg }) => msg).join(" "), detail);
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
 * What to tell the user.
 * @param {unknown} error
 * @param {Translate} t
 */
export const errorMessage = (error, t) => (error instanceof ApiError && error.detail) || t("unreachable");

/** @param {unknown} error */
export const isAbort = (error) => error instanceof Error && error.name === "AbortError";
