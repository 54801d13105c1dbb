"""What the row of a generation says of its tries and of a prompt that only judges.

While pictures are made until one is good enough, the row has how many were made of each, and, between two of
them, which comes next.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from .reroll import RequestedReroll


def tries_to_json(tries: Mapping[int, int]) -> str:
    return json.dumps({str(position): count for position, count in sorted(tries.items())})


def tries_from_json(text: str | None) -> dict[int, int]:
    return {int(position): int(count) for position, count in json.loads(text).items()} if text else {}


def next_to_json(wanted: RequestedReroll) -> str:
    return json.dumps([wanted.position, wanted.seed])


def next_from_json(text: str) -> RequestedReroll:
    position, seed = json.loads(text)
    return RequestedReroll(position, seed)


@dataclass(frozen=True)
class JudgingRun:
    """A prompt that only judges. `takes` are the (position, take) of its pictures; `started_at` and
    `completed_at` are those of the generation, which it gets back at the end, in microseconds since 1970."""

    takes: tuple[tuple[int, int], ...]
    started_at: int | None
    completed_at: int | None

    @property
    def positions(self) -> tuple[int, ...]:
        return tuple(position for position, _ in self.takes)

    def take_of(self, position: int) -> int | None:
        """The take that is judged at a position; None if none is."""
        return dict(self.takes).get(position)

    def to_json(self) -> str:
        return json.dumps(
            {"takes": self.takes, "started_at": self.started_at, "completed_at": self.completed_at}
        )

    @classmethod
    def from_json(cls, text: str) -> JudgingRun:
        data = json.loads(text)
        takes = tuple((position, take) for position, take in data["takes"])
        return cls(takes, data.get("started_at"), data.get("completed_at"))
