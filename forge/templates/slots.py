"""The slots of a graph: the places that a request fills. Pure.

A slot is found by the first of these that knows one: what the caller says, titles of nodes, App mode's
`linearData`, AvatarForge's own nodes, and links walked from the sampler to what is saved.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..graphs.links import class_of, inputs_of, link_of, title_of
from ..ports import Prompt
from ..spec.template import SLOTS, Slot

Source = Literal["request", "title", "app", "node", "link"]
#: Slots that hold a picture: a link from a picture takes the place of what is there.
PICTURES: tuple[Slot, ...] = ("pose", "reference")
#: Our nodes that show a saved character, which alone can be the slot of one.
CHARACTER_NODES = ("AvatarForgeLoadCharacter", "AvatarForgeCharacterPrompt")

#: Slot -> names of inputs that it fits, best first.
INPUTS: Mapping[Slot, tuple[str, ...]] = {
    "prompt": (
        "text",
        "prompt",
        "value",
        "string",
        "positive",
        "positive_prompt",
        "text_g",
        "clip_l",
        "t5xxl",
    ),
    "negative": (
        "text",
        "negative_prompt",
        "prompt",
        "value",
        "string",
        "negative",
        "text_g",
        "clip_l",
        "t5xxl",
    ),
    "character": ("character",),
    "pose": ("image", "images", "file_id", "pixels", "view"),
    "reference": ("image", "images", "file_id", "pixels"),
    "seed": ("seed", "noise_seed", "value"),
    "width": ("width", "value"),
    "height": ("height", "value"),
    "steps": ("steps", "value"),
    "cfg": ("cfg", "value"),
    "output": ("images", "image"),
}


@dataclass(frozen=True)
class Place:
    """An input of a node that a slot fills, and what found it."""

    node: str
    title: str
    class_type: str
    input: str
    source: Source


#: Slot -> its places. A slot that the graph lacks is absent.
Slots = Mapping[str, tuple[Place, ...]]


def place(prompt: Prompt, node_id: str, name: str, source: Source) -> Place:
    return Place(node_id, title_of(prompt, node_id), class_of(prompt, node_id), name, source)


def fits(prompt: Prompt, slot: str, node_id: str, name: str) -> bool:
    """Whether the value that an input has now can be replaced by what the slot holds."""
    inputs = inputs_of(prompt, node_id)
    if name not in inputs:
        return False
    value = inputs[name]
    is_link = link_of(value) is not None
    if slot == "output":
        return is_link
    if slot in PICTURES:
        return is_link or isinstance(value, str)
    if slot == "character" and class_of(prompt, node_id) not in CHARACTER_NODES:
        return False
    if slot in ("prompt", "negative", "character"):
        return isinstance(value, str) or is_link
    return is_link or (isinstance(value, (int, float)) and not isinstance(value, bool))


def fitting_inputs(prompt: Prompt, slot: Slot, node_id: str) -> list[str]:
    """The inputs of a node that a slot fills when only the node was named. Several only of a text encoder
    that takes the same text twice."""
    found = [name for name in INPUTS[slot] if fits(prompt, slot, node_id, name)]
    twins = {"text_g": "text_l", "clip_l": "t5xxl"}
    if not found:
        return []
    first = found[0]
    twin = twins.get(first)
    return (
        [first, twin]
        if twin and slot in ("prompt", "negative") and fits(prompt, slot, node_id, twin)
        else [first]
    )


def write_slots(slots: Slots) -> str:
    """The JSON that a row stores."""
    return json.dumps({name: [vars(item) for item in places] for name, places in slots.items()})


def read_slots(text: str) -> Slots:
    """The slots of a stored row."""
    data: dict[str, list[dict[str, Any]]] = json.loads(text)
    return {
        name: tuple(Place(**{key: item[key] for key in Place.__dataclass_fields__}) for item in places)
        for name, places in data.items()
    }


def in_order(found: Mapping[str, Iterable[Place]]) -> Slots:
    """The slots that have places, in the order of SLOTS and without repeated places."""
    ordered: dict[str, tuple[Place, ...]] = {}
    for slot in SLOTS:
        unique = {(item.node, item.input): item for item in found.get(slot, ())}
        if unique:
            ordered[slot] = tuple(unique.values())
    return ordered
