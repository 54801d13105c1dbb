"""An in-memory cache of reads. A write to the tables that they depend on invalidates it (`db.changes`)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, TypeVar

from sqlalchemy import Connection

from ...db.changes import Version
from ...db.engine import Database, Query

Result = TypeVar("Result")


class VersionedCache:
    """The `max_size` most recently used results of reads, all of the same version of the tables. Thread-safe;
    never returns data older than the database."""

    def __init__(self, database: Database, version: Version, max_size: int) -> None:
        self._database = database
        self._tables = version
        self._max_size = max_size
        self._lock = threading.Lock()
        self._version = 0
        self._results: OrderedDict[Hashable, tuple[Any]] = OrderedDict()

    async def read(self, key: Hashable, query: Query[Result]) -> Result:
        """The result of `query`, which depends on `key` and the tables alone."""
        cached = self._get(key)
        if cached is not None:
            result: Result = cached[0]
            return result

        def read(connection: Connection) -> Result:
            version = self._tables.number
            result = query(connection)
            self._put(key, result, version)
            return result

        return await self._database.read(read)

    def _get(self, key: Hashable) -> tuple[Any] | None:
        with self._lock:
            if self._tables.number != self._version:
                return None
            cached = self._results.get(key)
            if cached is not None:
                self._results.move_to_end(key)
            return cached

    def _put(self, key: Hashable, result: object, version: int) -> None:
        with self._lock:
            if not self._tables.is_current(version):
                return
            if version != self._version:
                self._results.clear()
                self._version = version
            self._results[key] = (result,)
            if len(self._results) > self._max_size:
                self._results.popitem(last=False)
