"""Waiting with a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def wait_at_most(work: Coroutine[Any, Any, T], seconds: float | None) -> T:
    """The result of `work`. Cancels it and raises asyncio.TimeoutError after `seconds` (None: no limit).

    Unlike `asyncio.wait_for` before Python 3.12, it does not lose a cancellation that comes in the moment in
    which `work` ends (https://github.com/python/cpython/issues/86296): a loop around it would never stop.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            raise asyncio.TimeoutError
        return task.result()
    finally:
        task.cancel()
