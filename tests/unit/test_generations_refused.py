"""A prompt that ComfyUI's queue does not take: nothing is left of a new one, and no accepted one is lost."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_host import FakeHost
from pictures import picture
from queueing import KNIGHT, count_generations, fail, in_queue, submit
from services import Product, product

from avatarforge.db import files as file_queries
from avatarforge.db.records import GenerationRecord
from avatarforge.forge.errors import UnavailableError
from avatarforge.forge.generations import resume
from avatarforge.forge.generations.failures import NOT_RESUMED
from avatarforge.forge.generations.resume import MAX_REFUSALS
from avatarforge.forge.idempotency import Claim

REASON = "The queue is closed."
CLAIM = Claim("key", "hash")


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        yield opened


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "RETRY_SECONDS", 0.001)


def close(host: FakeHost, *prompt_ids: str) -> None:
    """Refuse these prompts, or all."""
    host.not_taken = lambda prompt_id: REASON if not prompt_ids or prompt_id in prompt_ids else None


def reopen(host: FakeHost) -> None:
    host.not_taken = lambda prompt_id: None


async def new(forge: Product) -> Callable[[], Awaitable[GenerationRecord]]:
    request = replace(KNIGHT, reference_image=base64.b64encode(picture()).decode())
    return lambda: forge.generations.submit(request, "avatar", None, CLAIM)


async def retried(forge: Product) -> Callable[[], Awaitable[GenerationRecord]]:
    record = await fail(forge, await submit(forge))
    return lambda: forge.generations.retry(record.id, CLAIM)


async def rerolled(forge: Product) -> Callable[[], Awaitable[GenerationRecord]]:
    record = await submit(forge, "all_poses")
    forge.host.succeed(record.prompt_id)
    await forge.until(record.id, "completed")
    return lambda: forge.generations.reroll(record.id, "back", 7, CLAIM)


async def state(forge: Product, folder: Path) -> dict[str, Any]:
    """Everything that a request could have left behind."""
    page = await forge.generations.page(status=None, limit=9, offset=0, cursor=None)
    return {
        "rows": page.records,
        "files": await forge.database.read(file_queries.totals),
        "claim": await forge.idempotency.answered_before(CLAIM),
        "disk": sorted(path.name for path in (folder / "storage").rglob("*") if path.is_file()),
        "queue": forge.host.queue_state(),
        "active": forge.tracker.active,
    }


@pytest.mark.parametrize("prepare", [new, retried, rerolled])
async def test_a_refused_prompt_leaves_nothing_and_can_be_sent_again(
    forge: Product, tmp_path: Path, prepare: Callable[[Product], Awaitable[Callable[[], Awaitable[Any]]]]
) -> None:
    send = await prepare(forge)
    before = await state(forge, tmp_path)
    close(forge.host)
    with pytest.raises(UnavailableError, match=REASON):
        await send()
    assert await state(forge, tmp_path) == before
    reopen(forge.host)
    record = await send()
    assert forge.host.queued == [record.prompt_id]
    forge.host.succeed(record.prompt_id)
    await forge.until(record.id, "completed")


@pytest.mark.usefixtures("no_pause")
async def test_what_a_restart_cannot_queue_yet_is_queued_later(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        records = [await submit(forge) for _ in range(3)]
    host, refused = FakeHost(tmp_path), []

    def not_yet(prompt_id: str) -> str | None:
        refused.append(prompt_id)
        return REASON if len(refused) <= 5 else None

    host.not_taken = not_yet
    async with product(tmp_path, host) as forge:
        await in_queue(forge, 3)
        assert sorted(host.submitted) == sorted(record.prompt_id for record in records)
        for prompt_id in list(host.queued):
            host.succeed(prompt_id)
        for record in records:
            await forge.until(record.id, "completed")


@pytest.mark.usefixtures("no_pause")
async def test_what_a_restart_can_never_queue_ends_with_the_reason_and_holds_up_nobody(
    tmp_path: Path,
) -> None:
    async with product(tmp_path) as forge:
        bad, *good = [await submit(forge) for _ in range(3)]
    host = FakeHost(tmp_path)
    close(host, bad.prompt_id)
    async with product(tmp_path, host) as forge:
        await in_queue(forge, 2)
        assert host.submitted == [record.prompt_id for record in good]
        ended = await forge.until(bad.id, "failed")
        assert ended.error == f"{NOT_RESUMED} {REASON}"
        reopen(host)
        assert (await forge.generations.retry(bad.id)).status == "queued"
        assert await count_generations(forge) == 3


@pytest.mark.usefixtures("no_pause")
async def test_what_waits_for_the_queue_to_take_it_can_be_cancelled(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        record = await submit(forge)
    host = FakeHost(tmp_path)
    cancelled: list[str] = []

    def refuse(prompt_id: str) -> str:
        cancelled.append(prompt_id)
        return REASON

    host.not_taken = refuse
    async with product(tmp_path, host) as forge:
        while not cancelled:
            await count_generations(forge)
        assert (await forge.generations.cancel(record.id)).status == "failed"
        while forge.tracker.active:
            await count_generations(forge)
        assert len(cancelled) < MAX_REFUSALS
        assert host.submitted == []
