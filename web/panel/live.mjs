// The active generations, kept up to date by the server's events or, without them, by polling.
import { Emitter } from "../shared/events.mjs";
import { ApiError, isAbort, statusOf } from "../shared/errors.mjs";
import { hasEnded } from "./labels.mjs";
import { readEvents } from "./stream.mjs";

/** @import { ApiClient } from "./client.mjs" */
/** @import { Generation, GenerationChange } from "../shared/types.d.ts" */
/** @typedef {"connecting" | "live" | "polling" | "offline" | "refused"} State */

const SILENCE_LIMIT = 45_000; // ms; the server sends something every 15 s
const RETRY_DELAYS = [500, 1000, 2000, 4000, 8000]; // ms
const UNAUTHORIZED = 401;
const UNAUTHORIZED_DELAY = 60_000; // ms; the server counts requests without a key, and a new key ends the wait
const MAX_COUNTED = 500; // generations
const POLL_BUSY = 1000; // ms
const POLL_IDLE = 5000;
const HIDDEN = 2 ** 30; // ms: until `wake` is called

/**
 * Follows all generations. Events:
 * - "change": a generation with any change
 * - "ended": a generation, once, when it has ended
 * - "deleted": the id of a generation
 * - "state": the connection changed; `refusal` is the server's error when it refused.
 * @extends {Emitter<{ change: Generation, ended: Generation, deleted: string, state: State }>}
 */
export class Live extends Emitter {
  /** @param {Pick<ApiClient, "getGeneration" | "listGenerations" | "openEventStream">} client */
  constructor(client) {
    super();
    this.client = client;
    /** @type {State} */
    this.state = "connecting";
    /** @type {ApiError | null} */
    this.refusal = null;
    /** @type {Map<string, Generation>} */
    this.active = new Map();
    /**
     * The number of events about each generation, oldest first.
     * @type {Map<string, number>}
     */
    this.eventCounts = new Map();
    /** @type {string | null} */
    this.lastEventId = null;
    this.hasStream = true;
    this.started = false;
    this.abortController = new AbortController();
    this.wake = () => {};
  }

  start() {
    if (this.started) return;
    this.started = true;
    const onVisibilityChange = () => {
      // A browser opens six connections to a server: hidden pages release theirs.
      if (document.hidden) this.abortController.abort();
      this.wake();
    };
    document.addEventListener("visibilitychange", onVisibilityChange);
    addEventListener("online", onVisibilityChange);
    void this.#run();
  }

  /**
   * Follow a generation from a response.
   * @param {Generation} generation
   */
  watch(generation) {
    const id = generation.generation_id;
    // The stream may have been faster than the response. Then only a refresh shows which of them is newer.
    if (!this.eventCounts.has(id)) this.#upsert(generation);
    this.#refresh([id]).catch(() => {}); // if the server is unreachable, the stream notices, too
    this.wake();
  }

  /**
   * Forget a generation that is being deleted.
   * @param {string} id
   */
  remove(id) {
    if (this.active.delete(id)) this.emit("deleted", id);
  }

  /** Connect without waiting for the rest of the delay. */
  retryNow() {
    this.wake();
  }

