"""A cache of generations: a row that many clients poll is read once, until it changes.

The cache is never older than the database. A writer says before the commit which generations change,
and nothing of them is kept until the commit is done (`db.changes`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection

from ...db import generations as queries
from ...db import row_counts
from ...db.changes import Version
from ...db.engine import Database
from ...db.records import GenerationRecord

MOST_BYTES = 32 * 1024 * 1024
PAGES = 256
_OVERHEAD = 2048  # bytes that Python takes for one beside its texts, about


@dataclass(frozen=True)
class RenderedGeneration:
    """What answers say of a generation, in JSON: before and behind that which no row holds."""

    head: bytes
    tail: bytes


@dataclass
class CachedGeneration:
    """A generation with its rendered JSON. `answer` is the last whole answer, kept for the routes."""

    record: GenerationRecord
    rendered: RenderedGeneration
    answer: Any = None

    @property
    def size(self) -> int:
        """Bytes of memory, about: `told` is made of the words."""
        record, words = self.record, self.rendered
        written = len(words.head) + len(words.tail)
        return _OVERHEAD + len(record.spec) + len(record.receipt) + 2 * written


@dataclass(frozen=True)
class PageQuery:
    """A page of the list, see `db.generations.page`."""

    status: str | None
    limit: int
    offset: int
    before: int | None


class GenerationCache:
    """From any thread. `words` puts a record into words."""

    def __init__(
        self,
        database: Database,
        words: Callable[[GenerationRecord], RenderedGeneration],
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._database = database
        self.render = words
        self._most = most_bytes
        self._lock = threading.Lock()
        self._known: OrderedDict[str, CachedGeneration] = OrderedDict()
        self._ids: dict[int, str] = {}
        self._pages: OrderedDict[PageQuery, tuple[int, tuple[str, ...]]] = OrderedDict()
        self._bytes = 0
        self._version = Version()
        database.changes.subscribe(self)

    async def get(self, generation_id: str) -> CachedGeneration | None:
        """None where there is no such generation."""
        with self._lock:
            found = self._known.get(generation_id)
            if found is not None:
                self._known.move_to_end(generation_id)
                return found
        return await self._database.read(partial(self._read, generation_id=generation_id))

    async def page(self, asked: PageQuery) -> tuple[int, list[CachedGeneration]]:
        """(how many match, those of the page)"""
        with self._lock:
            kept = self._pages.get(asked)
            if kept is not None:
                total, ids = kept
                if all(one in self._known for one in ids):
                    for one in ids:
                        self._known.move_to_end(one)
                    return total, [self._known[one] for one in ids]
        return await self._database.read(partial(self._read_page, asked=asked))

    def begin(self, generation_ids: Collection[str] | None) -> None:
        with self._lock:
            self._version.number += 1
            self._pages.clear()
            for one in tuple(self._known) if generation_ids is None else generation_ids:
                self._evict(one)

    def end(self) -> None:
        with self._lock:
            self._version.number += 1

    def _read(self, connection: Connection, generation_id: str) -> CachedGeneration | None:
        begun = self._version.number
        record = queries.get(connection, generation_id)
        if record is None:
            return None
        known = CachedGeneration(record, self.render(record))
        self._store([known], begun)
        return known

    def _read_page(self, connection: Connection, asked: PageQuery) -> tuple[int, list[CachedGeneration]]:
        begun = self._version.number
        sequences = queries.page(connection, **vars(asked))
        total = row_counts.count_generations(connection, asked.status)
        there = self._cached(sequences, begun)
        missing = queries.by_sequence(connection, (one for one in sequences if one not in there))
        read = {
            sequence: CachedGeneration(record, self.render(record)) for sequence, record in missing.items()
        }
        there |= read
        page = [there[sequence] for sequence in sequences if sequence in there]
        self._store(read.values(), begun)
        self._store_page(asked, (total, tuple(known.record.id for known in page)), begun)
        return total, page

    def _cached(self, sequences: Iterable[int], begun: int) -> dict[int, CachedGeneration]:
        """Those of them that are kept; none where one may be newer than what was read since `begun`."""
        with self._lock:
            if not self._version.is_current(begun):
                return {}
            kept = [sequence for sequence in sequences if sequence in self._ids]
            return {sequence: self._known[self._ids[sequence]] for sequence in kept}

    def _store_page(self, asked: PageQuery, found: tuple[int, tuple[str, ...]], begun: int) -> None:
        with self._lock:
            if self._version.is_current(begun):
                self._pages[asked] = found
                if len(self._pages) > PAGES:
                    self._pages.popitem(last=False)

    def _store(self, found: Iterable[CachedGeneration], begun: int) -> None:
        """Keep what was read since `begun`, unless something has changed meanwhile."""
        with self._lock:
            if not self._version.is_current(begun):
                return
            for known in found:
                self._evict(known.record.id)
                self._known[known.record.id] = known
                self._ids[known.record.sequence] = known.record.id
                self._bytes += known.size
            while self._bytes > self._most:
                self._evict(next(iter(self._known)))

    def _evict(self, generation_id: str) -> None:
        known = self._known.pop(generation_id, None)
        if known is not None:
            del self._ids[known.record.sequence]
            self._bytes -= known.size
