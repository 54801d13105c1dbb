"""A pose of the library, built in or saved."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ...db.records import FileRecord, LibraryPoseRecord
from ..pictures.library.builtin import canonical_json, written_pose
from ..pictures.library.posed import LibraryPose
from ..pictures.openpose_json import PoseDocument
from ..pictures.skeleton import Skeleton
from ..spec.pose import LIBRARY_KIND, PoseFile

#: Height, in pixels, in which lists draw a pose.
DRAWN_HEIGHT = 768
_WIDEST = 16_384
Joints = list[tuple[float, float] | None]


@dataclass(frozen=True)
class Drawing:
    """What lists show of a pose: `joints` of its first person in pixels of a frame, and whether it has hands
    and a face."""

    width: int
    height: int
    joints: Joints
    hands: bool
    face: bool

    def to_json(self) -> str:
        return json.dumps(vars(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Drawing:
        values: dict[str, Any] = json.loads(text)
        joints: Joints = [None if joint is None else (joint[0], joint[1]) for joint in values["joints"]]
        return cls(**{**values, "joints": joints})


def drawing_of(document: PoseDocument) -> Drawing:
    first = document.people[0]
    return Drawing(
        *_frame(first),
        _joints(first),
        any(item.left_hand or item.right_hand for item in document.details),
        any(item.face for item in document.details),
    )


@dataclass(frozen=True)
class LibraryEntry:
    """A pose of the library. Exactly one of `built_in` and `record` is given."""

    built_in: LibraryPose | None = None
    record: LibraryPoseRecord | None = None

    @property
    def id(self) -> str:
        return self._any.id

    @property
    def name(self) -> str:
        return self._any.name

    @property
    def description(self) -> str | None:
        return self.built_in.description if self.built_in else None

    @property
    def drawing(self) -> Drawing:
        if self.built_in is not None:
            return _drawn(self.built_in)
        return Drawing.from_json(self._record.drawing_json)

    @property
    def file_id(self) -> str | None:
        return self.record.file_id if self.record else None

    @property
    def created_at(self) -> int | None:
        """Microseconds since 1970; None for a built-in pose."""
        return self.record.created_at if self.record else None

    @property
    def _any(self) -> LibraryPose | LibraryPoseRecord:
        return self.built_in or self._record

    @property
    def _record(self) -> LibraryPoseRecord:
        if self.record is None:
            raise ValueError("A pose of the library is built in or saved.")
        return self.record


@dataclass(frozen=True)
class UsablePose:
    """A pose of the library for a request. `file` is the row of a saved one."""

    entry: LibraryEntry
    file: FileRecord | None

    def pose_file(self) -> PoseFile:
        """The pose as a spec stores it. A built-in one has the hash of its JSON."""
        if self.file is not None:
            record = self.file
            return PoseFile(record.id, record.content_hash, record.width, record.height, LIBRARY_KIND)
        drawn = self.entry.drawing
        content_hash = hashlib.sha256(canonical_json(self.entry.name)).hexdigest()
        return PoseFile(None, content_hash, drawn.width, drawn.height, LIBRARY_KIND)


@lru_cache(maxsize=128)
def _drawn(pose: LibraryPose) -> Drawing:
    return drawing_of(written_pose(pose))


def _frame(skeleton: Skeleton) -> tuple[int, int]:
    """(width, height) of the frame in pixels."""
    width = round(DRAWN_HEIGHT * skeleton.aspect)
    return max(1, min(width, _WIDEST)), DRAWN_HEIGHT


def _joints(skeleton: Skeleton) -> Joints:
    width, height = _frame(skeleton)
    return [
        None if point is None else (round(point.x * width, 1), round(point.y * height, 1))
        for point in skeleton.keypoints
    ]
