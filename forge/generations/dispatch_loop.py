"""A task that hands waiting work to ComfyUI whenever there may be room for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from .resume import RETRY_SECONDS

log = logging.getLogger("avatarforge")


class DispatchLoop:
    """Runs for as long as ComfyUI. `fill` hands out what it can, and returns whether nothing waits any more;
    otherwise it is called again soon. `what` names the work in the log."""

    def __init__(self, fill: Callable[[], Awaitable[bool]], what: str) -> None:
        self._fill = fill
        self._what = what
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something may wait now, or there may be room."""
        self._woken.set()

    async def run(self) -> None:
        """Hand out work while there is room, until cancelled."""
        while True:
            self._woken.clear()
            try:
                none_waits = await self._fill()
            except Exception:  # a database that is locked for a while must not end all work
                log.exception("AvatarForge: %s could not start; trying again soon", self._what)
                none_waits = False
            await self._wait(None if none_waits else RETRY_SECONDS)

    async def _wait(self, seconds: float | None) -> None:
        """Wait until woken. An event tells that there is room again; the time limit is for what no event
        tells, such as a worker thread that runs again."""
        # Not `asyncio.wait_for`: before Python 3.12 it loses a cancellation that comes with the wake-up.
        timer = asyncio.get_running_loop().call_later(seconds, self.wake) if seconds is not None else None
        try:
            await self._woken.wait()
        finally:
            if timer is not None:
                timer.cancel()
