"""Thread pools for disk and image work, which keep ComfyUI's loop and its shared pool free, and limits on the
number of concurrent uploads."""

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
# Each upload in progress takes a file descriptor and about 2 MB; each waiting one takes a socket buffer.
UPLOADS_AT_ONCE = 32
UPLOADS_WAITING = 256
# A large JSON body is in memory as a whole, briefly twice: up to 280 MB with two pictures of 50 MB.
LARGE_BODIES_AT_ONCE = 2
LARGE_BODIES_WAITING = 32
RETRY_SECONDS = 5


class Slots:
    """Admits `at_once` tasks, lets `waiting` more wait in order of arrival, and refuses the rest."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._most = waiting
        self.waiting = 0
        self.taken = 0

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Hold a slot. Raises BusyError immediately if too many tasks are waiting."""
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
    """Three thread pools. `disk` is for short file work. `check` is for validation that needs little memory,
    such as of a PNG, whose pixels are not kept. `decode` has one thread, because a decoded picture can take
    64 MB: eight uploads that decoded in parallel grew ComfyUI by 352 MB, one after another by 73 MB.

    `uploads` and `large_bodies` are the slots for requests with a file or a large JSON body.
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
    """Run a job in a pool. If the caller is cancelled, a job that has started still finishes.

    Not a shielded `run_in_executor`: that takes six iterations of the loop per call, and an upload makes as
    many calls.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Result] = loop.create_future()

    def work() -> None:
        try:
            report = partial(_succeed, outcome, job())
        except BaseException as error:  # noqa: BLE001 - every error is passed on to the caller
            report = partial(_fail, outcome, error)
        loop.call_soon_threadsafe(report)

    pool.submit(work)
    return await outcome


def _succeed(outcome: asyncio.Future[Result], result: Result) -> None:
    if not outcome.done():
        outcome.set_result(result)


def _fail(outcome: asyncio.Future[Result], error: BaseException) -> None:
    if not outcome.done():
        outcome.set_exception(error)


async def run_uncancellable(work: Coroutine[Any, Any, Result]) -> Result:
    """Finish `work` even if the caller is cancelled; the cancellation is raised at the caller's next await.
    For work that must be followed immediately by code without an await."""
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
    """Finish `work` even if the caller is cancelled, and raise the cancellation afterwards. For work that
    must not stop between disk and database."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
