// AvatarForge's files over HTTP.

export const PREFIX = "/avatarforge-controller";
const KEY = "avatarforge.key";

/** What the server refused, in its own words; `detail` is empty when it did not answer at all. */
export class Refused extends Error {
  /** `problems` are those of a 422, each with the place that it is about. */
  constructor(status, detail, problems = []) {
    super(detail);
    this.status = status;
    this.detail = detail;
    this.problems = problems;
  }
}

export class Store {
  #key = "";
  #wanted = []; // links to be signed, with the promises of those who wait for them

  constructor(api) {
    this.api = api;
  }

  /**
   * The server's API key, empty where none was entered. It lies in this browser's storage, and not in ComfyUI's
   * settings: those are given to everyone who reaches the server.
   */
  get key() {
    try {
      return localStorage.getItem(KEY) ?? "";
    } catch {
      return this.#key; // a browser that stores nothing keeps it until the page is left
    }
  }

  set key(key) {
    this.#key = key;
    try {
      if (key) localStorage.setItem(KEY, key);
      else localStorage.removeItem(KEY);
    } catch (error) {
      console.warn("AvatarForge: the key is kept for this page only", error);
    }
  }

  /** What a request of ours must carry. */
  headers() {
    return this.key ? { "X-API-Key": this.key } : {};
  }

  /** One page of stored files, newest first: {total, files, limit, next_cursor}. */
  async page(limit, cursor) {
    const query = new URLSearchParams({ limit, ...(cursor ? { cursor } : {}) });
    return (await this.ask(`/files?${query}`)).json();
  }

  /** Upload a File as a pose or a reference; the same content gives the same file_id. */
  async upload(kind, file) {
    const body = new FormData();
    body.append("file", file, file.name || "pasted.png");
    return (await this.ask(`/upload/${kind}_image`, { method: "POST", body })).json();
  }

  /** The name of a stored file. */
  async name(fileId) {
    const path = `/files/${encodeURIComponent(fileId)}`;
    try {
      const answer = await this.ask(path, { method: "HEAD" });
      const sent = /filename\*=UTF-8''([^;]+)/.exec(answer.headers.get("Content-Disposition") ?? "");
      return sent ? decodeURIComponent(sent[1]) : fileId;
    } catch (error) {
      // An answer to HEAD has no body: the reason comes with GET.
      if (error.status) await this.ask(path);
      throw error;
    }
  }

  /** Where an <img> finds the thumbnails of these files. */
  thumbnails(fileIds, size) {
    return Promise.all(
      fileIds.map((fileId) => this.shown(`/files/${encodeURIComponent(fileId)}/thumbnail?size=${size}`)),
    );
  }

  /**
   * Where an <img> or a link finds what an answer's `url` names. It cannot send a key, so that the links are
   * signed; those that are asked for in one go are signed by one request.
   */
  async shown(url) {
    const path = url.startsWith(PREFIX) ? url.slice(PREFIX.length) : url;
    const signed = this.key ? await this.#signed(path) : path;
    return this.api.apiURL(PREFIX + signed);
  }

  #signed(path) {
    return new Promise((resolve, reject) => {
      if (!this.#wanted.length) queueMicrotask(() => void this.#sign());
      this.#wanted.push({ path, resolve, reject });
    });
  }

  async #sign() {
    const wanted = this.#wanted;
    this.#wanted = [];
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ urls: wanted.map(({ path }) => path) });
    try {
      const { urls } = await (await this.ask("/signed_urls", { method: "POST", headers, body })).json();
      wanted.forEach(({ resolve }, at) => resolve(urls[at].signed_url));
    } catch (error) {
      for (const { reject } of wanted) reject(error);
    }
  }

  /** Ask for a path under the prefix. Gives an answer that is fine, or throws Refused. */
  async ask(path, { headers, ...options } = {}) {
    let answer;
    try {
      answer = await this.api.fetchApi(PREFIX + path, { ...options, headers: { ...headers, ...this.headers() } });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refused(0, "");
    }
    if (answer.ok) return answer;
    throw refused(answer.status, answer.statusText, await answer.text().catch(() => ""));
  }
}

/** What an error answer says: its `detail` is a sentence, or pydantic's list of problems. */
export function refused(status, statusText, text) {
  try {
    const { detail } = JSON.parse(text);
    if (!Array.isArray(detail)) return new Refused(status, String(detail));
    return new Refused(status, detail.map((problem) => problem.msg).join(" "), detail);
  } catch {
    return new Refused(status, `${status} ${statusText}`.trim());
  }
}
