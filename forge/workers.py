"""Threads of our own for disk and pictures, so that ComfyUI's loop and its shared pool stay free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

DISK_THREADS = 4


class Workers:
    """Two pools. `disk` for short file work; `decode` has one thread, because a decoded picture can
    take 64 MB: eight uploads decoding side by side grew ComfyUI by 352 MB, one after another by 73.
    """

    def __init__(self) -> None:
        self._disk = ThreadPoolExecutor(DISK_THREADS, "avatarforge-disk")
        self._decode = ThreadPoolExecutor(1, "avatarforge-decode")

    async def disk(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        return await _run(self._disk, partial(function, *args, **kwargs))

    async def decode(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        return await _run(self._decode, partial(function, *args, **kwargs))

    def close(self) -> None:
        self._disk.shutdown()
        self._decode.shutdown()


async def _run(pool: ThreadPoolExecutor, job: Callable[[], Result]) -> Result:
    # Shielded: when the caller goes away, what was started still finishes, and the clean-up that
    # follows finds a settled state.
    return await asyncio.shield(asyncio.get_running_loop().run_in_executor(pool, job))


async def to_the_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Have it finish also when the caller is cancelled, who hears of that only then: for what must not stop
    between the disk and the database."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
