"""An in-memory cache of file lookups."""

from __future__ import annotations

from functools import partial

from ...db import files as queries
from ...db.engine import Database
from ...db.records import FileRecord
from .listing import FilePage, read_cursor, read_page
from .versioned_cache import VersionedCache

HASHES = 4096  # cached results
PAGES = 32  # cached results, about 30 KB each


class FileCache:
    """Caches files by hash and pages of the list."""

    def __init__(self, database: Database) -> None:
        version = database.changes.files
        self._by_hash = VersionedCache(database, version, HASHES)
        self._pages = VersionedCache(database, version, PAGES)

    async def by_hash(self, content_hash: str) -> FileRecord | None:
        """The file of that content, soft-deleted or not."""
        return await self._by_hash.read(content_hash, partial(queries.by_hash, content_hash=content_hash))

    async def page(self, limit: int, cursor: str | None) -> FilePage:
        """Newest first, without deleted ones. `cursor` is the `next_cursor` of the page before."""
        query = partial(read_page, limit=limit, before=read_cursor(cursor))
        return await self._pages.read((limit, cursor), query)
