"""What happens in ComfyUI is told, also in the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from queueing import KNIGHT, count_generations, fail, recorder, submit
from services import Product, product
from sqlalchemy import Connection

from avatarforge.db import generations as queries
from avatarforge.forge.errors import (
    NotFoundError,
    UnavailableError,
)
from avatarforge.forge.generations import tracker
from avatarforge.forge.generations.completion import RunFinisher
from avatarforge.forge.generations.failures import CANCELLED, REMOVED
from avatarforge.forge.ports import PromptEvent
from avatarforge.forge.settings import Settings
from avatarforge.forge.spec.views import SHEET_VIEWS

WORD = "xylophonist"


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        yield opened


# What happens in ComfyUI


async def test_an_end_is_known_also_when_the_history_was_cleared(forge: Product) -> None:
    record = await submit(forge)
    forge.host.start(record.prompt_id)
    forge.host.save(record.prompt_id)
    forge.host.end(PromptEvent("succeeded", record.prompt_id))
    forge.host.history.clear()
    forge.host.tell(PromptEvent("queue_changed"))
    await forge.until(record.id, "completed")


async def test_a_worker_that_is_gone_fails_what_runs_and_waits_and_refuses_new(
    forge: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = await fail(forge, await submit(forge))
    running, waiting = await submit(forge), await submit(forge)
    forge.host.start(running.prompt_id)
    await forge.until(running.id, "processing")
    forge.host.dead = "The worker thread ended."
    forge.host.tell(PromptEvent("queue_changed"))
    for record in (running, waiting):
        assert (await forge.until(record.id, "failed")).error == forge.host.dead
    assert forge.host.queued == []
    for refused in (submit(forge), forge.generations.retry(failed.id)):
        with pytest.raises(UnavailableError, match="worker thread ended"):
            await refused
    health = await forge.health.measure()
    assert (health.queue_fault, health.reasons) == (forge.host.dead, (forge.host.dead,))


async def test_one_look_on_the_timer_finds_what_no_event_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker, "RECONCILE_SECONDS", 0.01)
    async with product(tmp_path) as forge:
        record = await submit(forge)
        forge.host.queued.clear()
        assert (await forge.until(record.id, "failed")).error == REMOVED


async def test_one_event_that_cannot_be_handled_stops_no_other(
    forge: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await submit(forge), await submit(forge)
    complete = RunFinisher.complete

    async def broken(*_: object) -> None:
        monkeypatch.setattr(RunFinisher, "complete", complete)
        raise ValueError("a bug")

    monkeypatch.setattr(RunFinisher, "complete", broken)
    forge.host.succeed(first.prompt_id)
    forge.host.succeed(second.prompt_id)
    await forge.until(second.id, "completed")
    forge.host.history.clear()
    forge.host.tell(PromptEvent("queue_changed"))
    await forge.until(first.id, "completed")


async def test_a_deleted_generation_does_not_come_back_as_one_queued_by_hand(forge: Product) -> None:
    record = await submit(forge)
    forge.host.start(record.prompt_id)
    await forge.until(record.id, "processing")
    saving = recorder(forge)
    forge.host.cancel = lambda prompt_id: None  # type: ignore[method-assign]
    deleting = asyncio.create_task(forge.generations.delete(record.id, keep_outputs=False))
    while await count_generations(forge):
        pass
    with pytest.raises(NotFoundError, match="was deleted"):
        await asyncio.to_thread(saving.claim, record.id, record.prompt_id)
    forge.host.save(record.prompt_id)
    await asyncio.to_thread(saving.saved, record.id, record.prompt_id, "{}", 0)
    forge.host.end(PromptEvent("interrupted", record.prompt_id))
    await deleting
    assert await count_generations(forge) == 0
    assert not (forge.host.output_folder / record.id).exists()


async def test_a_delete_that_keeps_the_pictures_keeps_those_of_a_running_one(forge: Product) -> None:
    record = await submit(forge, "all_poses")
    forge.host.succeed(record.prompt_id)
    await forge.until(record.id, "completed")
    again = await forge.generations.reroll(record.id, "back", 3)
    forge.host.start(again.prompt_id)
    await forge.generations.delete(record.id, keep_outputs=True)
    assert len(list((forge.host.output_folder / record.id).iterdir())) == 4


# The log


async def test_the_log_tells_each_step_and_no_word_of_a_prompt(
    forge: Product, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "avatarforge")
    request = replace(KNIGHT, prompt=WORD, clothing=WORD, style=WORD, negative_prompt=WORD)
    done = await forge.generations.submit(request, "all_poses", SHEET_VIEWS)
    forge.host.succeed(done.prompt_id)
    await forge.until(done.id, "completed")
    failed = await forge.generations.submit(request, "avatar", None)
    assert WORD in str((await fail(forge, failed, f"cannot read {WORD}")).error)
    cancelled = await forge.generations.submit(request, "avatar", None)
    await forge.generations.cancel(cancelled.id)
    lines = [record.getMessage() for record in caplog.records]
    for record, text in (
        (done, "accepted: all_poses, pictures: 4"),
        (done, "completed: all_poses, pictures: 4, waited 0.0 s, ran "),
        (failed, "failed: avatar, pictures: 1, waited 0.0 s, ran "),
        (cancelled, f"failed: avatar, pictures: 1, waited 0.0 s: {CANCELLED}"),
    ):
        (line,) = [line for line in lines if record.id in line and text in line]
        assert line.startswith("AvatarForge: ")
    assert any(line.endswith("KSampler (node 5): ValueError") for line in lines)
    assert WORD not in "\n".join(lines)


async def test_log_prompts_writes_the_words_on_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "avatarforge")
    async with product(tmp_path, settings=Settings(log_prompts=True)) as forge:
        words = f"{WORD}\nAvatarForge: forged\u2028line"
        await forge.generations.submit(replace(KNIGHT, prompt=words), "avatar", None)
    (line,) = [record.getMessage() for record in caplog.records if WORD in record.getMessage()]
    assert len(line.splitlines()) == 1


async def test_an_error_of_the_database_shows_no_value(forge: Product) -> None:
    record = await submit(forge)

    def twice(connection: Connection) -> None:
        queries.add(
            connection,
            queries.columns_of(record) | {"spec": WORD},
            WORD,
            {},
        )

    with pytest.raises(Exception, match="hide_parameters") as raised:
        await forge.database.write(twice)
    assert WORD not in str(raised.value)
