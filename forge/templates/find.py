"""Finds all slots of a graph, each by the first source that knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import TemplateProblem
from ..graphs.links import LIBRARY_POSE, class_of, inputs_of, link_of
from ..ports import Prompt
from ..spec.template import SLOTS
from .graph import problem
from .links import by_links, find_output
from .marks import Found, app_inputs, app_output, by_own_nodes, by_title, explicit
from .slots import PICTURES, Place, Slots, fits, in_order

NO_OUTPUT = (
    "No node was found whose picture would be the result. Mark it as the slot 'output': a Save Image or "
    "Preview Image node, or another node with a linked input 'images'."
)


@dataclass(frozen=True)
class FoundSlots:
    """The slots of a graph, and why it cannot be a template; empty if it can."""

    slots: Slots
    problems: tuple[TemplateProblem, ...]


def find_slots(
    prompt: Prompt, workflow: Mapping[str, Any] | None = None, slots: Mapping[str, Any] | None = None
) -> FoundSlots:
    """Find the slots of a graph that `graph_problems` accepts."""
    named, problems = explicit(prompt, slots or {})
    titled, more = by_title(prompt)
    problems += more
    own = by_own_nodes(prompt)
    sources = [named, titled, app_output(prompt, workflow), own]
    output = next((source["output"] for source in sources if "output" in source), None)
    if output is None:
        saved = find_output(prompt)
        output = [saved] if saved else []
    walked = by_links(prompt, output[0].node if output else None)
    found: Found = {"output": output}
    for source in (named, titled, app_inputs(prompt, workflow, walked), own):
        for slot, places in source.items():
            # An empty list in the request says that there is no such slot.
            found.setdefault(slot, places)
    taken = {(item.node, item.input) for places in found.values() for item in places}
    for slot, places in walked.items():
        free = [item for item in places if (item.node, item.input) not in taken]
        found.setdefault(slot, [item for item in free if fits(prompt, slot, item.node, item.input)])
    ordered = in_order({slot: found.get(slot, []) for slot in SLOTS})
    problems += _problems(prompt, ordered)
    return FoundSlots(ordered, tuple(problems))


def _problems(prompt: Prompt, slots: Slots) -> list[TemplateProblem]:
    problems = []
    if "output" not in slots:
        problems.append(problem(NO_OUTPUT, "prompt"))
    elif len(slots["output"]) > 1:
        nodes = ", ".join(item.node for item in slots["output"])
        problems.append(problem(f"Only one node can be the output, and {nodes} are.", "slots", "output"))
    filled: dict[tuple[str, str], str] = {}
    for slot, places in slots.items():
        for item in places:
            other = filled.setdefault((item.node, item.input), slot)
            if other != slot:
                problems.append(
                    problem(
                        f"{item.input} of node {item.node} is in two slots: {other} and {slot}.",
                        "slots",
                        slot,
                    )
                )
    for slot in PICTURES:
        problems += [item for at in slots.get(slot, ()) for item in _unfillable(prompt, slot, at)]
    return problems


def _unfillable(prompt: Prompt, slot: str, at: Place) -> list[TemplateProblem]:
    """A loader whose other outputs are in use, which our picture does not have."""
    if link_of(inputs_of(prompt, at.node).get(at.input)) is not None:
        return []
    most = 2 if slot == "reference" else int(at.class_type == LIBRARY_POSE)
    used = {
        link[1]
        for node_id in prompt
        for value in inputs_of(prompt, node_id).values()
        if (link := link_of(value)) and link[0] == at.node
    }
    if not used:
        return [
            problem(
                f"Nothing uses node {at.node} ({at.class_type}), which is the slot {slot}.", "slots", slot
            )
        ]
    if max(used) > most:
        has = "a picture, its mask and its parts" if most else "a picture and no mask"
        return [
            problem(
                f"Output {max(used)} of node {at.node} ({class_of(prompt, at.node)}) is used, but what fills "
                f"the slot {slot} has {has}.",
                "slots",
                slot,
            )
        ]
    return []
