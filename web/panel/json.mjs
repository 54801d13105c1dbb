// JSON whose seeds keep every digit: they reach 2^64 - 1, and JavaScript's numbers are exact below 2^53 only.
// Inside a JSON string a quotation mark is escaped, so `"seed":` can only be the name of a field.

const EXACT_DIGITS = 15;

/**
 * Like JSON.parse, but a seed of more than 15 digits becomes a string.
 * @param {string} text
 */
export function parse(text) {
  return JSON.parse(
    text.replace(/("seed":\s*)(\d+)/g, (match, name, digits) =>
      digits.length > EXACT_DIGITS ? `${name}"${digits}"` : match,
    ),
  );
}

/**
 * Like JSON.stringify, but a seed that is a string of digits is written as a number.
 * @param {unknown} value
 * @param {number} [indent]
 */
export function stringify(value, indent) {
  return JSON.stringify(value, null, indent).replace(/("seed":\s*)"(\d+)"/g, "$1$2");
}
