"""Stored files as users see them: receive, find, list and delete."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from ...db import files as queries
from ...db import poses as pose_queries
from ...db.clock import DAY
from ...db.engine import Database
from ...db.records import FileRecord, ListedFile
from ..errors import NotFoundError, RejectedUploadError, StorageFullError, TooLargeError
from ..ids import canonical_id
from ..workers import Workers
from .base64_text import decode_base64
from .blobs import hash_file
from .cache import FileCache
from .content_store import ContentStore
from .images import ImageLimits, InvalidImage
from .listing import FilePage
from .poses import recognise_pose
from .thumbnails import Thumbnail, make_thumbnail
from .upload_receiver import Received, UploadReceiver, too_large

__all__ = [
    "HASH_PATTERN",
    "FilePage",
    "FileRecord",
    "FileStore",
    "ListedFile",
    "Received",
    "too_large",
]

CLEANUP_BATCH = 200
#: Microseconds within which a further use is not recorded: cleanup counts in days.
USE_KEPT = 3600 * 1_000_000
HASH_PATTERN = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Deleted:
    file_id: str
    how: str


class FileStore:
    """The store of uploaded files: one id per content."""

    def __init__(
        self,
        database: Database,
        contents: ContentStore,
        workers: Workers,
        limits: ImageLimits,
        max_bytes: int,
    ) -> None:
        self._database = database
        self._contents = contents
        self._workers = workers
        self._cache = FileCache(database)
        self._receiver = UploadReceiver(database, contents, workers, limits)
        self.max_bytes = max_bytes

    async def receive(
        self,
        chunks: AsyncIterator[bytes],
        filename: str | None,
        *,
        announced: str | None = None,
        pictures_only: bool = False,
        derived: bool = False,
        file_id: str | None = None,
    ) -> Received:
        """Store one picture or, unless `pictures_only`, one pose in OpenPose JSON. `announced` is the SHA-256
        that it must have; `derived` marks a file that AvatarForge made from another. `file_id` is the id that
        a new file gets unless another file has that.

        Raises TooLargeError, RejectedUploadError, StorageFullError, UnavailableError; then nothing is left
        behind.
        """
        return await self._receiver.receive(
            chunks,
            filename,
            max_bytes=self.max_bytes,
            announced=announced,
            pictures_only=pictures_only,
            derived=derived,
            file_id=file_id,
        )

    async def receive_base64(self, text: str, name: str, *, pictures_only: bool = False) -> Received:
        """Like `receive`, for a file given as base64, with or without a `data:` prefix."""
        chunks = decode_base64(text, self.max_bytes, too_large(self.max_bytes))
        return await self.receive(chunks, name, pictures_only=pictures_only)

    async def get(self, file_id: str) -> FileRecord:
        """The file. Raises NotFoundError for an unknown, deleted or lost one."""
        record = await self._live(file_id)
        if record.lost_at is not None:
            raise lost_bytes(file_id)
        return record

    async def find(self, content_hash: str) -> FileRecord | None:
        """The file of that content. None also if its bytes are missing, so that clients upload it again."""
        record = await self._cache.by_hash(content_hash)
        if record is None or record.deleted_at is not None or record.lost_at is not None:
            return None
        return record if await self._workers.disk(_has_size, self.path(record), record.size) else None

    async def reuse(self, record: FileRecord) -> FileRecord | None:
        """Mark a file from `find` as used now, as another upload of its content would. None if it was deleted
        meanwhile."""
        now = self._database.now()
        untouched = record.last_used_at <= record.created_at  # `withdraw` relies on that
        if record.derived or untouched or record.last_used_at < now - USE_KEPT:
            return await self._database.write(
                partial(queries.use_again, content_hash=record.content_hash, now=now)
            )
        return record

    async def check_quota(self, content_hash: str, size: int) -> None:
        """Refuse an announced content of at least `size` bytes that the quota has no room for. Raises
        StorageFullError."""
        if await self._database.read(partial(queries.by_hash, content_hash=content_hash)) is None:
            await self._contents.check_quota(size)

    async def page(self, *, limit: int, cursor: str | None) -> FilePage:
        """Newest first, without deleted ones. `cursor` is the `next_cursor` of the page before."""
        return await self._cache.page(limit, cursor)

    async def thumbnail(self, record: FileRecord, size: int) -> Thumbnail:
        """A thumbnail with no side longer than `size` pixels. Raises NotFoundError if none can be made."""
        return await self._workers.decode(make_thumbnail, self.path(record), record.mime_type, size)

    def path(self, record: FileRecord) -> Path:
        return self._contents.path(record)

    def locate(self, file_id: str) -> tuple[FileRecord, Path]:
        """The file and the path of its bytes. Blocks: for nodes, which run in ComfyUI's worker thread.

        Finds a soft-deleted file too, which a generation accepted earlier may still use. Checks the SHA-256,
        so that no picture is made from altered bytes. Raises NotFoundError.
        """
        stored_id = canonical_id(file_id)
        record = self._database.read_here(lambda connection: queries.get_any(connection, stored_id))
        if record is None:
            raise unknown_file(file_id)
        path = self.path(record)
        try:
            content_hash, _ = hash_file(path, patient=True)
        except OSError as error:
            raise lost_bytes(file_id) from error
        if content_hash != record.content_hash:
            raise lost_bytes(file_id)
        return record, path

    async def delete(self, file_id: str, *, force: bool) -> Deleted:
        """Delete a file, or hide it while generations still use it (unless `force`). Raises NotFoundError."""
        record = await self._live(file_id)
        now = self._database.now()
        delete = partial(_delete_row, record=record, force=force, now=now)
        deleted = await self._contents.remove(delete)
        return Deleted(file_id, "hard" if deleted else "soft")

    async def withdraw(self, received: Received) -> None:
        """Undo an upload whose request failed, if it was new and has not been used since."""
        if not received.is_duplicate:
            await self._contents.remove(partial(_take_untouched, record=received.file))

    async def clean_up(self, days: int) -> int:
        """Delete the files without references that were not used for `days`; returns their number."""
        now = self._database.now()
        await self._database.write(partial(queries.end_future_use, now=now))
        before = now - days * DAY
        count = begin = 0
        while True:
            # A reader finds them, so that the writer, which uploads wait for, only rechecks these rows. Each
            # batch starts where the last one ended, so old files in use are not scanned again.
            find = partial(queries.unused_since, begin=begin, before=before, limit=CLEANUP_BATCH)
            file_ids, begin = await self._database.read(find)
            if not file_ids:
                return count
            delete = partial(queries.take_unused, file_ids=file_ids, before=before)
            count += len(await self._contents.remove(delete))

    async def release(
        self, delete_rows: Callable[[Connection], list[FileRecord]], entries: Iterable[str]
    ) -> None:
        """Run `delete_rows` and remove the files that it returns. See `ContentStore.remove`."""
        await self._contents.remove(delete_rows, entries=entries)

    async def clear_entry(self, name: str) -> None:
        """The work of an entry passed to `release` is done."""
        await self._contents.clear_entry(name)

    async def keep_entry(self, name: str) -> None:
        """The work of an entry passed to `release` failed: recovery retries it."""
        await self._contents.keep_entry(name)

    async def pose_kind(self, record: FileRecord) -> str:
        """`json`, `skeleton` or `photo`; detected on the first call and stored. Raises NotFoundError."""
        if record.pose_kind is not None:
            return record.pose_kind
        try:
            kind = await self._workers.decode(recognise_pose, self.path(record), record.mime_type)
        except (OSError, InvalidImage) as error:
            raise lost_bytes(record.id) from error
        await self._database.write(partial(pose_queries.set_kind, file_id=record.id, kind=kind))
        return kind

    async def extracted_pose(self, source_hash: str, bones: str = "standard") -> FileRecord | None:
        """The stored skeleton that was extracted from that content, with bones of that style."""
        record = await self._database.read(
            partial(pose_queries.skeleton_of, source_hash=source_hash, bones=bones)
        )
        if record is None or not await self._workers.disk(self.path(record).is_file):
            return None
        return record

    async def keep_skeleton(
        self, source_hash: str, extractor: str, bones: str, png: bytes
    ) -> FileRecord | None:
        """Store a skeleton that was extracted from a stored content; it is deleted together with that
        content.

        Returns None if it cannot be stored: the source is gone, the storage is full, or the picture exceeds
        the limits. The next generation then extracts it again.
        """
        try:
            received = await self.receive(_one_chunk(png), "skeleton.png", derived=True)
        except (RejectedUploadError, TooLargeError, StorageFullError):
            return None
        link = partial(
            pose_queries.link,
            source_hash=source_hash.lower(),
            extractor=extractor,
            bones=bones,
            file_id=received.file.id,
        )
        if await self._database.write(link):
            return received.file
        await self.withdraw(received)
        return None

    async def _live(self, file_id: str) -> FileRecord:
        record = await self._database.read(partial(queries.get_live, file_id=file_id))
        if record is None:
            raise unknown_file(file_id)
        return record


def unknown_file(file_id: str) -> NotFoundError:
    return NotFoundError(
        f"No file {file_id} exists. Upload it, or look it up by its hash.", code="file_not_found"
    )


def lost_bytes(file_id: str) -> NotFoundError:
    return NotFoundError(
        f"The bytes of file {file_id} are gone from the storage. Upload it again.", code="file_lost"
    )


async def _one_chunk(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _delete_row(connection: Connection, record: FileRecord, force: bool, now: int) -> list[FileRecord]:
    """Returns the deleted file and the skeletons deleted with it; nothing if the file was only hidden.

    Looks the id up again in this transaction: another delete may have come first, and after it an upload of
    the same content, whose bytes must stay.
    """
    if queries.get_live(connection, record.id) is None:
        raise unknown_file(record.id)
    if not force and queries.reference_count(connection, record.id):
        queries.hide(connection, record.id, now)
        return []
    return [record, *queries.remove(connection, [record])]


def _take_untouched(connection: Connection, record: FileRecord) -> list[FileRecord]:
    return [record] if queries.take_untouched(connection, record) else []
