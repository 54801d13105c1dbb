"""Locks that let one task at a time work on a content."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager


class ContentLocks:
    """A lock per content hash, kept only while a task uses it."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}  # lock, number of its users

    @asynccontextmanager
    async def lock(self, content_hash: str) -> AsyncIterator[None]:
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

    @asynccontextmanager
    async def lock_all(self, content_hashes: Iterable[str]) -> AsyncIterator[None]:
        """Lock several contents, in sorted order to avoid deadlocks."""
        async with AsyncExitStack() as stack:
            for content_hash in sorted(set(content_hashes)):
                await stack.enter_async_context(self.lock(content_hash))
            yield
