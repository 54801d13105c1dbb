"""Files that were looked for lately, in memory until anything about files is written (`db.changes`)."""

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

HASHES = 4096
PAGES = 32  # of some 30 KB

Result = TypeVar("Result")


class FileCache:
    """From any thread. What it gives is never older than the database."""

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

    async def _cached(self, kept: _VersionedLru, key: Hashable, query: Query[Result]) -> Result:
        begun = self._version.number
        found = kept.get(key, begun)
        if found is not None:
            result: Result = found[0]
            return result

        def read(connection: Connection) -> Result:
            begun = self._version.number
            result = query(connection)
            kept.put(key, result, begun, self._version.is_current)
            return result

        return await self._database.read(read)


class _VersionedLru:
    """The last `most` of one kind, all of one version."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._version = 0
        self._found: OrderedDict[Hashable, tuple[Any]] = OrderedDict()

    def get(self, key: Hashable, version: int) -> tuple[Any] | None:
        with self._lock:
            if version != self._version:
                return None
            found = self._found.get(key)
            if found is not None:
                self._found.move_to_end(key)
            return found

    def put(self, key: Hashable, result: object, begun: int, is_settled: Callable[[int], bool]) -> None:
        with self._lock:
            if not is_settled(begun):
                return
            if begun != self._version:
                self._found.clear()
                self._version = begun
            self._found[key] = (result,)
            if len(self._found) > self._most:
                self._found.popitem(last=False)
