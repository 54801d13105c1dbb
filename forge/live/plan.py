"""Derives from a prompt how much each node contributes to progress and which view it works on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..graphs.links import (
    JUDGE,
    PALETTE_INPUT,
    PAPER_DOLL,
    PIXEL_ART,
    SAVE,
    class_of,
    is_sampler,
    sources_of,
    steps_of,
)
from ..ports import NodeState, Prompt
from ..spec.avatar import AvatarSpec

# Share of all nodes that do not sample: loading, encoding and decoding take some time too.
OTHER_SHARE = 0.05


@dataclass(frozen=True)
class PlannedNode:
    """`weight` is its share of the whole run. `positions` are those of the pictures that it works on, from 0
    in output order. `steps` are those that a sampler reports, and 0 for any other node."""

    class_type: str
    weight: float
    positions: tuple[int, ...]
    steps: int

    @property
    def samples(self) -> bool:
        return self.steps > 0


@dataclass(frozen=True)
class Plan:
    """The nodes of a prompt by id, and the view of each picture in output order."""

    nodes: Mapping[str, PlannedNode]
    views: tuple[str | None, ...]

    def view_of(self, node_id: str) -> str | None:
        """The view that a node works on; None if there are several or none."""
        node = self.nodes.get(node_id)
        return self.views[node.positions[0]] if node is not None and len(node.positions) == 1 else None

    def position_of(self, node_id: str, row: int) -> int | None:
        """The position of the picture in this row of a sampler's batch; None for any other node or row."""
        node = self.nodes.get(node_id)
        if node is None or not node.samples or row >= len(node.positions):
            return None
        return node.positions[row]

    def done(self, states: Mapping[str, NodeState]) -> float:
        """Progress of the run, 0..1. A node that reports steps counts in proportion to them."""
        return min(1.0, sum(node.weight * _part(states.get(key)) for key, node in self.nodes.items()))


def plan(prompt: Prompt, spec: AvatarSpec) -> Plan:
    """Plan a prompt. Every step of every sampler has the same weight, once per picture in its batch."""
    # A judge ends the work on its picture, too.
    saves = {
        key: int(node["inputs"]["position"]) - 1
        for key, node in prompt.items()
        if node["class_type"] in (SAVE, JUDGE) and isinstance(node["inputs"].get("position"), int)
    }
    after = _followers(prompt)
    positions = {key: _positions(key, prompt, after, saves) for key in prompt}
    steps = {key: steps_of(prompt, key) for key, node in prompt.items() if is_sampler(node)}
    sampled = {key: count * max(1, len(positions[key])) for key, count in steps.items()}
    # Nodes that lead to no picture are not run.
    others = sum(1 for key in prompt if key not in steps and positions[key])
    total = sum(sampled.values())
    nodes = {}
    for key, node in prompt.items():
        if key in steps:
            weight = (1 - OTHER_SHARE) * sampled[key] / total
        else:
            weight = (OTHER_SHARE if total else 1.0) / others if positions[key] else 0.0
        valid = tuple(sorted(position for position in positions[key] if 0 <= position < len(spec.pictures)))
        # A sampler takes a step in all rows at once; what draws counts each row by itself.
        reported = sampled if class_of(prompt, key) == PAPER_DOLL else steps
        nodes[key] = PlannedNode(node["class_type"], weight, valid, reported.get(key, 0))
    return Plan(nodes, spec.pictures)


def _part(state: NodeState | None) -> float:
    if state is None or state.maximum <= 0:
        return 0.0
    return min(1.0, max(0.0, state.value / state.maximum))


def _followers(prompt: Prompt) -> dict[str, set[str]]:
    after: dict[str, set[str]] = {key: set() for key in prompt}
    for key in prompt:
        reduces = class_of(prompt, key) == PIXEL_ART
        for name, source, _ in sources_of(prompt, key):
            # A picture that only gives its palette is not worked on, nor one that is saved already.
            if not (reduces and name == PALETTE_INPUT) and class_of(prompt, source) != SAVE:
                after[source].add(key)
    return after


def _positions(
    start: str, prompt: Prompt, after: Mapping[str, set[str]], saves: Mapping[str, int]
) -> frozenset[int]:
    """The pictures of a node: those saved downstream of it before another sampler. For a node before all
    samplers: those of the first samplers downstream."""
    saved, samplers = _reach([start], prompt, after, saves)
    return saved or _reach(samplers, prompt, after, saves)[0]


def _reach(
    starts: list[str], prompt: Prompt, after: Mapping[str, set[str]], saves: Mapping[str, int]
) -> tuple[frozenset[int], list[str]]:
    """(positions saved downstream of `starts` before another sampler, those samplers)."""
    saved, samplers, seen = set(), [], set(starts)
    pending = list(starts)
    while pending:
        key = pending.pop()
        if key in saves:
            saved.add(saves[key])
        for follower in after[key] - seen:
            seen.add(follower)
            if is_sampler(prompt[follower]):
                samplers.append(follower)
            else:
                pending.append(follower)
    return frozenset(saved), samplers
