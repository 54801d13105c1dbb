// AvatarForge's files over HTTP.

const PREFIX = "/avatarforge-controller";
const KEY = "avatarforge.key";

/** What the server refused, in its own words; `detail` is empty when it did not answer at all. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
    this.detail = detail;
  }
}

export class Store {
  #key = "";

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

  /** One page of stored files, newest first: {total, files, limit, next_cursor}. */
  async page(limit, cursor) {
    const query = new URLSearchParams({ limit, ...(cursor ? { cursor } : {}) });
    return (await this.#ask(`/files?${query}`)).json();
  }

  /** Upload a File as a pose or a reference; the same content gives the same file_id. */
  async upload(kind, file) {
    const body = new FormData();
    body.append("file", file, file.name || "pasted.png");
    return (await this.#ask(`/upload/${kind}_image`, { method: "POST", body })).json();
  }

  /** The name of a stored file. */
  async name(fileId) {
    const path = `/files/${encodeURIComponent(fileId)}`;
    try {
      const answer = await this.#ask(path, { method: "HEAD" });
      const sent = /filename\*=UTF-8''([^;]+)/.exec(answer.headers.get("Content-Disposition") ?? "");
      return sent ? decodeURIComponent(sent[1]) : fileId;
    } catch (error) {
      // An answer to HEAD has no body: the reason comes with GET.
      if (error.status) await this.#ask(path);
      throw error;
    }
  }

  /** Where an <img> finds the thumbnails of these files. It cannot send a key, so that the links are signed. */
  async thumbnails(fileIds, size) {
    const paths = fileIds.map((fileId) => `/files/${encodeURIComponent(fileId)}/thumbnail?size=${size}`);
    const shown = this.key && paths.length ? await this.#sign(paths) : paths;
    return shown.map((path) => this.api.apiURL(PREFIX + path));
  }

  async #sign(urls) {
    const headers = { "Content-Type": "application/json" };
    const answer = await this.#ask("/signed_urls", { method: "POST", headers, body: JSON.stringify({ urls }) });
    return (await answer.json()).urls.map((one) => one.signed_url);
  }

  async #ask(path, { headers, ...options } = {}) {
    let answer;
    const key = this.key ? { "X-API-Key": this.key } : {};
    try {
      answer = await this.api.fetchApi(PREFIX + path, { ...options, headers: { ...headers, ...key } });
    } catch {
      throw new Refused(0, "");
    }
    if (answer.ok) return answer;
    throw new Refused(answer.status, await detailOf(answer));
  }
}

/** The `detail` of an error answer: a sentence, or pydantic's list of them. */
async function detailOf(answer) {
  try {
    const { detail } = await answer.json();
    return Array.isArray(detail) ? detail.map((problem) => problem.msg).join(" ") : String(detail);
  } catch {
    return `${answer.status} ${answer.statusText}`;
  }
}
