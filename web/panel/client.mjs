// AvatarForge's generations over HTTP, beside the files of the store.
import { PREFIX, Refused, Store, refused } from "../picker/store.mjs";
import { parse, stringify } from "./numbers.mjs";

const NO_STREAM = new Set([404, 405, 406, 501]);

export class Client extends Store {
  /** Hand over where a browser finds a picture. Where no link can be had there is nothing to show. */
  async show(url, use) {
    try {
      use(await this.shown(url));
    } catch (error) {
      if (error.status === undefined) throw error;
    }
  }

  async json(path, options) {
    return parse(await (await this.ask(path, options)).text());
  }

  capabilities() {
    return this.json("/capabilities");
  }

  poses() {
    return this.json("/poses");
  }

  /** A page of generations, newest first. */
  generations(query) {
    const given = Object.entries(query).filter(([, value]) => value !== null && value !== "");
    return this.json(`/generations?${new URLSearchParams(given)}`);
  }

  generation(id) {
    return this.json(`/generations/${encodeURIComponent(id)}`);
  }

  /** `key` makes a second try of the same request safe: it gets the answer of the first. */
  submit(route, body, key) {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
    return this.json(route, { method: "POST", headers, body: stringify(body) });
  }

  /** `what` is cancel, retry or reroll?pose=... */
  act(id, what) {
    const headers = { "Idempotency-Key": newKey() };
    return this.json(`/generations/${encodeURIComponent(id)}/${what}`, { method: "POST", headers });
  }

  /** `keepalive`: the page is going away, and the request has to outlive it. */
  async remove(id, keepalive = false) {
    await this.ask(`/generations/${encodeURIComponent(id)}`, { method: "DELETE", keepalive });
  }

  /** The prompt of a generation, as the editor opens it. */
  async prompt(id) {
    return (await (await this.ask(`/generations/${encodeURIComponent(id)}/prompt`)).json()).prompt;
  }

  /** The file_id of what is stored with this hash, or null. */
  async known(hash) {
    const { exists, file_id } = await this.json(`/files/hash/${hash}`);
    return exists ? file_id : null;
  }

  /** Upload a File; `progress(fraction)` is told how much of it has gone out. An AbortSignal stops it. */
  async send(kind, file, progress, signal) {
    try {
      return await this.#transfer(kind, file, progress, signal);
    } catch (error) {
      if (error.status !== 401) throw error;
      await this.ask("/files?limit=1"); // which asks for the key
      return this.#transfer(kind, file, progress, signal);
    }
  }

  #transfer(kind, file, progress, signal) {
    // fetch does not tell how far an upload is.
    const request = new XMLHttpRequest();
    request.open("POST", this.api.apiURL(`${PREFIX}/upload/${kind}_image`));
    for (const [name, value] of Object.entries(this.headers())) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total, lengthComputable }) =>
      lengthComputable && progress(loaded / total);
    const done = new Promise((resolve, reject) => {
      request.onload = () => {
        if (request.status === 200) resolve(JSON.parse(request.responseText));
        else reject(refused(request.status, request.statusText, request.responseText));
      };
      request.onerror = () => reject(new Refused(0, ""));
      request.onabort = () => reject(new DOMException("The upload was stopped.", "AbortError"));
    });
    signal?.addEventListener("abort", () => request.abort());
    const body = new FormData();
    body.append("file", file, file.name || "pasted.png");
    request.send(body);
    return done;
  }

  /** The body of the stream of all events after `lastId`, or null where this server has none. */
  async stream(lastId, signal) {
    const headers = { Accept: "text/event-stream", ...(lastId ? { "Last-Event-ID": lastId } : {}) };
    try {
      const answer = await this.ask("/events", { headers, signal, cache: "no-store" });
      const type = answer.headers.get("Content-Type") ?? "";
      return type.startsWith("text/event-stream") ? answer.body : null;
    } catch (error) {
      if (NO_STREAM.has(error.status)) return null;
      throw error;
    }
  }
}

/** A new random key. randomUUID would be there for secure pages only. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
