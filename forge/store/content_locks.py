"""One content is worked on by one task at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class ContentLocks:
    """A lock for each content that somebody works on now, and for no other."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def holding(self, content_hash: str) -> AsyncIterator[None]:
        lock, users = self._locks.get(content_hash, (asyncio.Lock(), 0))
        self._locks[content_hash] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks[content_hash]
            if users == 1:
                del self._locks[content_hash]
            else:
                self._locks[content_hash] = (lock, users - 1)
