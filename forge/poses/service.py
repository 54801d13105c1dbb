"""The pose library as users know it: list, save, replace, get, delete, and use in a generation or a node."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection

from ...db import files as file_queries
from ...db import pose_library as queries
from ...db.engine import Database
from ...db.records import FileRecord, LibraryPoseRecord
from ..errors import ConflictError, NotFoundError, UnprocessableError
from ..ids import canonical_id, is_id
from ..pictures.library.builtin import BUILT_IN_POSES, builtin_pose
from ..pictures.library.frames import Pose
from ..pictures.openpose_json import PoseDocument
from ..settings import Settings
from ..store.files import FileStore, lost_bytes, unknown_file
from ..store.inspect import JSON_TYPE
from ..store.listing import read_cursor
from ..workers import Workers
from .entry import LibraryEntry, UsablePose, drawing_of
from .reading import read_picture, read_stored, to_bytes

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class PosePage:
    """A page of the library: the built-in poses on the first page, and the saved ones, of which `total`
    match. `next_cursor` is None on the last page."""

    built_in: tuple[LibraryEntry, ...]
    saved: tuple[LibraryEntry, ...]
    total: int
    next_cursor: str | None


class PoseLibrary:
    """What routes, generations and nodes do with poses of the library. Every method raises the errors of
    `forge.errors`."""

    def __init__(self, settings: Settings, database: Database, files: FileStore, workers: Workers) -> None:
        self._limit = settings.max_library_poses
        self._database = database
        self._files = files
        self._workers = workers

    async def page(self, *, limit: int, cursor: str | None, text: str | None) -> PosePage:
        """Saved poses newest first. `text` is searched in names. `cursor` is the `next_cursor` of the page
        before."""
        read = partial(queries.page, limit=limit + 1, before=read_cursor(cursor), text=text)
        total, records = await self._database.read(read)
        last = records[limit - 1] if len(records) > limit else None
        wanted = (text or "").casefold()
        built_in = [pose for pose in BUILT_IN_POSES if cursor is None and wanted in pose.name]
        return PosePage(
            tuple(LibraryEntry(built_in=pose) for pose in built_in),
            tuple(LibraryEntry(record=record) for record in records[:limit]),
            total,
            f"{last.created_at}-{last.id}" if last else None,
        )

    async def save(self, name: str, pose: Mapping[str, Any] | str) -> LibraryEntry:
        """Save a pose under a name: OpenPose JSON, or the id of an uploaded file of it or of a skeleton
        picture.

        Raises ConflictError if the name is taken or too many are saved, NotFoundError for an unknown file,
        and RejectedUploadError for what is no pose.
        """
        name = _trimmed(name)
        await self._database.read(partial(_require_free, name=name, limit=self._limit))
        async with AsyncExitStack() as undo:
            record = await self._stored(name, pose, undo)
            document = await self._workers.decode(read_stored, self._files.path(record), record.id)
            entry = LibraryPoseRecord(
                str(uuid.uuid4()), name, record.id, drawing_of(document).to_json(), self._database.now()
            )
            await self._database.write(partial(_add, record=entry, limit=self._limit))
            undo.pop_all()
        log.info("AvatarForge: pose %s saved", entry.id)
        return await self.get(entry.id)

    async def replace(self, reference: str, pose: Mapping[str, Any] | str) -> LibraryEntry:
        """Save another pose in the place of a saved one, which keeps its id and name. Generations that used
        it keep its old file. Raises NotFoundError, RejectedUploadError for what is no pose, and ConflictError
        for a built-in pose."""
        entry = await self._changeable(reference)
        async with AsyncExitStack() as undo:
            file = await self._stored(entry.name, pose, undo)
            document = await self._workers.decode(read_stored, self._files.path(file), file.id)
            drawing = drawing_of(document).to_json()

            def write(connection: Connection) -> list[FileRecord]:
                record = _saved(connection, entry.id, reference)
                if file_queries.get_any(connection, file.id) is None:
                    raise unknown_file(file.id)
                return queries.replace(connection, record, file_id=file.id, drawing_json=drawing)

            await self._files.release(write, entries=())
            undo.pop_all()
        log.info("AvatarForge: pose %s replaced", entry.id)
        return await self.get(entry.id)

    async def get(self, reference: str) -> LibraryEntry:
        """A pose by its id or name. Raises NotFoundError."""
        return await self._database.read(partial(_get, reference=reference))

    async def document(self, entry: LibraryEntry) -> Pose:
        """What a pose shows. Raises NotFoundError if its bytes are lost."""
        if entry.built_in is not None or entry.file_id is None:
            return _built_in(entry)
        return await self._workers.decode(self._load, entry.file_id)

    async def find(self, reference: str) -> UsablePose:
        """A pose for a request. Raises NotFoundError, also if its bytes are lost."""
        return await self._database.read(partial(_find, reference=reference))

    async def delete(self, reference: str) -> str:
        """Delete a saved pose; returns its id. Generations that used it keep its file. Raises NotFoundError,
        and ConflictError for a built-in pose."""
        entry = await self._changeable(reference)

        def write(connection: Connection) -> list[FileRecord]:
            return queries.remove(connection, _saved(connection, entry.id, reference))

        await self._files.release(write, entries=())
        log.info("AvatarForge: pose %s deleted", entry.id)
        return entry.id

    def locate(self, reference: str) -> tuple[str, Pose]:
        """(what identifies its content, the pose) by the id or name of a pose, or by the id of a stored file
        in OpenPose JSON. Blocks: for nodes, which run in ComfyUI's worker thread. Raises NotFoundError, and
        UnprocessableError for another file."""
        built_in = builtin_pose(reference)
        if built_in is not None:
            return built_in.id, built_in
        file_id = self._database.read_here(partial(_file_named, reference=reference))
        record, _ = self._files.locate(file_id)
        if record.mime_type != JSON_TYPE:
            raise UnprocessableError(
                f"The file {file_id} is no OpenPose JSON: save it in the pose library, or use Load Pose.",
                ("pose",),
            )
        return record.content_hash, self._load(file_id)

    async def _changeable(self, reference: str) -> LibraryEntry:
        entry = await self.get(reference)
        if entry.built_in is not None:
            raise ConflictError(
                f"The pose {entry.name!r} is built in and cannot be changed.", code="pose_built_in"
            )
        return entry

    def _load(self, file_id: str) -> PoseDocument:
        """Blocks."""
        record, path = self._files.locate(file_id)
        return read_stored(path, record.id)

    async def _stored(self, name: str, pose: Mapping[str, Any] | str, undo: AsyncExitStack) -> FileRecord:
        """The file of a pose in JSON. What is no such file yet becomes one, and `undo` withdraws it."""
        if isinstance(pose, str):
            record = await self._files.get(pose)
            if record.mime_type == JSON_TYPE:
                return record
            data = await self._workers.decode(read_picture, self._files.path(record), record.id)
        else:
            # In a thread, because the largest body takes long.
            data = await asyncio.to_thread(to_bytes, pose)
        received = await self._files.receive(_one_chunk(data), f"{name}.json")
        undo.push_async_callback(self._files.withdraw, received)
        return received.file


def unknown_pose(reference: str) -> NotFoundError:
    return NotFoundError(
        f"No pose {reference!r} exists. GET /poses/library lists them.", code="pose_not_found"
    )


def _built_in(entry: LibraryEntry) -> Pose:
    if entry.built_in is None:
        raise ValueError("A pose of the library is built in or has a file.")
    return entry.built_in


def _get(connection: Connection, reference: str) -> LibraryEntry:
    built_in = builtin_pose(reference)
    if built_in is not None:
        return LibraryEntry(built_in=built_in)
    record = queries.get(connection, canonical_id(reference)) if is_id(reference) else None
    record = record or queries.by_name(connection, reference.strip())
    if record is None:
        raise unknown_pose(reference)
    return LibraryEntry(record=record)


def _saved(connection: Connection, pose_id: str, reference: str) -> LibraryPoseRecord:
    record = queries.get(connection, pose_id)
    if record is None:
        raise unknown_pose(reference)
    return record


def _find(connection: Connection, reference: str) -> UsablePose:
    entry = _get(connection, reference)
    if entry.file_id is None:
        return UsablePose(entry, None)
    # Also a file that was deleted: it stays for the poses that use it.
    file = file_queries.get_any(connection, entry.file_id)
    if file is None:
        raise unknown_pose(reference)
    if file.lost_at is not None:
        raise lost_bytes(file.id)
    return UsablePose(entry, file)


def _file_named(connection: Connection, reference: str) -> str:
    """The id of the file of a pose, or of a file that is named itself."""
    try:
        file_id = _get(connection, reference).file_id
    except NotFoundError:
        if not is_id(reference) or file_queries.get_any(connection, canonical_id(reference)) is None:
            raise
        file_id = None
    return file_id or canonical_id(reference)


def _add(connection: Connection, record: LibraryPoseRecord, limit: int) -> None:
    _require_free(connection, record.name, limit)
    if file_queries.get_any(connection, record.file_id) is None:
        raise unknown_file(record.file_id)
    queries.add(connection, record)


def _require_free(connection: Connection, name: str, limit: int) -> None:
    if builtin_pose(name) is not None or queries.by_name(connection, name) is not None:
        raise ConflictError(
            f"A pose {name!r} exists. Choose another name, or delete it first.",
            code="pose_exists",
            parameters={"name": name},
        )
    if queries.count(connection) >= limit:
        raise ConflictError(
            f"{limit} poses are saved, which is the limit (MAX_LIBRARY_POSES). Delete one first.",
            code="too_many_poses",
            parameters={"limit": limit},
        )


def _trimmed(name: str) -> str:
    trimmed = name.strip()
    if not trimmed:
        raise UnprocessableError("A name is not only spaces.", ("body", "name"))
    if is_id(trimmed):
        raise UnprocessableError("A name is no id: choose words.", ("body", "name"))
    return trimmed


async def _one_chunk(data: bytes) -> AsyncIterator[bytes]:
    yield data
