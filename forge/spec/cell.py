"""What tells the generations of a matrix apart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .avatar import AvatarSpec


@dataclass(frozen=True)
class Cell:
    """What a generation of a batch shows. It never changes: a re-roll of a picture keeps it.

    `view` is None if there are several views, or none in particular. `seed` is that of the first picture;
    None if a template has no slot for it. `outfit` is that of the character.
    """

    outfit: str | None = None
    expression: str | None = None
    view: str | None = None
    pose_id: str | None = None
    seed: int | None = None

    @classmethod
    def of(cls, spec: AvatarSpec) -> Cell:
        return cls(
            outfit=spec.character.outfit if spec.character else None,
            expression=spec.expression,
            view=spec.views[0] if len(spec.views) == 1 else None,
            pose_id=spec.pose.pose_id if spec.pose else None,
            seed=spec.seed,
        )

    @classmethod
    def from_json(cls, text: str) -> Cell:
        """Read it from the JSON of a spec, without the rest of that: a batch has up to a thousand. Raises
        ValueError if it is invalid."""
        data: dict[str, Any] = json.loads(text)
        views = data.get("views") or (None,)
        return cls(
            outfit=(data.get("character") or {}).get("outfit"),
            expression=data.get("expression"),
            view=views[0] if len(views) == 1 else None,
            pose_id=(data.get("pose") or {}).get("pose_id"),
            seed=data.get("seed"),
        )
