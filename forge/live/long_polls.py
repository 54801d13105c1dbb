"""Requests that wait for the end of a generation: bounded in number, woken by the end itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ...db import generations as queries
from ...db.records import GenerationRecord
from ..errors import BusyError

MOST = 2000


class LongPolls:
    def __init__(self, most: int = MOST) -> None:
        self.count = 0
        self._most = most
        self._futures: dict[str, set[asyncio.Future[None]]] = {}

    async def wait_ended(
        self, generation_id: str, seconds: float, look: Callable[[], Awaitable[GenerationRecord]]
    ) -> GenerationRecord:
        """What `look` gives once the generation has ended, or after so many seconds.
        Raises BusyError and what `look` raises."""
        if self.count >= self._most:
            raise BusyError(f"{self._most} requests wait already, which is the limit. Ask without wait.")
        # Before the look, so that an end right after it is not missed.
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        others = self._futures.setdefault(generation_id, set())
        others.add(future)
        self.count += 1
        try:
            record = await look()
            if record.status not in queries.ACTIVE:
                return record
            await asyncio.wait({future}, timeout=seconds)
            return await look()
        finally:
            self.count -= 1
            others.discard(future)
            if not others and self._futures.get(generation_id) is others:
                del self._futures[generation_id]

    def wake(self, generation_id: str) -> None:
        for future in self._futures.pop(generation_id, ()):
            if not future.done():
                future.set_result(None)
