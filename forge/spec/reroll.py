"""A re-roll of one picture, and its effect on the spec and the receipt of the generation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .avatar import AvatarSpec
from .receipt import AppliedInput, Receipt
from .stored import from_fields, to_fields, to_json_text
from .warning import make_warning

#: How many takes of a picture are kept; the next re-roll is refused until some are deleted.
MOST_TAKES = 100
#: How many re-rolls of a generation can wait for the one that runs.
MOST_WAITING_REROLLS = 50


@dataclass(frozen=True)
class RequestedReroll:
    """Which picture shall be made again, by its index from 0, and with which seed."""

    position: int
    seed: int


def waiting_to_json(waiting: Sequence[RequestedReroll]) -> str | None:
    """The stored form of the re-rolls that wait, in their order; None for none."""
    return json.dumps([[wanted.position, wanted.seed] for wanted in waiting]) if waiting else None


def waiting_from_json(text: str | None) -> tuple[RequestedReroll, ...]:
    return tuple(RequestedReroll(position, seed) for position, seed in json.loads(text)) if text else ()


@dataclass(frozen=True)
class Reroll:
    """A re-roll, or what choosing an earlier take changes. `position` is the index of the picture, from 0;
    `inputs` are the applied inputs of the new picture; `take` is its number among the takes of the picture.

    A re-roll that an earlier release began has no number: then its picture has one take only.
    """

    position: int
    view: str | None
    seed: int
    inputs: tuple[AppliedInput, ...]
    take: int = 2
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return to_json_text({**to_fields(self), "inputs": [to_fields(applied) for applied in self.inputs]})

    @classmethod
    def from_json(cls, text: str) -> Reroll:
        """Read a re-roll stored by any release. Raises ValueError if it is invalid."""
        data: dict[str, Any] = json.loads(text)
        inputs = tuple(from_fields(AppliedInput, applied) for applied in data.get("inputs", ()))
        return from_fields(Reroll, {**data, "inputs": inputs})

    @classmethod
    def of_current(cls, spec: AvatarSpec, receipt: Receipt, position: int, take: int) -> Reroll:
        """What brings back the picture that is current now, after another one has replaced it."""
        view, number = spec.pictures[position], spec.number_at(position)
        inputs = tuple(line for line in receipt.inputs if (line.view, line.picture) == (view, number))
        return cls(position, view, spec.seed_at(position), inputs, take)

    def apply(self, spec: AvatarSpec, receipt: Receipt) -> tuple[AvatarSpec, Receipt]:
        """The generation's spec and receipt after the new picture has replaced the old one."""
        number = spec.number_at(self.position)
        kept = [line for line in receipt.inputs if (line.view, line.picture) != (self.view, number)]
        return (
            spec.with_seed_at(self.position, self.seed),
            replace(receipt, inputs=(*kept, *self.inputs)),
        )

    def fail(self, spec: AvatarSpec, receipt: Receipt, error: str) -> Receipt:
        """The receipt after the re-roll failed, so that the old picture stays."""
        detail = f"The re-roll of {self.describe(spec)} failed: {error}"
        warning = make_warning("reroll_failed", detail, view=self.view or "", error=error)
        return receipt.with_warnings([*receipt.warnings, warning])

    def describe(self, spec: AvatarSpec) -> str:
        """The picture, for people: by its view, and by its number where several show that."""
        number = spec.number_at(self.position)
        if number is None:
            return self.view or "the picture"
        return f"picture {number} ({self.view})" if self.view else f"picture {number}"
