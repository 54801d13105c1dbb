"""A pose as data: the stored file, what it was recognised as, and what is done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

PoseMode = Literal["auto", "skeleton", "photo", "raw"]
POSE_MODES: tuple[PoseMode, ...] = get_args(PoseMode)
Treatment = Literal["skeleton", "json", "extract", "raw", "kept"]


@dataclass(frozen=True)
class PoseFile:
    """A stored pose: its size in pixels, what it was recognised as (`FileStore.pose_kind`), and the skeleton
    that was extracted from it before (`FileStore.extracted_pose`)."""

    file_id: str
    content_hash: str
    width: int
    height: int
    kind: str
    kept_file_id: str | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PosePlan:
    """`kind` is what was recognised, `treatment` what is done with it; `model` is the extractor's."""

    kind: str
    treatment: Treatment
    extractor: str | None = None
    model: str | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PoseUse:
    """A stored pose, how it becomes a skeleton, and how strongly it steers (0: not at all)."""

    file: PoseFile
    plan: PosePlan
    mode: str
    strength: float
    unknown: Mapping[str, Any] = field(default_factory=dict)
