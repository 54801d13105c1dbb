"""Stored files, as users know them: what comes in, what is found, what goes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from ...db import files as queries
from ...db import poses as pose_queries
from ...db.engine import Database
from ...db.records import FileRecord, ListedFile
from .. import clock
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
#: Microseconds for which a use is not written down again: what counts them counts days.
USE_KEPT = 3600 * 1_000_000
HASH_PATTERN = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Deleted:
    file_id: str
    how: str


class FileStore:
    """What users know as files: one content, one id."""

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
        self._known = FileCache(database)
        self._reception = UploadReceiver(database, contents, workers, limits)
        self.max_bytes = max_bytes

    async def receive(
        self,
        chunks: AsyncIterator[bytes],
        filename: str | None,
        *,
        announced: str | None = None,
        pictures_only: bool = False,
        derived: bool = False,
    ) -> Received:
        """Take in one picture, or one pose in OpenPose JSON where that is wanted. `announced`: the SHA-256
        that it must have.

        Raises TooLargeError, RejectedUploadError, StorageFullError, UnavailableError; then nothing
        is left behind.
        """
        return await self._reception.receive(
            chunks,
            filename,
            max_bytes=self.max_bytes,
            announced=announced,
            pictures_only=pictures_only,
            derived=derived,
        )

    async def receive_base64(self, text: str, name: str, *, pictures_only: bool = False) -> Received:
        """Take in a file given as base64, with or without a `data:` prefix."""
        chunks = decode_base64(text, self.max_bytes, too_large(self.max_bytes))
        return await self.receive(chunks, name, pictures_only=pictures_only)

    async def get(self, file_id: str) -> FileRecord:
        """The file; NotFoundError for an unknown, deleted or lost one."""
        record = await self._live(file_id)
        if record.lost_at is not None:
            raise lost_bytes(file_id)
        return record

    async def find(self, content_hash: str) -> FileRecord | None:
        """The file of that content; None where its bytes are gone too, so that they are uploaded again."""
        record = await self._known.by_hash(content_hash)
        if record is None or record.deleted_at is not None or record.lost_at is not None:
            return None
        return record if await self._workers.disk(_is_there, self.path(record), record.size) else None

    async def reuse(self, record: FileRecord) -> FileRecord | None:
        """What an upload of that content does to a file that `find` has just given: it counts as used now.
        None where it has gone meanwhile."""
        now = clock.now()
        untouched = record.last_used_at <= record.created_at  # `forget` goes by that
        if record.derived or untouched or record.last_used_at < now - USE_KEPT:
            return await self._database.write(
                partial(queries.use_again, content_hash=record.content_hash, now=now)
            )
        return record

    async def check_quota(self, content_hash: str, size: int) -> None:
        """Refuse a content by its announcement, where there will be no room for it: at least `size` bytes.
        Raises StorageFullError."""
        if await self._database.read(partial(queries.by_hash, content_hash=content_hash)) is None:
            await self._contents.check_quota(size)

    async def page(self, *, limit: int, cursor: str | None) -> FilePage:
        """Newest first, without deleted ones. `cursor` is the `next_cursor` of the page before."""
        return await self._known.page(limit, cursor)

    async def thumbnail(self, record: FileRecord, size: int) -> Thumbnail:
        """A small picture of the file, no side longer than `size` pixels. NotFoundError where none can be
        made."""
        return await self._workers.decode(make_thumbnail, self.path(record), record.mime_type, size)

    def path(self, record: FileRecord) -> Path:
        return self._contents.path(record)

    def locate(self, file_id: str) -> tuple[FileRecord, Path]:
        """For nodes, which run in ComfyUI's worker thread: the file and where its bytes lie.

        Finds a soft-deleted file too: a generation that was accepted before may still use it. The bytes are
        hashed, so that no picture is made of altered ones. Raises NotFoundError.
        """
        stored_id = canonical_id(file_id)
        record = self._database.read_here(lambda connection: queries.get_any(connection, stored_id))
        if record is None:
            raise unknown_file(file_id)
        path = self.path(record)
        try:
            found, _ = hash_file(path, patient=True)
        except OSError as error:
            raise lost_bytes(file_id) from error
        if found != record.content_hash:
            raise lost_bytes(file_id)
        return record, path

    async def delete(self, file_id: str, *, force: bool) -> Deleted:
        """Delete a file: for good, or hidden while generations still use it."""
        record = await self._live(file_id)
        gone = await self._contents.remove(partial(_delete_row, record=record, force=force))
        return Deleted(file_id, "hard" if gone else "soft")

    async def withdraw(self, received: Received) -> None:
        """Take back an upload whose request failed, if it was new and nobody else has used it since."""
        if not received.is_duplicate:
            await self._contents.remove(partial(_take_untouched, record=received.file))

    async def clean_up(self, days: int) -> int:
        """Remove what nobody refers to and nobody has used for `days`; give back how many files."""
        now = clock.now()
        await self._database.write(partial(queries.end_future_use, now=now))
        before = now - days * clock.DAY
        count = begin = 0
        while True:
            # Found by a reader: the writer, for which uploads wait, only looks at these again. From where the
            # last batch ended: else each would pass by all that is old and in use.
            find = partial(queries.unused_since, begin=begin, before=before, limit=CLEANUP_BATCH)
            found, begin = await self._database.read(find)
            if not found:
                return count
            take = partial(queries.take_unused, file_ids=found, before=before)
            count += len(await self._contents.remove(take))

    async def release(self, take: Callable[[Connection], list[FileRecord]], noting: Iterable[str]) -> None:
        """Remove the files whose rows `take` removes and gives back. See `ContentStore.remove`."""
        await self._contents.remove(take, noting=noting)

    async def clear_entry(self, name: str) -> None:
        """What `release` had noted is done."""
        await self._contents.clear_entry(name)

    async def keep_note(self, name: str) -> None:
        """What `release` had noted could not be done: it is tried again later."""
        await self._contents.keep_note(name)

    async def pose_kind(self, record: FileRecord) -> str:
        """`json`, `skeleton` or `photo`; looked at once, then known. Raises NotFoundError."""
        if record.pose_kind is not None:
            return record.pose_kind
        try:
            kind = await self._workers.decode(recognise_pose, self.path(record), record.mime_type)
        except (OSError, InvalidImage) as error:
            raise lost_bytes(record.id) from error
        await self._database.write(partial(pose_queries.set_kind, file_id=record.id, kind=kind))
        return kind

    async def extracted_pose(self, source_hash: str, bones: str = "standard") -> FileRecord | None:
        """The skeleton that was read from that content before, with bones of that style."""
        record = await self._database.read(
            partial(pose_queries.skeleton_of, source_hash=source_hash, bones=bones)
        )
        if record is None or not await self._workers.disk(self.path(record).is_file):
            return None
        return record

    async def keep_skeleton(
        self, source_hash: str, extractor: str, bones: str, png: bytes
    ) -> FileRecord | None:
        """Keep what was read from a stored content; it goes when that content goes.

        None where it cannot be kept: the source is gone, or there is no room, or the picture is outside of
        the limits. The next generation will read it again then.
        """
        try:
            received = await self.receive(_whole(png), "skeleton.png", derived=True)
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


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _is_there(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _delete_row(connection: Connection, record: FileRecord, force: bool) -> list[FileRecord]:
    """The file and the skeletons that went with it; nothing where it is only hidden.

    Looked up again in this transaction: another delete may have come first, and an upload of the same
    content after it, whose bytes are not ours to take.
    """
    if queries.get_live(connection, record.id) is None:
        raise unknown_file(record.id)
    if not force and queries.reference_count(connection, record.id):
        queries.hide(connection, record.id, clock.now())
        return []
    return [record, *queries.remove(connection, [record])]


def _take_untouched(connection: Connection, record: FileRecord) -> list[FileRecord]:
    return [record] if queries.take_untouched(connection, record) else []
