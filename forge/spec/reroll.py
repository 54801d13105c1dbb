"""A re-roll of one view, and how its picture becomes part of the generation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .avatar import AvatarSpec
from .receipt import AppliedInput, Receipt
from .stored import from_fields, to_fields, to_json_text
from .warning import make_warning


@dataclass(frozen=True)
class Reroll:
    """`position` counts from 0; `inputs` are the receipt lines of the new picture."""

    position: int
    view: str | None
    seed: int
    inputs: tuple[AppliedInput, ...]
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return to_json_text({**to_fields(self), "inputs": [to_fields(line) for line in self.inputs]})

    @classmethod
    def from_json(cls, text: str) -> Reroll:
        """Read a stored re-roll of any release. Raises ValueError for what is none."""
        data: dict[str, Any] = json.loads(text)
        inputs = tuple(from_fields(AppliedInput, line) for line in data.get("inputs", ()))
        return from_fields(Reroll, {**data, "inputs": inputs})

    def apply(self, spec: AvatarSpec, receipt: Receipt) -> tuple[AvatarSpec, Receipt]:
        """The generation's spec and receipt once the new picture has replaced the old one."""
        kept = [line for line in receipt.inputs if line.view != self.view]
        return (
            replace(spec, reseeded={**spec.reseeded, self.view or "": self.seed}),
            replace(receipt, inputs=(*kept, *self.inputs)),
        )

    def fail(self, receipt: Receipt, error: str) -> Receipt:
        """The receipt when the old picture stays because the new one failed."""
        detail = f"The re-roll of {self.view or 'the picture'} failed: {error}"
        warning = make_warning("reroll_failed", detail, view=self.view or "", error=error)
        return receipt.with_warnings([*receipt.warnings, warning])
