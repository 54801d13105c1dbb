"""Accepted means committed, and a restart goes on with it, each once."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fake_host import FakeHost
from pictures import picture
from queueing import KNIGHT, begin, count_generations, fail, in_queue, submit
from services import Product, product

from avatarforge.db import files as file_queries
from avatarforge.db import generations as queries
from avatarforge.forge.errors import (
    BusyError,
)
from avatarforge.forge.generations.failures import GAVE_UP, NOT_RESUMED
from avatarforge.forge.ports import CheckedPrompt, Prompt, PromptEvent
from avatarforge.forge.settings import Settings


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        yield opened


# Restarts


async def test_only_the_one_that_ran_is_given_up_after_three_starts(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        killer, waiting = await submit(forge), await submit(forge)
        await begin(forge, killer)
    for _ in range(2):
        async with product(tmp_path, FakeHost(tmp_path)) as forge:
            await in_queue(forge, 2)
            assert forge.host.submitted == [killer.prompt_id, waiting.prompt_id]
            # It takes ComfyUI down before any event of it is told.
            await begin(forge, killer)
    async with product(tmp_path, FakeHost(tmp_path)) as forge:
        assert (await forge.until(killer.id, "failed")).error == GAVE_UP
        await in_queue(forge, 1)
        assert forge.host.submitted == [waiting.prompt_id]
        forge.host.succeed(waiting.prompt_id)
        await forge.until(waiting.id, "completed")


async def test_five_restarts_give_up_nothing_that_never_ran(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        records = [await submit(forge) for _ in range(3)]
    for _ in range(5):
        async with product(tmp_path, FakeHost(tmp_path)) as forge:
            await in_queue(forge, 3)
            assert forge.host.submitted == [record.prompt_id for record in records]


async def test_a_start_is_counted_once_however_often_it_is_told(forge: Product) -> None:
    record = await submit(forge)
    for _ in range(4):  # a sheet has four save nodes
        await begin(forge, record)
    forge.host.start(record.prompt_id)
    running = await forge.until(record.id, "processing")
    forge.host.save(record.prompt_id)
    forge.host.end(PromptEvent("succeeded", record.prompt_id))
    assert (await forge.until(record.id, "completed")).attempts == running.attempts == 1


async def test_a_start_that_only_an_event_tells_is_counted_too(forge: Product) -> None:
    record = await submit(forge)
    forge.host.start(record.prompt_id)
    assert (await forge.until(record.id, "processing")).attempts == 1


async def test_a_verdict_that_was_lost_is_given_without_running_again(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        record = await submit(forge, "all_poses")
        forge.host.start(record.prompt_id)
        forge.host.save(record.prompt_id)
        while len((saved := await forge.generations.get(record.id)).outputs) < 4:
            pass
    async with product(tmp_path, FakeHost(tmp_path)) as forge:
        done = await forge.until(record.id, "completed")
        assert done.outputs == saved.outputs
        assert forge.host.submitted == []


async def test_a_picture_that_is_not_as_it_was_told_runs_again(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        record = await submit(forge)
        forge.host.start(record.prompt_id)
        forge.host.save(record.prompt_id)
        while not (await forge.generations.get(record.id)).outputs:
            pass
        (forge.host.output_folder / record.id / "avatarforge_00001.png").write_bytes(picture(99))
    async with product(tmp_path, FakeHost(tmp_path)) as forge:
        await in_queue(forge, 1)
        forge.host.succeed(record.prompt_id)
        assert len((await forge.until(record.id, "completed")).outputs) == 1


async def test_a_request_after_a_restart_stands_behind_what_was_there(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        old = [await submit(forge) for _ in range(3)]
    host = FakeHost(tmp_path)
    gate, check = asyncio.Event(), host.check

    async def slowly(prompt_id: str, prompt: Prompt) -> CheckedPrompt:
        if prompt_id == old[1].prompt_id:
            await gate.wait()
        return await check(prompt_id, prompt)

    host.check = slowly  # type: ignore[method-assign]
    async with product(tmp_path, host) as forge:
        await in_queue(forge, 1)
        late = asyncio.create_task(submit(forge))
        for _ in range(20):  # the request waits for its turn: what is resumed now holds it
            await count_generations(forge)
        gate.set()
        new = await late
        await in_queue(forge, 4)
        assert host.submitted == [record.prompt_id for record in [*old, new]]


@pytest.mark.parametrize("moment", ["before", "meanwhile"])
@pytest.mark.parametrize("deed", ["cancel", "delete", "retry"])
async def test_what_is_stopped_while_it_is_resumed_enters_no_queue_twice(
    tmp_path: Path, deed: str, moment: str
) -> None:
    async with product(tmp_path) as forge:
        first, second = await submit(forge), await submit(forge)
    host = FakeHost(tmp_path)
    held, gate, check = asyncio.Event(), asyncio.Event(), host.check

    async def slowly(prompt_id: str, prompt: Prompt) -> CheckedPrompt:
        if prompt_id == (first if moment == "before" else second).prompt_id:
            held.set()
            await gate.wait()
        return await check(prompt_id, prompt)

    host.check = slowly  # type: ignore[method-assign]
    async with product(tmp_path, host) as forge:
        await held.wait()

        async def stop() -> None:
            if deed == "delete":
                await forge.generations.delete(second.id, keep_outputs=False)
                return
            assert (await forge.generations.cancel(second.id)).status == "failed"
            if deed == "retry":
                await forge.generations.retry(second.id)

        stopping = asyncio.create_task(stop())
        for _ in range(20):  # as far as it comes while the resume is held
            await count_generations(forge)
        gate.set()
        await stopping
        while first.prompt_id not in host.submitted:
            await count_generations(forge)
        host.succeed(first.prompt_id)
        await forge.until(first.id, "completed")
        wanted = [(await forge.generations.get(second.id)).prompt_id] if deed == "retry" else []
        while host.queued != wanted:
            await count_generations(forge)
        assert len(set(host.submitted)) == len(host.submitted)


async def test_one_that_cannot_be_resumed_holds_up_nobody(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        bad, good = await submit(forge), await submit(forge)

        def spoil(connection: object) -> None:
            queries.update_row(connection, bad.id, queries.ACTIVE, prompt="no JSON")  # type: ignore[arg-type]

        await forge.database.write(spoil)
    async with product(tmp_path, FakeHost(tmp_path)) as forge:
        await in_queue(forge, 1)
        assert forge.host.submitted == [good.prompt_id]
        assert (await forge.until(bad.id, "failed")).error == NOT_RESUMED


# Accepted means committed


async def test_a_queue_that_refuses_leaves_nothing(forge: Product) -> None:
    def refuse(checked: CheckedPrompt) -> None:
        raise RuntimeError("heap")

    forge.host.enqueue = refuse  # type: ignore[method-assign]
    request = replace(KNIGHT, reference_image=base64.b64encode(picture()).decode())
    with pytest.raises(RuntimeError):
        await forge.generations.submit(request, "avatar", None)
    assert await count_generations(forge) == 0
    assert await forge.database.read(file_queries.totals) == (0, 0)


async def test_a_queue_that_refuses_a_retry_leaves_it_as_it_was(forge: Product) -> None:
    failed = await fail(forge, await submit(forge))

    def refuse(checked: CheckedPrompt) -> None:
        raise RuntimeError("heap")

    forge.host.enqueue = refuse  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await forge.generations.retry(failed.id)
    assert await forge.generations.get(failed.id) == failed


async def test_a_client_that_goes_away_leaves_no_generation_that_nobody_runs(forge: Product) -> None:
    committing, written = asyncio.Event(), forge.database.write

    async def write(query: Callable[..., object]) -> object:
        committing.set()
        return await written(query)

    forge.database.write = write  # type: ignore[method-assign, assignment]
    going = asyncio.create_task(submit(forge))
    await committing.wait()
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    await in_queue(forge, 1)
    (record,) = (await forge.generations.page(status="queued", limit=9, offset=0, cursor=None)).records
    assert forge.host.queued == [record.prompt_id]


async def test_the_row_is_committed_before_the_prompt_enters_the_queue(forge: Product) -> None:
    found, enqueue = [], forge.host.enqueue

    def look(checked: CheckedPrompt) -> None:
        found.append(
            forge.database.read_here(
                lambda connection: queries.status_of_prompt(connection, checked.prompt_id)
            )
        )
        enqueue(checked)

    forge.host.enqueue = look  # type: ignore[method-assign]
    await submit(forge)
    assert found == ["queued"]


async def test_requests_beyond_the_limit_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    async with product(tmp_path, settings=Settings(max_active_generations=3)) as forge:
        failed = await fail(forge, await submit(forge))
        done = await submit(forge)
        forge.host.succeed(done.prompt_id)
        await forge.until(done.id, "completed")
        request = replace(KNIGHT, reference_image=base64.b64encode(picture()).decode())
        racing = [forge.generations.submit(request, "avatar", None) for _ in range(9)]
        answers = await asyncio.gather(*racing, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, BusyError)]
        assert len(refused) == 6
        assert "3 generations are queued or processing" in str(refused[0])
        assert len(forge.host.queued) == 3
        assert await count_generations(forge) == 5
        assert not list((tmp_path / "storage" / "incoming").iterdir())
        for again in (forge.generations.retry(failed.id), forge.generations.reroll(done.id, "front", None)):
            with pytest.raises(BusyError):
                await again
        assert (await forge.generations.get(failed.id)).status == "failed"
        assert (await forge.generations.get(done.id)).status == "completed"
        forge.host.succeed(forge.host.queued[0])
        while (await forge.database.read(queries.count_active)) > 2:
            pass
        assert (await forge.generations.retry(failed.id)).status == "queued"


async def test_the_limit_is_kept_by_racing_retries(tmp_path: Path) -> None:
    """The look before the work sees room for all of them; the one in the transaction counts."""
    async with product(tmp_path, settings=Settings(max_active_generations=2)) as forge:
        failed = [await fail(forge, await submit(forge)) for _ in range(6)]
        answers = await asyncio.gather(
            *[forge.generations.retry(record.id) for record in failed], return_exceptions=True
        )
        assert (
            sorted(type(answer).__name__ for answer in answers)
            == ["BusyError"] * 4 + ["GenerationRecord"] * 2
        )
        assert len(forge.host.queued) == 2
