"""The live states of generations and batches. They are not in the database, because they change many times a
second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...db.records import BatchSummary, GenerationRecord


@dataclass(frozen=True)
class Current:
    """The running node. `steps` is 1 for a node that does not report steps."""

    node: str
    node_id: str
    view: str | None
    step: int
    steps: int


@dataclass(frozen=True)
class Preview:
    """The newest preview of the picture at `position`, from 0 in output order; `version` increases."""

    position: int
    view: str | None
    version: int


@dataclass(frozen=True)
class LiveState:
    """`progress` is 0..1, `queue_position` is 1 for the next to start, `eta_seconds` is the running time
    left."""

    progress: float
    current: Current | None = None
    queue_position: int | None = None
    eta_seconds: float | None = None
    previews: tuple[Preview, ...] = ()


COMPLETED = LiveState(1.0)


@dataclass(frozen=True)
class GenerationEvent:
    """An event before it is rendered. `at` is in microseconds since 1970; `record` is the row at that
    time."""

    kind: str
    at: int
    generation_id: str
    record: GenerationRecord
    state: LiveState

    @property
    def topic(self) -> str:
        return self.generation_id


@dataclass(frozen=True)
class BatchState:
    """The live state of a batch. `progress` is 0..1, with the share of its running generations. `eta_seconds`
    is the running time left, None if it cannot be estimated."""

    summary: BatchSummary
    progress: float
    eta_seconds: float | None = None

    @property
    def status(self) -> str:
        return self.summary.status


@dataclass(frozen=True)
class BatchEvent:
    """An event of a batch before it is rendered. `at` is in microseconds since 1970."""

    kind: Literal["batch", "batch_deleted"]
    at: int
    state: BatchState

    @property
    def topic(self) -> str:
        return self.state.summary.record.id
