"""A request as data: everything that decides the pictures, and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Literal

from pydantic_core import to_json

from ..graphs.poses import PoseFile, PosePlan

Kind = Literal["avatar", "pose", "all_poses", "graph"]
Turnaround = Literal["batch", "sequential"]


@dataclass(frozen=True)
class PoseUse:
    """A stored pose, how it is made into a skeleton, and how strongly it steers (0 is not at all)."""

    file: PoseFile
    plan: PosePlan
    mode: str
    strength: float


@dataclass(frozen=True)
class ReferenceUse:
    """A stored reference and how strongly it steers: 0 is not at all, 1 is as much as the picture
    itself. `method` is "attention" or "ipadapter"; `preset` and `model` belong to the latter."""

    file_id: str
    content_hash: str
    strength: float
    method: str
    preset: str | None = None
    model: str | None = None


@dataclass(frozen=True)
class AvatarSpec:
    """One generation. The same spec on the same models gives the same pixels.

    `views` holds one entry per picture, in order; None is a picture whose view the pose image alone
    decides. `width` and `height` are pixels of the full frame: a narrow view is cut from it.
    `controlnet` is None where no pose is applied. `skeleton_strength` is that of the built-in
    skeletons. `consistency` is the weight with which the views look at the front. `reseeded` holds
    the seeds of views that were made anew.
    """

    prompt: str
    clothing: str | None
    style: str | None
    realism: bool
    negative_prompt: str | None
    views: tuple[str | None, ...]
    pose: PoseUse | None
    reference: ReferenceUse | None
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
    controlnet_is_union: bool
    bones: str
    skeleton_strength: float
    consistency: float
    turnaround: Turnaround
    reseeded: dict[str, int] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str | None, ...]:
        """The user's own words, all of which become text of the prompt."""
        return self.prompt, self.clothing, self.style, self.negative_prompt

    def seed_of(self, view: str | None) -> int:
        return self.reseeded.get(view or "", self.seed)

    def to_json(self) -> str:
        return to_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> AvatarSpec:
        """Read back what `to_json` wrote."""
        return _read(text)


@lru_cache(maxsize=128)
def _read(text: str) -> AvatarSpec:
    # A generation's spec is read several times while it is accepted, runs and is looked at.
    data: dict[str, Any] = json.loads(text)
    pose = data["pose"]
    if pose is not None:
        plan = {**pose["plan"], "warnings": tuple(pose["plan"]["warnings"])}
        data["pose"] = PoseUse(PoseFile(**pose["file"]), PosePlan(**plan), pose["mode"], pose["strength"])
    if data["reference"] is not None:
        data["reference"] = ReferenceUse(**data["reference"])
    data["views"] = tuple(data["views"])
    return AvatarSpec(**{one.name: data[one.name] for one in fields(AvatarSpec)})
