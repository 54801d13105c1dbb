"""What a client asked for, as data."""

from __future__ import annotations

from dataclasses import dataclass

from .pose import PoseMode


@dataclass(frozen=True)
class AvatarRequest:
    """What a client asked for; None leaves the choice to us. The `*_image` fields hold base64."""

    prompt: str
    clothing: str | None = None
    style: str | None = None
    realism: bool = False
    pose_file_id: str | None = None
    reference_file_id: str | None = None
    pose_image: str | None = None
    reference_image: str | None = None
    negative_prompt: str | None = None
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    cfg: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    seed: int | None = None
    checkpoint: str | None = None
    pose_strength: float | None = None
    pose_mode: PoseMode | None = None
    reference_strength: float | None = None
    consistency: float | None = None
    turnaround: str | None = None
    callback_url: str | None = None
