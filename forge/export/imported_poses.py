"""Brings the poses of a character's file into the pose library. Each function takes the connection first."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ...db import pose_library as queries
from ...db.records import LibraryPoseRecord
from ...db.templates import name_key
from ..errors import ConflictError
from ..ids import canonical_id, is_id
from ..pictures.library.builtin import builtin_pose
from .manifest import ManifestPose

_LONGEST_NAME = 100
_MOST_NUMBERS = 99


@dataclass(frozen=True)
class StoredPose:
    """The file of a pose as it is stored here, and what lists show of it."""

    file_id: str
    drawing_json: str


@dataclass(frozen=True)
class PosePlan:
    """The poses that a file needs: those to add, and for every pose of the file the one here."""

    added: tuple[LibraryPoseRecord, ...]
    here: tuple[tuple[ManifestPose, LibraryPoseRecord], ...]

    def value(self, named: str) -> str:
        """What names the pose here that `named` names in the file: an id, or a name as long as that is
        right."""
        for pose, record in self.here:
            if canonical_id(named) == pose.pose_id:
                return record.id
            if not is_id(named) and name_key(named.strip()) == name_key(pose.name):
                return named if name_key(record.name) == name_key(pose.name) else record.id
        return named


def plan_poses(
    connection: Connection, poses: Sequence[ManifestPose], stored: Mapping[str, StoredPose], now: int
) -> PosePlan:
    """`stored`: the pose's file_id in the archive -> its file here. A pose that the library has is used as it
    is. A new one keeps its id and name, unless another pose has them."""
    added: list[LibraryPoseRecord] = []
    here = []
    for pose in poses:
        file = stored[pose.file_id]
        record = _present(connection, pose, file, added)
        if record is None:
            record = LibraryPoseRecord(
                _free_id(connection, pose.pose_id),
                _free_name(connection, pose.name.strip(), added),
                file.file_id,
                file.drawing_json,
                now,
            )
            added.append(record)
        here.append((pose, record))
    return PosePlan(tuple(added), tuple(here))


def add_poses(connection: Connection, plan: PosePlan, limit: int) -> None:
    """Raises ConflictError if the library has no room for them."""
    if plan.added and queries.count(connection) + len(plan.added) > limit:
        raise ConflictError(
            f"With the poses of this file, more than {limit} would be saved, which is the limit "
            "(MAX_LIBRARY_POSES). Delete some first.",
            code="too_many_poses",
            parameters={"limit": limit},
        )
    for record in plan.added:
        queries.add(connection, record)


def _present(
    connection: Connection, pose: ManifestPose, file: StoredPose, added: Sequence[LibraryPoseRecord]
) -> LibraryPoseRecord | None:
    """The pose of this content that the library has or will have: of the same id, the same name, or any if
    the name is taken."""
    found = queries.get(connection, pose.pose_id)
    if found is not None and found.file_id == file.file_id:
        return found
    named = queries.by_name(connection, pose.name.strip())
    if named is not None and named.file_id == file.file_id:
        return named
    if found is None and named is None and builtin_pose(pose.name) is None:
        return None
    return queries.by_file(connection, file.file_id) or next(
        (item for item in added if item.file_id == file.file_id), None
    )


def _free_id(connection: Connection, pose_id: str) -> str:
    taken = builtin_pose(pose_id) is not None or queries.get(connection, pose_id) is not None
    return str(uuid.uuid4()) if taken else pose_id


def _free_name(connection: Connection, name: str, added: Sequence[LibraryPoseRecord]) -> str:
    taken = {name_key(record.name) for record in added}
    for number in range(1, _MOST_NUMBERS + 1):
        ending = f" ({number})" if number > 1 else ""
        wanted = name[: _LONGEST_NAME - len(ending)] + ending
        free = builtin_pose(wanted) is None and name_key(wanted) not in taken
        if free and queries.by_name(connection, wanted) is None:
            return wanted
    raise ConflictError(
        f"A pose {name!r} exists, and {_MOST_NUMBERS} more of this name. Delete some first.",
        code="pose_exists",
        parameters={"name": name},
    )
