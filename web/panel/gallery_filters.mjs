// The search, filters and order of the gallery.
import { button, make } from "../shared/elements.mjs";
import { Emitter } from "../shared/events.mjs";
import { newId } from "./fields.mjs";
import { kindName, viewName } from "./labels.mjs";

/** @import { GalleryFilters, GalleryQuery, OfferedValue, Translate } from "../shared/types.d.ts" */
/** @import { Session } from "./session.mjs" */
/** @typedef {"status" | "kind" | "view" | "model" | "character_id" | "tag" | "sort"} SelectName */

const TYPING_PAUSE = 250; // milliseconds
const DAY = 24 * 60 * 60 * 1000;
/** Filters that are always in view. */
const IN_VIEW = new Set(["status"]);

/**
 * @param {string} text
 * @param {HTMLElement} control
 */
function labelled(text, control) {
  return make("div", { className: "avatarforge-field" }, make("label", { htmlFor: control.id, textContent: text }), control);
}

/**
 * Give a select these options, and keep what is selected, even if it is not offered any more.
 * @param {HTMLSelectElement} select
 * @param {[string, string][]} options [value, text]
 */
function fill(select, options) {
  const { value } = select;
  const kept = value && !options.some(([offered]) => offered === value) ? [make("option", { value, textContent: value })] : [];
  select.replaceChildren(...options.map(([offered, textContent]) => make("option", { value: offered, textContent })), ...kept);
  select.value = value;
}

/**
 * @param {OfferedValue} item
 * @returns {[string, string]}
 */
const numbered = ({ value, name, number }) => [value, `${name} (${number})`];

/**
 * @param {string} kind
 * @param {Translate} t
 */
const kindOf = (kind, t) => kindName(/** @type {Parameters<typeof kindName>[0]} */ ({ kind }), t);

/** @param {Date} time */
const toApiTime = (time) => time.toISOString();

/** @param {string} day such as 2026-01-31 */
function endOfDay(day) {
  const next = new Date(new Date(`${day}T12:00:00`).getTime() + DAY);
  next.setHours(0, 0, 0, 0); // the day of a change of the clock has 23 or 25 hours
  return next;
}

/**
 * Events: "change": the filters.
 * @extends {Emitter<{ change: GalleryQuery }>}
 */
