"""Finds slots that somebody marked: in the request, in titles of nodes, in App mode, and by our own nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import TemplateProblem
from ..graphs.links import class_of, inputs_of, title_of
from ..ports import Prompt
from ..spec.template import SLOTS, Slot
from .graph import problem
from .slots import Place, Source, fits, fitting_inputs, place

Found = dict[str, list[Place]]
PREFIX = "avatarforge:"
#: Places of one slot.
MOST_PLACES = 50
#: Nodes and links of a workflow that are looked at for App mode.
MOST_NODES = 5000
#: Our node -> slot -> its input.
_OWN_NODES: Mapping[str, Mapping[str, str]] = {
    "AvatarForgePrompt": {"prompt": "prompt", "negative": "negative_prompt"},
    "AvatarForgeLoadCharacter": {"character": "character"},
    "AvatarForgeCharacterPrompt": {
        "prompt": "prompt",
        "negative": "negative_prompt",
        "character": "character",
    },
    "AvatarForgePoseSkeleton": {"pose": "view"},
    "AvatarForgeLoadPose": {"pose": "file_id"},
    "AvatarForgeLoadKeypoints": {"pose": "file_id"},
    "AvatarForgeLibraryPose": {"pose": "pose"},
    "AvatarForgeLoadReference": {"reference": "file_id"},
    "AvatarForgeViewsLatent": {"width": "width", "height": "height"},
    "AvatarForgePaperDoll": {
        "prompt": "prompt",
        "negative": "negative_prompt",
        "seed": "seed",
        "width": "width",
        "height": "height",
        "steps": "steps",
    },
    "AvatarForgeSave": {"output": "images"},
}
#: Names of inputs in App mode that stand for a slot by themselves.
_APP_NAMES: Mapping[str, str] = {
    "text": "prompt",
    "prompt": "prompt",
    "value": "prompt",
    "negative_prompt": "negative",
    "character": "character",
    "image": "reference",
    "seed": "seed",
    "noise_seed": "seed",
    "width": "width",
    "height": "height",
    "steps": "steps",
    "cfg": "cfg",
}


def explicit(prompt: Prompt, slots: Mapping[str, Any]) -> tuple[Found, list[TemplateProblem]]:
    """The slots that the request names: `{"prompt": {"node": "6", "input": "text"}}`, or a list of such
    places. An empty list says that there is no such slot."""
    found: Found = {}
    problems: list[TemplateProblem] = []
    for slot, value in slots.items():
        if slot not in SLOTS:
            names = ", ".join(SLOTS)
            problems.append(problem(f"{slot[:80]!r} is no slot. There are: {names}.", "slots", slot[:80]))
            continue
        found[slot] = []
        for number, item in enumerate(value if isinstance(value, list) else [value]):
            places, reason = _named(prompt, slot, item)
            found[slot] += places
            if reason:
                problems.append(problem(reason, "slots", slot, number))
        if len(found[slot]) > MOST_PLACES:
            problems.append(problem(f"A slot has at most {MOST_PLACES} places.", "slots", slot))
    return found, problems


def _named(prompt: Prompt, slot: Slot, item: Mapping[str, Any]) -> tuple[list[Place], str | None]:
    node_id, name = str(item["node"]), item.get("input")
    if node_id not in prompt:
        return [], f"The slot {slot} names node {node_id!r}, which is not in the graph."
    names = [name] if name else fitting_inputs(prompt, slot, node_id)
    if not names or not fits(prompt, slot, node_id, names[0]):
        of = f"input {name!r}" if name else "input"
        return [], (
            f"Node {node_id} ({class_of(prompt, node_id)}) has no {of} for the slot {slot}. It has: "
            f"{', '.join(inputs_of(prompt, node_id)) or 'none'}."
        )
    return [place(prompt, node_id, one, "request") for one in names], None


def by_title(prompt: Prompt) -> tuple[Found, list[TemplateProblem]]:
    """Nodes whose title is the name of a slot, or "AvatarForge:" and names of slots."""
    found: Found = {}
    problems: list[TemplateProblem] = []
    for node_id in prompt:
        title = title_of(prompt, node_id).strip().lower()
        marked = title.startswith(PREFIX)
        names = [part.strip() for part in title.removeprefix(PREFIX).split(",")] if marked else [title]
        for name in names:
            slot = next((slot for slot in SLOTS if slot == name), None)
            if slot is None:
                if marked:
                    problems.append(
                        problem(
                            f"The title of node {node_id} names {name[:80]!r}, which is no slot. There are: "
                            f"{', '.join(SLOTS)}.",
                            "prompt",
                            node_id,
                        )
                    )
                continue
            inputs = fitting_inputs(prompt, slot, node_id)
            if inputs:
                _add(found, slot, prompt, node_id, inputs, "title")
            elif marked:
                problems.append(
                    problem(
                        f"Node {node_id} ({class_of(prompt, node_id)}) is marked as {slot}, and has no input "
                        "for it.",
                        "prompt",
                        node_id,
                    )
                )
    return found, problems


def app_output(prompt: Prompt, workflow: Mapping[str, Any] | None) -> Found:
    """The first output of App mode; see `app_inputs`."""
    for entry in _list(_linear_data(workflow).get("outputs")):
        own = _own_id(str(entry))
        inner = [other for other in prompt if ":" in other and other.rpartition(":")[2] == own]
        for node_id in [own] if own in prompt else inner[: 1 if len(inner) == 1 else 0]:
            inputs = fitting_inputs(prompt, "output", node_id)
            if inputs:
                return {"output": [place(prompt, node_id, inputs[0], "app")]}
    return {}


def app_inputs(
    prompt: Prompt, workflow: Mapping[str, Any] | None, walked: Mapping[str, Sequence[Place]]
) -> Found:
    """The inputs of App mode, which the workflow keeps in `extra.linearData`. Its ids are those of the
    workflow: inside of a subgraph the prompt has longer ones. `walked` are the slots found by links, which
    tell a text from a negative one; else the name of the input decides."""
    known = {(item.node, item.input): slot for slot, places in walked.items() for item in places}
    found: Found = {}
    for entry in _list(_linear_data(workflow).get("inputs")):
        if not isinstance(entry, Sequence) or isinstance(entry, str) or len(entry) < 2:
            continue
        name = str(entry[1])
        for node_id, inner in _app_places(prompt, workflow, str(entry[0]), name):
            slot = known.get((node_id, inner)) or _APP_NAMES.get(inner)
            if slot is None or not fits(prompt, slot, node_id, inner):
                continue
            if slot == "reference" and slot in found:
                continue  # which of several pictures is which is not known
            if slot in ("prompt", "negative") and not isinstance(inputs_of(prompt, node_id)[inner], str):
                continue
            _add(found, slot, prompt, node_id, [inner], "app")
    return found


def _linear_data(workflow: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return _mapping(_mapping(_mapping(workflow).get("extra")).get("linearData"))


def by_own_nodes(prompt: Prompt) -> Found:
    """AvatarForge's own nodes say what they are for."""
    found: Found = {}
    for node_id in prompt:
        for slot, name in _OWN_NODES.get(class_of(prompt, node_id), {}).items():
            if fits(prompt, slot, node_id, name):
                _add(found, slot, prompt, node_id, [name], "node")
    # A graph that saves several views makes one of them now.
    del found.get("output", [])[1:]
    return found


