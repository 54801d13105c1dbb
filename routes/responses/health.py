"""Responses about health, and the list of views."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ...forge.spec.views import ViewName
from ..models import LazyModel
from .capabilities import CapabilitiesSummary


class SkeletonDrawing(LazyModel):
    """The built-in skeleton of a view, in pixels of its own frame, x rightwards and y downwards."""

    width: int
    height: int
    joints: list[tuple[float, float] | None] = Field(
        description="The 18 keypoints in OpenPose's order; null: not seen from there."
    )
    bones: list[tuple[int, int]] = Field(description="Pairs of positions in `joints`.")


class Pose(LazyModel):
    name: ViewName
    description: str
    narrow: bool = Field(description="Narrower than it is high.")
    skeleton: SkeletonDrawing


class PosesAnswer(LazyModel):
    poses: list[Pose]


class Part(LazyModel):
    status: Literal["healthy", "unhealthy"]
    reason: str | None = None


class ComfyPart(Part):
    url: str
    stats: dict[str, Any]


class StoragePart(Part):
    files: int = 0
    bytes: int = 0


class QueuePart(Part):
    waiting: int = Field(0, description="Prompts of anyone that wait in ComfyUI.")
    running: int = 0
    generations: dict[str, int] = Field(default_factory=dict, description="Ours, by status.")


class HealthStatus(LazyModel):
    """What a monitor without the key gets where a key is needed."""

    api_status: Literal["healthy", "degraded", "unavailable"]


class HealthAnswer(HealthStatus):
    reason: str | None
    comfyui: ComfyPart
    database: Part
    storage: StoragePart
    queue: QueuePart
    capabilities: CapabilitiesSummary
