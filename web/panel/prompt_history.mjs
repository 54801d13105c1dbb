// The prompts that were sent from this browser, newest first.
import { readStored, writeStored } from "../shared/storage.mjs";

const KEY = "AvatarForge.Prompts";
const MOST = 50;
const LONGEST = 10_000; // characters, as the API takes them

/** @returns {string[]} */
export function listPrompts() {
  const stored = readStored(KEY);
  return Array.isArray(stored) ? stored.filter((text) => typeof text === "string") : [];
}

/** @param {unknown} text */
export function addPrompt(text) {
  if (typeof text !== "string" || !text || text.length > LONGEST) return;
  writeStored(KEY, [text, ...listPrompts().filter((other) => other !== text)].slice(0, MOST));
}

export function clearPrompts() {
  writeStored(KEY, null);
}
