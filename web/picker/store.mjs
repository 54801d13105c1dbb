// AvatarForge's files over HTTP.

const PREFIX = "/avatarforge-controller";

/** What the server refused, in its own words; `detail` is empty when it did not answer at all. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
    this.detail = detail;
  }
}

export class Store {
  constructor(api) {
    this.api = api;
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

  thumbnail(fileId, size) {
    return this.api.apiURL(`${PREFIX}/files/${encodeURIComponent(fileId)}/thumbnail?size=${size}`);
  }

  async #ask(path, options) {
    let answer;
    try {
      answer = await this.api.fetchApi(PREFIX + path, options);
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
