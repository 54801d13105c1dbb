"""Requests that wait until a generation or a batch ends, limited in number."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from ..errors import BusyError

MOST = 2000


class _HasEnd(Protocol):
    @property
    def is_at_rest(self) -> bool: ...


Ending = TypeVar("Ending", bound=_HasEnd)


class LongPolls:
    """All waiting requests, at most `most`."""

    def __init__(self, most: int = MOST) -> None:
        self.count = 0
        self._most = most
        self._futures: dict[str, set[asyncio.Future[None]]] = {}

    async def wait_ended(self, topic: str, seconds: float, get: Callable[[], Awaitable[Ending]]) -> Ending:
        """What `get` returns once the generation or batch with the id `topic` has ended and no re-roll of it
        waits, or after `seconds`. Raises BusyError and what `get` raises."""
        if self.count >= self._most:
            raise BusyError(f"{self._most} requests wait already, which is the limit. Ask without wait.")
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        self.count += 1
        try:
            while not await self._is_at_rest(topic, deadline - loop.time(), get):
                pass
            return await get()
        finally:
            self.count -= 1

    async def _is_at_rest(self, topic: str, seconds: float, get: Callable[[], Awaitable[Ending]]) -> bool:
        """Whether it is at rest, or the time is over. Otherwise an end has come, and more may follow."""
        # Register before reading, so that an end right after the read is not missed.
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        others = self._futures.setdefault(topic, set())
        others.add(future)
        try:
            if (await get()).is_at_rest:
                return True
            return not (await asyncio.wait({future}, timeout=max(0.0, seconds)))[0]
        finally:
            others.discard(future)
            if not others and self._futures.get(topic) is others:
                del self._futures[topic]

    def wake(self, topic: str) -> None:
        """Answer the requests that wait for this generation or batch."""
        for future in self._futures.pop(topic, ()):
            if not future.done():
                future.set_result(None)
