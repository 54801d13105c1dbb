"""Waiting with a limit returns, times out, and never loses a cancellation."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from avatarforge.forge.waiting import wait_at_most

ROOT = Path(__file__).resolve().parents[2]


async def test_the_result_and_the_error_of_the_work_come_through() -> None:
    async def fail() -> None:
        raise ValueError("broken")

    assert await wait_at_most(asyncio.sleep(0, "done"), None) == "done"
    with pytest.raises(ValueError, match="broken"):
        await wait_at_most(fail(), 60)


async def test_work_that_takes_too_long_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(asyncio.TimeoutError):
        await wait_at_most(work(), 0.01)
    await asyncio.wait_for(cancelled.wait(), 60)


async def test_work_ends_with_who_waits_for_it() -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    task = asyncio.create_task(wait_at_most(work(), None))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait_for(cancelled.wait(), 60)
    assert (await asyncio.gather(task, return_exceptions=True))[0].__class__ is asyncio.CancelledError


@pytest.mark.parametrize("turns", range(6))
async def test_a_loop_around_it_ends_when_cancelled_in_the_moment_of_the_event(turns: int) -> None:
    event = asyncio.Event()

    async def loop() -> None:
        while True:
            await wait_at_most(event.wait(), 600)
            event.clear()

    task = asyncio.create_task(loop())
    for _ in range(4):
        await asyncio.sleep(0)
    event.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=10)
    assert task.cancelled()


def test_nothing_in_the_pack_waits_otherwise() -> None:
    folders = ("forge", "host", "routes", "db", "avatarforge_nodes")
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert len(sources) > 100
    found = [path.name for path in sources if re.search(r"asyncio\.wait_for\(", path.read_text("utf-8"))]
    assert found == []
