// The API's pose library over HTTP.

/** @import { FilesClient } from "../shared/files_client.mjs" */
/** @import { LibraryPose, LibraryPoseDocument, PoseLibraryPage } from "../shared/types.d.ts" */

const JSON_HEADERS = { "Content-Type": "application/json" };
const PAGE = 60;
const JSON_TYPE = "application/json";

export class PosesClient {
  /** @param {FilesClient} client */
  constructor(client) {
    this.client = client;
  }

  /**
   * A page of saved poses, newest first; the first one also has the built-in poses.
   * @param {string} text searched in names; "" for all
   * @param {string | null} cursor
   * @returns {Promise<PoseLibraryPage>}
   */
  list(text, cursor = null) {
    const query = new URLSearchParams({ limit: String(PAGE), ...(text ? { q: text } : {}), ...(cursor ? { cursor } : {}) });
    return this.#json(`/poses/library?${query}`);
  }

  /**
   * @param {string} reference an id or a name
   * @param {boolean} mirrored
   * @returns {Promise<LibraryPoseDocument>}
   */
  get(reference, mirrored = false) {
    return this.#json(`${posePath(reference)}${mirrored ? "?mirrored=true" : ""}`);
  }

  /**
   * @param {string} name
   * @param {object} pose OpenPose JSON
   * @returns {Promise<LibraryPoseDocument>}
   */
  save(name, pose) {
    return this.#json("/poses/library", { method: "POST", headers: JSON_HEADERS, body: JSON.stringify({ name, pose }) });
  }

  /** @param {string} id */
  async delete(id) {
    await this.client.request(posePath(id), { method: "DELETE" });
  }

  /**
   * Save a pose in the place of another one, which keeps its id and name.
   * @param {string} id
   * @param {object} pose OpenPose JSON
   * @returns {Promise<LibraryPoseDocument>}
   */
  replace(id, pose) {
    return this.#json(posePath(id), { method: "PUT", headers: JSON_HEADERS, body: JSON.stringify({ pose }) });
  }

  /**
   * The content of a stored file if it is JSON, and null if it is a picture.
   * @param {string} fileId
   * @returns {Promise<any>}
   */
  async readFile(fileId) {
    const path = `/files/${encodeURIComponent(fileId)}`;
    const { headers } = await this.client.request(path, { method: "HEAD" });
    if (!headers.get("Content-Type")?.startsWith(JSON_TYPE)) return null;
    return (await this.client.request(path)).json();
  }

  /**
   * A stored file with what a pose shows: that of a saved pose, or a new one.
   * @param {LibraryPose} pose
   * @param {boolean} mirrored
   * @returns {Promise<{ file_id: string, filename: string }>}
   */
  async storedFile(pose, mirrored) {
    const filename = `${pose.name}${mirrored ? " (mirrored)" : ""}.json`;
    if (pose.file_id && !mirrored) return { file_id: pose.file_id, filename };
    const document = await this.get(pose.pose_id, mirrored);
    return this.client.upload("pose", new File([JSON.stringify(document.pose)], filename, { type: JSON_TYPE }));
  }

  /**
   * @param {string} path
   * @param {Parameters<FilesClient["request"]>[1]} [options]
   */
  async #json(path, options) {
    return (await this.client.request(path, options)).json();
  }
}

/** @param {string} reference */
function posePath(reference) {
  return `/poses/library/${encodeURIComponent(reference)}`;
}
