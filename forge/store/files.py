"""Stored files: bytes (blobs) and rows (db) kept in step.

Blob first, then row; on delete, row first, then blob. Work on one content is done one after
another, so that a delete can never take the bytes of an upload of the same content.
"""

from __future__ import annotations

import asyncio
import binascii
import re
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath

from sqlalchemy import Connection

from ...db import files as queries
from ...db.engine import Database
from ...db.records import FileRecord
from .. import clock
from ..errors import NotFoundError, RejectedUploadError, TooLargeError
from ..workers import Workers
from .blobs import BlobStore, Incoming
from .images import ImageLimits, InvalidImage, inspect_image

WRITE_SIZE = 1024 * 1024
CLEANUP_BATCH = 500
HASH_PATTERN = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Received:
    file: FileRecord
    is_duplicate: bool


@dataclass(frozen=True)
class Deleted:
    file_id: str
    how: str


class FileStore:
    """What users know as files: one content, one id."""

    def __init__(
        self, database: Database, blobs: BlobStore, workers: Workers, limits: ImageLimits, max_bytes: int
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._workers = workers
        self._limits = limits
        self.max_bytes = max_bytes
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    async def receive(self, chunks: AsyncIterator[bytes], filename: str | None) -> Received:
        """Take in one picture.

        Raises TooLargeError, RejectedUploadError, StorageFullError, UnavailableError; then nothing
        is left behind.
        """
        incoming = await self._workers.disk(self._blobs.begin)
        try:
            await self._drain(chunks, incoming)
            content_hash = await self._workers.disk(incoming.seal)
            async with self._content(content_hash):
                return await self._adopt(incoming, content_hash, filename)
        finally:
            await self._workers.disk(incoming.discard)

    async def receive_base64(self, text: str, name: str) -> Received:
        """Take in a picture given as base64, with or without a `data:` prefix."""
        return await self.receive(_decode_base64(text, self.max_bytes), name)

    async def get(self, file_id: str) -> FileRecord:
        """The file; NotFoundError for an unknown or deleted one."""
        record = await self._database.read(lambda connection: queries.get_live(connection, file_id))
        if record is None:
            raise unknown_file(file_id)
        return record

    async def find(self, content_hash: str) -> FileRecord | None:
        record = await self._database.read(lambda connection: queries.by_hash(connection, content_hash))
        return record if record is not None and record.deleted_at is None else None

    def path(self, record: FileRecord) -> Path:
        return self._blobs.path(record.content_hash, record.extension)

    def locate(self, file_id: str) -> tuple[FileRecord, Path]:
        """For nodes, which run in ComfyUI's worker thread: the file and where its bytes lie.

        Finds a soft-deleted file too: a generation that was accepted before may still use it.
        """
        record = self._database.read_here(lambda connection: queries.get_any(connection, file_id))
        if record is None:
            raise unknown_file(file_id)
        path = self.path(record)
        if not path.is_file():
            raise NotFoundError(f"The bytes of file {file_id} are gone from the storage. Upload it again.")
        return record, path

    async def delete(self, file_id: str, *, force: bool) -> Deleted:
        """Delete a file: for good, or hidden while generations still use it."""
        record = await self.get(file_id)
        async with self._content(record.content_hash):
            how = await self._database.write(partial(_delete_row, file_id=file_id, force=force))
            if how == "hard":
                await self._workers.disk(self._blobs.remove, record.content_hash, record.extension)
        return Deleted(file_id, how)

    async def forget(self, received: Received) -> None:
        """Take back a new upload that nobody else has used since: the request it came with failed."""
        record = received.file
        async with self._content(record.content_hash):
            if await self._database.write(partial(queries.take_untouched, record=record)):
                await self._workers.disk(self._blobs.remove, record.content_hash, record.extension)

    async def clean_up(self, days: int) -> int:
        """Remove what nobody refers to and nobody has used for `days`; give back how many files."""
        before = clock.now() - days * clock.DAY
        count = 0
        while True:
            gone = await self._database.write(
                partial(queries.take_unused_since, before=before, limit=CLEANUP_BATCH)
            )
            await self.drop_bytes(gone)
            count += len(gone)
            if len(gone) < CLEANUP_BATCH:
                return count

    async def drop_bytes(self, gone: Iterable[FileRecord]) -> None:
        """Remove the bytes of files whose rows are gone, unless the content has come back since."""
        for record in gone:
            async with self._content(record.content_hash):
                back = await self._database.read(partial(queries.by_hash, content_hash=record.content_hash))
                if back is None:
                    await self._workers.disk(self._blobs.remove, record.content_hash, record.extension)

    async def _drain(self, chunks: AsyncIterator[bytes], incoming: Incoming) -> None:
        # Chunks arrive small; handing each to a thread would cost more than writing it.
        waiting: list[bytes] = []
        held = 0
        total = 0
        async for chunk in chunks:
            total += len(chunk)
            if total > self.max_bytes:
                raise too_large(self.max_bytes)
            waiting.append(chunk)
            held += len(chunk)
            if held >= WRITE_SIZE:
                await self._workers.disk(incoming.write, b"".join(waiting))
                waiting, held = [], 0
        if waiting:
            await self._workers.disk(incoming.write, b"".join(waiting))

    async def _adopt(self, incoming: Incoming, content_hash: str, filename: str | None) -> Received:
        known = await self._database.read(partial(queries.by_hash, content_hash=content_hash))
        if known is None:
            try:
                facts = await self._workers.decode(inspect_image, incoming.path, self._limits)
            except InvalidImage as error:
                raise RejectedUploadError(f"Invalid image file: {error}") from error
            now = clock.now()
            known = FileRecord(
                id=str(uuid.uuid4()),
                content_hash=content_hash,
                filename=_display_name(filename, facts.extension),
                size=incoming.size,
                mime_type=facts.mime_type,
                extension=facts.extension,
                width=facts.width,
                height=facts.height,
                created_at=now,
                last_used_at=now,
                deleted_at=None,
            )
        await self._workers.disk(self._blobs.put, incoming, content_hash, known.extension)
        record, was_there = await self._database.write(
            partial(queries.add_or_restore, record=_used_now(known))
        )
        return Received(record, was_there)

    @asynccontextmanager
    async def _content(self, content_hash: str) -> AsyncIterator[None]:
        lock, users = self._locks.get(content_hash, (asyncio.Lock(), 0))
        self._locks[content_hash] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks[content_hash]
            if users == 1:
                del self._locks[content_hash]
            else:
                self._locks[content_hash] = (lock, users - 1)


def unknown_file(file_id: str) -> NotFoundError:
    return NotFoundError(f"No file {file_id} exists. Upload it, or look it up by its hash.")


def too_large(limit: int) -> TooLargeError:
    shown = f" ({limit / 1024**2:.4g} MB)" if limit >= 1024**2 else ""
    return TooLargeError(f"File too large: the limit is {limit} bytes{shown}.")


def _used_now(record: FileRecord) -> FileRecord:
    return FileRecord(**{**vars(record), "last_used_at": clock.now()})


def _delete_row(connection: Connection, file_id: str, force: bool) -> str:
    if not force and queries.reference_count(connection, file_id):
        queries.hide(connection, file_id, clock.now())
        return "soft"
    queries.remove(connection, file_id)
    return "hard"


def _display_name(sent: str | None, extension: str) -> str:
    """A name to show, never a path: the last part of what the client sent, without control
    characters, with the extension that the bytes have."""
    last = PureWindowsPath(PurePosixPath(sent or "").name).name
    stem = "".join(character for character in last if character.isprintable()).strip().rsplit(".", 1)[0]
    return f"{stem[:200] or 'image'}.{extension}"


async def _decode_base64(text: str, limit: int) -> AsyncIterator[bytes]:
    if text.startswith("data:"):
        head, comma, text = text.partition(",")
        if not comma or not head.endswith(";base64"):
            raise RejectedUploadError(
                "Invalid image file: a data: URL must end in ;base64, before the picture."
            )
    if len(text) > limit * 2:
        raise too_large(limit)
    carried = ""
    for start in range(0, len(text), WRITE_SIZE):
        piece = carried + "".join(text[start : start + WRITE_SIZE].split())
        whole = len(piece) - len(piece) % 4
        carried = piece[whole:]
        yield _decode_piece(piece[:whole])
    if carried:
        yield _decode_piece(carried)


def _decode_piece(piece: str) -> bytes:
    try:
        return binascii.a2b_base64(piece.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise RejectedUploadError("Invalid image file: the text is not base64 of a picture.") from error
