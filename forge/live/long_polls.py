"""Requests that wait until a generation ends, limited in number."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ...db import generations as queries
from ...db.records import GenerationRecord
from ..errors import BusyError

MOST = 2000


class LongPolls:
    """All waiting requests, at most `most`."""

    def __init__(self, most: int = MOST) -> None:
        self.count = 0
        self._most = most
        self._futures: dict[str, set[asyncio.Future[None]]] = {}

    async def wait_ended(
        self, generation_id: str, seconds: float, get: Callable[[], Awaitable[GenerationRecord]]
    ) -> GenerationRecord:
        """What `get` returns once the generation has ended, or after `seconds`. Raises BusyError and what
        `get` raises."""
        if self.count >= self._most:
            raise BusyError(f"{self._most} requests wait already, which is the limit. Ask without wait.")
        # Register before reading, so that an end right after the read is not missed.
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        others = self._futures.setdefault(generation_id, set())
        others.add(future)
        self.count += 1
        try:
            record = await get()
            if record.status not in queries.ACTIVE:
                return record
            await asyncio.wait({future}, timeout=seconds)
            return await get()
        finally:
            self.count -= 1
            others.discard(future)
            if not others and self._futures.get(generation_id) is others:
                del self._futures[generation_id]

    def wake(self, generation_id: str) -> None:
        """Answer the requests that wait for this generation."""
        for future in self._futures.pop(generation_id, ()):
            if not future.done():
                future.set_result(None)
