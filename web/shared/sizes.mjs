// Sizes of files, for people.

const UNITS = ["B", "KB", "MB", "GB"];
const STEP = 1024;

/**
 * A size with at most four digits, such as "1.5 MB".
 * @param {number} bytes
 */
export function formatBytes(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= STEP && unit < UNITS.length - 1) {
    value /= STEP;
    unit++;
  }
  return `${Number(value.toPrecision(4))} ${UNITS[unit]}`;
}
