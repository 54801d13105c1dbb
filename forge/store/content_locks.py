"""One content is worked on by one task at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager


class ContentLocks:
    """A lock for each content that somebody works on now, and for no other."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

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
        """Several at once; in one order for all, so that no two wait for each other."""
        async with AsyncExitStack() as held:
            for content_hash in sorted(set(content_hashes)):
                await held.enter_async_context(self.lock(content_hash))
            yield
