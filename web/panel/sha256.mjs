// SHA-256 (FIPS 180-4), for pages without crypto.subtle: browsers offer it only on secure pages, and a page over plain
// http from another machine is not one.

/**
 * The first `count` primes.
 * @param {number} count
 */
function primes(count) {
  /** @type {number[]} */
  const result = [];
  for (let number = 2; result.length < count; number++)
    if (result.every((prime) => number % prime)) result.push(number);
  return result;
}

/**
 * The first 32 bits of the fractional part of a positive number.
 * @param {number} number
 */
const fraction = (number) => ((number % 1) * 2 ** 32) | 0;

const PRIMES = primes(64);
const K = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));
const START = Int32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
const BLOCK = 64; // bytes

/**
 * @param {number} word
 * @param {number} bits
 */
const rotateRight = (word, bits) => (word >>> bits) | (word << (32 - bits));

/**
 * Update the hash with the block at `offset`.
 * @param {Int32Array} state the eight words of the hash
 * @param {Uint8Array} bytes
 * @param {number} offset
 * @param {Int32Array} schedule 64 words, overwritten
 */
function addBlock(state, bytes, offset, schedule) {
  for (let t = 0; t < 16; t++) {
    const from = offset + t * 4;
    schedule[t] = (bytes[from] << 24) | (bytes[from + 1] << 16) | (bytes[from + 2] << 8) | bytes[from + 3];
  }
  for (let t = 16; t < 64; t++) {
    const early = schedule[t - 15];
    const late = schedule[t - 2];
    const sigma0 = rotateRight(early, 7) ^ rotateRight(early, 18) ^ (early >>> 3);
    const sigma1 = rotateRight(late, 17) ^ rotateRight(late, 19) ^ (late >>> 10);
    schedule[t] = (schedule[t - 16] + sigma0 + schedule[t - 7] + sigma1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 64; t++) {
    const sum1 = rotateRight(e, 6) ^ rotateRight(e, 11) ^ rotateRight(e, 25);
    const choice = (e & f) ^ (~e & g);
    const temp1 = (h + sum1 + choice + K[t] + schedule[t]) | 0;
    const sum0 = rotateRight(a, 2) ^ rotateRight(a, 13) ^ rotateRight(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + temp1) | 0, c, b, a, (temp1 + sum0 + majority) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, index) => (state[index] = (state[index] + word) | 0));
}

/**
 * The SHA-256 as 64 hexadecimal digits.
 * @param {Uint8Array} bytes
 */
export function sha256(bytes) {
  const state = Int32Array.from(START);
  const schedule = new Int32Array(64);
  const whole = bytes.length - (bytes.length % BLOCK);
  for (let offset = 0; offset < whole; offset += BLOCK) addBlock(state, bytes, offset, schedule);
  // The rest, a one bit, zeros, and the length in bits in the last eight bytes.
  const rest = bytes.subarray(whole);
  const last = new Uint8Array(rest.length + 9 > BLOCK ? 2 * BLOCK : BLOCK);
  last.set(rest);
  last[rest.length] = 0x80;
  new DataView(last.buffer).setBigUint64(last.length - 8, BigInt(bytes.length) * 8n);
  for (let offset = 0; offset < last.length; offset += BLOCK) addBlock(state, last, offset, schedule);
  return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}
