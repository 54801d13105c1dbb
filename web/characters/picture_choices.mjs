// What was chosen last for a new picture of a character. Kept in the browser.
import { readStored, writeStored } from "../shared/storage.mjs";

/**
 * @typedef {object} PictureChoices
 * @property {string[]} pose
 * @property {string[]} outfit
 * @property {string[]} expression
 * @property {string[]} view
 * @property {string} prompt
 * @property {string} count
 * @property {boolean} newSeed
 */

const KEY = "AvatarForge.NewPicture"; // [id, choices] of each character, the last one first
const MOST = 50; // characters
const NONE = { pose: [], outfit: [], expression: [], view: [], prompt: "", count: "", newSeed: false };

/** @returns {[string, Partial<PictureChoices>][]} */
function readAll() {
  const stored = readStored(KEY);
  return Array.isArray(stored) ? stored.filter((entry) => Array.isArray(entry) && typeof entry[1] === "object") : [];
}

/**
 * @param {string} id of the character
 * @returns {PictureChoices}
 */
export function readChoices(id) {
  const found = readAll().find(([other]) => other === id)?.[1];
  return { ...NONE, ...found };
}

/**
 * @param {string} id of the character
 * @param {PictureChoices} choices
 */
export function writeChoices(id, choices) {
  const others = readAll().filter(([other]) => other !== id);
  writeStored(KEY, [[id, choices], ...others].slice(0, MOST));
}
