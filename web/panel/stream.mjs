// Server-sent events, read with fetch, because EventSource cannot send the key.

/** @typedef {{ kind: string, id: string, data: string }} ServerEvent */

/**
 * The events of a text/event-stream (WHATWG HTML, "Interpreting an event stream").
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @param {() => void} onData called for every chunk that arrives, comments included
 * @returns {AsyncGenerator<ServerEvent, void>}
 */
export async function* readEvents(body, onData = () => {}) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let id = "";
  /** @type {{ event?: string, data?: string }} */
  let fields = {};
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return; // an event without a final blank line is incomplete and ignored
      onData();
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          if (fields.data !== undefined) yield { kind: fields.event || "message", id, data: fields.data };
          fields = {};
          continue;
        }
        const colon = line.indexOf(":");
        const name = colon < 0 ? line : line.slice(0, colon);
        const text = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (name === "data") fields.data = fields.data === undefined ? text : `${fields.data}\n${text}`;
        else if (name === "event") fields.event = text;
        else if (name === "id" && !text.includes("\0")) id = text;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
