"""How generations end: failed, removed, cancelled, or after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fake_host import FakeHost
from services import Product, product

from avatarforge.forge.generations.failures import CANCELLED, INTERRUPTED, REMOVED
from avatarforge.forge.ports import PromptEvent
from avatarforge.forge.spec.request import AvatarRequest

KNIGHT = AvatarRequest(prompt="a knight")


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        yield opened


async def test_a_failed_prompt_gives_the_nodes_words(forge: Product) -> None:
    record = await forge.generations.submit(KNIGHT, "avatar", None)
    forge.host.start(record.prompt_id)
    forge.host.end(PromptEvent("failed", record.prompt_id, "KSampler (node 5): out of cheese"))
    failed = await forge.until(record.id, "failed")
    assert failed.error == "KSampler (node 5): out of cheese"
    assert failed.completed_at is not None
    assert failed.outputs == ()


async def test_success_without_the_pictures_is_a_failure(forge: Product) -> None:
    record = await forge.generations.submit(KNIGHT, "avatar", None)
    forge.host.start(record.prompt_id)
    forge.host.end(PromptEvent("succeeded", record.prompt_id))
    failed = await forge.until(record.id, "failed")
    assert "avatarforge_00001.png cannot be read" in str(failed.error)


async def test_what_is_removed_or_interrupted_in_comfyui_ends_as_failed(forge: Product) -> None:
    waiting = await forge.generations.submit(KNIGHT, "avatar", None)
    running = await forge.generations.submit(KNIGHT, "avatar", None)
    forge.host.start(running.prompt_id)
    forge.host.drop(waiting.prompt_id)
    assert (await forge.until(waiting.id, "failed")).error == REMOVED
    forge.host.end(PromptEvent("interrupted", running.prompt_id))
    assert (await forge.until(running.id, "failed")).error == INTERRUPTED


async def test_an_end_that_no_event_told_is_found_in_the_history(forge: Product) -> None:
    record = await forge.generations.submit(KNIGHT, "avatar", None)
    forge.host.start(record.prompt_id)
    forge.host.save(record.prompt_id)
    forge.host.end(PromptEvent("succeeded", record.prompt_id), silently=True)
    forge.host.tell(PromptEvent("queue_changed"))
    await forge.until(record.id, "completed")


async def test_cancel_says_that_it_was_asked_for(forge: Product) -> None:
    waiting = await forge.generations.submit(KNIGHT, "avatar", None)
    running = await forge.generations.submit(KNIGHT, "avatar", None)
    forge.host.start(running.prompt_id)
    for record in (waiting, running):
        cancelled = await forge.generations.cancel(record.id)
        assert (cancelled.status, cancelled.error) == ("failed", CANCELLED)
        assert cancelled.completed_at is not None
    assert not forge.host.queued


async def test_a_restart_goes_on_with_what_was_queued_or_running(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        first = await forge.generations.submit(replace(KNIGHT, seed=9), "avatar", None)
        second = await forge.generations.submit(KNIGHT, "avatar", None)
        forge.host.start(first.prompt_id)
        await forge.until(first.id, "processing")
        prompt = forge.host.prompts[first.prompt_id]
    host = FakeHost(tmp_path)
    async with product(tmp_path, host) as forge:
        resumed = await forge.until(first.id, "queued")
        assert resumed.started_at is None
        await forge.until(second.id, "queued")
        while len(host.submitted) < 2:
            await forge.generations.get(second.id)
        assert host.submitted == [first.prompt_id, second.prompt_id]
        assert host.prompts[first.prompt_id] == prompt
        host.succeed(first.prompt_id)
        assert len((await forge.until(first.id, "completed")).outputs) == 1


async def test_what_can_no_longer_run_after_a_restart_fails_with_the_reason(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        record = await forge.generations.submit(KNIGHT, "avatar", None)
    host = FakeHost(tmp_path)
    host.refusal = "the checkpoint is gone"
    async with product(tmp_path, host) as forge:
        failed = await forge.until(record.id, "failed")
        assert "could not be resumed" in str(failed.error)
        assert "the checkpoint is gone" in str(failed.error)
