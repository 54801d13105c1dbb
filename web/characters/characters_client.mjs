// The API's characters, their matrices and the pose library over HTTP.
import { stringify } from "../panel/json.mjs";

/** @import { ApiClient } from "../panel/client.mjs" */
/** @import { Batch, BatchSummary, Character, CharacterContent, CharacterPageOfList } from "../shared/types.d.ts" */
/** @import { CharacterVersion, GenerationPage, ImportedCharacter, PoseLibraryPage } from "../shared/types.d.ts" */
/** @typedef {Record<string, string | number | boolean | null | undefined>} Query */

export class CharactersClient {
  /** @param {ApiClient} client */
  constructor(client) {
    this.client = client;
  }

  /**
   * A page of characters, newest first.
   * @param {{ limit: number, cursor: string | null, q: string }} query `q` is a part of the name or description
   * @returns {Promise<CharacterPageOfList>}
   */
  list(query) {
    return this.client.requestJson(`/characters${queryText(query)}`);
  }

  /**
   * @param {string} id
   * @param {number | null} version null for the newest
   * @returns {Promise<Character>}
   */
  get(id, version = null) {
    return this.client.requestJson(`${characterPath(id)}${queryText({ version })}`);
  }

  /**
   * @param {string} id
   * @param {string | null} cursor
   * @returns {Promise<{ total: number, versions: CharacterVersion[], next_cursor: string | null }>}
   */
  listVersions(id, cursor = null) {
    return this.client.requestJson(`${characterPath(id)}/versions${queryText({ limit: 50, cursor })}`);
  }

  /**
   * @param {Partial<CharacterContent>} content
   * @returns {Promise<Character>}
   */
  create(content) {
    return this.#send("POST", "/characters", content);
  }

  /**
   * Save a new version.
   * @param {string} id
   * @param {number} version that the changes were made to: refused if the character has another one
   * @param {Partial<CharacterContent>} changes
   * @returns {Promise<Character>}
   */
  change(id, version, changes) {
    return this.#send("PATCH", characterPath(id), changes, { "If-Match": String(version) });
  }

  /** @param {string} id */
  async delete(id) {
    await this.client.request(characterPath(id), { method: "DELETE" });
  }

  /**
   * The character as a file for another ComfyUI.
   * @param {string} id
   * @param {{ versions: "all" | "newest", licence: string | null }} query
   * @returns {Promise<Blob>}
   */
  async exportFile(id, query) {
    return (await this.client.request(`${characterPath(id)}/export${queryText(query)}`)).blob();
  }

  /**
   * @param {Blob} file
   * @param {{ format: "avatarforge" | "omnichar", name?: string | null, as_copy?: boolean, replace?: boolean }} query
   * @returns {Promise<ImportedCharacter>}
   */
  importFile(file, query) {
    const headers = { "Content-Type": "application/zip" };
    return this.client.requestJson(`/characters/import${queryText(query)}`, { method: "POST", headers, body: file });
  }

  /**
   * Draw a character in every combination.
   * @param {string} id
   * @param {Record<string, unknown>} body
   * @param {string} idempotencyKey
   * @returns {Promise<Batch>}
   */
  createMatrix(id, body, idempotencyKey) {
    return this.#send("POST", `${characterPath(id)}/matrix`, body, { "Idempotency-Key": idempotencyKey });
  }

  /**
   * @param {string} id
   * @returns {Promise<Batch>}
   */
  getBatch(id) {
    return this.client.requestJson(`/batch/${encodeURIComponent(id)}`);
  }

  /**
   * The newest batches with a picture of this character.
   * @param {string} characterId
   * @returns {Promise<{ batches: BatchSummary[] }>}
   */
  listBatches(characterId) {
    return this.client.requestJson(`/batch${queryText({ limit: 20, character_id: characterId })}`);
  }

  /**
   * @param {string} id
   * @param {"cancel" | "retry"} action
   * @returns {Promise<Batch>}
   */
  runBatchAction(id, action) {
    return this.client.requestJson(`/batch/${encodeURIComponent(id)}/${action}`, { method: "POST" });
  }

  /**
   * A page of generations of a character or of a batch, newest first.
   * @param {{ character_id?: string, batch_id?: string, limit: number, cursor: string | null }} query
   * @returns {Promise<GenerationPage>}
   */
  listGenerations(query) {
    return this.client.requestJson(`/generations${queryText(query)}`);
  }

  /**
   * A page of the pose library; the built-in poses are on the first one.
   * @param {string | null} cursor
   * @returns {Promise<PoseLibraryPage>}
   */
  listPoses(cursor = null) {
    return this.client.requestJson(`/poses/library${queryText({ limit: 100, cursor })}`);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} body
   * @param {Record<string, string>} headers
   */
  #send(method, path, body, headers = {}) {
    const all = { "Content-Type": "application/json", ...headers };
    return this.client.requestJson(path, { method, headers: all, body: stringify(body) });
  }
}

/** @param {string} id */
function characterPath(id) {
  return `/characters/${encodeURIComponent(id)}`;
}

/**
 * A query string without what is null, false or empty.
 * @param {Query} values
 */
function queryText(values) {
  const given = Object.entries(values).flatMap(([name, value]) => (value ? [[name, String(value)]] : []));
  return given.length ? `?${new URLSearchParams(given)}` : "";
}
