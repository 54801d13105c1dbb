"""How a generation stands at this moment: what no row holds, because it changes many times a second."""

from __future__ import annotations

from dataclasses import dataclass

from ...db.records import GenerationRecord


@dataclass(frozen=True)
class Current:
    """The node that runs. For a node that counts nothing, `steps` is 1."""

    node: str
    node_id: str
    view: str | None
    step: int
    steps: int


@dataclass(frozen=True)
class Preview:
    """The newest preview of the picture at `position`, from 0 in output order; `version` grows."""

    position: int
    view: str | None
    version: int


@dataclass(frozen=True)
class LiveState:
    """`progress` is 0..1, `queue_position` 1 for what starts next, `eta_seconds` the running time left."""

    progress: float
    current: Current | None = None
    queue_position: int | None = None
    eta_seconds: float | None = None
    previews: tuple[Preview, ...] = ()


COMPLETED = LiveState(1.0)


@dataclass(frozen=True)
class GenerationEvent:
    """One event, before anybody has put it into words. `at` in microseconds since 1970; `record` as it was
    then."""

    kind: str
    at: int
    generation_id: str
    record: GenerationRecord
    state: LiveState
