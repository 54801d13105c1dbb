"""How often the database is written to, and what waits for what, from a request to its pictures."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from engines import writer_of
from fake_host import FakeHost
from pictures import picture
from queueing import KNIGHT, begin, count_generations, fail, outputs, submit
from services import Product, product
from sqlalchemy import event

from avatarforge.db import files as file_queries
from avatarforge.forge.errors import NotFoundError
from avatarforge.forge.generations import tracker
from avatarforge.forge.generations.outputs import OutputFolder
from avatarforge.forge.ports import CheckedPrompt, InstalledModels, Prompt, PromptEvent
from avatarforge.forge.workers import run_uncancellable

LOADER = "ControlNetLoader"


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        yield opened


@contextmanager
def commits(forge: Product) -> Iterator[list[str]]:
    """One entry for each transaction of the writer."""
    counted: list[str] = []

    def count(_: object) -> None:
        counted.append("commit")

    engine = writer_of(forge.database)
    event.listen(engine, "commit", count)
    yield counted
    event.remove(engine, "commit", count)


async def test_a_generation_takes_three_transactions(forge: Product) -> None:
    """It is accepted, started, and ended with its picture and its webhook."""
    with commits(forge) as counted:
        record = await submit(forge)
        assert len(counted) == 1
        forge.host.start(record.prompt_id)
        await begin(forge, record)
        await forge.until(record.id, "processing")
        assert len(counted) == 2
        forge.host.save(record.prompt_id)
        forge.host.end(PromptEvent("succeeded", record.prompt_id))
        done = await forge.until(record.id, "completed")
        assert len(done.outputs) == 1
        assert len(counted) == 3


async def test_a_start_is_written_once_although_the_worker_and_its_event_both_tell_it(
    forge: Product,
) -> None:
    record = await submit(forge)
    with commits(forge) as counted:
        starting = asyncio.gather(*[begin(forge, record) for _ in range(4)])
        forge.host.start(record.prompt_id)
        await starting
        assert (await forge.until(record.id, "processing")).attempts == 1
        assert len(counted) == 1


async def test_each_picture_of_a_sheet_appears_when_it_is_saved_and_the_last_with_the_end(
    forge: Product,
) -> None:
    record = await submit(forge, "all_poses")
    forge.host.start(record.prompt_id)
    await forge.until(record.id, "processing")
    tell = forge.host.tell
    waiting: list[PromptEvent] = []
    forge.host.tell = waiting.append  # type: ignore[method-assign, assignment]
    forge.host.save(record.prompt_id)
    with commits(forge) as counted:
        for shown, saved in enumerate(waiting[:3], start=1):
            tell(saved)
            while len((await forge.generations.get(record.id)).outputs) < shown:
                pass
        tell(waiting[3])
        forge.host.tell = tell  # type: ignore[method-assign]
        forge.host.end(PromptEvent("succeeded", record.prompt_id))
        assert len((await forge.until(record.id, "completed")).outputs) == 4
        assert len(counted) == 4
    # The row is committed a moment before its end is announced.
    while (kinds := [item.kind for item in forge.live.log.since(0, record.id)])[-1] != "completed":
        await count_generations(forge)
    assert kinds == ["queued", "started", "output", "output", "output", "output", "completed"]


async def test_a_last_picture_whose_end_does_not_come_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker, "LAST_PICTURE_SECONDS", 0.001)
    async with product(tmp_path) as forge:
        record = await submit(forge)
        forge.host.start(record.prompt_id)
        forge.host.save(record.prompt_id)
        while not (await forge.generations.get(record.id)).outputs:
            pass
        assert (await forge.generations.get(record.id)).status == "processing"


async def test_a_picture_is_measured_once(forge: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    measured, measure = [], OutputFolder.measure

    def count(*args: object, **more: object) -> object:
        measured.append(args)
        return measure(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(OutputFolder, "measure", count)
    record = await submit(forge, "all_poses")
    forge.host.succeed(record.prompt_id)
    await forge.until(record.id, "completed")
    assert len(measured) == 4


async def test_a_picture_that_changed_before_the_end_is_measured_again(
    forge: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker, "LAST_PICTURE_SECONDS", 0.001)
    record = await submit(forge)
    forge.host.start(record.prompt_id)
    forge.host.save(record.prompt_id)
    while not (await forge.generations.get(record.id)).outputs:  # it is measured, and written down
        pass
    other = picture(99)
    outputs(forge).file(record.id, 0).write_bytes(other)
    forge.host.end(PromptEvent("succeeded", record.prompt_id))
    done = await forge.until(record.id, "completed")
    assert done.outputs == (outputs(forge).measure(record.id, 0, "front"),)


async def test_nothing_waits_between_the_queue_and_the_answer(forge: Product) -> None:
    """ComfyUI's worker thread begins at once: each wait of ours would let it run first."""
    turns: list[str] = []
    enqueue = forge.host.enqueue

    def entered(checked: CheckedPrompt) -> None:
        enqueue(checked)
        asyncio.get_running_loop().call_soon(turns.append, "the loop went round")

    forge.host.enqueue = entered  # type: ignore[method-assign]
    await forge.generations.submit(KNIGHT, "avatar", None)
    assert turns == []


