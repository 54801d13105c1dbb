// The state that exists once per page or editor, however often the panel is opened: the client, the active
// generations and the pending deletions.
import { errorMessage, statusOf } from "../shared/errors.mjs";
import { Emitter } from "../shared/events.mjs";
import { hasEnded } from "./labels.mjs";
import { Live } from "./live.mjs";

/** @import { ApiClient } from "./client.mjs" */
/** @import { EditorActions, Generation, PendingDelete, Translate } from "../shared/types.d.ts" */
/** @typedef {{ text: string, label: string, action: (() => void) | null }} Notice */

/** Seconds in which a deletion can be undone, unless the settings say otherwise. */
export const UNDO_SECONDS = 8;

/**
 * Events:
 * - "announce": a sentence for screen readers
 * - "notice": a message with an optional button
 * - "pending": the id of a generation whose deletion became pending, or is no longer pending
 * - "deleted": the id of a generation
 * - "character": the id of a character that was created
 * @extends {Emitter<{ announce: string, notice: Notice, pending: string, deleted: string, character: string }>}
 */
export class Session extends Emitter {
  /**
   * @param {object} options
   * @param {ApiClient} options.client
   * @param {Translate} options.t
   * @param {string} options.locale
   * @param {EditorActions | null} [options.editor] null on the standalone page
   * @param {() => number} [options.undoSeconds]
   */
  constructor({ client, t, locale, editor = null, undoSeconds = () => UNDO_SECONDS }) {
    super();
    this.client = client;
    this.t = t;
    this.locale = locale;
    this.editor = editor;
    this.undoSeconds = undoSeconds;
    this.live = new Live(client);
    /** @type {Map<string, PendingDelete>} */
    this.pendingDeletes = new Map();
    // Complete pending deletions when the tab is closed or reloaded.
    addEventListener("pagehide", () => {
      for (const id of [...this.pendingDeletes.keys()]) void this.#deleteNow(id, true);
    });
  }

  /** The number of generations that are queued or running. */
  get activeCount() {
    return [...this.live.active.values()].filter((generation) => !hasEnded(generation)).length;
  }

  /**
   * Announce a sentence to screen readers.
   * @param {string} text
   */
  announce(text) {
    this.emit("announce", text);
  }

  /**
   * Show a message, with a button if it has a label.
   * @param {string} text
   * @param {string} label
   * @param {(() => void) | null} action
   */
  notify(text, label = "", action = null) {
    this.emit("notice", { text, label, action });
  }

  /**
   * Delete a generation after the time in which this can be undone.
   * @param {Generation} generation
   */
  deleteLater(generation) {
    const id = generation.generation_id;
    if (this.pendingDeletes.has(id)) return;
    this.pendingDeletes.set(id, { generation, timer: this.#startTimer(id) });
    this.emit("pending", id);
  }

  /** @param {string} id */
  undoDelete(id) {
    const pending = this.pendingDeletes.get(id);
    if (!pending) return;
    clearTimeout(pending.timer);
    this.pendingDeletes.delete(id);
    this.emit("pending", id);
  }

  /**
   * Stop the timer of a pending deletion, such as while its button has the focus.
   * @param {string} id
   */
  pauseDelete(id) {
    clearTimeout(this.pendingDeletes.get(id)?.timer);
  }

  /**
   * Restart the timer of a pending deletion.
   * @param {string} id
   */
  resumeDelete(id) {
    const pending = this.pendingDeletes.get(id);
    if (!pending) return;
    clearTimeout(pending.timer);
    pending.timer = this.#startTimer(id);
  }

  /** @param {string} id */
  #startTimer(id) {
    return setTimeout(() => void this.#deleteNow(id), this.undoSeconds() * 1000);
  }

  /**
   * @param {string} id
   * @param {boolean} keepalive
   */
  async #deleteNow(id, keepalive = false) {
    const pending = this.pendingDeletes.get(id);
    if (!pending || pending.sent) return;
    clearTimeout(pending.timer);
    pending.sent = true;
    try {
      await this.client.deleteGeneration(id, keepalive);
      this.live.remove(id);
      this.pendingDeletes.delete(id);
      this.emit("deleted", id);
    } catch (error) {
      this.pendingDeletes.delete(id);
      if (statusOf(error) === 404) this.emit("deleted", id);
      else {
        this.emit("pending", id); // show it again
        this.notify(errorMessage(error, this.t));
      }
    }
  }
}
