"""Resolves the pictures of a request to stored files, and checks them again before a re-roll or a retry."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from ...db import files as file_queries
from ...db import poses as pose_queries
from ...db.engine import Database
from ...db.records import FileRecord
from ..errors import ConflictError, UnprocessableError
from ..poses.service import PoseLibrary
from ..spec.avatar import AvatarSpec
from ..spec.pose import LIBRARY_KIND
from ..spec.request import AvatarRequest
from ..store.files import FileStore, lost_bytes, unknown_file
from ..store.poses import require_picture
from .resolve import GivenPose, NamedPose
from .transactions import used_files


@dataclass(frozen=True)
class _InputFile:
    """A file, and the bone styles in which a skeleton extracted from it is stored."""

    record: FileRecord
    bone_styles: tuple[str, ...]


class Inputs:
    def __init__(self, database: Database, files: FileStore, poses: PoseLibrary) -> None:
        self._database = database
        self._files = files
        self._poses = poses

    async def resolve(
        self, request: AvatarRequest, undo: AsyncExitStack
    ) -> tuple[GivenPose | None, FileRecord | None]:
        """The pose and the reference of a request, each given by id or as base64; None if absent. A pose may
        also be one of the library. Stores base64 pictures, and adds their withdrawal to `undo`.

        Raises UnprocessableError, NotFoundError and what receiving a file raises.
        """
        library_pose = await self._library_pose(request)
        pose_id = await self._id_of("pose", request.pose_file_id, request.pose_image, undo)
        reference_id = await self._id_of(
            "reference", request.reference_file_id, request.reference_image, undo
        )
        if pose_id is None and reference_id is None:
            return library_pose, None
        files = await self._database.read(partial(_read_files, pose_id=pose_id, reference_id=reference_id))
        reference = files[reference_id].record if reference_id is not None else None
        if reference is not None:
            require_picture(reference, "reference_file_id")
        pose = await self._recognise(files[pose_id]) if pose_id is not None else library_pose
        return pose, reference

    async def _library_pose(self, request: AvatarRequest) -> GivenPose | None:
        """The pose of the library that a request names. Raises NotFoundError, and UnprocessableError if it
        also has another pose."""
        if request.pose_id is None:
            if request.pose_mirrored:
                raise UnprocessableError(
                    "pose_mirrored is about a pose of the library: send pose_id, too.",
                    ("body", "pose_mirrored"),
                    code="field_not_applicable",
                    parameters={"field": "pose_mirrored"},
                )
            return None
        for name in ("pose_file_id", "pose_image"):
            if getattr(request, name) is not None:
                raise UnprocessableError(
                    f"Give pose_id or {name}, not both.",
                    ("body", "pose_id"),
                    code="conflicting_fields",
                    parameters={"field": "pose_id", "other": name},
                )
        found = await self._poses.find(request.pose_id)
        # In a thread, because a built-in pose is drawn to get its hash.
        file = await asyncio.to_thread(found.pose_file)
        return GivenPose(found.file, LIBRARY_KIND, {}, NamedPose(found.entry.id, found.entry.name, file))

    async def _id_of(
        self, role: str, file_id: str | None, text: str | None, undo: AsyncExitStack
    ) -> str | None:
        if file_id is not None and text is not None:
            raise UnprocessableError(
                f"Give {role}_file_id or {role}_image, not both.",
                ("body", f"{role}_image"),
                code="conflicting_fields",
                parameters={"field": f"{role}_image", "other": f"{role}_file_id"},
            )
        if text is None:
            return file_id
        pictures_only = role == "reference"
        received = await self._files.receive_base64(text, f"{role}.png", pictures_only=pictures_only)
        undo.push_async_callback(self._files.withdraw, received)
        return received.file.id

    async def _recognise(self, pose: _InputFile) -> GivenPose:
        """Detect the kind of a pose image, and find the skeletons that were extracted from it earlier."""
        skeletons = {}
        for style in pose.bone_styles:
            skeleton = await self._files.extracted_pose(pose.record.content_hash, style)
            if skeleton is not None:
                skeletons[style] = skeleton.id
        return GivenPose(pose.record, await self._files.pose_kind(pose.record), skeletons)

    async def check_present(self, spec: AvatarSpec) -> None:
        """Raises ConflictError if a picture of the spec has been deleted by force."""
        for file_id in used_files(spec).values():
            if await self._database.read(partial(file_queries.get_any, file_id=file_id)) is None:
                raise ConflictError(
                    f"This generation uses file {file_id}, which was deleted. Upload it again.",
                    code="input_file_deleted",
                )


def _read_files(
    connection: Connection, pose_id: str | None, reference_id: str | None
) -> dict[str, _InputFile]:
    """The files by id. Raises NotFoundError for an unknown, deleted or lost one."""
    files = {}
    for file_id in (pose_id, reference_id):
        if file_id is None:
            continue
        record = file_queries.get_live(connection, file_id)
        if record is None:
            raise unknown_file(file_id)
        if record.lost_at is not None:
            raise lost_bytes(file_id)
        styles = pose_queries.styles_kept(connection, record.content_hash) if file_id == pose_id else ()
        files[file_id] = _InputFile(record, styles)
    return files
