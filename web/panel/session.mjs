// What one page or one editor has once, however often the panel is opened: the client, what runs now, and
// what is about to be deleted.
import { Live, hasEnded } from "./live.mjs";

/** Seconds in which a deletion can be taken back, unless the settings say otherwise. */
export const UNDO_SECONDS = 8;

/**
 * `editor` holds what only ComfyUI's editor can do, and is null in the page of its own.
 * Events: "said" (detail: a sentence for a screen reader), "notice" ({text, label, action}), "removal" (an
 * id: whether it is about to be deleted has changed), "error" (an error of a request that nobody waits for).
 */
export class Session extends EventTarget {
  constructor({ client, words, locale, editor = null, undoSeconds = () => UNDO_SECONDS }) {
    super();
    this.client = client;
    this.words = words;
    this.locale = locale;
    this.editor = editor;
    this.undoSeconds = undoSeconds;
    this.live = new Live(client);
    this.leaving = new Map();
    // Also when the tab is closed or reloaded: what the user deleted is to be gone.
    addEventListener("pagehide", () => {
      for (const id of [...this.leaving.keys()]) void this.#remove(id, true);
    });
  }

  /** How many generations wait or run. */
  get running() {
    return [...this.live.active.values()].filter((one) => !hasEnded(one)).length;
  }

  say(text) {
    this.#tell("said", text);
  }

  notice(text, label = "", action = null) {
    this.#tell("notice", { text, label, action });
  }

  /** Delete a generation when the time to take it back is over. */
  remove(generation) {
    const id = generation.generation_id;
    if (this.leaving.has(id)) return;
    const timer = setTimeout(() => void this.#remove(id), this.undoSeconds() * 1000);
    this.leaving.set(id, { generation, timer });
    this.#tell("removal", id);
  }

  keep(id) {
    const entry = this.leaving.get(id);
    if (!entry) return;
    clearTimeout(entry.timer);
    this.leaving.delete(id);
    this.#tell("removal", id);
  }

  /** Stop the clock of a deletion while the user is at its button, and start it anew after that. */
  hold(id, held) {
    const entry = this.leaving.get(id);
    if (!entry) return;
    clearTimeout(entry.timer);
    if (!held) entry.timer = setTimeout(() => void this.#remove(id), this.undoSeconds() * 1000);
  }

  async #remove(id, keepalive = false) {
    const entry = this.leaving.get(id);
    if (!entry || entry.sent) return;
    clearTimeout(entry.timer);
    entry.sent = true;
    try {
      await this.client.remove(id, keepalive);
      this.live.drop(id);
      this.leaving.delete(id);
      this.#tell("removed", id);
    } catch (error) {
      this.leaving.delete(id);
      if (error.status === 404) this.#tell("removed", id);
      else {
        this.#tell("removal", id); // it is still there
        this.notice(error.detail || this.words("unreachable"));
      }
    }
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
