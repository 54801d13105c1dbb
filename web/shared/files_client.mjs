// The API's stored files over HTTP.
import { ApiError, isAbort, parseApiError, statusOf } from "./errors.mjs";
import { byteLimit } from "./file_types.mjs";
import { formatBytes } from "./sizes.mjs";

/** @import { ComfyApi, FileKind, FilePage, UploadLimits, UploadedFile } from "./types.d.ts" */

export const PREFIX = "/avatarforge-controller";
const KEY = "avatarforge.key";
const SMALL = 1024; // bytes that every server takes

export class FilesClient {
  /** The key if the browser has no storage: kept until the page is closed. */
  #unstoredKey = "";
  /** @type {{ path: string, resolve: (signed: string) => void, reject: (error: unknown) => void }[]} */
  #unsigned = [];

  /** @param {ComfyApi} api */
  constructor(api) {
    this.api = api;
    /** @type {UploadLimits | null} */
    this.limits = null; // until they are needed
  }

  /**
   * The server's API key; "" if none was entered. It is kept in this browser's storage and not in ComfyUI's settings,
   * which anyone with access to the server can read.
   */
  get key() {
    try {
      return localStorage.getItem(KEY) ?? "";
    } catch {
      return this.#unstoredKey;
    }
  }

  set key(key) {
    this.#unstoredKey = key;
    try {
      if (key) localStorage.setItem(KEY, key);
      else localStorage.removeItem(KEY);
    } catch (error) {
      console.warn("AvatarForge: the key is kept for this page only", error);
    }
  }

  /**
   * The headers that authorize a request.
   * @returns {Record<string, string>}
   */
  authHeaders() {
    return this.key ? { "X-API-Key": this.key } : {};
  }

  /**
   * Send a request to a path under the prefix.
   * @param {string} path
   * @param {RequestInit & { headers?: Record<string, string> }} options
   * @throws {ApiError} unless the response is ok
   */
  async request(path, { headers, ...options } = {}) {
    let response;
    try {
      response = await this.api.fetchApi(PREFIX + path, { ...options, headers: { ...headers, ...this.authHeaders() } });
    } catch (error) {
      if (isAbort(error)) throw error;
      throw new ApiError(0, "");
    }
    if (response.ok) return response;
    throw parseApiError(response.status, response.statusText, await response.text().catch(() => ""));
  }

  /**
   * One page of stored files, newest first.
   * @param {number} limit
   * @param {string | null} cursor
   * @returns {Promise<FilePage>}
   */
  async listFiles(limit, cursor) {
    const query = new URLSearchParams({ limit: String(limit), ...(cursor ? { cursor } : {}) });
    return (await this.request(`/files?${query}`)).json();
  }

  /**
   * Refuse a file that the server would refuse after all of it was sent.
   * @param {FileKind} kind
   * @param {File} file
   * @throws {ApiError} as the server's would be
   */
  async requireFits(kind, file) {
    if (file.size <= SMALL) return;
    this.limits ??= /** @type {UploadLimits} */ ((await (await this.request("/request_fields")).json()).limits);
    const limit = byteLimit(file, kind, this.limits);
    if (file.size <= limit) return;
    const detail = `This file has ${formatBytes(file.size)}; the limit is ${formatBytes(limit)}.`;
    throw new ApiError(413, detail, { code: "file_too_large", parameters: { limit } });
  }

  /**
   * Upload a file. The same content always has the same file_id.
   * @param {FileKind} kind
   * @param {File} file
   * @returns {Promise<UploadedFile>}
   */
  async upload(kind, file) {
    await this.requireFits(kind, file);
    return (await this.request(uploadPath(kind), { method: "POST", body: uploadBody(file) })).json();
  }

  /**
   * The name of a stored file.
   * @param {string} fileId
   */
  async getFileName(fileId) {
    const path = `/files/${encodeURIComponent(fileId)}`;
    try {
      const response = await this.request(path, { method: "HEAD" });
      const encoded = /filename\*=UTF-8''([^;]+)/.exec(response.headers.get("Content-Disposition") ?? "");
      return encoded ? decodeURIComponent(encoded[1]) : fileId;
    } catch (error) {
      // A response to HEAD has no body, so the reason comes from GET.
      if (statusOf(error)) await this.request(path);
      throw error;
    }
  }

  /**
   * The URLs of thumbnails, for <img>.
   * @param {string[]} fileIds
   * @param {number} size pixels of the longer side
   */
  thumbnailUrls(fileIds, size) {
    return Promise.all(
      fileIds.map((fileId) => this.browserUrl(`/files/${encodeURIComponent(fileId)}/thumbnail?size=${size}`)),
    );
  }

  /**
   * The URL for an <img> or a link to what `url` of a response names. They cannot send a key, so with a key the URL
   * is signed. All URLs of one event-loop turn are signed in one request.
   * @param {string} url
   */
  async browserUrl(url) {
    const path = url.startsWith(PREFIX) ? url.slice(PREFIX.length) : url;
    const reachable = this.key ? await this.#sign(path) : path;
    return this.api.apiURL(PREFIX + reachable);
  }

  /**
   * @param {string} path
   * @returns {Promise<string>}
   */
  #sign(path) {
    return new Promise((resolve, reject) => {
      if (!this.#unsigned.length) queueMicrotask(() => void this.#signPending());
      this.#unsigned.push({ path, resolve, reject });
    });
  }

  async #signPending() {
    const pending = this.#unsigned;
    this.#unsigned = [];
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ urls: pending.map(({ path }) => path) });
    try {
      const { urls } = await (await this.request("/signed_urls", { method: "POST", headers, body })).json();
      pending.forEach(({ resolve }, index) => resolve(urls[index].signed_url));
    } catch (error) {
      for (const { reject } of pending) reject(error);
    }
  }
}

/** @param {FileKind} kind */
export function uploadPath(kind) {
  return `/upload/${kind}_image`;
}

/** @param {File} file */
export function uploadBody(file) {
  const body = new FormData();
  body.append("file", file, file.name || "pasted.png");
  return body;
}
