// The generations that match the gallery's filters, of any number: read a page at a time where they are looked at.
import { Emitter } from "../shared/events.mjs";

/** @import { ApiClient } from "./client.mjs" */
/** @import { GalleryQuery, Generation } from "../shared/types.d.ts" */

const PAGE = 50;
/** Pages that are kept; those farthest from the view go first. */
const KEPT = 60;
const AT_ONCE = 2;

/**
 * Whether a generation that the server listed still belongs to the filters: these are what can change.
 * @param {Generation} generation
 * @param {GalleryQuery} query
 */
function stillMatches({ status, favourite, tags }, query) {
  return (
    (!query.status || query.status === status) &&
    (!query.favourite || favourite) &&
    (!query.tag || tags.includes(query.tag))
  );
}

/**
 * Whether a new generation belongs to the filters, as far as the page can tell: the server also knows the name of its
 * character, for one.
 * @param {Generation} generation
 * @param {GalleryQuery} query
 */
function matches(generation, query) {
  const { character_id: character, created_at: created, kind, output_files: outputs, parameters } = generation;
  const words = (query.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const text = [parameters?.prompt, parameters?.clothing, parameters?.outfit, parameters?.style, parameters?.checkpoint]
    .join("\n")
    .toLowerCase();
  /** @type {[unknown, boolean][]} */
  const conditions = [
    [query.kind, query.kind === kind],
    [query.model, query.model === parameters?.checkpoint],
    [query.character_id, query.character_id === character],
    [query.view, outputs.some((output) => output.pose_type === query.view)],
    [query.created_from, created >= (query.created_from ?? "")],
    [query.created_before, created < (query.created_before ?? "")],
  ];
  const given = conditions.every(([wanted, met]) => !wanted || met);
  return given && stillMatches(generation, query) && words.every((word) => text.includes(word));
}

/**
 * The first page is read as it is, and `head` also gets what is made later. All other pages count from its end, with
 * its cursor, so that nothing that arrives shifts them.
 *
 * Events:
 * - "change": other generations are known
 * - "error": the error of a page that could not be read
 * @extends {Emitter<{ change: null, error: unknown }>}
 */
export class GalleryPages extends Emitter {
  /** @param {ApiClient} client */
  constructor(client) {
    super();
    this.client = client;
    /** @type {GalleryQuery} */
    this.query = {};
    this.total = 0;
    /** @type {Generation[]} */
    this.head = [];
    /** @type {string | null} */
    this.cursor = null;
    /** @type {Map<number, Generation[]>} */
    this.pages = new Map();
    /** @type {Set<number>} */
    this.loading = new Set();
    this.view = { first: 0, last: 0 };
    this.missed = false; // whether there are new ones that were not taken in
    this.version = 0; // grows when the places of known generations change
    this.lastRequest = 0;
  }

  /**
   * Read the first page of other filters.
   * @param {GalleryQuery} query
   * @returns {Promise<boolean>} false if a later call took its place
   */
  async start(query) {
    const request = ++this.lastRequest;
    const page = await this.client.listGenerations({ ...query, limit: PAGE }).catch((/** @type {unknown} */ error) => {
      if (request === this.lastRequest) throw error;
      return null;
    });
    if (!page || request !== this.lastRequest) return false;
    this.query = query;
    this.total = page.total;
    this.head = page.generations;
    this.cursor = page.next_cursor;
    this.missed = false;
    this.pages.clear();
    this.loading = new Set(); // what is still on its way is not for these filters
    this.version++;
    return true;
  }

  /**
   * @param {number} index
   * @returns {Generation | undefined} undefined while it is not known
   */
  get(index) {
    if (index < this.head.length) return this.head[index];
    const after = index - this.head.length;
    return this.pages.get(Math.floor(after / PAGE))?.[after % PAGE];
  }

  /**
   * @param {string} id
   * @returns {number} its index; -1 if it is not known
   */
  find(id) {
    const place = this.#placeOf(id);
    if (!place) return -1;
    return place.page === null ? place.index : this.head.length + place.page * PAGE + place.index;
  }

  /**
   * The generation at an index, read if it is not known.
   * @param {number} index
   * @returns {Promise<Generation | null>} null if it cannot be read
   */
  async fetch(index) {
    if (!this.get(index) && this.cursor !== null) await this.#read(Math.floor((index - this.head.length) / PAGE));
    return this.get(index) ?? null;
  }

  /**
   * Read what is not known of these; it comes with the event "change".
   * @param {number} first
   * @param {number} last
   */
  need(first, last) {
    this.view = { first, last: Math.min(last, this.total - 1) };
    this.#readOn();
  }

  /**
   * Take in a generation that is new, or has changed.
   * @param {Generation} generation
   * @param {boolean} takesNew false while a new one would move what the user looks at
   * @returns {boolean} whether the places of others changed
   */
  upsert(generation, takesNew) {
    const place = this.#placeOf(generation.generation_id);
    if (place && !stillMatches(generation, this.query)) return this.remove(generation.generation_id);
    if (place) place.list[place.index] = generation;
    if (place || !matches(generation, this.query) || !this.#isNew(generation)) return false;
    if (!takesNew) {
      this.missed = true;
      return false;
    }
    this.total++;
    if (this.query.sort === "oldest") this.head.push(generation);
    else this.head.unshift(generation);
    return true;
  }

  /**
   * @param {string} id
   * @returns {boolean} whether it was known
   */
  remove(id) {
    const place = this.#placeOf(id);
    if (!place) return false;
    this.total--;
    this.version++;
    place.list.splice(place.index, 1);
    if (place.page !== null) this.#closeGap(place.page);
    return true;
  }

  /** @param {Generation} generation */
  #isNew(generation) {
    if (this.query.sort === "oldest") return this.cursor === null; // all others are known
    return !this.head.length || this.head[0].created_at <= generation.created_at;
  }

  /**
   * @param {string} id
   * @returns {{ list: Generation[], index: number, page: number | null } | null} page: null for the head
   */
  #placeOf(id) {
    const inHead = this.head.findIndex((item) => item.generation_id === id);
    if (inHead >= 0) return { list: this.head, index: inHead, page: null };
    for (const [page, list] of this.pages) {
      const index = list.findIndex((item) => item.generation_id === id);
      if (index >= 0) return { list, index, page };
    }
    return null;
  }

  /**
   * Every later generation moves up by one place.
   * @param {number} page the first page that lacks one
   */
  #closeGap(page) {
    for (const number of [...this.pages.keys()].filter((key) => key >= page).sort((one, other) => one - other)) {
      const following = this.pages.get(number + 1);
      const moved = following?.shift();
      if (moved) this.pages.get(number)?.push(moved);
      else this.pages.delete(number); // read again when it is looked at
    }
  }

  #readOn() {
    while (this.loading.size < AT_ONCE) {
      const page = this.#nextPage();
      if (page === null) return;
      void this.#read(page);
    }
  }

  /** @returns {number | null} the first page in view that is neither known nor being read */
  #nextPage() {
    if (this.cursor === null || this.view.last < this.head.length) return null;
    const first = Math.max(0, Math.floor((this.view.first - this.head.length) / PAGE));
    const last = Math.floor((this.view.last - this.head.length) / PAGE);
    for (let page = first; page <= last; page++) if (!this.pages.has(page) && !this.loading.has(page)) return page;
    return null;
  }

  /** @param {number} page */
  async #read(page) {
    const { version, query, cursor, loading } = this;
    loading.add(page);
    try {
      const answer = await this.client.listGenerations({ ...query, limit: PAGE, cursor, offset: page * PAGE });
      loading.delete(page);
      if (version === this.version) {
        this.pages.set(page, answer.generations);
        this.#forgetFar(page);
        this.emit("change", null);
      }
      this.#readOn();
    } catch (error) {
      loading.delete(page); // the next look tries again
      if (version === this.version) this.emit("error", error);
    }
  }

  /** @param {number} near */
  #forgetFar(near) {
    if (this.pages.size <= KEPT) return;
    const [farthest] = [...this.pages.keys()].sort((one, other) => Math.abs(other - near) - Math.abs(one - near));
    this.pages.delete(farthest);
  }
}
