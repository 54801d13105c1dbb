"""An upload from its first byte to its row."""

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

#: Bytes that are gathered for one visit to a thread: a hand-over costs more than writing one piece. While
#: they are written the next ones come in, so an upload holds twice as many.
WRITE_SIZE = 512 * 1024
#: The same for all uploads together: when there are many of them, each gathers less.
GATHERED = 8 * 1024 * 1024
#: Bytes from which pushing to the disk takes long enough to be worth a thread of its own beside the check.
LARGE = 4 * 1024 * 1024


@dataclass(frozen=True)
class Received:
    file: FileRecord
    is_duplicate: bool


class UploadReceiver:
    """Takes uploads in. What is known already is not looked into again."""

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
                known = await self._database.read(partial(queries.by_hash, content_hash=content_hash))
                record = known or await self._describe(incoming, content_hash, filename)
                if pictures_only and record.mime_type == JSON_TYPE:
                    raise RejectedUploadError(
                        "Invalid image file: The file is a pose in JSON; only PNG, JPEG and WEBP are "
                        "accepted here.",
                        code="picture_required",
                    )
                record = replace(record, derived=derived)
                return Received(*await self._contents.store(incoming, record, is_known=known is not None))
        finally:
            if not incoming.discarded:
                await self._workers.disk(incoming.discard)

    async def _write_chunks(self, chunks: AsyncIterator[bytes], incoming: Incoming, max_bytes: int) -> str:
        """Write it all; its SHA-256."""
        waiting: list[bytes] = []
        held = total = 0
        writing: asyncio.Future[None] | None = None
        try:
            async for chunk in chunks:
                total += len(chunk)
                if total > max_bytes:
                    raise too_large(max_bytes)
                waiting.append(chunk)
                held += len(chunk)
                if held >= self._batch_size():
                    if writing is not None:
                        await writing
                    writing = asyncio.ensure_future(self._workers.disk(incoming.write, *waiting))
                    waiting, held = [], 0
            if writing is not None:
                await writing
        finally:
            if writing is not None:
                await asyncio.gather(writing, return_exceptions=True)
        return await self._workers.disk(incoming.finish, *waiting)

    def _batch_size(self) -> int:
        return min(WRITE_SIZE, GATHERED // max(1, self._workers.uploads.taken))

    async def _describe(self, incoming: Incoming, content_hash: str, filename: str | None) -> FileRecord:
        """The row that a new content would get. Raises RejectedUploadError."""
        await self._contents.check_quota(incoming.size)
        try:
            facts = await self._inspect(incoming)
        except InvalidImage as error:
            raise RejectedUploadError(
                f"Invalid image file: {error}", code=error.code, parameters=error.parameters
            ) from error
        name = display_name(filename, facts.extension)
        return new_record(content_hash, name, incoming.size, facts)

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
