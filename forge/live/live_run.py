"""What `Live` knows about one running generation."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...db.records import GenerationRecord, OutputRecord
from ..ports import NodeState, Prompt
from .estimate import Kind
from .plan import Plan, plan
from .state import Current, Preview


@dataclass
class LiveRun:
    """A generation between its acceptance and its end. `record` is the row that was published last."""

    record: GenerationRecord
    kind: Kind
    prompt: Prompt | None = None
    plan: Plan | None = None
    progress: float = 0.0
    current: Current | None = None
    started: float | None = None
    queued_published: bool = False
    published_position: int | None = None
    published_outputs: tuple[OutputRecord, ...] = ()
    pictures: dict[int, tuple[Preview, bytes]] = field(default_factory=dict)
    published_at: dict[str, float] = field(default_factory=dict)
    timers: dict[str, asyncio.TimerHandle] = field(default_factory=dict)

    def get_plan(self) -> Plan | None:
        """The plan of the prompt. Created on first use, so that the request is answered sooner."""
        if self.plan is None and self.prompt is not None:
            self.plan = plan(self.prompt, self.record.spec)
        return self.plan

    def close(self) -> None:
        for timer in self.timers.values():
            timer.cancel()


def current_node(planned: Plan, states: Mapping[str, NodeState]) -> Current | None:
    """The newest running node of the prompt."""
    for node_id in reversed(tuple(states)):
        state, node = states[node_id], planned.nodes.get(node_id)
        if state.running and node is not None:
            # Until its first step, a sampler reports a maximum of 1.
            steps = max(1, int(state.maximum), node.steps)
            step = int(state.value) if steps == int(state.maximum) else 0
            return Current(node.class_type, node_id, planned.view_of(node_id), step, steps)
    return None


def progress_by_pictures(record: GenerationRecord) -> float:
    """Progress, 0..1, from the saved pictures alone: for a run of an earlier start of ComfyUI."""
    if record.is_manual or record.keeps_pictures or not record.outputs:
        return 0.0
    return len(record.outputs) / len(record.spec.pictures)
