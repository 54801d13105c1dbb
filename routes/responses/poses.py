"""Responses about the pose library."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ...forge.spec.views import ViewName
from ..models import LazyModel
from .health import SkeletonDrawing


class LibraryPoseSummary(LazyModel):
    pose_id: str
    name: str
    description: str | None = Field(description="What a built-in pose shows.")
    built_in: bool
    file_id: str | None = Field(description="The file of a saved pose.")
    created_at: str | None = Field(description="Null for a built-in pose.")
    hands: bool = Field(description="Whether it has the keypoints of hands.")
    face: bool = Field(description="Whether it has the keypoints of a face.")
    skeleton: SkeletonDrawing = Field(description="Its first person, for drawing it.")


class LibraryAnswer(LazyModel):
    built_in: list[LibraryPoseSummary] = Field(description="The built-in poses; empty after the first page.")
    poses: list[LibraryPoseSummary] = Field(description="The saved poses, newest first.")
    total: int = Field(description="How many saved poses match.")
    limit: int
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last.")


class LibraryPoseAnswer(LibraryPoseSummary):
    view: ViewName | None = Field(description="The view that `pose` shows; null: as it was saved.")
    mirrored: bool
    pose: dict[str, Any] = Field(description="OpenPose JSON of one frame, in pixels.")


class LibraryPoseDeletedAnswer(LazyModel):
    pose_id: str
    deleted: Literal[True]
    message: str
