"""Bytes (blobs) and rows (db) of the stored contents, kept in step.

Blob first, then row; on delete, row first, then blob. Bytes are put and removed by one task at a time
for each content, so that a delete can never take the bytes of an upload of the same content. Whatever
stands in between has an entry in the `RecoveryJournal`, so that the start after a crash finds it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Container, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from ...db import files as queries
from ...db.engine import Database
from ...db.records import FileRecord
from ..errors import AvatarForgeError
from ..workers import Workers, finish_then_cancel
from .blobs import BlobStore, Incoming
from .content_locks import ContentLocks
from .images import ImageFacts
from .quota import Quota

# So many bytes are removed before an upload of one of those contents goes on.
HELD_AT_ONCE = 50

log = logging.getLogger("avatarforge")


def new_record(
    content_hash: str, filename: str, size: int, facts: ImageFacts, now: int, *, derived: bool = False
) -> FileRecord:
    """The row of a new content, with a new id. `now` in microseconds."""
    return FileRecord(
        id=str(uuid.uuid4()),
        content_hash=content_hash,
        filename=filename,
        size=size,
        mime_type=facts.mime_type,
        extension=facts.extension,
        width=facts.width,
        height=facts.height,
        created_at=now,
        last_used_at=now,
        deleted_at=None,
        derived=derived,
    )


class ContentStore:
    """One content, one row, one blob."""

    def __init__(self, database: Database, blobs: BlobStore, workers: Workers, quota: Quota) -> None:
        self._database = database
        self._blobs = blobs
        self._workers = workers
        self._quota = quota
        self._locks = ContentLocks()

    def lock(self, content_hash: str) -> AbstractAsyncContextManager[None]:
        """While it is held, nobody else puts or removes these bytes."""
        return self._locks.lock(content_hash)

    def begin(self) -> Incoming:
        return self._blobs.begin()

    def path(self, record: FileRecord) -> Path:
        return self._blobs.path(record.content_hash, record.extension)

    async def check_quota(self, size: int) -> None:
        """Refuse early a new content that will not fit: it spares the decode. What counts is the look in the
        writing transaction. Raises StorageFullError."""
        if self._quota:
            files, total = await self._database.read(queries.totals)
            self._quota.check(files + 1, total + size)

    async def store(
        self, incoming: Incoming, record: FileRecord, *, is_known: bool
    ) -> tuple[FileRecord, bool]:
        """Store finished bytes and their row; give back the file and whether the content was already there.
        Those of a known content are only needed where what lies there is not what it was.

        Call it while `holding` the content. Raises StorageFullError, UnavailableError, SQLAlchemyError; then
        nothing is left behind.
        """
        return await finish_then_cancel(self._store(incoming, record, is_known))

    async def _store(self, incoming: Incoming, record: FileRecord, is_known: bool) -> tuple[FileRecord, bool]:
        # A new one is not used yet: `FileStore.forget` and `use_again` go by that.
        stored = replace(record, last_used_at=self._database.now()) if is_known else record
        add = partial(_add_or_restore, record=stored, quota=self._quota)
        if is_known and await self._workers.disk(self._blobs.intact, record.content_hash, record.extension):
            return await self._database.write(add)
        try:
            await self._workers.disk(self._blobs.put, incoming, record.content_hash, record.extension)
            adopted = await self._database.write(add)
        except (AvatarForgeError, SQLAlchemyError):
            await self._drop_unowned([record])
            raise
        await self._workers.disk(self._blobs.clear_entry, record.content_hash, record.extension)
        return adopted

    async def remove(
        self, take: Callable[[Connection], list[FileRecord]], *, noting: Iterable[str] = ()
    ) -> list[FileRecord]:
        """Remove the rows that `take` removes and gives back, then their bytes.

        What goes is noted before the commit, and so are the names in `noting`, which stay noted until the
        caller says `settle`: after a crash in between the next start removes the rest.
        """
        return await finish_then_cancel(self._remove(take, noting))

    async def clear_entry(self, name: str) -> None:
        """What the caller had noted is done."""
        await self._workers.disk(self._blobs.unsettled.clear, name)

    async def keep_note(self, name: str) -> None:
        """What the caller had noted could not be done: it is tried again later."""
        await self._workers.disk(self._blobs.unsettled.keep, name)

    async def _remove(
        self, take: Callable[[Connection], list[FileRecord]], noting: Iterable[str]
    ) -> list[FileRecord]:
        unsettled = self._blobs.unsettled
        noted: list[str] = []

        def take_journaled(connection: Connection) -> list[FileRecord]:
            gone = take(connection)
            noted.extend((*noting, *(self.path(record).name for record in gone)))
            unsettled.add_removals(noted)
            return gone

        try:
            gone = await self._database.write(take_journaled)
        except (AvatarForgeError, SQLAlchemyError):
            await self._workers.disk(self._keep_entries, noted)
            raise
        for start in range(0, len(gone), HELD_AT_ONCE):
            some = gone[start : start + HELD_AT_ONCE]
            async with self._locks.lock_all(record.content_hash for record in some):
                await self._drop_unowned(some)
        return gone

    async def _drop_unowned(self, records: Sequence[FileRecord]) -> None:
        """Remove bytes that no row holds: a content may have come back since its row went."""
        hashes = [record.content_hash for record in records]
        try:
            back = await self._database.read(partial(queries.known_hashes, content_hashes=hashes))
        except SQLAlchemyError:
            ids = ", ".join(record.id for record in records)
            log.exception("AvatarForge: it is decided later about the bytes of %s", ids)
            await self._workers.disk(self._keep_entries, [self.path(record).name for record in records])
            return
        await self._workers.disk(self._drop, records, back)

    def _keep_entries(self, names: Iterable[str]) -> None:
        for name in names:
            self._blobs.unsettled.keep(name)

    def _drop(self, records: Sequence[FileRecord], back: Container[str]) -> None:
        patient = True
        for record in records:
            if record.content_hash in back:
                self._blobs.clear_entry(record.content_hash, record.extension)
            else:
                # One wait for all of them: where many are refused, it is the folder or the disk.
                patient &= self._blobs.remove(record.content_hash, record.extension, patient=patient)


def _add_or_restore(connection: Connection, record: FileRecord, quota: Quota) -> tuple[FileRecord, bool]:
    stored, was_there = queries.add_or_restore(connection, record)
    if quota and not was_there:
        # In the transaction that adds it: two uploads cannot both take the last place.
        quota.check(*queries.totals(connection))
    return stored, was_there
