// What runs now: the server's events, or where it sends none, a look at its list every second.
import { eventsOf } from "./stream.mjs";

const SILENCE = 45_000; // ms; the server sends something every 15 s
const PAUSES = [500, 1000, 2000, 4000, 8000]; // ms between tries to reach a server that is away
const NO_KEY = 401;
const KEYLESS = 60_000; // ms; the server counts who comes without a key, and a key that is entered wakes us
const REMEMBERED = 500; // generations
const LOOK_BUSY = 1000; // ms between two looks at the list
const LOOK_IDLE = 5000;
const ENDED = new Set(["completed", "failed"]);

export const hasEnded = (generation) => ENDED.has(generation.status);

/**
 * Follows all generations. Events: "change" (detail: a generation), "ended" (the same, once), "gone" (an
 * id) and "state", after which `state` is connecting, live, polling, offline or refused; `reason` holds the
 * server's words where it refused.
 */
export class Live extends EventTarget {
  constructor(client) {
    super();
    this.client = client;
    this.state = "connecting";
    this.reason = "";
    this.active = new Map();
    this.heard = new Map(); // id -> how many events told of it
    this.lastId = null;
    this.streams = true;
    this.running = false;
    this.wake = () => {};
  }

  start() {
    if (this.running) return;
    this.running = true;
    const awake = () => {
      // A browser opens six connections to a server: hidden pages give theirs back.
      if (document.hidden) this.cut?.abort();
      this.wake();
    };
    document.addEventListener("visibilitychange", awake);
    addEventListener("online", awake);
    void this.#run();
  }

  /** Take up a generation that an answer just brought. */
  watch(generation) {
    const id = generation.generation_id;
    // The stream may have been faster than the answer, and know more: then only a new look tells.
    if (!this.heard.has(id)) this.#put(generation);
    this.#settle([id]).catch(() => {}); // not reached: the stream notes it too
    this.wake();
  }

  /** Forget a generation that is being deleted. */
  drop(id) {
    if (this.active.delete(id)) this.#tell("gone", id);
  }

  /** Try again now. */
  again() {
    this.wake();
  }

  async #run() {
    let failures = 0;
    for (;;) {
      if (document.hidden) {
        await this.#pause(2 ** 30);
        continue;
      }
      this.cut = new AbortController();
      try {
        if (this.streams) await this.#stream(() => (failures = 0));
        else {
          await this.#look();
          failures = 0;
          await this.#pause(this.active.size ? LOOK_BUSY : LOOK_IDLE);
        }
      } catch (error) {
        if (error.name === "AbortError") continue; // hidden, or too long silent
        this.#become(error.status ? "refused" : "offline", error.detail ?? "");
        const wait = error.status === NO_KEY ? KEYLESS : PAUSES[Math.min(failures++, PAUSES.length - 1)];
        await this.#pause(wait);
      }
    }
  }

  async #stream(reached) {
    const body = await this.client.stream(this.lastId, this.cut.signal);
    if (!body) {
      this.streams = false;
      return;
    }
    let timer;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.cut.abort(), SILENCE);
    };
    alive();
    // With an id to resume from there is no hello: what was missed comes at once.
    if (this.lastId) this.#become("live");
    reached();
    try {
      for await (const { kind, id, data } of eventsOf(body, alive)) {
        if (id) this.lastId = id;
        await this.#take(kind, JSON.parse(data));
      }
    } finally {
      clearTimeout(timer);
    }
    // The server closed it in order, as it does when it stops.
    await this.#pause(PAUSES[0]);
  }

  async #take(kind, data) {
    if (kind === "hello") {
      const before = [...this.active.keys()];
      for (const generation of data.active) this.#put(generation);
      const still = new Set(data.active.map((generation) => generation.generation_id));
      await this.#settle(before.filter((id) => !still.has(id)));
      this.#become("live");
      return;
    }
    const id = data.generation_id;
    this.#note(id);
    if (kind === "deleted") {
      this.active.delete(id);
      this.#tell("gone", id);
      return;
    }
    if (data.generation) {
      this.#put(this.#newest(data.generation));
      return;
    }
    const known = this.active.get(id);
    if (!known) {
      await this.#settle([id]);
      return;
    }
    const { at: _, generation_id: __, ...news } = data;
    this.#put(this.#newest({ ...known, ...news, queue_position: news.queue_position ?? null }));
  }

  async #look() {
    const before = [...this.active.keys()];
    const pages = await Promise.all(
      ["queued", "processing"].map((status) => this.client.generations({ status, limit: 100 })),
    );
    const found = pages.flatMap((page) => page.generations);
    for (const generation of found) this.#put(generation);
    const still = new Set(found.map((generation) => generation.generation_id));
    await this.#settle(before.filter((id) => !still.has(id)));
    this.#become("polling");
  }

  /** Ask how generations stand of which the list or the stream says no more. */
  async #settle(ids) {
    for (const id of ids) {
      try {
        await this.#lookAt(id);
      } catch (error) {
        if (error.status !== 404) throw error;
        this.active.delete(id);
        this.#tell("gone", id);
      }
    }
  }

  async #lookAt(id) {
    for (;;) {
      const before = this.heard.get(id);
      const found = await this.client.generation(id);
      if (hasEnded(found) || this.heard.get(id) === before) {
        this.#put(this.#newest(found));
        return;
      }
      // Told of meanwhile: what runs goes on being told of, and what has ended is looked at again.
      if (this.active.has(id)) return;
    }
  }

  #note(id) {
    const times = this.heard.get(id) ?? 0;
    this.heard.delete(id);
    this.heard.set(id, times + 1);
    if (this.heard.size > REMEMBERED) this.heard.delete(this.heard.keys().next().value);
  }

  /** The stream and an answer come by two ways: what comes later may be the older one of the same run. */
  #newest(generation) {
    const known = this.active.get(generation.generation_id);
    if (!known || hasEnded(generation)) return generation;
    if (known.comfyui_prompt_id !== generation.comfyui_prompt_id) return generation;
    if (known.status === "processing" && generation.status === "queued") return known;
    return known.progress > generation.progress ? { ...generation, progress: known.progress } : generation;
  }

  #put(generation) {
    const id = generation.generation_id;
    const known = this.active.get(id);
    if (hasEnded(generation)) {
      this.active.delete(id);
      this.#tell("change", generation);
      if (known) this.#tell("ended", generation);
      return;
    }
    this.active.set(id, generation);
    this.#tell("change", generation);
  }

  #become(state, reason = "") {
    if (this.state === state && this.reason === reason) return;
    this.state = state;
    this.reason = reason;
    this.#tell("state", state);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
