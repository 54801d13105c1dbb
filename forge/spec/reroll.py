"""A re-roll of one view, and how its picture becomes part of the generation."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from .avatar import AvatarSpec


@dataclass(frozen=True)
class Reroll:
    """`position` counts from 0; `inputs` are the receipt lines of the new picture."""

    position: int
    view: str | None
    seed: int
    inputs: tuple[dict[str, Any], ...]

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Reroll:
        data = json.loads(text)
        return cls(data["position"], data["view"], data["seed"], tuple(data["inputs"]))

    def apply(self, spec: str, receipt: str) -> dict[str, str]:
        """The generation's spec and receipt once the new picture has taken its place."""
        made = AvatarSpec.from_json(spec)
        made = replace(made, reseeded={**made.reseeded, self.view or "": self.seed})
        told = json.loads(receipt)
        others = [line for line in told["inputs"] if line["view"] != self.view]
        told["inputs"] = [*others, *self.inputs]
        return {"spec": made.to_json(), "receipt": json.dumps(told, separators=(",", ":"))}

    def fail(self, receipt: str, error: str) -> dict[str, str]:
        """The receipt when the old picture stays because the new one failed."""
        told = json.loads(receipt)
        told["warnings"].append(f"The re-roll of {self.view or 'the picture'} failed: {error}")
        return {"receipt": json.dumps(told, separators=(",", ":"))}
