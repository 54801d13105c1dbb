"""Looks at a graph that is to become a template: its structure, its slots, and what ComfyUI says of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import NodeProblem, PromptRefusedError, TemplateProblem
from ..ids import canonical_id, is_id
from ..ports import Host, Prompt
from ..workers import Workers
from .fill import trial_prompt
from .find import FoundSlots, find_slots
from .graph import copied, graph_problems, problem
from .slots import Slots
from .template import Template

#: Inputs of our nodes that name a stored file.
_FILE_INPUTS = {
    "AvatarForgeLoadPose": "file_id",
    "AvatarForgeLoadReference": "file_id",
    "AvatarForgeLibraryPose": "pose",
}


@dataclass(frozen=True)
class Graph:
    """A graph as it was sent. `slots` are those that its sender names."""

    prompt: Mapping[str, Any]
    workflow: Mapping[str, Any] | None = None
    slots: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Inspection:
    """What was found. `prompt` is empty if the structure of the graph is wrong. `problems` are our reasons
    why it cannot be a template, `refusals` those of ComfyUI."""

    prompt: Prompt
    slots: Slots
    problems: tuple[TemplateProblem, ...]
    refusals: tuple[NodeProblem, ...]

    @property
    def missing_nodes(self) -> tuple[NodeProblem, ...]:
        return tuple(item for item in self.refusals if item.kind == "missing_node")

    @property
    def missing_models(self) -> tuple[NodeProblem, ...]:
        return tuple(item for item in self.refusals if item.kind == "missing_model")

    @property
    def other_refusals(self) -> tuple[NodeProblem, ...]:
        return tuple(item for item in self.refusals if item.kind == "other")


async def inspect(graph: Graph, host: Host, workers: Workers, most_nodes: int) -> Inspection:
    """Look at a graph without saving it."""
    found = await workers.disk(_look, graph, most_nodes)
    if isinstance(found, tuple):
        return Inspection({}, {}, found, ())
    prompt, slots = found.prompt, found.slots
    trial = prompt
    if "output" in slots and not found.problems:
        trial = await workers.disk(trial_prompt, Template("", "", 0, prompt, slots))
    refusals = await _ask(host, trial)
    return Inspection(prompt, slots, found.problems, refusals)


@dataclass(frozen=True)
class _Looked(FoundSlots):
    prompt: Prompt


def _look(graph: Graph, most_nodes: int) -> tuple[TemplateProblem, ...] | _Looked:
    for name, value in (("prompt", graph.prompt), ("workflow", graph.workflow)):
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            return (problem("The text holds half of a Unicode character (a lone surrogate).", name),)
    problems = graph_problems(graph.prompt, most_nodes)
    if problems:
        return tuple(problems)
    prompt = copied(graph.prompt)
    found = find_slots(prompt, graph.workflow, graph.slots)
    return _Looked(found.slots, found.problems, prompt)


async def _ask(host: Host, prompt: Prompt) -> tuple[NodeProblem, ...]:
    """ComfyUI's reasons against a prompt. It may change what it is given."""
    try:
        await host.check(str(uuid.uuid4()), json.loads(json.dumps(prompt)))
    except PromptRefusedError as error:
        return error.problems or (NodeProblem("", "", "", "other", None, None, error.detail),)
    return ()


def as_problems(inspection: Inspection) -> list[TemplateProblem]:
    """Every reason against saving the graph, each with its place in the body."""
    found = list(inspection.problems)
    for item in inspection.refusals:
        where = ["prompt", item.node] if item.node else ["prompt"]
        found.append(
            problem(item.detail, *where, *(["inputs", item.input] if item.input else []), kind=item.kind)
        )
    return found


def named_files(prompt: Prompt) -> set[str]:
    """The ids of the stored files that our nodes in a graph name."""
    named = set()
    for node in prompt.values():
        value = node["inputs"].get(_FILE_INPUTS.get(node["class_type"], ""))
        if isinstance(value, str) and is_id(value):
            named.add(canonical_id(value))
    return named