async def test_a_file_that_went_while_the_request_was_worked_on_is_named(forge: Product) -> None:
    received = await forge.files.receive_base64(
        base64.b64encode(picture(3)).decode(), "pose.png", pictures_only=False
    )
    check = forge.host.check

    async def slowly(prompt_id: str, prompt: Prompt) -> CheckedPrompt:
        await forge.files.delete(received.file.id, force=True)
        return await check(prompt_id, prompt)

    forge.host.check = slowly  # type: ignore[method-assign]
    with pytest.raises(NotFoundError, match=received.file.id):
        await forge.generations.submit(replace(KNIGHT, pose_file_id=received.file.id), "avatar", None)
    assert await forge.database.read(file_queries.totals) == (0, 0)


async def test_models_that_are_not_remembered_are_looked_for_again(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    installed, looks = host.installed, []

    async def look(*, fresh: bool = True) -> InstalledModels:
        looks.append(fresh)
        return installed if fresh else replace(installed, checkpoints=(), controlnets=())

    host.installed_models = look  # type: ignore[method-assign]
    async with product(tmp_path, host) as forge:
        await submit(forge)
        assert looks == [False, True]


async def test_a_request_without_a_pose_names_the_controlnet_that_others_use(forge: Product) -> None:
    """ComfyUI forgets the models that the next prompt does not name."""
    single, sheet = await submit(forge), await submit(forge, "all_poses")
    loaders = [
        [node["inputs"] for node in forge.host.prompts[item.id].values() if node["class_type"] == LOADER]
        for item in (single, sheet)
    ]
    assert loaders == [[{"control_net_name": "openpose-sd15.safetensors"}]] * 2
    (number,) = (key for key, node in forge.host.prompts[single.id].items() if node["class_type"] == LOADER)
    links = [value for node in forge.host.prompts[single.id].values() for value in node["inputs"].values()]
    assert [number, 0] not in links


async def test_work_that_must_go_on_ends_before_its_caller_hears_of_a_cancel() -> None:
    begun, gate = asyncio.Event(), asyncio.Event()
    steps: list[object] = []

    async def work() -> int:
        begun.set()
        await gate.wait()
        return 7

    async def caller() -> None:
        steps.append(await run_uncancellable(work()))
        steps.append("what needs no wait")
        await asyncio.sleep(0)
        steps.append("never")

    task = asyncio.create_task(caller())
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == [7, "what needs no wait"]


async def test_a_failed_start_of_the_write_is_tried_again(forge: Product) -> None:
    record = await submit(forge)
    writing = forge.database.writing

    def broken(query: object) -> object:
        forge.database.writing = writing  # type: ignore[method-assign]
        return writing(lambda connection: 1 / 0)

    forge.database.writing = broken  # type: ignore[method-assign, assignment]
    with pytest.raises(ZeroDivisionError):
        await begin(forge, record)
    await begin(forge, record)
    assert (await forge.generations.get(record.id)).attempts == 1
    assert (await fail(forge, record)).status == "failed"
