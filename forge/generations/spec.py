"""A request as data: everything that decides the pictures, and nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Kind = Literal["avatar", "pose", "all_poses"]


@dataclass(frozen=True)
class ImageUse:
    """A stored picture and how strongly it steers (0 is not at all, 1 is fully)."""

    file_id: str
    content_hash: str
    strength: float


@dataclass(frozen=True)
class AvatarSpec:
    """One generation. The same spec on the same models gives the same pixels.

    `views` holds one entry per picture, in order; None is a picture whose view the pose image alone
    decides. `width` and `height` are pixels of the full frame: a narrow view is cut from it.
    """

    prompt: str
    clothing: str | None
    style: str | None
    realism: bool
    negative_prompt: str | None
    views: tuple[str | None, ...]
    pose: ImageUse | None
    reference: ImageUse | None
    width: int
    height: int
    steps: int
    cfg: float
    sampler: str
    scheduler: str
    seed: int
    checkpoint: str
    family: str
    controlnet: str | None

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> AvatarSpec:
        """Read back what `to_json` wrote."""
        data: dict[str, Any] = json.loads(text)
        for role in ("pose", "reference"):
            data[role] = ImageUse(**data[role]) if data[role] else None
        data["views"] = tuple(data["views"])
        return cls(**{field.name: data[field.name] for field in fields(cls)})
