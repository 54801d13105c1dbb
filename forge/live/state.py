"""The live state of a generation. It is not in the database, because it changes many times a second."""

from __future__ import annotations

from dataclasses import dataclass

from ...db.records import GenerationRecord


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
