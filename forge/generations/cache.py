"""A cache of generations, so that a row that many clients poll is read once per change.

The cache is never older than the database. Before a commit, the writer invalidates the generations that
change (`db.changes`), and they are not cached again until the commit is done.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from ...db import gallery
from ...db import generations as queries
from ...db.changes import Version
from ...db.engine import Database
from ...db.gallery import GalleryFilter
from ...db.records import GenerationRecord

MAX_BYTES = 32 * 1024 * 1024
PAGES = 256
_OVERHEAD = 4096  # approximate bytes of a record with its parsed spec and receipt, without their text


@dataclass(frozen=True)
class PageQuery:
    """The parameters of a page of the list; see `db.generations.page`."""

    status: str | None
    limit: int
    offset: int
    before: int | None
    character_id: str | None = None
    batch_id: str | None = None
    #: Takes the place of the other filters.
    gallery: GalleryFilter | None = None


class GenerationCache:
    """The most recently used records, up to about `max_bytes` of memory. Thread-safe."""

    def __init__(self, database: Database, max_bytes: int = MAX_BYTES) -> None:
        self._database = database
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._records: OrderedDict[str, GenerationRecord] = OrderedDict()
        self._ids: dict[int, str] = {}
        self._pages: OrderedDict[PageQuery, tuple[int, tuple[str, ...]]] = OrderedDict()
        self._totals: dict[tuple[object, ...], int] = {}
        self._bytes = 0
        self._version = Version()
        database.changes.subscribe(self)

    async def get(self, generation_id: str) -> GenerationRecord | None:
        """The generation; None if there is none with this id."""
        with self._lock:
            record = self._records.get(generation_id)
            if record is not None:
                self._records.move_to_end(generation_id)
                return record
        return await self._database.read(partial(self._read, generation_id=generation_id))

    async def page(self, query: PageQuery) -> tuple[int, list[GenerationRecord]]:
        """(number of matching generations, those on the page)"""
        with self._lock:
            cached = self._pages.get(query)
            if cached is not None:
                total, ids = cached
                if all(generation_id in self._records for generation_id in ids):
                    for generation_id in ids:
                        self._records.move_to_end(generation_id)
                    return total, [self._records[generation_id] for generation_id in ids]
        return await self._database.read(partial(self._read_page, query=query))

    def begin(self, generation_ids: Collection[str] | None) -> None:
        """Evict generations that are about to change; None evicts all."""
        with self._lock:
            self._version.number += 1
            self._pages.clear()
            self._totals.clear()
            for generation_id in tuple(self._records) if generation_ids is None else generation_ids:
                self._evict(generation_id)

    def end(self) -> None:
        """The change is committed or rolled back."""
        with self._lock:
            self._version.number += 1

    def _read(self, connection: Connection, generation_id: str) -> GenerationRecord | None:
        version = self._version.number
        record = queries.get(connection, generation_id)
        if record is not None:
            self._store([record], version)
        return record

    def _read_page(self, connection: Connection, query: PageQuery) -> tuple[int, list[GenerationRecord]]:
        version = self._version.number
        sequences = _sequences(connection, query)
        total = self._total(connection, query, version)
        cached = self._cached(sequences, version)
        missing = (sequence for sequence in sequences if sequence not in cached)
        read = queries.by_sequence(connection, missing)
        records = cached | read
        page = [records[sequence] for sequence in sequences if sequence in records]
        self._store(read.values(), version)
        self._store_page(query, (total, tuple(record.id for record in page)), version)
        return total, page

    def _total(self, connection: Connection, query: PageQuery, version: int) -> int:
        """How many match. It is the same for every page, and counting can take longer than reading one."""
        filters = (query.status, query.character_id, query.batch_id, query.gallery)
        with self._lock:
            total = self._totals.get(filters)
        if total is not None and self._version.is_current(version):
            return total
        total = _count(connection, query)
        with self._lock:
            if self._version.is_current(version):
                self._totals[filters] = total
                if len(self._totals) > PAGES:
                    self._totals.pop(next(iter(self._totals)))
        return total

    def _cached(self, sequences: Iterable[int], version: int) -> dict[int, GenerationRecord]:
        """The cached records by sequence. Empty if anything changed since `version`, because a cached record
        could then be newer than the reader's snapshot."""
        with self._lock:
            if not self._version.is_current(version):
                return {}
            cached = [sequence for sequence in sequences if sequence in self._ids]
            return {sequence: self._records[self._ids[sequence]] for sequence in cached}

    def _store_page(self, query: PageQuery, page: tuple[int, tuple[str, ...]], version: int) -> None:
        with self._lock:
            if self._version.is_current(version):
                self._pages[query] = page
                if len(self._pages) > PAGES:
                    self._pages.popitem(last=False)

    def _store(self, records: Iterable[GenerationRecord], version: int) -> None:
        """Cache records that were read at `version`, unless anything has changed since."""
        with self._lock:
            if not self._version.is_current(version):
                return
            for record in records:
                self._evict(record.id)
                self._records[record.id] = record
                self._ids[record.sequence] = record.id
                self._bytes += _size(record)
            while self._bytes > self._max_bytes:
                self._evict(next(iter(self._records)))

    def _evict(self, generation_id: str) -> None:
        record = self._records.pop(generation_id, None)
        if record is not None:
            del self._ids[record.sequence]
            self._bytes -= _size(record)


def _sequences(connection: Connection, query: PageQuery) -> list[int]:
    """Of the generations on a page, in order."""
    limit, offset, before = query.limit, query.offset, query.before
    if query.gallery is not None:
        return gallery.page(connection, query.gallery, limit=limit, offset=offset, after=before)
    filters = {"status": query.status, "character_id": query.character_id, "batch_id": query.batch_id}
    return queries.page(connection, limit=limit, offset=offset, before=before, **filters)


def _count(connection: Connection, query: PageQuery) -> int:
    if query.gallery is not None:
        return gallery.count(connection, query.gallery)
    filters = {"status": query.status, "character_id": query.character_id, "batch_id": query.batch_id}
    return queries.count(connection, **filters)


def _size(record: GenerationRecord) -> int:
    """Approximate bytes of memory: the text, the objects parsed from it, and the JSON that the API
    renders."""
    scores = sum(len(output.scores_json or "") for output in record.outputs)
    return _OVERHEAD + 4 * (len(record.spec_json) + len(record.receipt_json) + scores)
