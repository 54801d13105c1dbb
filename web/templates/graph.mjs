// What the editor's graph is as a template: its API prompt, and the places of its marks in that prompt.
import { WHOLE_NODE, getMarks } from "./marks.mjs";

/** @import { ApiPrompt, ComfyApp, Graph, GraphNode, SlotName, TemplateGraph, TemplatePlace } from "../shared/types.d.ts" */
/** @typedef {{ id: string, node: GraphNode }} Numbered a node and its id in the prompt: `parent:child` in a subgraph */

const MAX_DEPTH = 100;

/**
 * Convert the open graph with the frontend's own converter.
 * @param {ComfyApp} app
 * @returns {Promise<TemplateGraph>}
 */
export async function readGraph(app) {
  const { output, workflow } = await app.graphToPrompt();
  const nodes = numberedNodes(app.rootGraph ?? app.graph);
  const prompt = withMissingTypes(output, new Map(nodes.map(({ id, node }) => [id, node])));
  return { prompt, workflow, ...readMarks(nodes, prompt) };
}

/**
 * Every node of a graph and of its subgraphs.
 * @param {Graph} graph
 * @param {string} prefix
 * @returns {Numbered[]}
 */
function numberedNodes(graph, prefix = "", depth = 0) {
  if (depth > MAX_DEPTH) return [];
  return graph.nodes.flatMap((node) => {
    const id = `${prefix}${node.id}`;
    const inner = node.isSubgraphNode?.() && node.subgraph ? numberedNodes(node.subgraph, `${id}:`, depth + 1) : [];
    return [{ id, node }, ...inner];
  });
}

/**
 * The frontend converts a node whose pack is not installed without its class and sometimes without its title. Only with
 * them can the server name what is missing.
 * @param {ApiPrompt} prompt
 * @param {Map<string, GraphNode>} nodes
 * @returns {ApiPrompt}
 */
function withMissingTypes(prompt, nodes) {
  return Object.fromEntries(
    Object.entries(prompt).map(([id, entry]) => {
      const type = entry.class_type ?? nodes.get(id)?.type ?? "";
      const title = entry._meta?.title ?? nodes.get(id)?.title ?? type;
      return [id, { ...entry, class_type: type, _meta: { ...entry._meta, title } }];
    }),
  );
}

/**
 * The marks as the places of the API's `slots`. `unused` names nodes whose marks lead nowhere, because the node is
 * muted or bypassed.
 * @param {Numbered[]} nodes
 * @param {ApiPrompt} prompt
 * @returns {{ slots: Partial<Record<SlotName, TemplatePlace[]>>, unused: string[] }}
 */
function readMarks(nodes, prompt) {
  /** @type {Partial<Record<SlotName, TemplatePlace[]>>} */
  const slots = {};
  const unused = new Set();
  for (const numbered of nodes)
    for (const [name, inputs] of Object.entries(getMarks(numbered.node))) {
      const slot = /** @type {SlotName} */ (name);
      const places = inputs.flatMap((input) => findPlaces(numbered, input)).filter(({ node }) => node in prompt);
      if (!places.length) unused.add(numbered.node.title);
      const known = (slots[slot] ??= []);
      for (const place of places)
        if (!known.some(({ node, input }) => node === place.node && input === place.input)) known.push(place);
      if (!known.length) delete slots[slot];
    }
  return { slots, unused: [...unused] };
}

/**
 * Where the value of an input ends up in the prompt. A widget of a subgraph is one of its inner nodes', and a primitive
 * node's value is that of the inputs that it is linked to.
 * @param {Numbered} numbered
 * @param {string} input
 * @returns {TemplatePlace[]}
 */
function findPlaces({ id, node }, input, depth = 0) {
  if (input === WHOLE_NODE) return [{ node: id }];
  if (depth > MAX_DEPTH) return [];
  /**
   * @param {Graph | undefined} graph
   * @param {readonly (number | string)[]} linkIds
   * @param {string} prefix
   */
  const follow = (graph, linkIds, prefix) =>
    linkIds.flatMap((linkId) => {
      const link = graph?.getLink(linkId);
      const target = link && graph?.getNodeById(link.target_id);
      const slot = target?.inputs?.[link?.target_slot ?? -1];
      if (!target || !slot) return [];
      return findPlaces({ id: `${prefix}${target.id}`, node: target }, slot.widget?.name ?? slot.name, depth + 1);
    });
  if (node.isSubgraphNode?.() && node.subgraph) {
    const inner = node.subgraph.inputs.find(({ name }) => name === input);
    return follow(node.subgraph, inner?.linkIds ?? [], `${id}:`);
  }
  if (node.isVirtualNode) {
    const linkIds = (node.outputs ?? []).flatMap(({ links }) => links ?? []);
    return follow(node.graph, linkIds, id.slice(0, id.lastIndexOf(":") + 1));
  }
  return [{ node: id, input }];
}
