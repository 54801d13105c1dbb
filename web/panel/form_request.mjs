// What the form sends: its route, and what is known about earlier requests.
import { readStored, writeStored } from "../shared/storage.mjs";
import { newKey } from "./client.mjs";

const KEY = "AvatarForge.LastRequest"; // a reload must not make the form repeat it unasked

export const FREE = "free"; // no particular view
export const SHEET = "sheet"; // all four views

/**
 * The route that makes a view.
 * @param {string} view
 */
export function routeOf(view) {
  if (view === SHEET) return "/generate_all_poses";
  return view === FREE ? "/generate/avatar" : `/generate_pose?pose=${encodeURIComponent(view)}`;
}

/** Names requests, so that a repeated one makes no second generation, and tells which would repeat a picture. */
export class RequestLog {
  constructor() {
    /** @type {{ request: string, key: string } | null} */
    this.unanswered = null; // the last request, until the server has responded to it
    const stored = readStored(KEY);
    this.last = { request: String(stored?.request ?? ""), id: String(stored?.id ?? "") };
  }

  /**
   * The idempotency key. Submitting a request again after its response was lost must not create a second generation.
   * @param {string} route
   * @param {Record<string, unknown>} body
   */
  key(route, body) {
    const request = JSON.stringify([route, body]);
    if (this.unanswered?.request !== request) this.unanswered = { request, key: newKey() };
    return this.unanswered.key;
  }

  /** The server has responded. */
  answered() {
    this.unanswered = null;
  }

  /** The request that made the last picture, or that of the settings in use, and the generation's id. */
  get known() {
    return this.last;
  }

  set known(last) {
    this.last = last;
    writeStored(KEY, last);
  }

  /**
   * @param {string} route
   * @param {Record<string, unknown>} body
   * @param {string} id of the generation
   */
  remember(route, body, id) {
    this.known = { request: JSON.stringify([route, body]), id };
  }

  /**
   * The generation has failed: there is no picture.
   * @param {string} id
   */
  failed(id) {
    if (id === this.last.id) this.known = { request: "", id: "" };
  }

  /**
   * Whether this request would make a known picture again. One without a seed never does, and one whose response was
   * lost is not known yet.
   * @param {string} route
   * @param {Record<string, unknown>} body
   */
  isRepeat(route, body) {
    return body.seed !== undefined && JSON.stringify([route, body]) === this.last.request;
  }
}
