"""Temporary files: an archive that arrives, and one that is made to be sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path

from ..errors import TooLargeError
from ..workers import Workers
from .content_store import ContentStore
from .upload_receiver import WRITE_SIZE

PIECES_PER_TURN = 16


class Spool:
    """Files in the folder of arriving uploads, which the next start empties."""

    def __init__(self, contents: ContentStore, workers: Workers) -> None:
        self._contents = contents
        self._workers = workers

    @asynccontextmanager
    async def receive(
        self, chunks: AsyncIterator[bytes], most_bytes: int, error: TooLargeError
    ) -> AsyncIterator[Path]:
        """A file of what arrives, as long as the context is open. Raises `error` above `most_bytes`, and
        StorageFullError."""
        incoming = self._contents.begin()
        try:
            waiting: list[bytes] = []
            total = buffered = 0
            async for chunk in chunks:
                total += len(chunk)
                if total > most_bytes:
                    raise error
                waiting.append(chunk)
                buffered += len(chunk)
                if buffered >= WRITE_SIZE:
                    await self._workers.disk(incoming.write, *waiting)
                    waiting, buffered = [], 0
            await self._workers.disk(incoming.finish, *waiting)
            yield incoming.path
        finally:
            await self._workers.disk(incoming.discard)

    @asynccontextmanager
    async def make(
        self,
        pieces: Callable[[], Iterator[bytes]],
        *,
        drawn: bool = False,
        go_on: Callable[[], None] = lambda: None,
    ) -> AsyncIterator[Path]:
        """A file of what `pieces` yields in a thread, as long as the context is open. Raises what that
        raises, what `go_on` raises between two turns, and StorageFullError.

        `drawn`: each piece takes time and memory of its own, so it is made where pictures are decoded.
        """
        run = self._workers.decode if drawn else self._workers.disk
        per_turn = 1 if drawn else PIECES_PER_TURN
        incoming = self._contents.begin()
        rest = pieces()

        def write_some() -> bool:
            """Whether there is more. In turns, so that a long file keeps no thread from others."""
            some = list(islice(rest, per_turn))
            incoming.write(*some)
            return len(some) == per_turn

        try:
            while await run(write_some):
                go_on()
            await self._workers.disk(incoming.finish)
            yield incoming.path
        finally:
            await self._workers.disk(incoming.discard)
