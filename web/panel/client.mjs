// The API's generations over HTTP; FilesClient has the stored files.
import { ApiError, parseApiError, statusOf } from "../shared/errors.mjs";
import { FilesClient, PREFIX, uploadBody, uploadPath } from "../shared/files_client.mjs";
import { parse, stringify } from "./json.mjs";

/** @import { Capabilities, FileKind, Generation, GenerationPage, GenerationQuery, Pose, RequestFields } from "../shared/types.d.ts" */
/** @import { ModelFamily, ModelFileInfo, ModelGuide, ModelOverride, Style, Take, UploadLimits, UploadedFile } from "../shared/types.d.ts" */
/** @import { GalleryFilters, MarkedGeneration, MarksBody } from "../shared/types.d.ts" */

/** The statuses of servers and proxies that offer no event stream. */
const NO_STREAM = new Set([404, 405, 406, 501]);

export class ApiClient extends FilesClient {
  /**
   * Call `apply` with the URL of a picture for the browser; never if it cannot be signed.
   * @param {string} url
   * @param {(browserUrl: string) => void} apply
   */
  async applyUrl(url, apply) {
    try {
      apply(await this.browserUrl(url));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /**
   * Send a request and parse its response.
   * @param {string} path
   * @param {Parameters<FilesClient["request"]>[1]} [options]
   */
  async requestJson(path, options) {
    return parse(await (await this.request(path, options)).text());
  }

  /** @returns {Promise<Capabilities>} */
  getCapabilities() {
    return this.requestJson("/capabilities");
  }

  /** @returns {Promise<RequestFields>} */
  getFormFields() {
    return this.requestJson("/request_fields");
  }

  /** @returns {Promise<{ styles: Style[] }>} */
  listStyles() {
    return this.requestJson("/styles");
  }

  /** @returns {Promise<ModelGuide>} */
  getModelGuide() {
    return this.requestJson("/model_guide");
  }

  /** @returns {Promise<{ models: ModelFileInfo[], families: ModelFamily[] }>} */
  listModels() {
    return this.requestJson("/models");
  }

  /**
   * Say what a model file is; what is null is left to its header and name.
   * @param {ModelFileInfo} model
   * @param {Partial<ModelOverride>} override
   * @returns {Promise<ModelFileInfo>}
   */
  updateOverride({ folder, name }, override) {
    if (Object.values(override).some((value) => value !== null)) {
      const body = JSON.stringify({ folder, name, ...override });
      return this.requestJson("/models/override", { method: "PUT", headers: { "Content-Type": "application/json" }, body });
    }
    return this.requestJson(`/models/override?${new URLSearchParams({ folder, name })}`, { method: "DELETE" });
  }

  /** @returns {Promise<{ poses: Pose[] }>} */
  getPoses() {
    return this.requestJson("/poses");
  }

  /**
   * A pose of the library, as one frame of OpenPose JSON, turned to a view.
   * @param {string} pose its id or name
   * @param {string | null} view null for the front
   * @param {boolean} mirrored
   * @returns {Promise<{ pose: object }>}
   */
  getLibraryPose(pose, view, mirrored) {
    const query = new URLSearchParams({ view: view ?? "front", mirrored: String(mirrored) });
    return this.requestJson(`/poses/library/${encodeURIComponent(pose)}?${query}`);
  }

  /**
   * Make a character of a generation's pictures and words.
   * @param {string} id
   * @param {string} name
   * @returns {Promise<{ character_id: string, name: string }>}
   */
  createCharacterOf(id, name) {
    const headers = { "Content-Type": "application/json" };
    return this.requestJson(`${generationPath(id)}/character`, { method: "POST", headers, body: JSON.stringify({ name }) });
  }

  /**
   * A page of generations, newest first unless the query says otherwise.
   * @param {GenerationQuery} query
   * @returns {Promise<GenerationPage>}
   */
  listGenerations(query) {
    const given = Object.entries(query).filter(([, value]) => value || value === 0);
    return this.requestJson(`/generations?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`);
  }

  /** @returns {Promise<GalleryFilters>} */
  getGalleryFilters() {
    return this.requestJson("/gallery/filters");
  }

  /**
   * Note favourites and tags.
   * @param {MarksBody} marks
   * @returns {Promise<{ generations: MarkedGeneration[], missing: string[] }>}
   */
  markGenerations(marks) {
    return this.requestJson("/gallery/marks", jsonPost(marks));
  }

  /**
   * @param {string[]} ids
   * @returns {Promise<{ deleted: number, missing: string[] }>}
   */
  deleteGenerations(ids) {
    return this.requestJson("/gallery/delete", jsonPost({ generation_ids: ids }));
  }

  /**
   * A zip archive of their pictures.
   * @param {string[]} ids
   * @returns {Promise<Blob>}
   */
  async exportPictures(ids) {
    return (await this.request("/gallery/export", jsonPost({ generation_ids: ids }))).blob();
  }

  /**
   * Pictures for another program.
   * @param {string} path of what is exported, such as "/batch/ID"
   * @param {Record<string, string>} query
   * @returns {Promise<{ file: Blob, name: string }>} `name` is the one that the server gives it
   */
  async exportFile(path, query) {
    const response = await this.request(`${path}/export?${new URLSearchParams(query)}`);
    const [, name = "export.zip"] = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "") ?? [];
    return { file: await response.blob(), name };
  }

  /**
   * @param {string} id
   * @returns {Promise<Generation>}
   */
  getGeneration(id) {
    return this.requestJson(generationPath(id));
  }

  /**
   * @param {string} route
   * @param {Record<string, unknown>} body
   * @param {string} idempotencyKey a retry with the same key gets the first response instead of a second generation
   * @returns {Promise<Generation>}
   */
  createGeneration(route, body, idempotencyKey) {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": idempotencyKey };
    return this.requestJson(route, { method: "POST", headers, body: stringify(body) });
  }

  /**
   * @param {string} id
   * @param {string} action cancel, retry or reroll?position=...
   * @returns {Promise<Generation>}
   */
  runAction(id, action) {
    const headers = { "Idempotency-Key": newKey() };
    return this.requestJson(`${generationPath(id)}/${action}`, { method: "POST", headers });
  }

  /**
   * Measure how well the pictures of a completed generation match what was asked for.
   * @param {string} id
   * @returns {Promise<Generation>}
   */
  judge(id) {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": newKey() };
    return this.requestJson(`${generationPath(id)}/judge`, { method: "POST", headers, body: "{}" });
  }

  /**
   * The takes of a picture, oldest first.
   * @param {string} id
   * @param {number} number of the picture, from 1
   * @returns {Promise<{ takes: Take[] }>}
   */
  listTakes(id, number) {
    return this.requestJson(takesPath(id, number));
  }

  /**
   * Make a take the current one.
   * @param {string} id
   * @param {number} number of the picture, from 1
   * @param {number} take
   * @returns {Promise<Generation>}
   */
  chooseTake(id, number, take) {
    return this.requestJson(`${takesPath(id, number)}/${take}/choose`, { method: "POST" });
  }

  /**
   * @param {string} id
   * @param {number} number of the picture, from 1
   * @param {number} take
   */
  async deleteTake(id, number, take) {
    await this.request(`${takesPath(id, number)}/${take}`, { method: "DELETE" });
  }

  /**
   * @param {string} id
   * @param {boolean} keepalive whether the request must outlive the page, which is being closed
   */
  async deleteGeneration(id, keepalive = false) {
    await this.request(generationPath(id), { method: "DELETE", keepalive });
  }

  /**
   * The prompt of a generation, which the editor can open.
   * @param {string} id
   * @returns {Promise<object>}
   */
  async getPrompt(id) {
    return (await (await this.request(`${generationPath(id)}/prompt`)).json()).prompt;
  }

  /**
   * The file_id of the stored file with this SHA-256, or null.
   * @param {string} hash
   * @returns {Promise<string | null>}
   */
  async findByHash(hash) {
    const { exists, file_id: fileId } = await this.requestJson(`/files/hash/${hash}`);
    return exists ? fileId : null;
  }

  /**
   * Upload a file and report progress.
   * @param {FileKind} kind
   * @param {File} file
   * @param {(fraction: number) => void} onProgress
   * @param {AbortSignal} signal
   * @returns {Promise<UploadedFile>}
   */
  async uploadWithProgress(kind, file, onProgress, signal) {
    try {
      return await this.#transfer(kind, file, onProgress, signal);
    } catch (error) {
      if (statusOf(error) !== 401) throw error;
      await this.request("/files?limit=1"); // fails in the same way if the key is still wrong
      return this.#transfer(kind, file, onProgress, signal);
    }
  }

  /**
   * @param {FileKind} kind
   * @param {File} file
   * @param {(fraction: number) => void} onProgress
   * @param {AbortSignal} signal
   * @returns {Promise<UploadedFile>}
   */
  #transfer(kind, file, onProgress, signal) {
    const request = new XMLHttpRequest(); // fetch reports no upload progress
    request.open("POST", this.api.apiURL(PREFIX + uploadPath(kind)));
    for (const [name, value] of Object.entries(this.authHeaders())) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total, lengthComputable }) => {
      if (lengthComputable) onProgress(loaded / total);
    };
    signal.addEventListener("abort", () => request.abort());
    return new Promise((resolve, reject) => {
      request.onload = () => {
        if (request.status === 200) resolve(JSON.parse(request.responseText));
        else reject(parseApiError(request.status, request.statusText, request.responseText));
      };
      request.onerror = () => reject(new ApiError(0, ""));
      request.onabort = () => reject(new DOMException("The upload was stopped.", "AbortError"));
      request.send(uploadBody(file));
    });
  }

  /**
   * The stream of all events after `lastId`, or null if this server offers none.
   * @param {string | null} lastId
   * @param {AbortSignal} signal
   */
  async openEventStream(lastId, signal) {
    const headers = { Accept: "text/event-stream", ...(lastId ? { "Last-Event-ID": lastId } : {}) };
    try {
      const response = await this.request("/events", { headers, signal, cache: "no-store" });
      const type = response.headers.get("Content-Type") ?? "";
      return type.startsWith("text/event-stream") ? response.body : null;
    } catch (error) {
      if (NO_STREAM.has(statusOf(error) ?? 0)) return null;
      throw error;
    }
  }
}

/** @param {object} body */
function jsonPost(body) {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

/** @param {string} id */
function generationPath(id) {
  return `/generations/${encodeURIComponent(id)}`;
}

/**
 * @param {string} id
 * @param {number} number of the picture, from 1
 */
function takesPath(id, number) {
  return `${generationPath(id)}/views/${number}/takes`;
}

/** A new random idempotency key. crypto.randomUUID exists on secure pages only. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
