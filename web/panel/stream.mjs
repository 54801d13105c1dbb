// Server-sent events, read from a fetch: EventSource could not send the key.

/**
 * The events of a text/event-stream (WHATWG HTML, "Interpreting an event stream"), as {kind, id, data}.
 * `alive` is called with every piece that arrives, comments included.
 */
export async function* eventsOf(body, alive = () => {}) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let id = "";
  let fields = {};
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return; // an event without its blank line was cut off, and does not count
      alive();
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      for (const line of lines) {
        if (line === "") {
          if (fields.data !== undefined) yield { kind: fields.event || "message", id, data: fields.data };
          fields = {};
          continue;
        }
        const [, name, text = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
        if (name === "data") fields.data = fields.data === undefined ? text : `${fields.data}\n${text}`;
        else if (name === "event") fields.event = text;
        else if (name === "id" && !text.includes("\0")) id = text;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
