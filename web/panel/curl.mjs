// The request that made a generation, as a line for a shell.
import { PREFIX } from "../picker/store.mjs";
import { stringify } from "./numbers.mjs";

/** For a POSIX shell: nothing inside single quotes means anything but the quote itself. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The route that a generation came by, or null: a graph came by none, and a view may not be known yet. */
export function routeOf(generation) {
  if (generation.kind === "avatar") return "/generate/avatar";
  if (generation.kind === "all_poses") return "/generate_all_poses";
  const view =
    generation.output_files[0]?.pose_type ?? generation.inputs.find((input) => input.pose_type)?.pose_type;
  return generation.kind === "pose" && view ? `/generate_pose?pose=${view}` : null;
}

/** The curl command, or null. The key, if one is needed, stays the user's own. */
export function curlOf(generation, client) {
  const route = routeOf(generation);
  if (!route || !generation.parameters) return null;
  const given = Object.entries(generation.parameters).filter(([, value]) => value !== null);
  const address = new URL(client.api.apiURL(PREFIX + route), document.baseURI).href;
  const key = Object.keys(client.headers()).includes("X-API-Key") ? ['-H "X-API-Key: $AVATARFORGE_API_KEY"'] : [];
  return [
    `curl ${quoted(address)}`,
    ...key,
    "-H 'Content-Type: application/json'",
    `-d ${quoted(stringify(Object.fromEntries(given), 2))}`,
  ].join(" \\\n  ");
}
