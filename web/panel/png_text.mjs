// Reads the texts of a PNG: tEXt, zTXt and iTXt chunks (PNG specification, third edition, 11.3.3). The file may be
// hostile: only chunk headers and texts are read, and everything has a limit.

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const HEADER = 8; // bytes of the length and the type of a chunk
const CRC = 4; // bytes after its data
const MOST_CHUNKS = 1000; // programs write their texts before the pixels
const MOST_TEXTS = 32;
const LONGEST = 4 * 1024 * 1024; // bytes of one text, before and after decompression
const LONGEST_KEYWORD = 79; // bytes, as the specification says

/**
 * The texts by their keywords, the first of each. A chunk that is damaged or too large is skipped; a damaged structure
 * ends the reading, because nothing after it can be found.
 * @param {Blob} file
 * @returns {Promise<Map<string, string>>} empty if it is no PNG or has no texts
 */
export async function readPngTexts(file) {
  /** @type {Map<string, string>} */
  const texts = new Map();
  const start = await bytesOf(file, 0, SIGNATURE.length);
  if (SIGNATURE.some((byte, index) => start[index] !== byte)) return texts;
  let offset = SIGNATURE.length;
  for (let count = 0; count < MOST_CHUNKS && texts.size < MOST_TEXTS; count++) {
    const header = await bytesOf(file, offset, HEADER);
    if (header.length < HEADER) break;
    const length = new DataView(header.buffer, header.byteOffset).getUint32(0);
    const type = decode(header.subarray(4));
    const data = offset + HEADER;
    if (data + length + CRC > file.size || type === "IEND") break;
    if (/^(tEXt|zTXt|iTXt)$/.test(type) && length <= LONGEST) {
      const text = await readText(type, await bytesOf(file, data, length)).catch(() => null);
      if (text && !texts.has(text[0])) texts.set(...text);
    }
    offset = data + length + CRC;
  }
  return texts;
}

/**
 * @param {string} type
 * @param {Uint8Array<ArrayBuffer>} data
 * @returns {Promise<[keyword: string, text: string] | null>}
 */
async function readText(type, data) {
  const end = data.indexOf(0);
  if (end < 1 || end > LONGEST_KEYWORD) return null;
  const keyword = decode(data.subarray(0, end));
  const rest = data.subarray(end + 1);
  if (type === "tEXt") return [keyword, decode(rest)];
  if (type === "zTXt") return rest[0] === 0 ? [keyword, decode(await inflate(rest.subarray(1)))] : null;
  // Flag and method of the compression, then the language and the translated keyword, each ended by a zero.
  const language = rest.indexOf(0, 2);
  const translated = language < 0 ? -1 : rest.indexOf(0, language + 1);
  if (translated < 0 || rest[1] !== 0) return null;
  const text = rest.subarray(translated + 1);
  return [keyword, new TextDecoder().decode(rest[0] === 1 ? await inflate(text) : text)];
}

/**
 * @param {Uint8Array<ArrayBuffer>} data
 * @throws {Error} if it is damaged or becomes too large
 */
async function inflate(data) {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate"));
  const reader = stream.getReader();
  /** @type {Uint8Array[]} */
  const pieces = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > LONGEST) {
      await reader.cancel();
      throw new Error("The text is too large.");
    }
    pieces.push(value);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

/**
 * @param {Blob} file
 * @param {number} start
 * @param {number} length
 */
async function bytesOf(file, start, length) {
  return new Uint8Array(await file.slice(start, start + length).arrayBuffer());
}

/**
 * ISO 8859-1, in which every byte is the character of the same number. TextDecoder reads it as windows-1252, which
 * differs. Many programs write UTF-8 here against the specification, so valid UTF-8 is read as such.
 * @param {Uint8Array} bytes
 */
function decode(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return text;
  }
}
