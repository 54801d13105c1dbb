"""Receives an upload, from its first byte to its row."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial

from ...db import files as queries
from ...db.engine import Database
from ...db.records import FileRecord
from ..errors import RejectedUploadError, TooLargeError
from ..workers import Workers
from .blobs import Incoming
from .content_store import ContentStore, new_record
from .images import ImageFacts, ImageLimits, InvalidImage, is_png
from .inspect import JSON_TYPE, display_name, inspect_file

#: Bytes per write in a thread: a hand-over to a thread costs more than writing one chunk. The next batch
#: arrives while one is written, so an upload buffers up to twice as much.
WRITE_SIZE = 512 * 1024
#: Limit of the batches of all uploads together, in bytes: with many uploads, each one's batch is smaller.
GATHERED = 8 * 1024 * 1024
#: Bytes from which a file is synced to disk in parallel with its validation.
LARGE = 4 * 1024 * 1024


@dataclass(frozen=True)
class Received:
    file: FileRecord
    is_duplicate: bool


class UploadReceiver:
    """Receives uploads. A content that is stored already is not validated again."""

    def __init__(
        self, database: Database, contents: ContentStore, workers: Workers, limits: ImageLimits
    ) -> None:
        self._database = database
        self._contents = contents
        self._workers = workers
        self._limits = limits

    async def receive(
        self,
        chunks: AsyncIterator[bytes],
        filename: str | None,
        *,
        max_bytes: int,
        announced: str | None = None,
        pictures_only: bool = False,
        derived: bool = False,
        file_id: str | None = None,
    ) -> Received:
        """See `FileStore.receive`."""
        incoming = self._contents.begin()
        try:
            content_hash = await self._write_chunks(chunks, incoming, max_bytes)
            if announced is not None and announced != content_hash:
                raise RejectedUploadError(
                    f"Invalid image file: its SHA-256 was announced as {announced}, but what came has "
                    f"{content_hash}.",
                    code="hash_mismatch",
                )
            async with self._contents.lock(content_hash):
                existing = await self._database.read(partial(queries.by_hash, content_hash=content_hash))
                record = existing or await self._describe(incoming, content_hash, filename)
                if pictures_only and record.mime_type == JSON_TYPE:
                    raise RejectedUploadError(
                        "Invalid image file: The file is a pose in JSON; only PNG, JPEG and WEBP are "
                        "accepted here.",
                        code="picture_required",
                    )
                record = replace(record, derived=derived)
                has_row = existing is not None
                chosen = None if has_row else file_id
                return Received(
                    *await self._contents.store(incoming, record, has_row=has_row, file_id=chosen)
                )
        finally:
            if not incoming.discarded:
                await self._workers.disk(incoming.discard)

    async def _write_chunks(self, chunks: AsyncIterator[bytes], incoming: Incoming, max_bytes: int) -> str:
        """Write all chunks; returns the SHA-256 in lower-case hex."""
        batch: list[bytes] = []
        buffered = total = 0
        writing: asyncio.Future[None] | None = None
        try:
            async for chunk in chunks:
                total += len(chunk)
                if total > max_bytes:
                    raise too_large(max_bytes)
                batch.append(chunk)
                buffered += len(chunk)
                if buffered >= self._batch_size():
                    if writing is not None:
                        await writing
                    writing = asyncio.ensure_future(self._workers.disk(incoming.write, *batch))
                    batch, buffered = [], 0
            if writing is not None:
                await writing
        finally:
            if writing is not None:
                await asyncio.gather(writing, return_exceptions=True)
        return await self._workers.disk(incoming.finish, *batch)

    def _batch_size(self) -> int:
        return min(WRITE_SIZE, GATHERED // max(1, self._workers.uploads.taken))

    async def _describe(self, incoming: Incoming, content_hash: str, filename: str | None) -> FileRecord:
        """Validate a new content and build its row. Raises RejectedUploadError, StorageFullError."""
        await self._contents.check_quota(incoming.size)
        try:
            facts = await self._inspect(incoming)
        except InvalidImage as error:
            raise RejectedUploadError(
                f"Invalid image file: {error}", code=error.code, parameters=error.parameters
            ) from error
        name = display_name(filename, facts.extension)
        return new_record(content_hash, name, incoming.size, facts, self._database.now())

    async def _inspect(self, incoming: Incoming) -> ImageFacts:
        thread = self._workers.check if is_png(incoming.start) else self._workers.decode
        inspecting = thread(inspect_file, incoming.path, self._limits)
        if incoming.size < LARGE:
            return await inspecting
        facts, synced = await asyncio.gather(
            inspecting, self._workers.disk(incoming.sync), return_exceptions=True
        )
        if isinstance(facts, BaseException):
            raise facts
        if synced is not None:
            raise synced
        return facts


def too_large(limit: int) -> TooLargeError:
    shown = f" ({limit / 1024**2:.4g} MB)" if limit >= 1024**2 else ""
    return TooLargeError(
        f"File too large: the limit is {limit} bytes{shown}.",
        code="file_too_large",
        parameters={"limit": limit},
    )
