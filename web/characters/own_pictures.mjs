// All pictures of a character, newest first, with those that are being made.
import { button, make, setStatus } from "../shared/elements.mjs";
import { errorMessage } from "../shared/errors.mjs";
import { formatTimeShort, generationTitle, hasEnded, kindName, progressText, statusBadge, statusName } from "../panel/labels.mjs";
import { drag, picturesOf } from "../panel/pictures.mjs";
import { TilePictures } from "../panel/tile_pictures.mjs";
import { expressionName, outfitName } from "./options.mjs";

/** @import { Generation } from "../shared/types.d.ts" */
/** @import { Session } from "../panel/session.mjs" */
/** @import { CharactersClient } from "./characters_client.mjs" */

const PAGE = 24;

export class OwnPictures {
  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {CharactersClient} options.characters
   * @param {(id: string) => void} options.open shows a generation in detail
   */
  constructor({ session, characters, open }) {
    const { live, t } = session;
    this.session = session;
    this.characters = characters;
    this.open = open;
    this.id = ""; // of the character
    /** @type {Map<string, Card>} */
    this.cards = new Map();
    /** @type {string | null} */
    this.nextCursor = null;
    this.lastRequest = 0;
    this.list = make("ul", { className: "avatarforge-own-pictures" });
    this.list.setAttribute("aria-label", t("pictures"));
    this.status = make("p", { className: "avatarforge-status", role: "status" });
    this.older = button(t("older"), () => void this.#load(), { hidden: true });
    this.element = make(
      "section",
      { className: "avatarforge-character-pictures", "aria-label": t("pictures") },
      make("h3", { textContent: t("pictures") }),
      this.list,
      this.status,
      make("div", { className: "avatarforge-row" }, this.older),
    );
    /** @type {Map<string, Generation>} */
    this.changed = new Map(); // what events have told while a page was on its way
    live.on("change", (generation) => {
      this.changed.set(generation.generation_id, generation);
      if (this.id && generation.character_id === this.id) this.#upsert(generation);
    });
    live.on("deleted", (id) => this.#remove(id));
    session.on("deleted", (id) => this.#remove(id));
    session.on("pending", (id) => this.#updateVisibility(id));
  }

  /**
   * Show the pictures of this character.
   * @param {string} id "" for none
   */
  show(id) {
    this.id = id;
    this.lastRequest++;
    this.cards.clear();
    this.list.replaceChildren();
    this.nextCursor = null;
    this.older.hidden = true;
    setStatus(this.status, "");
    if (!id) return;
    for (const generation of this.session.live.active.values())
      if (generation.character_id === id) this.#upsert(generation);
    void this.#load();
  }

  async #load() {
    const { t } = this.session;
    const request = ++this.lastRequest;
    if (!this.cards.size) setStatus(this.status, t("loading"));
    try {
      const query = { character_id: this.id, limit: PAGE, cursor: this.nextCursor };
      this.changed.clear();
      const page = await this.characters.listGenerations(query);
      if (request !== this.lastRequest) return;
      this.nextCursor = page.next_cursor;
      // What the stream has told is newer.
      for (const generation of page.generations)
        this.#upsert(this.changed.get(generation.generation_id) ?? generation, true);
      this.older.hidden = !this.nextCursor;
      setStatus(this.status, this.cards.size ? "" : t("no_pictures"));
    } catch (error) {
      if (request !== this.lastRequest) return;
      setStatus(this.status, errorMessage(error, t), true);
      this.older.hidden = false; // tries again
    }
  }

  /**
   * @param {Generation} generation
   * @param {boolean} isOlder whether a new one comes last
   */
  #upsert(generation, isOlder = false) {
    const id = generation.generation_id;
    let card = this.cards.get(id);
    // An old one that changes, such as by a re-roll, waits for its page.
    if (!card && !isOlder && !this.#isNewest(generation)) return;
    if (!card) {
      card = new Card(this.session, generation, () => this.open(id));
      this.cards.set(id, card);
      if (isOlder) this.list.append(card.element);
      else this.list.prepend(card.element);
      setStatus(this.status, "");
    } else if (isOlder) this.list.append(card.element); // an active one, now in its place among the others
    card.update(generation);
    this.#updateVisibility(id);
  }

  /** @param {Generation} generation */
  #isNewest(generation) {
    return [...this.cards.values()].every((card) => card.created <= generation.created_at);
  }

  /** @param {string} id */
  #remove(id) {
    this.cards.get(id)?.element.remove();
    this.cards.delete(id);
  }

  /** @param {string} id */
  #updateVisibility(id) {
    const card = this.cards.get(id);
    if (card) card.element.hidden = this.session.pendingDeletes.has(id);
  }
}

class Card {
  /**
   * @param {Session} session
   * @param {Generation} generation
   * @param {() => void} open
   */
  constructor(session, generation, open) {
    this.session = session;
    this.generation = generation;
    this.pictures = new TilePictures(session);
    this.mark = make("span", { className: "avatarforge-marks" });
    this.title = make("span", { className: "avatarforge-title" });
    this.details = make("span", { className: "avatarforge-details" });
    this.button = make(
      "button",
      { type: "button", className: "avatarforge-tile", onclick: open },
      this.pictures.element,
      this.title,
      this.details,
    );
    this.pictures.element.append(this.mark);
    this.element = make("li", { draggable: true }, this.button);
    this.element.addEventListener("dragstart", (event) => this.#startDrag(event));
    this.created = generation.created_at;
  }

  /** @param {Generation} generation */
  update(generation) {
    const { locale, t } = this.session;
    this.generation = generation;
    this.pictures.update(generation);
    const ended = hasEnded(generation);
    const { title, details } = describe(generation, this.session);
    this.title.textContent = title;
    this.details.textContent = ended ? `${details} · ${formatTimeShort(this.created, locale)}` : progressText(generation, t);
    this.button.setAttribute("aria-label", `${title}, ${details}, ${statusName(generation, t)}`);
    this.mark.replaceChildren(...(generation.status === "completed" ? [] : [statusBadge(generation, t)]));
  }

  /** @param {DragEvent} event */
  #startDrag(event) {
    const [first] = picturesOf(this.generation);
    const [image] = this.pictures.images;
    if (first && image) drag(event, first, image);
    else event.preventDefault();
  }
}

/**
 * What a generation of a character shows: its outfit and expression, or its words.
 * @param {Generation} generation
 * @param {Session} session
 */
function describe(generation, { t }) {
  const { parameters } = generation;
  const choices = [
    parameters?.outfit ? outfitName(parameters.outfit, t) : null,
    parameters?.expression ? expressionName(parameters.expression, t) : null,
  ].filter((part) => part !== null);
  const title = choices.join(" · ") || parameters?.prompt || (generation.kind === "expressions" ? "" : outfitName(null, t));
  return { title: title || generationTitle(generation, t), details: kindName(generation, t) };
}
