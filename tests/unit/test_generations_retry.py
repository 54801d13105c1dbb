"""Cancel and retry."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pictures import picture
from queueing import KNIGHT, count_generations, fail, outputs, submit
from services import Product, product

from avatarforge.forge.errors import (
    ConflictError,
    NotFoundError,
    PromptRefusedError,
    UnavailableError,
)
from avatarforge.forge.generations.failures import CANCELLED
from avatarforge.forge.ports import PromptEvent


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        yield opened


# Cancel


async def test_cancel_refuses_what_has_ended(forge: Product) -> None:
    record = await submit(forge)
    forge.host.succeed(record.prompt_id)
    await forge.until(record.id, "completed")
    with pytest.raises(ConflictError, match="this one is completed"):
        await forge.generations.cancel(record.id)
    with pytest.raises(NotFoundError):
        await forge.generations.cancel("nope")


async def test_cancel_of_a_running_one_answers_how_it_ended(forge: Product) -> None:
    record = await submit(forge)
    forge.host.start(record.prompt_id)
    await forge.until(record.id, "processing")

    def too_late(prompt_id: str) -> None:
        forge.host.save(prompt_id)
        forge.host.end(PromptEvent("succeeded", prompt_id))

    forge.host.cancel = too_late  # type: ignore[method-assign]
    assert (await forge.generations.cancel(record.id)).status == "completed"


async def test_an_interruption_that_comfyui_forgot_is_asked_for_again(forge: Product) -> None:
    """ComfyUI resets the flag when it starts a prompt: one that is set just before that is lost."""
    record = await submit(forge)
    requested: list[str] = []
    forge.host.queued.remove(record.prompt_id)
    forge.host.running.add(record.prompt_id)
    interrupt = forge.host.cancel

    def forgetful(prompt_id: str) -> None:
        requested.append(prompt_id)
        if len(requested) > 1:
            interrupt(prompt_id)

    forge.host.cancel = forgetful  # type: ignore[method-assign]
    cancelling = asyncio.create_task(forge.generations.cancel(record.id))
    while not requested:
        await count_generations(forge)
    forge.host.tell(PromptEvent("started", record.prompt_id))
    assert (await cancelling).error == CANCELLED
    assert len(requested) == 2


async def test_cancel_of_a_reroll_keeps_the_old_picture(forge: Product) -> None:
    record = await submit(forge, "all_poses")
    forge.host.succeed(record.prompt_id)
    done = await forge.until(record.id, "completed")
    again = await forge.generations.reroll(record.id, "back", 3)
    forge.host.start(again.prompt_id)
    cancelled = await forge.generations.cancel(record.id)
    assert (cancelled.status, cancelled.outputs) == ("completed", done.outputs)
    assert json.loads(cancelled.receipt_json)["warnings"] == [f"The re-roll of back failed: {CANCELLED}"]


async def test_a_reroll_whose_picture_is_there_is_done_whatever_came_after(forge: Product) -> None:
    record = await submit(forge, "all_poses")
    forge.host.succeed(record.prompt_id)
    done = await forge.until(record.id, "completed")
    again = await forge.generations.reroll(record.id, "back", 3)
    forge.host.start(again.prompt_id)
    forge.host.save(again.prompt_id)
    forge.host.end(PromptEvent("interrupted", again.prompt_id))
    after = await forge.until(record.id, "completed")
    assert after.outputs[1] != done.outputs[1]
    assert after.outputs[1] == replace(outputs(forge).measure(record.id, 1, "back", 2), takes=2)
    assert json.loads(after.spec_json)["reseeded"] == {"back": 3}


# Retry


async def test_retry_runs_the_same_graph_under_the_same_id(forge: Product) -> None:
    first = await submit(forge, "all_poses")
    forge.host.start(first.prompt_id)
    forge.host.save(first.prompt_id)
    forge.host.end(PromptEvent("failed", first.prompt_id, "no"))
    failed = await forge.until(first.id, "failed")
    assert len(failed.outputs) == 4
    again = await forge.generations.retry(first.id)
    assert (again.id, again.spec_json, again.status, again.error) == (
        first.id,
        first.spec_json,
        "queued",
        None,
    )
    assert (again.outputs, again.attempts, again.started_at, again.completed_at) == ((), 0, None, None)
    assert again.prompt_id != first.prompt_id
    assert forge.host.prompts[again.prompt_id] == forge.host.prompts[first.prompt_id]
    forge.host.succeed(again.prompt_id)
    assert len((await forge.until(first.id, "completed")).outputs) == 4


async def test_the_receipt_of_a_retry_names_its_prompt(forge: Product) -> None:
    request = replace(KNIGHT, reference_image=base64.b64encode(picture()).decode())
    first = await forge.generations.submit(request, "avatar", None)
    await fail(forge, first)
    again = await forge.generations.retry(first.id)
    assert {line["prompt_id"] for line in json.loads(again.receipt_json)["inputs"]} == {again.prompt_id}


async def test_of_two_retries_one_wins(forge: Product) -> None:
    failed = await fail(forge, await submit(forge))
    answers = await asyncio.gather(
        forge.generations.retry(failed.id), forge.generations.retry(failed.id), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["ConflictError", "GenerationRecord"]
    assert {answer.code for answer in answers if isinstance(answer, ConflictError)} == {"conflict"}
    assert len(forge.host.queued) == 1


async def test_retry_says_why_it_cannot(forge: Product) -> None:
    file_id = (await forge.files.receive_base64(base64.b64encode(picture()).decode(), "a.png")).file.id
    record = await forge.generations.submit(replace(KNIGHT, reference_file_id=file_id), "avatar", None)
    with pytest.raises(ConflictError, match="this one is queued"):
        await forge.generations.retry(record.id)
    failed = await fail(forge, record)
    forge.host.refusal = "KSampler says no"
    with pytest.raises(PromptRefusedError, match="KSampler says no"):
        await forge.generations.retry(record.id)
    installed = forge.host.installed
    forge.host.installed = replace(installed, checkpoints=())
    with pytest.raises(UnavailableError, match="models/checkpoints"):
        await forge.generations.retry(record.id)
    forge.host.installed = installed
    await forge.files.delete(file_id, force=True)
    with pytest.raises(ConflictError, match=file_id):
        await forge.generations.retry(record.id)
    assert await forge.generations.get(record.id) == failed
