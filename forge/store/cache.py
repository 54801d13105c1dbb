"""An in-memory cache of file lookups, invalidated by every write to the file tables (`db.changes`)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection

from ...db import files as queries
from ...db.engine import Database, Query
from ...db.records import FileRecord
from .listing import FilePage, read_cursor, read_page

HASHES = 4096  # cached results
PAGES = 32  # cached results, about 30 KB each

Result = TypeVar("Result")


class FileCache:
    """Caches files by hash and pages of the list. Thread-safe; never returns data older than the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._version = database.changes.files
        self._by_hash = _VersionedLru(HASHES)
        self._pages = _VersionedLru(PAGES)

    async def by_hash(self, content_hash: str) -> FileRecord | None:
        """The file of that content, soft-deleted or not."""
        query = partial(queries.by_hash, content_hash=content_hash)
        return await self._cached(self._by_hash, content_hash, query)

    async def page(self, limit: int, cursor: str | None) -> FilePage:
        """Newest first, without deleted ones. `cursor` is the `next_cursor` of the page before."""
        query = partial(read_page, limit=limit, before=read_cursor(cursor))
        return await self._cached(self._pages, (limit, cursor), query)

    async def _cached(self, lru: _VersionedLru, key: Hashable, query: Query[Result]) -> Result:
        cached = lru.get(key, self._version.number)
        if cached is not None:
            result: Result = cached[0]
            return result

        def read(connection: Connection) -> Result:
            version = self._version.number
            result = query(connection)
            lru.put(key, result, version, self._version.is_current)
            return result

        return await self._database.read(read)


class _VersionedLru:
    """The `max_size` most recently used results, all read at the same version."""

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._lock = threading.Lock()
        self._version = 0
        self._results: OrderedDict[Hashable, tuple[Any]] = OrderedDict()

    def get(self, key: Hashable, version: int) -> tuple[Any] | None:
        with self._lock:
            if version != self._version:
                return None
            cached = self._results.get(key)
            if cached is not None:
                self._results.move_to_end(key)
            return cached

    def put(self, key: Hashable, result: object, version: int, is_current: Callable[[int], bool]) -> None:
        with self._lock:
            if not is_current(version):
                return
            if version != self._version:
                self._results.clear()
                self._version = version
            self._results[key] = (result,)
            if len(self._results) > self._max_size:
                self._results.popitem(last=False)
