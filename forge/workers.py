"""Threads of our own for disk and pictures, so that ComfyUI's loop and its shared pool stay free; and how
many requests may bring in bytes at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, ParamSpec, TypeVar

from .errors import BusyError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

DISK_THREADS = 4
CHECK_THREADS = 2
# Each upload that is being received holds a descriptor and some 2 MB; each that waits, a socket's buffer.
UPLOADS_AT_ONCE = 32
UPLOADS_WAITING = 256
# A large JSON body lies in memory as a whole, twice for a moment: up to 280 MB with two pictures of 50 MB.
LARGE_BODIES_AT_ONCE = 2
LARGE_BODIES_WAITING = 32
RETRY_SECONDS = 5


class Slots:
    """Lets `at_once` in, makes `waiting` more wait in the order in which they came, and refuses the rest."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._most = waiting
        self.waiting = 0
        self.taken = 0

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Hold a slot. Raises BusyError at once when too many wait already."""
        if self._free.locked() and self.waiting >= self._most:
            raise BusyError("Too many uploads are on their way at once. Send it again later.", RETRY_SECONDS)
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
            self._free.release()


class Workers:
    """Three pools. `disk` for short file work; `check` for looking into what needs little memory, such as a
    PNG, which is inflated without being kept; `decode` has one thread, because a decoded picture can take 64
    MB: eight uploads decoding side by side grew ComfyUI by 352 MB, one after another by 73.

    `uploads` and `large_bodies` are the slots of requests that bring in a file or a large JSON body.
    """

    def __init__(self) -> None:
        self._disk = ThreadPoolExecutor(DISK_THREADS, "avatarforge-disk")
        self._check = ThreadPoolExecutor(CHECK_THREADS, "avatarforge-check")
        self._decode = ThreadPoolExecutor(1, "avatarforge-decode")
        self.uploads = Slots(UPLOADS_AT_ONCE, UPLOADS_WAITING)
        self.large_bodies = Slots(LARGE_BODIES_AT_ONCE, LARGE_BODIES_WAITING)

    async def disk(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        return await _run(self._disk, partial(function, *args, **kwargs))

    async def check(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        return await _run(self._check, partial(function, *args, **kwargs))

    async def decode(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        return await _run(self._decode, partial(function, *args, **kwargs))

    def close(self) -> None:
        self._disk.shutdown()
        self._check.shutdown()
        self._decode.shutdown()


async def _run(pool: ThreadPoolExecutor, job: Callable[[], Result]) -> Result:
    """When the caller goes away, what was started still finishes, and the clean-up that follows finds a
    settled state.

    Not `run_in_executor` under a shield: that takes six turns of the loop for each visit to a thread, and an
    upload makes as many visits.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Result] = loop.create_future()

    def work() -> None:
        try:
            tell = partial(_succeed, outcome, job())
        except BaseException as error:  # noqa: BLE001 - whatever it is, the caller is the one to hear of it
            tell = partial(_fail, outcome, error)
        loop.call_soon_threadsafe(tell)

    pool.submit(work)
    return await outcome


def _succeed(outcome: asyncio.Future[Result], result: Result) -> None:
    if not outcome.done():
        outcome.set_result(result)


def _fail(outcome: asyncio.Future[Result], error: BaseException) -> None:
    if not outcome.done():
        outcome.set_exception(error)


async def run_uncancellable(work: Coroutine[Any, Any, Result]) -> Result:
    """Have it finish also when the caller is cancelled, who hears of that at its next wait: for what has to
    be followed at once by something that needs no wait."""
    task, cancelled = asyncio.ensure_future(work), False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    caller = asyncio.current_task()
    if cancelled and caller is not None:
        caller.cancel()
    return task.result()


async def finish_then_cancel(work: Coroutine[Any, Any, Result]) -> Result:
    """Have it finish also when the caller is cancelled, who hears of that only then: for what must not stop
    between the disk and the database."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