def _app_places(
    prompt: Prompt, workflow: Mapping[str, Any] | None, node_id: str, name: str
) -> Iterator[tuple[str, str]]:
    """(node id, input) in the prompt of a widget that App mode shows. The frontend writes "<node>", or
    "<id of the graph>:<node>:<widget>"; the node may be in a subgraph, or be one."""
    own = _own_id(node_id)
    if node_id in prompt or own in prompt:
        yield node_id if node_id in prompt else own, name
        return
    shown = [item for item in _shown_by_subgraph(workflow, own, name) if item[0] in prompt]
    if shown:
        yield from shown
        return
    inner = [other for other in prompt if ":" in other and other.rpartition(":")[2] == own]
    within = [other for other in prompt if other.startswith(f"{own}:") and name in inputs_of(prompt, other)]
    for found in (inner, within):
        if len(found) == 1:
            yield found[0], name
            return


def _own_id(node_id: str) -> str:
    parts = node_id.split(":")
    return parts[1] if len(parts) == 3 else parts[-1]


def _shown_by_subgraph(
    workflow: Mapping[str, Any] | None, node_id: str, name: str
) -> Iterator[tuple[str, str]]:
    """The inputs of inner nodes that a subgraph node shows as its own input `name`."""
    definitions = _mapping(_mapping(workflow).get("definitions")).get("subgraphs")
    by_id = {str(_mapping(item).get("id")): _mapping(item) for item in _list(definitions)}
    for node in _list(_mapping(workflow).get("nodes"), MOST_NODES):
        if str(_mapping(node).get("id")) != node_id:
            continue
        subgraph = by_id.get(str(_mapping(node).get("type")), {})
        shown = {
            str(link)
            for item in _list(subgraph.get("inputs"))
            if _mapping(item).get("name") == name
            for link in _list(_mapping(item).get("linkIds"))
        }
        inner = {
            str(_mapping(item).get("id")): _list(_mapping(item).get("inputs"))
            for item in _list(subgraph.get("nodes"), MOST_NODES)
        }
        for item in _list(subgraph.get("links"), MOST_NODES):
            link = _mapping(item)
            target, number = str(link.get("target_id")), link.get("target_slot")
            inputs = inner.get(target, [])
            if str(link.get("id")) in shown and isinstance(number, int) and 0 <= number < len(inputs):
                yield f"{node_id}:{target}", str(_mapping(inputs[number]).get("name"))


def _add(found: Found, slot: str, prompt: Prompt, node_id: str, names: list[str], source: Source) -> None:
    found.setdefault(slot, []).extend(place(prompt, node_id, name, source) for name in names)


def _list(value: object, most: int = MOST_PLACES) -> list[Any]:
    return value[:most] if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