  async #run() {
    let failures = 0;
    for (;;) {
      if (document.hidden) {
        await this.#sleep(HIDDEN);
        continue;
      }
      this.abortController = new AbortController();
      try {
        if (this.hasStream) await this.#followStream(() => (failures = 0));
        else {
          await this.#poll();
          failures = 0;
          await this.#sleep(this.active.size ? POLL_BUSY : POLL_IDLE);
        }
      } catch (error) {
        if (isAbort(error)) continue; // the page is hidden, or the stream was silent for too long
        const refused = error instanceof ApiError && error.status !== 0;
        this.#setState(refused ? "refused" : "offline", refused ? error : null);
        const unauthorized = statusOf(error) === UNAUTHORIZED;
        const delay = RETRY_DELAYS[Math.min(failures, RETRY_DELAYS.length - 1)];
        if (!unauthorized) failures++;
        await this.#sleep(unauthorized ? UNAUTHORIZED_DELAY : delay);
      }
    }
  }

  /** @param {() => void} onConnected */
  async #followStream(onConnected) {
    const { abortController } = this;
    const body = await this.client.openEventStream(this.lastEventId, abortController.signal);
    if (!body) {
      this.hasStream = false;
      return;
    }
    /** @type {number | undefined} */
    let timer;
    const onData = () => {
      clearTimeout(timer);
      timer = setTimeout(() => abortController.abort(), SILENCE_LIMIT);
    };
    onData();
    // A resumed stream begins with the missed events instead of a hello.
    if (this.lastEventId) this.#setState("live");
    onConnected();
    try {
      for await (const { kind, id, data } of readEvents(body, onData)) {
        if (id) this.lastEventId = id;
        if (kind === "hello") await this.#handleHello(JSON.parse(data).active);
        else await this.#handleEvent(kind, JSON.parse(data));
      }
    } finally {
      clearTimeout(timer);
    }
    // The server closed the stream, as it does when it shuts down.
    await this.#sleep(RETRY_DELAYS[0]);
  }

  /** @param {Generation[]} active */
  async #handleHello(active) {
    await this.#replaceActive([...this.active.keys()], active);
    this.#setState("live");
  }

  /**
   * @param {string} kind
   * @param {GenerationChange} data
   */
  async #handleEvent(kind, data) {
    const id = data.generation_id;
    // The events of a batch are about a group; its generations have events of their own.
    if (!id) return;
    this.#countEvent(id);
    if (kind === "deleted") {
      this.active.delete(id);
      this.emit("deleted", id);
      return;
    }
    if (data.generation) {
      this.#upsert(this.#newest(data.generation));
      return;
    }
    const previous = this.active.get(id);
    if (!previous) {
      await this.#refresh([id]);
      return;
    }
    const { at: _at, generation: _generation, ...changes } = data;
    this.#upsert(this.#newest({ ...previous, ...changes, queue_position: changes.queue_position ?? null }));
  }

  async #poll() {
    const before = [...this.active.keys()];
    const pages = await Promise.all(
      ["queued", "processing"].map((status) => this.client.listGenerations({ status, limit: 100 })),
    );
    await this.#replaceActive(
      before,
      pages.flatMap((page) => page.generations),
    );
    this.#setState("polling");
  }

  /**
   * Adopt the server's list of active generations, and refresh those that are no longer in it.
   * @param {string[]} before the ids that were active before
   * @param {Generation[]} active
   */
  async #replaceActive(before, active) {
    for (const generation of active) this.#upsert(generation);
    const listed = new Set(active.map((generation) => generation.generation_id));
    await this.#refresh(before.filter((id) => !listed.has(id)));
  }

  /**
   * Load generations whose state is neither in the list nor in the stream.
   * @param {string[]} ids
   */
  async #refresh(ids) {
    for (const id of ids) {
      try {
        await this.#refreshOne(id);
      } catch (error) {
        if (statusOf(error) !== 404) throw error;
        this.active.delete(id);
        this.emit("deleted", id);
      }
    }
  }

  /** @param {string} id */
  async #refreshOne(id) {
    for (;;) {
      const count = this.eventCounts.get(id);
      const generation = await this.client.getGeneration(id);
      if (hasEnded(generation) || this.eventCounts.get(id) === count) {
        this.#upsert(this.#newest(generation));
        return;
      }
      // An event arrived meanwhile and is newer than the response. While the generation is active more events
      // follow; once it has ended none do, so it is read again.
      if (this.active.has(id)) return;
    }
  }

  /** @param {string} id */
  #countEvent(id) {
    const count = this.eventCounts.get(id) ?? 0;
    this.eventCounts.delete(id);
    this.eventCounts.set(id, count + 1);
    const [oldest] = this.eventCounts.keys();
    if (this.eventCounts.size > MAX_COUNTED) this.eventCounts.delete(oldest);
  }

  /**
   * Events and responses arrive on two connections, so the later one may be the older state of the same run.
   * @param {Generation} generation
   */
  #newest(generation) {
    const previous = this.active.get(generation.generation_id);
    if (!previous || hasEnded(generation)) return generation;
    if (previous.comfyui_prompt_id !== generation.comfyui_prompt_id) return generation;
    if (previous.status === "processing" && generation.status === "queued") return previous;
    return previous.progress > generation.progress ? { ...generation, progress: previous.progress } : generation;
  }

  /** @param {Generation} generation */
  #upsert(generation) {
    const id = generation.generation_id;
    if (hasEnded(generation)) {
      const wasActive = this.active.delete(id);
      this.emit("change", generation);
      if (wasActive) this.emit("ended", generation);
      return;
    }
    this.active.set(id, generation);
    this.emit("change", generation);
  }

  /**
   * @param {State} state
   * @param {ApiError | null} refusal
   */
  #setState(state, refusal = null) {
    if (this.state === state && this.refusal?.detail === refusal?.detail) return;
    this.state = state;
    this.refusal = refusal;
    this.emit("state", state);
  }

  /**
   * Wait until the time has passed or `wake` is called.
   * @param {number} ms
   * @returns {Promise<void>}
   */
  #sleep(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
