"""Checks that a body is a graph in ComfyUI's API format and within our limits. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import TemplateProblem
from ..graphs.links import inputs_of, link_of, sources_of
from ..ports import Prompt

#: Nodes in a row. ComfyUI validates a graph with one level of Python's stack for each.
MAX_CHAIN = 200
#: Characters of ids, classes, names of inputs and titles.
MAX_NAME = 200
#: Inputs of one node.
MAX_INPUTS = 500
UI_FORMAT = (
    "This is a workflow as the editor saves it (with 'nodes' and 'links'), which a server cannot run. A "
    "template needs the API format: use the menu command 'Save as AvatarForge template' in the editor, or "
    "save the file with ComfyUI's 'Export (API)' and send that as 'prompt'."
)
#: Problems that are reported at once.
MOST_PROBLEMS = 50


def problem(message: str, *location: str | int, kind: str = "invalid_graph") -> TemplateProblem:
    return TemplateProblem(("body", *location), message, kind)


def is_ui_format(graph: object) -> bool:
    """Whether this is a workflow as the editor keeps it, instead of a graph in API format."""
    if not isinstance(graph, Mapping):
        return False
    return isinstance(graph.get("nodes"), list) or isinstance(graph.get("links"), list)


def graph_problems(graph: object, most_nodes: int) -> list[TemplateProblem]:
    """What is wrong with the structure of a graph; empty for one that can be walked and compiled."""
    if is_ui_format(graph):
        return [problem(UI_FORMAT, "prompt", kind="ui_format")]
    if not isinstance(graph, Mapping) or not graph:
        return [problem("A graph in API format is an object: node id -> {class_type, inputs}.", "prompt")]
    if len(graph) > most_nodes:
        return [
            problem(
                f"The graph has {len(graph)} nodes; the limit is {most_nodes} (MAX_TEMPLATE_NODES).", "prompt"
            )
        ]
    found = [item for node_id, node in graph.items() for item in _node_problems(node_id, node)]
    if not found:
        prompt: Prompt = dict(graph)
        found = list(_link_problems(prompt)) or list(_order_problems(prompt))
    return found[:MOST_PROBLEMS]


def _node_problems(node_id: object, node: object) -> Iterator[TemplateProblem]:
    if not isinstance(node_id, str) or not node_id or len(node_id) > MAX_NAME:
        yield problem(f"Ids of nodes have 1 to {MAX_NAME} characters.", "prompt")
        return
    if not isinstance(node, Mapping):
        yield problem(f"Node {node_id} is no object with class_type and inputs.", "prompt", node_id)
        return
    class_type = node.get("class_type")
    if not isinstance(class_type, str) or not 0 < len(class_type) <= MAX_NAME:
        yield problem(
            f"Node {node_id} has no class_type: the graph is damaged, or the editor that exported it does "
            "not have this node.",
            "prompt",
            node_id,
        )
        return
    inputs = node.get("inputs", {})
    if not isinstance(inputs, Mapping) or len(inputs) > MAX_INPUTS:
        yield problem(
            f"The inputs of node {node_id} are no object with up to {MAX_INPUTS} names.", "prompt", node_id
        )
    elif any(not isinstance(name, str) or len(name) > MAX_NAME for name in inputs):
        yield problem(f"Node {node_id} has an input with too long a name.", "prompt", node_id)
    if not isinstance(node.get("_meta", {}), Mapping):
        yield problem(f"The _meta of node {node_id} is no object.", "prompt", node_id)


def _link_problems(prompt: Prompt) -> Iterator[TemplateProblem]:
    """Links to nowhere. Lists that are no links are ComfyUI's to judge."""
    for node_id, node in prompt.items():
        for name, value in inputs_of(prompt, node_id).items():
            link = link_of(value)
            if link is not None and (link[0] not in prompt or link[1] < 0):
                target = (
                    f"node {link[0]!r}, which is not in the graph" if link[1] >= 0 else f"output {link[1]}"
                )
                yield problem(
                    f"{name} of node {node_id} ({node['class_type']}) leads to {target}.",
                    "prompt",
                    node_id,
                    "inputs",
                    name,
                )


def _order_problems(prompt: Prompt) -> Iterator[TemplateProblem]:
    """A cycle, or too many nodes in a row. Goes from the loaders on, without recursion."""
    waiting = {node_id: {source for _, source, _ in sources_of(prompt, node_id)} for node_id in prompt}
    followers: dict[str, list[str]] = {}
    for node_id, sources in waiting.items():
        for source in sources:
            followers.setdefault(source, []).append(node_id)
    depth = {node_id: 1 for node_id, sources in waiting.items() if not sources}
    ready = list(depth)
    for node_id in ready:  # grows while it is walked
        for follower in followers.get(node_id, ()):
            waiting[follower].discard(node_id)
            depth[follower] = max(depth.get(follower, 1), depth[node_id] + 1)
            if not waiting[follower]:
                ready.append(follower)
    if len(ready) < len(prompt):
        stuck = [node_id for node_id in prompt if waiting[node_id]]
        yield problem(f"The graph goes in a circle at the nodes {', '.join(stuck[:10])}.", "prompt")
    elif max(depth.values()) > MAX_CHAIN:
        yield problem(
            f"The graph has {max(depth.values())} nodes in a row; the limit is {MAX_CHAIN}.", "prompt"
        )


def copied(prompt: Mapping[str, Mapping[str, Any]]) -> Prompt:
    """A copy of a checked graph in which every node has inputs and a `_meta`, to be changed freely."""
    return {
        node_id: {**node, "inputs": dict(node.get("inputs") or {}), "_meta": dict(node.get("_meta") or {})}
        for node_id, node in prompt.items()
    }
