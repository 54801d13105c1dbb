// The API's templates over HTTP.

/** @import { ApiClient } from "../panel/client.mjs" */
/** @import { Template, TemplateBody, TemplateInspection, TemplatePage } from "../shared/types.d.ts" */

const JSON_HEADERS = { "Content-Type": "application/json" };

export class TemplatesClient {
  /** @param {ApiClient} client */
  constructor(client) {
    this.client = client;
  }

  /**
   * A page of templates, newest first.
   * @param {number} limit
   * @param {string | null} cursor
   * @returns {Promise<TemplatePage>}
   */
  list(limit, cursor = null) {
    const query = new URLSearchParams({ limit: String(limit), ...(cursor ? { cursor } : {}) });
    return this.client.requestJson(`/templates?${query}`);
  }

  /**
   * @param {string} name a name or an id
   * @returns {Promise<Template>}
   */
  get(name) {
    return this.client.requestJson(templatePath(name));
  }

  /**
   * What would be saved, and what is wrong with it.
   * @param {TemplateBody} body
   * @returns {Promise<TemplateInspection>}
   */
  inspect(body) {
    return this.#send("POST", "/templates/inspect", body);
  }

  /**
   * @param {TemplateBody} body
   * @returns {Promise<Template>}
   */
  create(body) {
    return this.#send("POST", "/templates", body);
  }

  /**
   * Save a new version.
   * @param {string} id
   * @param {TemplateBody} body
   * @returns {Promise<Template>}
   */
  replace(id, body) {
    return this.#send("PUT", templatePath(id), body);
  }

  /** @param {string} id */
  async delete(id) {
    await this.client.request(templatePath(id), { method: "DELETE" });
  }

  /**
   * The template as a document, which can be imported elsewhere.
   * @param {string} id
   * @returns {Promise<string>}
   */
  async exportText(id) {
    return (await this.client.request(`${templatePath(id)}/export`)).text();
  }

  /**
   * @param {string} text an exported template
   * @returns {Promise<Template>}
   */
  async importText(text) {
    return this.client.requestJson("/templates/import", { method: "POST", headers: JSON_HEADERS, body: text });
  }

  /**
   * The graph of a built-in family as a template, to start from.
   * @param {string} family
   * @returns {Promise<string>}
   */
  async builtinText(family) {
    return (await this.client.request(`/templates/builtin/${encodeURIComponent(family)}`)).text();
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {TemplateBody} body
   */
  #send(method, path, body) {
    return this.client.requestJson(path, { method, headers: JSON_HEADERS, body: JSON.stringify(body) });
  }
}

/** @param {string} name */
function templatePath(name) {
  return `/templates/${encodeURIComponent(name)}`;
}
