"""A pose as data: the stored file, its recognised kind, and what is done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

PoseMode = Literal["auto", "skeleton", "photo", "raw"]
POSE_MODES: tuple[PoseMode, ...] = get_args(PoseMode)
Treatment = Literal["skeleton", "json", "extract", "raw", "kept", "library"]

#: The kind of a pose of the library.
LIBRARY_KIND = "library"


@dataclass(frozen=True)
class PoseFile:
    """A stored pose: its size in pixels, its recognised kind (`FileStore.pose_kind`), and the file id of a
    skeleton extracted from it earlier (`FileStore.extracted_pose`). A built-in pose has no file; its hash is
    that of its JSON."""

    file_id: str | None
    content_hash: str
    width: int
    height: int
    kind: str
    kept_file_id: str | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PosePlan:
    """What is done with a pose: its recognised `kind`, the `treatment`, and the extractor with its model."""

    kind: str
    treatment: Treatment
    extractor: str | None = None
    model: str | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PoseUse:
    """A stored pose, how it becomes a skeleton, and its strength (0: no effect).

    A pose of the library also has its id there, the name that it had, and whether it is `mirrored`.
    """

    file: PoseFile
    plan: PosePlan
    mode: str
    strength: float
    pose_id: str | None = None
    name: str | None = None
    mirrored: bool = False
    unknown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def of_library(self) -> bool:
        """Whether it is a pose of the library, which can be turned to any view."""
        return self.plan.treatment == "library"