export class GalleryFilterBar extends Emitter {
  /** @param {Session} session */
  constructor(session) {
    super();
    const { t } = session;
    this.session = session;
    /** @type {GalleryFilters | null} */
    this.offered = null;
    this.timer = 0;
    this.search = make("input", {
      type: "search",
      className: "avatarforge-control",
      placeholder: t("gallery_search"),
      "aria-label": t("gallery_search"),
      maxLength: 200,
    });
    this.search.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.#changed(), TYPING_PAUSE);
    });
    /** @type {Record<SelectName, HTMLSelectElement>} */
    this.selects = {
      status: this.#select(),
      kind: this.#select(),
      view: this.#select(),
      model: this.#select(),
      character_id: this.#select(),
      tag: this.#select(),
      sort: this.#select(),
    };
    this.favourite = make("input", { type: "checkbox", id: newId() });
    this.from = make("input", { type: "date", id: newId(), className: "avatarforge-control" });
    this.until = make("input", { type: "date", id: newId(), className: "avatarforge-control" });
    for (const control of [this.favourite, this.from, this.until]) control.addEventListener("change", () => this.#changed());
    const more = newId();
    this.toggle = button(t("gallery_filters"), () => this.#toggleMore(), { "aria-controls": more, "aria-expanded": "false" });
    this.clearButton = button(t("gallery_clear"), () => this.clear());
    this.more = make(
      "div",
      { id: more, className: "avatarforge-more-filters", hidden: true },
      labelled(t("gallery_kind"), this.selects.kind),
      labelled(t("gallery_view"), this.selects.view),
      labelled(t("gallery_character"), this.selects.character_id),
      labelled(t("gallery_model"), this.selects.model),
      labelled(t("gallery_tag"), this.selects.tag),
      labelled(t("gallery_from"), this.from),
      labelled(t("gallery_until"), this.until),
      labelled(t("gallery_sort"), this.selects.sort),
      make(
        "div",
        { className: "avatarforge-row" },
        this.favourite,
        make("label", { htmlFor: this.favourite.id, textContent: t("gallery_favourites_only") }),
      ),
      this.clearButton,
    );
    this.bar = make(
      "div",
      { className: "avatarforge-row avatarforge-filter" },
      this.search,
      make("label", { htmlFor: this.selects.status.id, textContent: t("show") }),
      this.selects.status,
      this.toggle,
    );
    this.element = make("div", { role: "search", "aria-label": t("gallery") }, this.bar, this.more);
    this.#fillFixed();
    this.#fillOffered();
    this.#showNumber();
  }

  /** The filters as they are set. @returns {GalleryQuery} */
  get query() {
    /** @type {GalleryQuery} */
    const query = {};
    const q = this.search.value.trim();
    if (q) query.q = q;
    for (const [name, select] of Object.entries(this.selects)) if (select.value) Object.assign(query, { [name]: select.value });
    if (this.favourite.checked) query.favourite = true;
    // Dates are those of the user's calendar.
    if (this.from.value) query.created_from = toApiTime(new Date(`${this.from.value}T00:00:00`));
    if (this.until.value) query.created_before = toApiTime(endOfDay(this.until.value));
    return query;
  }

  /** Show everything again. */
  clear() {
    this.search.value = this.from.value = this.until.value = "";
    this.favourite.checked = false;
    for (const select of Object.values(this.selects)) select.value = "";
    this.#changed();
    this.search.focus();
  }

  /** Fetch the values that the filters can have; without them, the others still work. */
  async loadOffered() {
    try {
      this.offered = await this.session.client.getGalleryFilters();
    } catch {
      return; // the list shows why the server does not answer
    }
    this.#fillOffered();
  }

  #select() {
    const select = make("select", { id: newId(), className: "avatarforge-control" });
    select.addEventListener("change", () => this.#changed());
    return select;
  }

  #changed() {
    clearTimeout(this.timer);
    this.#showNumber();
    this.emit("change", this.query);
  }

  #toggleMore() {
    this.more.hidden = !this.more.hidden;
    this.toggle.setAttribute("aria-expanded", String(!this.more.hidden));
    if (!this.more.hidden) void this.loadOffered();
  }

  #showNumber() {
    const { t } = this.session;
    const number = Object.keys(this.query).filter((name) => name !== "q" && !IN_VIEW.has(name)).length;
    this.toggle.textContent = number ? t("gallery_filters_set", { n: number }) : t("gallery_filters");
  }

  #fillFixed() {
    const { t } = this.session;
    fill(this.selects.status, [
      ["", t("all")],
      ["completed", t("completed")],
      ["processing", t("processing")],
      ["queued", t("queued")],
      ["failed", t("failed")],
    ]);
    fill(this.selects.sort, [
      ["", t("gallery_newest")],
      ["oldest", t("gallery_oldest")],
    ]);
  }

  #fillOffered() {
    const { t } = this.session;
    /** @type {Partial<GalleryFilters>} */
    const offered = this.offered ?? {};
    const { models = [], characters = [], tags = [], views = [], kinds = [] } = offered;
    const all = /** @type {[string, string]} */ (["", t("all")]);
    fill(this.selects.model, [all, ...models.map(numbered)]);
    fill(this.selects.character_id, [all, ...characters.map(numbered)]);
    fill(this.selects.tag, [all, ...tags.map(numbered)]);
    fill(this.selects.view, [all, ...views.map((item) => numbered({ ...item, name: viewName(item.value, t) }))]);
    fill(this.selects.kind, [all, ...kinds.map((item) => numbered({ ...item, name: kindOf(item.value, t) }))]);
  }
}
