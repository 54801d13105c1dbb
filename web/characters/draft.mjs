// The fields of a character as they are edited, and what has changed. Kept in the browser until they are saved.
import { readStored, writeStored } from "../shared/storage.mjs";

/** @import { Character, CharacterContent } from "../shared/types.d.ts" */
/** @typedef {{ version: number, content: CharacterContent }} Draft */

const KEY = "AvatarForge.Character."; // with the character's id
/** A character has at most one of them. */
const MODELS = /** @type {const} */ (["model", "family", "template"]);
const FIELDS = /** @type {const} */ ([
  "name",
  "description",
  "clothing",
  "negative",
  "style",
  "realism",
  "seed",
  "loras",
  "references",
  "outfits",
  "expressions",
  "defaults",
  ...MODELS,
]);

/**
 * A copy of what can be edited.
 * @param {Character | CharacterContent} character
 * @returns {CharacterContent}
 */
export function contentOf(character) {
  /** @type {any} */
  const copy = Object.fromEntries(FIELDS.map((name) => [name, character[name] ?? null]));
  return structuredClone(copy);
}

/**
 * The fields in which a draft differs, as PATCH takes them.
 * @param {CharacterContent} saved
 * @param {CharacterContent} draft
 * @returns {Partial<CharacterContent>}
 */
export function changesBetween(saved, draft) {
  const changed = FIELDS.filter((name) => JSON.stringify(saved[name] ?? null) !== JSON.stringify(draft[name] ?? null));
  // The new one takes the place of the others, and only one of them may be sent.
  const chosen = MODELS.find((name) => changed.includes(name) && draft[name] !== null);
  const others = /** @type {string[]} */ (chosen ? MODELS.filter((name) => name !== chosen) : []);
  const sent = changed.filter((name) => !others.includes(name));
  return Object.fromEntries(sent.map((name) => [name, draft[name]]));
}

/**
 * The draft that was not saved when the page was last used, or null.
 * @param {string} id
 * @returns {Draft | null}
 */
export function readDraft(id) {
  const { version, content } = readStored(KEY + id) ?? {};
  return content ? { version, content: contentOf(content) } : null;
}

/**
 * @param {string} id
 * @param {Draft | null} draft null to forget it
 */
export function writeDraft(id, draft) {
  writeStored(KEY + id, draft);
}
