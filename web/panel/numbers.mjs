// JSON whose seeds keep every digit: they reach 2^64 - 1, JavaScript's numbers are exact below 2^53.
// Inside a JSON text a quotation mark is escaped, so `"seed":` can only be the name of a field.

const EXACT_DIGITS = 15;

/** As JSON.parse, but a seed of more than 15 digits comes as a text. */
export function parse(text) {
  return JSON.parse(
    text.replace(/("seed":\s*)(\d+)/g, (whole, name, digits) =>
      digits.length > EXACT_DIGITS ? `${name}"${digits}"` : whole,
    ),
  );
}

/** As JSON.stringify, but a seed that is a text of digits is written as the number that it means. */
export function stringify(value, indent) {
  return JSON.stringify(value, null, indent).replace(/("seed":\s*)"(\d+)"/g, "$1$2");
}
