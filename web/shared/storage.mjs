// Values that this browser keeps. A browser may forbid that: then nothing is kept, and everything else works.

/**
 * @param {string} key
 * @returns {any} null if nothing is kept, or nothing readable
 */
export function readStored(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @param {unknown} value null keeps nothing
 */
export function writeStored(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // No storage is allowed, or it is full.
  }
}
