// The request that made a generation, as a shell command.
import { PREFIX } from "../shared/files_client.mjs";
import { stringify } from "./json.mjs";

/** @import { ApiClient } from "./client.mjs" */
/** @import { Generation } from "../shared/types.d.ts" */

/**
 * Quote for a POSIX shell: inside single quotes only the quote itself is special.
 * @param {string} text
 */
const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * The route that made a generation; null for a graph, and while the view of a pose is undecided.
 * @param {Generation} generation
 */
function routeOf(generation) {
  if (generation.kind === "avatar") return "/generate/avatar";
  if (generation.kind === "all_poses") return "/generate_all_poses";
  if (generation.kind === "expressions") return `/characters/${generation.character_id}/expressions`;
  const view =
    generation.output_files[0]?.pose_type ?? generation.inputs.find((input) => input.pose_type)?.pose_type;
  return generation.kind === "pose" && view ? `/generate_pose?pose=${view}` : null;
}

/**
 * The request that repeats a generation; null if there is none.
 * @param {Generation} generation
 */
export function requestOf(generation) {
  const route = routeOf(generation);
  if (!route || !generation.parameters) return null;
  /** @type {Record<string, unknown>} */
  const body = Object.fromEntries(Object.entries(generation.parameters).filter(([, value]) => value !== null));
  return { route, body };
}

/**
 * The curl command, or null. It takes the key, if one is needed, from the environment.
 * @param {Generation} generation
 * @param {ApiClient} client
 */
export function curlCommand(generation, client) {
  const request = requestOf(generation);
  if (!request) return null;
  const { route, body } = request;
  const url = new URL(client.api.apiURL(PREFIX + route), document.baseURI).href;
  return [
    `curl ${quote(url)}`,
    ...(client.key ? ['-H "X-API-Key: $AVATARFORGE_API_KEY"'] : []),
    "-H 'Content-Type: application/json'",
    `-d ${quote(stringify(body, 2))}`,
  ].join(" \\\n  ");
}
