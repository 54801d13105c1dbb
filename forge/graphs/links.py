"""Reads prompts in API format: links between nodes, values behind links, and samplers. Pure.

A prompt may come from anywhere, so nothing is assumed of the values of inputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..ports import Prompt

#: Inputs in which nodes that only hold a value (`PrimitiveInt`, `PrimitiveString` and the like) hold it.
VALUE_INPUTS = ("value", "text", "string", "prompt", "int", "float", "number", "seed")
#: Draws a character in passes, all views of a batch one after another.
PAPER_DOLL = "AvatarForgePaperDoll"
#: Saves a finished picture, and judges it.
SAVE, JUDGE = "AvatarForgeSave", "AvatarForgeJudgePicture"
#: Reduces a finished picture to large pixels. What its palette comes from is another picture.
PIXEL_ART, PALETTE_INPUT = "AvatarForgePixelArt", "palette_from"
#: Turns a pose of the library to views: pictures, and keypoints.
LIBRARY_POSE = "AvatarForgeLibraryPose"
_SAMPLERS = ("KSampler", "KSamplerAdvanced", "SamplerCustom", "SamplerCustomAdvanced", PAPER_DOLL)
_MOST_HOPS = 32


def link_of(value: object) -> tuple[str, int] | None:
    """(node id, output) if the value of an input is a link."""
    if (
        isinstance(value, (list, tuple))
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], int)
        and not isinstance(value[1], bool)
    ):
        return value[0], value[1]
    return None


def inputs_of(prompt: Prompt, node_id: str) -> Mapping[str, Any]:
    inputs = prompt.get(node_id, {}).get("inputs")
    return inputs if isinstance(inputs, Mapping) else {}


def class_of(prompt: Prompt, node_id: str) -> str:
    return str(prompt.get(node_id, {}).get("class_type", ""))


def title_of(prompt: Prompt, node_id: str) -> str:
    """The node's title, or its class."""
    meta = prompt.get(node_id, {}).get("_meta")
    title = meta.get("title") if isinstance(meta, Mapping) else None
    return title if isinstance(title, str) and title else class_of(prompt, node_id)


def sources_of(prompt: Prompt, node_id: str) -> Iterator[tuple[str, str, int]]:
    """(input, node id, output) of every link into a node from a node of the prompt."""
    for name, value in inputs_of(prompt, node_id).items():
        link = link_of(value)
        if link is not None and link[0] in prompt:
            yield name, *link


def upstream(prompt: Prompt, starts: Iterable[str]) -> list[str]:
    """The nodes on which `starts` depend, with these, nearest first."""
    found = list(dict.fromkeys(starts))
    seen = set(found)
    for node_id in found:  # grows while it is walked
        for _, source, _ in sources_of(prompt, node_id):
            if source not in seen:
                seen.add(source)
                found.append(source)
    return found


def downstream(prompt: Prompt, starts: Iterable[str]) -> set[str]:
    """The nodes that depend on `starts`, with these."""
    followers: dict[str, list[str]] = {}
    for node_id in prompt:
        for _, source, _ in sources_of(prompt, node_id):
            followers.setdefault(source, []).append(node_id)
    found = set(starts)
    pending = list(found)
    while pending:
        for follower in followers.get(pending.pop(), ()):
            if follower not in found:
                found.add(follower)
                pending.append(follower)
    return found


def is_sampler(node: Mapping[str, Any]) -> bool:
    """Whether a node makes pictures in steps: ComfyUI's own samplers, those of packs that take what these
    take, and ours that draws."""
    if node.get("class_type") in _SAMPLERS:
        return True
    inputs = node.get("inputs")
    if not isinstance(inputs, Mapping) or link_of(inputs.get("latent_image")) is None:
        return False
    return link_of(inputs.get("guider")) is not None or link_of(inputs.get("positive")) is not None


def literal_place(prompt: Prompt, node_id: str, name: str) -> tuple[str, str] | None:
    """(node id, input) where the value of an input stands: there, or in the node that only holds it."""
    for _ in range(_MOST_HOPS):
        value = inputs_of(prompt, node_id).get(name)
        if value is None:
            return None
        link = link_of(value)
        if link is None:
            return node_id, name
        node_id = link[0]
        held = [held for held in VALUE_INPUTS if held in inputs_of(prompt, node_id)]
        if not held:
            return None
        name = held[0]
    return None


def literal(prompt: Prompt, node_id: str, name: str) -> Any:
    """The value of an input, through nodes that only hold it; None if it is computed."""
    place = literal_place(prompt, node_id, name)
    return inputs_of(prompt, place[0])[place[1]] if place else None


def schedule_of(prompt: Prompt, sampler: str) -> str | None:
    """The node with the steps of a sampler: itself, or a scheduler behind its link `sigmas`."""
    node_id = sampler
    for _ in range(_MOST_HOPS):
        inputs = inputs_of(prompt, node_id)
        if "steps" in inputs:
            return node_id
        link = link_of(inputs.get("sigmas"))
        if link is None or link[0] not in prompt:
            return None
        node_id = link[0]
    return None


def steps_of(prompt: Prompt, sampler: str) -> int:
    """How many steps a sampler runs; 1 if that cannot be told."""
    schedule = schedule_of(prompt, sampler)
    steps = _whole(literal(prompt, schedule, "steps")) if schedule is not None else None
    if steps is None:
        return 1
    inputs = inputs_of(prompt, sampler)
    first, end = _whole(inputs.get("start_at_step")) or 0, _whole(inputs.get("end_at_step"))
    first += _skipped_steps(prompt, sampler)
    return max(1, min(steps, steps if end is None else end) - first)


def _skipped_steps(prompt: Prompt, sampler: str) -> int:
    """How many of the first noise levels a node SplitSigmas between scheduler and sampler leaves out."""
    link = link_of(inputs_of(prompt, sampler).get("sigmas"))
    if link is None or link[1] != 1 or class_of(prompt, link[0]) != "SplitSigmas":
        return 0
    return _whole(literal(prompt, link[0], "step")) or 0


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
