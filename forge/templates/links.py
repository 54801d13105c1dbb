"""Finds slots that nobody marked: walks the links from what is saved back to the sampler and its texts."""

from __future__ import annotations

from collections.abc import Iterator

from ..graphs.links import (
    class_of,
    inputs_of,
    is_sampler,
    link_of,
    literal_place,
    schedule_of,
    sources_of,
    upstream,
)
from ..ports import Prompt
from .slots import Place, place

#: Classes that save or show pictures, those that save first.
OUTPUTS = ("SaveImage", "SaveImageAdvanced", "SaveImageWebsocket", "PreviewImage")
_TEXTS = ("text", "prompt", "text_g", "text_l", "clip_l", "t5xxl", "user_prompt", "positive_prompt", "string")
#: Inputs that lead from a conditioning to the one that it was made from, the first that a node has.
_POSITIVE = (
    "positive",
    "conditioning",
    "conditioning_to",
    "conditioning_1",
    "conditioning1",
    "cond1",
    "guider",
)
_NEGATIVE = ("negative", *_POSITIVE[1:-1])
#: What follows makes nothing of the words.
_NO_WORDS = "ConditioningZeroOut"
_MOST_HOPS = 200


def find_output(prompt: Prompt) -> Place | None:
    """The output whose picture took the most nodes: of a picture and its enlarged copy the latter."""
    best: tuple[int, int, Place] | None = None
    for node_id in prompt:
        class_type = class_of(prompt, node_id)
        name = next((name for name in ("images", "image") if _linked(prompt, node_id, name)), None)
        if name is None or not (class_type in OUTPUTS or class_type.startswith("SaveImage")):
            continue
        saves = class_type != "PreviewImage"
        rank = (int(saves), len(upstream(prompt, [node_id])))
        if best is None or rank > best[:2]:
            best = (*rank, place(prompt, node_id, name, "link"))
    return best[2] if best else None


def by_links(prompt: Prompt, output: str | None) -> dict[str, list[Place]]:
    """The slots on the way to the node `output`, as the samplers of ComfyUI name their inputs."""
    nodes = upstream(prompt, [output]) if output is not None else list(prompt)
    samplers = [node_id for node_id in nodes if is_sampler(prompt[node_id])]
    found: dict[str, list[Place]] = {}
    if not samplers:
        return _without_sampler(prompt, nodes)
    for sampler in samplers:
        start = _behind(prompt, sampler, "guider") or sampler
        words = set(_texts(prompt, start, _POSITIVE))
        found.setdefault("prompt", []).extend(_places(prompt, sorted(words)))
        against = [item for item in _texts(prompt, start, _NEGATIVE) if item not in words]
        found.setdefault("negative", []).extend(_places(prompt, against))
        noise = _behind(prompt, sampler, "noise") or sampler
        for name in ("seed", "noise_seed"):
            found.setdefault("seed", []).extend(_value(prompt, noise, name))
        schedule = schedule_of(prompt, sampler)
        if schedule is not None:
            found.setdefault("steps", []).extend(_value(prompt, schedule, "steps"))
        found.setdefault("cfg", []).extend(_value(prompt, start, "cfg"))
    # The first sampler starts from the empty latent; the others go on with what it made.
    for node_id in _empty_latents(prompt, samplers):
        for name in ("width", "height"):
            found.setdefault(name, []).extend(_value(prompt, node_id, name))
    if found.get("width") and len(samplers) and "sigmas" in inputs_of(prompt, samplers[-1]):
        # A scheduler that depends on the size of the picture.
        for sampler in samplers:
            schedule = schedule_of(prompt, sampler)
            for name in ("width", "height"):
                if schedule is not None:
                    found[name].extend(_value(prompt, schedule, name))
    return found


def _without_sampler(prompt: Prompt, nodes: list[str]) -> dict[str, list[Place]]:
    """Of a graph whose model runs elsewhere, or in one node: the nearest text and seed."""
    found: dict[str, list[Place]] = {}
    for slot, names in (("prompt", _TEXTS), ("seed", ("seed", "noise_seed"))):
        for node_id in nodes:
            places = [item for name in names for item in _value(prompt, node_id, name)]
            wanted = str if slot == "prompt" else int
            places = [item for item in places if isinstance(inputs_of(prompt, item.node)[item.input], wanted)]
            if places:
                found[slot] = places[:1]
                break
    return found


def _texts(prompt: Prompt, start: str, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(node id, input) of the texts behind a conditioning: `names` are followed at the first node, and at
    each next one what leads on from there."""
    node_id, outlet = start, 0
    for hop in range(_MOST_HOPS):
        inputs = inputs_of(prompt, node_id)
        if hop and class_of(prompt, node_id) == _NO_WORDS:
            return
        if hop:
            own = [(node_id, name) for name in _own_texts(prompt, node_id, names)]
            # A text that is put together by other nodes is replaced as a whole.
            texts = [literal_place(prompt, *item) or item for item in own]
            if texts:
                yield from texts
                return
        # A node with both conditionings gives them out in the same order.
        follow = names
        if hop and "positive" in inputs and "negative" in inputs:
            follow = ("negative",) if outlet == 1 else ("positive",)
        link = next((link for name in follow if (link := link_of(inputs.get(name)))), None)
        if link is None or link[0] not in prompt:
            return
        node_id, outlet = link


def _own_texts(prompt: Prompt, node_id: str, names: tuple[str, ...]) -> list[str]:
    inputs = inputs_of(prompt, node_id)
    if names is _NEGATIVE and "negative_prompt" in inputs:
        return ["negative_prompt"]
    return [name for name in _TEXTS if name in inputs]


def _empty_latents(prompt: Prompt, samplers: list[str]) -> list[str]:
    found = []
    for sampler in samplers:
        node_id = _behind(prompt, sampler, "latent_image")
        for _ in range(_MOST_HOPS):
            if node_id is None or is_sampler(prompt[node_id]):
                break
            inputs = inputs_of(prompt, node_id)
            if "width" in inputs and "height" in inputs:
                found.append(node_id)
                break
            names = [
                name
                for name in ("samples", "latent", "latent_image", "samples1")
                if _linked(prompt, node_id, name)
            ]
            node_id = _behind(prompt, node_id, names[0]) if names else None
    return found


def _behind(prompt: Prompt, node_id: str, name: str) -> str | None:
    """The node that a link of this input comes from."""
    return next((source for found, source, _ in sources_of(prompt, node_id) if found == name), None)


def _linked(prompt: Prompt, node_id: str, name: str) -> bool:
    return _behind(prompt, node_id, name) is not None


def _value(prompt: Prompt, node_id: str, name: str) -> list[Place]:
    """The place of a value, through nodes that only hold it."""
    if name not in inputs_of(prompt, node_id):
        return []
    where = literal_place(prompt, node_id, name)
    return [place(prompt, *where, "link")] if where else []


def _places(prompt: Prompt, texts: list[tuple[str, str]]) -> list[Place]:
    return [place(prompt, node_id, name, "link") for node_id, name in texts]
