"""Re-rolls that a killed ComfyUI, a cancel or a broken row interrupts: no picture is lost by them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from batching import submit_batch
from queueing import count_generations, outputs, submit
from services import Product, product

from avatarforge.db.engine import open_database
from avatarforge.db.records import GenerationRecord
from avatarforge.forge.generations.failures import NOT_RESUMED


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        yield opened


async def completed(forge: Product) -> GenerationRecord:
    record = await submit(forge, "all_poses")
    forge.host.succeed(record.prompt_id)
    return await forge.until(record.id, "completed")


async def at_rest(forge: Product, generation_id: str) -> GenerationRecord:
    while not (record := await forge.generations.get(generation_id)).is_at_rest:
        pass  # each read lets other tasks run; pytest's own timeout bounds this
    return record


async def queued(forge: Product) -> str:
    """The prompt that is next in ComfyUI's queue."""
    while not forge.host.queued:
        await count_generations(forge)  # each read lets other tasks run
    return forge.host.queued[0]


async def seeds(forge: Product, generation_id: str) -> list[tuple[int, int | None]]:
    """(number, seed) of each take of the back."""
    listed = await forge.takes.list(generation_id, "back")
    return [(take.picture.take, take.seed) for take in listed.takes]


def execute(folder: Path, statement: str, *parameters: str) -> None:
    """Write into the database of a product that is closed."""
    database = open_database("", folder)
    database.write_here(lambda connection: connection.exec_driver_sql(statement, parameters))
    database.close()


async def test_a_kill_between_the_file_and_its_row_makes_one_take(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        done = await completed(forge)
        again = await forge.generations.reroll(done.id, "back", 3)
        forge.host.start(again.prompt_id)
        await forge.until(done.id, "processing")
        forge.host.save(again.prompt_id)
    assert outputs(forge).file(done.id, 1, 2).exists()
    forge.host.running.clear()
    async with product(tmp_path, forge.host) as forge:
        assert await seeds(forge, done.id) == [(1, 5)]
        forge.host.succeed(await queued(forge))
        await at_rest(forge, done.id)
        assert await seeds(forge, done.id) == [(1, 5), (2, 3)]
        report = await forge.verifier.run(repair=False)
        assert (report.clean, report.outputs) == (True, 5)


async def test_a_reroll_that_cannot_be_resumed_leaves_a_complete_generation(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        done = await completed(forge)
        await forge.generations.reroll(done.id, "back", 3)
        await forge.generations.reroll(done.id, "back", 4)
    host = forge.host
    host.queued.clear()

    async def break_down(*_: object) -> object:
        raise RuntimeError("what nobody expected")

    check, host.check = host.check, break_down  # type: ignore[assignment,method-assign]
    async with product(tmp_path, host) as forge:
        after = await at_rest(forge, done.id)
        assert (after.status, after.error, after.reroll, after.outputs) == (
            "completed",
            None,
            None,
            done.outputs,
        )
        (warning,) = after.receipt.warnings
        assert (warning.code, NOT_RESUMED in warning.detail) == ("reroll_failed", True)
        host.check = check  # type: ignore[method-assign]
        again = await forge.generations.reroll(done.id, "back", 8)
        host.succeed(again.prompt_id)
        await at_rest(forge, done.id)
        assert await seeds(forge, done.id) == [(1, 5), (2, 8)]


async def test_the_retry_of_a_reroll_that_an_earlier_release_left_failed_loses_no_picture(
    tmp_path: Path,
) -> None:
    async with product(tmp_path) as forge:
        done = await completed(forge)
        first = await forge.generations.reroll(done.id, "side", 2)
        forge.host.succeed(first.prompt_id)
        await at_rest(forge, done.id)
        await forge.generations.reroll(done.id, "back", 3)
    forge.host.queued.clear()
    execute(tmp_path, "UPDATE generations SET status = 'failed', error = 'no'")
    async with product(tmp_path, forge.host) as forge:
        before = await forge.generations.get(done.id)
        retried = await forge.generations.retry(done.id)
        assert retried.outputs == before.outputs
        forge.host.succeed(retried.prompt_id)
        after = await at_rest(forge, done.id)
        assert (after.status, after.error) == ("completed", None)
        assert [output.take for output in after.outputs] == [1, 2, 2, 1]
        assert await seeds(forge, done.id) == [(1, 5), (2, 3)]
        prompts = {line.view: line.prompt_id for line in after.receipt.inputs if line.role == "view"}
        assert [prompts[str(output.view)] for output in after.outputs] == [
            done.prompt_id,
            retried.prompt_id,
            first.prompt_id,
            done.prompt_id,
        ]


async def test_a_row_that_cannot_be_read_does_not_stop_the_rerolls_of_others(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        broken, other = await completed(forge), await completed(forge)
    waiting = "UPDATE generations SET waiting_rerolls = ? WHERE id = ?"
    execute(tmp_path, waiting, "[[1,", broken.id)
    execute(tmp_path, waiting, "[[1, 7]]", other.id)
    async with product(tmp_path, forge.host) as forge:
        forge.host.succeed(await queued(forge))
        await at_rest(forge, other.id)
        assert await seeds(forge, other.id) == [(1, 5), (2, 7)]
        left = await at_rest(forge, broken.id)
        assert (left.status, left.outputs) == ("completed", broken.outputs)


async def test_a_deleted_generation_takes_its_waiting_rerolls_with_it(forge: Product) -> None:
    done, other = await completed(forge), await completed(forge)
    first = await forge.generations.reroll(done.id, "back", 3)
    for seed in (4, 5):
        await forge.generations.reroll(done.id, "back", seed)
    forge.host.start(first.prompt_id)
    await forge.until(done.id, "processing")
    await forge.generations.delete(done.id, keep_outputs=False)
    again = await forge.generations.reroll(other.id, "back", 9)
    forge.host.succeed(again.prompt_id)
    await at_rest(forge, other.id)
    assert forge.host.submitted == [done.prompt_id, other.prompt_id, first.prompt_id, again.prompt_id]
    assert not outputs(forge).folder_of(done.id).exists()


async def test_the_cancel_of_a_batch_reaches_an_item_whose_next_reroll_waits(tmp_path: Path) -> None:
    """Between two re-rolls the item is completed."""
    async with product(tmp_path) as forge:
        batch = await submit_batch(forge)
        for item in batch.items:
            while item.generation_id not in forge.host.queued:
                await forge.generations.get(item.generation_id)
            forge.host.succeed(item.generation_id)
            await forge.until(item.generation_id, "completed")
        forge.host.dead = "no worker"  # nothing can begin
        execute(tmp_path, "UPDATE generations SET waiting_rerolls = '[[0, 7]]'")
        await forge.batches.cancel(batch.id)
        for item in batch.items:
            assert (await forge.generations.get(item.generation_id)).is_at_rest
