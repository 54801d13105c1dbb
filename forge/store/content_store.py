"""Keeps the blobs and the rows of stored contents in step.

A store writes the blob, then the row; a delete removes the row, then the blob. Only one task at a time works
on a content, so a delete cannot remove the bytes of a concurrent upload. Work that is half done has an entry
in the `RecoveryJournal`, so that the next start after a crash finds it.
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

# Blobs removed per round: an upload of one of these contents waits that long.
REMOVAL_BATCH = 50

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
        """While the lock is held, no other task stores or removes this content."""
        return self._locks.lock(content_hash)

    def begin(self) -> Incoming:
        return self._blobs.begin()

    def path(self, record: FileRecord) -> Path:
        return self._blobs.path(record.content_hash, record.extension)

    async def check_quota(self, size: int) -> None:
        """Refuse a new content of `size` bytes early, before it is decoded. The binding check is made in the
        transaction that writes the row. Raises StorageFullError."""
        if self._quota:
            files, total = await self._database.read(queries.totals)
            self._quota.check(files + 1, total + size)

    async def store(
        self, incoming: Incoming, record: FileRecord, *, has_row: bool, file_id: str | None = None
    ) -> tuple[FileRecord, bool]:
        """Store finished bytes and their row; returns the file and whether the content was already stored.
        For a content that has a row already, the new bytes are only used if the stored ones were altered. A
        new file gets the id `file_id` unless another file has that.

        The caller must hold `lock` for the content. Raises StorageFullError, UnavailableError,
        SQLAlchemyError; then nothing is left behind.
        """
        return await finish_then_cancel(self._store(incoming, record, has_row, file_id))

    async def _store(
        self, incoming: Incoming, record: FileRecord, has_row: bool, file_id: str | None
    ) -> tuple[FileRecord, bool]:
        # A new file counts as unused: `FileStore.withdraw` and `use_again` rely on that.
        stored = replace(record, last_used_at=self._database.now()) if has_row else record
        add = partial(_add_or_restore, record=stored, quota=self._quota, file_id=file_id)
        if has_row and await self._workers.disk(self._blobs.intact, record.content_hash, record.extension):
            return await self._database.write(add)
        try:
            await self._workers.disk(self._blobs.put, incoming, record.content_hash, record.extension)
            added = await self._database.write(add)
        except (AvatarForgeError, SQLAlchemyError):
            await self._remove_blobs_without_row([record])
            raise
        await self._workers.disk(self._blobs.clear_entry, record.content_hash, record.extension)
        return added

    async def remove(
        self, delete_rows: Callable[[Connection], list[FileRecord]], *, entries: Iterable[str] = ()
    ) -> list[FileRecord]:
        """Run `delete_rows`, which deletes rows and returns them, then remove their blobs.

        Journal entries are written before the commit, so that the next start after a crash removes the rest.
        `entries` names further ones, which the caller ends with `clear_entry` or `keep_entry`.
        """
        return await finish_then_cancel(self._remove(delete_rows, entries))

    async def clear_entry(self, name: str) -> None:
        """The work of an entry passed to `remove` is done."""
        await self._workers.disk(self._blobs.journal.clear, name)

    async def keep_entry(self, name: str) -> None:
        """The work of an entry passed to `remove` failed: recovery retries it."""
        await self._workers.disk(self._blobs.journal.keep, name)

    async def _remove(
        self, delete_rows: Callable[[Connection], list[FileRecord]], entries: Iterable[str]
    ) -> list[FileRecord]:
        journal = self._blobs.journal
        names: list[str] = []

        def delete_journaled(connection: Connection) -> list[FileRecord]:
            deleted = delete_rows(connection)
            names.extend((*entries, *(self.path(record).name for record in deleted)))
            journal.add_removals(names)
            return deleted

        try:
            deleted = await self._database.write(delete_journaled)
        except (AvatarForgeError, SQLAlchemyError):
            await self._workers.disk(self._keep_entries, names)
            raise
        for start in range(0, len(deleted), REMOVAL_BATCH):
            batch = deleted[start : start + REMOVAL_BATCH]
            async with self._locks.lock_all(record.content_hash for record in batch):
                await self._remove_blobs_without_row(batch)
        return deleted

    async def _remove_blobs_without_row(self, records: Sequence[FileRecord]) -> None:
        """Remove the blobs, except where a content was uploaded again since its row was deleted."""
        hashes = [record.content_hash for record in records]
        try:
            restored = await self._database.read(partial(queries.known_hashes, content_hashes=hashes))
        except SQLAlchemyError:
            ids = ", ".join(record.id for record in records)
            log.exception("AvatarForge: the bytes of %s stay until the database can be read", ids)
            await self._workers.disk(self._keep_entries, [self.path(record).name for record in records])
            return
        await self._workers.disk(self._remove_blobs, records, restored)

    def _keep_entries(self, names: Iterable[str]) -> None:
        for name in names:
            self._blobs.journal.keep(name)

    def _remove_blobs(self, records: Sequence[FileRecord], restored: Container[str]) -> None:
        patient = True
        for record in records:
            if record.content_hash in restored:
                self._blobs.clear_entry(record.content_hash, record.extension)
            else:
                # Retry for the first refusal only: if many are refused, the folder or the disk is the cause.
                patient &= self._blobs.remove(record.content_hash, record.extension, patient=patient)


def _add_or_restore(
    connection: Connection, record: FileRecord, quota: Quota, file_id: str | None
) -> tuple[FileRecord, bool]:
    if file_id is not None and queries.get_any(connection, file_id) is None:
        record = replace(record, id=file_id)
    stored, existed = queries.add_or_restore(connection, record)
    if quota and not existed:
        # In the transaction that adds the row, so that two uploads cannot both use the last of the quota.
        quota.check(*queries.totals(connection))
    return stored, existed
