"""Batches: accepted together, handed to ComfyUI a few at a time, and kept through restarts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from batching import (
    fail_next,
    finish,
    handed_out,
    ids,
    item,
    statuses,
    submit_batch,
    until_batch,
)
from fake_host import FakeHost
from queueing import KNIGHT, count_generations, submit
from services import Product, product
from sqlalchemy import Connection

from avatarforge.db import batches as queries
from avatarforge.db import generations as generation_queries
from avatarforge.db import webhooks as webhook_queries
from avatarforge.forge.errors import (
    BusyError,
    ConflictError,
    NotFoundError,
    PromptRefusedError,
    UnavailableError,
    UnprocessableError,
)
from avatarforge.forge.generations.batch_request import BatchRequest
from avatarforge.forge.generations.failures import CANCELLED, NOT_STARTED
from avatarforge.forge.ports import CheckedPrompt
from avatarforge.forge.settings import Settings
from avatarforge.forge.spec.request import AvatarRequest

SECRET = "whsec_" + "c2VjcmV0" * 6
RECEIVER = "https://example.org/"
WEBHOOKS = Settings(webhook_hosts="example.org", webhook_secret=SECRET)


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        yield opened


async def waiting(forge: Product) -> int:
    return await forge.database.read(queries.count_waiting)


async def webhooks(forge: Product) -> list[tuple[str, str]]:
    """(type, id) of each webhook in the outbox."""
    due = await forge.database.read(partial(webhook_queries.due, now=2**62, limit=100))
    return sorted((json.loads(message.body)["type"], message.generation_id) for message in due)


# The line


async def test_a_few_are_in_comfyuis_queue_and_the_others_wait(forge: Product) -> None:
    batch = await submit_batch(forge, *[item(f"knight {number}") for number in range(5)])
    assert batch.status == "queued"
    assert statuses(batch) == ["queued"] * 5
    assert await handed_out(forge, 2) == ids(batch)[:2]
    assert await waiting(forge) == 3
    await finish(forge, 1)
    assert await handed_out(forge, 3) == ids(batch)[:3]
    assert len(forge.host.queued) == 2
    await finish(forge, 4)
    ended = await until_batch(forge, batch.id, "completed")
    assert ended.state.summary.counts.completed == 5
    assert ended.state.summary.record.completed_at is not None
    assert ended.state.progress == 1.0


async def test_a_single_request_runs_after_the_few_that_are_ahead(forge: Product) -> None:
    batch = await submit_batch(forge, *[item(f"knight {number}") for number in range(4)])
    await handed_out(forge, 2)
    single = await submit(forge)
    await finish(forge, 2)
    assert (await handed_out(forge, 4))[:4] == [*ids(batch)[:2], single.id, ids(batch)[2]]


async def test_what_waits_does_not_count_as_active(tmp_path: Path) -> None:
    async with product(tmp_path, settings=Settings(max_active_generations=3)) as forge:
        await submit_batch(forge, *[item(f"knight {number}") for number in range(6)])
        await handed_out(forge, 2)
        await submit(forge)
        with pytest.raises(BusyError):
            await submit(forge)


async def test_more_than_may_wait_are_refused_and_leave_no_trace(tmp_path: Path) -> None:
    async with product(tmp_path, settings=Settings(max_waiting_items=4)) as forge:
        await submit_batch(forge, *[item()] * 4)
        await handed_out(forge, 2)
        with pytest.raises(BusyError, match="MAX_WAITING_ITEMS"):
            await submit_batch(forge, *[item()] * 3)
        await submit_batch(forge, *[item()] * 2)
        assert await count_generations(forge) == 6


async def test_the_order_groups_what_shares_a_model_and_words(forge: Product) -> None:
    wanted = ["anime-sd15.safetensors", "realistic-sd15.safetensors"]
    batch = await submit_batch(
        forge,
        item("a", model=wanted[0], seed=1),
        item("b", model=wanted[1], seed=1),
        item("a", model=wanted[1], seed=2),
        item("b", model=wanted[0], seed=1),
        item("b", model=wanted[1], seed=1),
        item("a", model=wanted[0], seed=1),
    )
    await finish(forge, 6)
    position = {generation_id: place for place, generation_id in enumerate(ids(batch))}
    assert [position[prompt_id] for prompt_id in forge.host.submitted] == [0, 5, 3, 1, 4, 2]
    # The answer keeps the order of the request.
    assert ids(await forge.batches.get(batch.id)) == ids(batch)


# All or nothing


@pytest.mark.parametrize(
    ("bad", "error", "field"),
    [
        (item(sampler="none such"), UnprocessableError, "sampler"),
        (item(pose_image="iVBORw0KGgo="), UnprocessableError, "pose_image"),
        (item(expression="none such"), UnprocessableError, "expression"),
        (item(callback_url=RECEIVER), UnprocessableError, "callback_url"),
    ],
)
async def test_one_bad_request_refuses_all_and_is_named(
    forge: Product, bad: BatchRequest, error: type[UnprocessableError], field: str
) -> None:
    with pytest.raises(error) as raised:
        await submit_batch(forge, *[item()] * 60, bad, item())
    assert raised.value.location == ("body", "requests", 60, field)
    assert await count_generations(forge) == 0
    assert (await forge.batches.page(limit=1, cursor=None, text=None)).total == 0


async def test_an_unknown_file_and_template_are_named(forge: Product) -> None:
    for values in ({"pose_file_id": "0" * 36}, {"template": "none"}):
        with pytest.raises(NotFoundError, match=r"^requests\[1\]: "):
            await submit_batch(forge, item(), item(**values))
    assert await count_generations(forge) == 0


async def test_a_graph_that_comfyui_refuses_is_refused_at_once(forge: Product) -> None:
    forge.host.refusal = "no such node"
    with pytest.raises(PromptRefusedError, match=r"^requests\[0\]: no such node"):
        await submit_batch(forge)
    assert await count_generations(forge) == 0


async def test_one_graph_of_each_shape_is_checked(forge: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    check = forge.host.check

    async def counted(prompt_id: str, prompt: object) -> CheckedPrompt:
        checked.append(prompt_id)
        return await check(prompt_id, prompt)  # type: ignore[arg-type]

    monkeypatch.setattr(forge.host, "check", counted)
    sheet = BatchRequest(AvatarRequest(prompt="a knight"), "all_poses", ("front", "back"))
    await submit_batch(forge, *[item(f"knight {number}", seed=number) for number in range(20)], sheet)
    batch = (await forge.batches.page(limit=1, cursor=None, text=None)).states[0]
    known = set(ids(await forge.batches.get(batch.summary.record.id)))
    assert len([prompt_id for prompt_id in checked if prompt_id not in known]) == 2


async def test_a_thousand_take_few_reads_and_one_write(
    forge: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = {"read": 0, "write": 0}
    read, write = forge.database.read, forge.database.write

    async def counted_read(query: object) -> object:
        calls["read"] += 1
        return await read(query)  # type: ignore[arg-type]

    async def counted_write(query: object) -> object:
        calls["write"] += 1
        return await write(query)  # type: ignore[arg-type]

    monkeypatch.setattr(forge.database, "read", counted_read)
    monkeypatch.setattr(forge.database, "write", counted_write)
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count_turns())
    batch = await submit_batch(forge, *[item(f"knight {number % 7}", seed=number) for number in range(1000)])
    # Nothing was awaited since the commit, so nothing was handed out yet.
    assert calls["write"] == 1
    assert calls["read"] <= 5
    counting.cancel()
    assert len(batch.items) == 1000
    # It gave way at least once for each slice of each step.
    assert turns > 3 * 1000 // 50


# Ends


async def test_an_item_that_cannot_start_fails_alone(forge: Product) -> None:
    batch = await submit_batch(forge, item("a"), item("b"), item("c"), item("d"))
    await handed_out(forge, 2)
    forge.host.refusal = "a node is gone"
    await finish(forge, 1)
    for generation_id in ids(batch)[2:]:
        record = await forge.until(generation_id, "failed")
        assert record.error == f"{NOT_STARTED} a node is gone"
    await finish(forge, 1)
    assert (await until_batch(forge, batch.id, "failed")).state.summary.counts.failed == 2


async def test_a_prompt_that_the_queue_refuses_waits_on(
    forge: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avatarforge.forge.generations.dispatch_loop.RETRY_SECONDS", 0.01)
    refused: list[str] = []

    def refuse(prompt_id: str) -> str | None:
        refused.append(prompt_id)
        return "not now" if len(refused) <= 2 else None

    forge.host.not_taken = refuse
    batch = await submit_batch(forge, item())
    assert await handed_out(forge, 1) == ids(batch)
    assert refused == ids(batch) * 3


async def test_cancel_ends_what_waits_and_what_runs(forge: Product) -> None:
    batch = await submit_batch(forge, *[item(f"knight {number}") for number in range(5)])
    await handed_out(forge, 2)
    await finish(forge, 1)
    await handed_out(forge, 3)
    running = forge.host.queued[0]
    forge.host.start(running)
    await forge.until(running, "processing")
    cancelled = await forge.batches.cancel(batch.id)
    assert statuses(cancelled) == ["completed"] + ["failed"] * 4
    assert cancelled.status == "failed"
    records = [await forge.generations.get(generation_id) for generation_id in ids(batch)[1:]]
    assert {record.error for record in records} == {CANCELLED}
    assert all(record.waiting_place is None and record.completed_at for record in records)
    assert await waiting(forge) == 0
    assert len(forge.host.submitted) == 3
    with pytest.raises(ConflictError):
        await forge.batches.cancel(batch.id)


async def test_a_waiting_item_is_cancelled_retried_and_deleted_like_any_other(forge: Product) -> None:
    batch = await submit_batch(forge, *[item(f"knight {number}") for number in range(5)])
    await handed_out(forge, 2)
    third, fourth = ids(batch)[2:4]
    assert "KSampler" in {node["class_type"] for node in (await forge.generations.prompt(third)).values()}
    assert (await forge.generations.cancel(third)).error == CANCELLED
    await forge.generations.delete(fourth, keep_outputs=False)
    retried = await forge.generations.retry(third)
    assert (retried.status, retried.waiting_place, retried.batch_id) == ("queued", None, batch.id)
    assert forge.host.submitted[-1] == retried.prompt_id
    await finish(forge, 4)
    ended = await until_batch(forge, batch.id, "completed")
    assert (ended.state.summary.deleted, ended.state.summary.counts.completed) == (1, 4)
    assert ended.state.progress == 1.0
    assert fourth not in ids(ended)


async def test_retry_runs_the_failed_ones_with_id_seed_and_graph(forge: Product) -> None:
    batch = await submit_batch(forge, item("a"), item("b"), item("c"))
    await finish(forge, 1)
    await fail_next(forge)
    await forge.generations.cancel(ids(batch)[2])
    before = [await forge.generations.get(generation_id) for generation_id in ids(batch)]
    graph = await forge.generations.prompt(ids(batch)[1])
    again = await forge.batches.retry(batch.id)
    assert statuses(again)[0] == "completed"
    assert again.state.summary.counts.active == 2
    assert again.state.summary.record.completed_at is None
    await finish(forge, 2)
    ended = await until_batch(forge, batch.id, "completed")
    after = [await forge.generations.get(generation_id) for generation_id in ids(ended)]
    assert [record.spec.seed for record in after] == [record.spec.seed for record in before]
    assert await forge.generations.prompt(ids(batch)[1]) == graph
    assert after[0] == before[0]
    assert all(record.prompt_id in forge.host.submitted for record in after)
    assert {applied.prompt_id for record in after for applied in record.receipt.inputs} <= {
        record.prompt_id for record in after
    }
    with pytest.raises(ConflictError):
        await forge.batches.retry(batch.id)


@pytest.mark.parametrize("keep", [False, True])
async def test_a_batch_is_deleted_with_or_without_its_generations(forge: Product, keep: bool) -> None:
    batch = await submit_batch(forge, *[item(f"knight {number}") for number in range(4)])
    await finish(forge, 1)
    await handed_out(forge, 3)
    await forge.batches.delete(batch.id, keep_generations=keep)
    with pytest.raises(NotFoundError):
        await forge.batches.get(batch.id)
    assert await waiting(forge) == 0
    assert not forge.host.queued
    assert (forge.host.output_folder / ids(batch)[0]).exists() is keep
    assert await count_generations(forge) == (4 if keep else 0)
    if keep:
        records = [await forge.generations.get(generation_id) for generation_id in ids(batch)]
        assert [record.status for record in records] == ["completed", "failed", "failed", "failed"]
        assert {record.batch_id for record in records} == {None}


async def test_a_worker_that_has_ended_accepts_no_batch(forge: Product) -> None:
    forge.host.dead = "ComfyUI's worker thread has ended."
    with pytest.raises(UnavailableError):
        await submit_batch(forge)


# Webhooks


async def test_the_webhook_of_a_batch_is_sent_once_with_its_last_end(tmp_path: Path) -> None:
    async with product(tmp_path, settings=WEBHOOKS) as forge:
        items = [item("a", callback_url=RECEIVER + "one"), item("b")]
        batch = await forge.batches.submit(items, None, RECEIVER + "batch")
        await finish(forge, 1)
        assert await webhooks(forge) == [("generation.completed", ids(batch)[0])]
        await finish(forge, 1)
        await until_batch(forge, batch.id, "completed")
        ended = [("batch.completed", batch.id), ("generation.completed", ids(batch)[0])]
        assert await webhooks(forge) == ended
        # A re-roll of one of them does not end the batch again.
        await forge.generations.reroll(ids(batch)[1], "front", None)
        await finish(forge, 1)
        assert await webhooks(forge) == ended


@pytest.mark.parametrize("how", ["cancel", "delete"])
async def test_a_cancelled_or_deleted_last_item_ends_the_batch(tmp_path: Path, how: str) -> None:
    async with product(tmp_path, settings=WEBHOOKS) as forge:
        batch = await forge.batches.submit([item("a"), item("b", callback_url=RECEIVER)], None, RECEIVER)
        await finish(forge, 1)
        if how == "cancel":
            await forge.batches.cancel(batch.id)
            expected = [("batch.failed", batch.id), ("generation.failed", ids(batch)[1])]
        else:
            await forge.generations.delete(ids(batch)[1], keep_outputs=False)
            expected = [("batch.completed", batch.id)]
        assert await webhooks(forge) == expected


async def test_deleting_a_batch_sends_no_webhook_of_it(tmp_path: Path) -> None:
    async with product(tmp_path, settings=WEBHOOKS) as forge:
        batch = await forge.batches.submit([item("a"), item("b")], None, RECEIVER)
        await forge.batches.delete(batch.id, keep_generations=False)
        assert await webhooks(forge) == []


# Restarts


async def test_a_restart_goes_on_and_runs_nothing_twice(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        batch = await submit_batch(forge, *[item(f"knight {number}") for number in range(5)])
        await finish(forge, 1)
        await handed_out(forge, 3)
    async with product(tmp_path, FakeHost(tmp_path)) as forge:
        # What was in ComfyUI's queue is resumed first, and the others go on waiting.
        assert await handed_out(forge, 2) == ids(batch)[1:3]
        assert await waiting(forge) == 2
        await finish(forge, 4)
        await until_batch(forge, batch.id, "completed")
        assert forge.host.submitted == ids(batch)[1:]


async def test_what_waits_again_before_it_was_resumed_runs_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avatarforge.forge.generations.resume.RETRY_SECONDS", 0.01)
    async with product(tmp_path) as forge:
        batch = await submit_batch(forge, item("a"), item("b"))
        await handed_out(forge, 2)
    host = FakeHost(tmp_path)
    refused: list[str] = []

    def refuse(prompt_id: str) -> str:
        refused.append(prompt_id)
        return "not now"

    host.not_taken = refuse
    async with product(tmp_path, host) as forge:
        while not refused:
            await count_generations(forge)
        await forge.batches.cancel(batch.id)
        await forge.batches.retry(batch.id)
        host.not_taken = lambda _: None
        await finish(forge, 2)
        await until_batch(forge, batch.id, "completed")
        assert len(host.submitted) == 2


async def test_killed_before_the_commit_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """As if the process ended here."""

    def kill(*_: object) -> None:
        raise Killed

    async with product(tmp_path) as forge:
        with monkeypatch.context() as patched:
            patched.setattr("avatarforge.db.templates.use_many", kill)
            with pytest.raises(Killed):
                await submit_batch(forge)
    async with product(tmp_path, FakeHost(tmp_path)) as forge:
        assert await count_generations(forge) == 0
        assert (await forge.batches.page(limit=1, cursor=None, text=None)).total == 0


@pytest.mark.parametrize("moment", ["before it is enqueued", "after it was enqueued"])
async def test_killed_around_the_queue_an_item_runs_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    stuck = asyncio.Event()

    async with product(tmp_path) as forge:
        enqueue = forge.tracker.enqueue

        def die(*args: object) -> None:
            if moment == "after it was enqueued":
                enqueue(*args)  # type: ignore[arg-type]
            stuck.set()
            raise asyncio.CancelledError  # as if the process ended here: nothing after it runs

        monkeypatch.setattr(forge.tracker, "enqueue", die)
        batch = await submit_batch(forge, item("a"), item("b"))
        await stuck.wait()
        record = await forge.generations.get(ids(batch)[0])
        assert (record.status, record.waiting_place) == ("queued", None)
    async with product(tmp_path, FakeHost(tmp_path)) as forge:
        await finish(forge, 2)
        await until_batch(forge, batch.id, "completed")
        assert forge.host.submitted == ids(batch)


# Lists, events, checks


async def test_batches_and_their_generations_are_listed(forge: Product) -> None:
    first = await submit_batch(forge, item(), name="Knights")
    second = await submit_batch(forge, item(), item(), name="Mages")
    await submit(forge)
    page = await forge.batches.page(limit=1, cursor=None, text=None)
    assert [state.summary.record.id for state in page.states] == [second.id]
    assert page.total == 2
    rest = await forge.batches.page(limit=1, cursor=page.next_cursor, text=None)
    assert [state.summary.record.name for state in rest.states] == ["Knights"]
    assert rest.next_cursor is None
    found = await forge.batches.page(limit=9, cursor=None, text="kNIGHT")
    assert [state.summary.record.id for state in found.states] == [first.id]
    listed = await forge.generations.page(status="queued", limit=9, offset=0, cursor=None, batch_id=second.id)
    assert ([record.id for record in listed.records], listed.total) == (ids(second)[::-1], 2)


async def test_progress_and_the_time_left_come_with_the_running_item(forge: Product) -> None:
    await forge.generations.get((await submit(forge)).id)
    await finish(forge, 1)
    batch = await submit_batch(forge, *[item(f"knight {number}") for number in range(4)])
    await finish(forge, 2)
    state = (await forge.batches.get(batch.id)).state
    assert state.status == "processing"
    assert state.progress == 0.5
    forge.host.start((await handed_out(forge, 4))[-1])
    await forge.until(ids(batch)[2], "processing")
    state = (await forge.batches.get(batch.id)).state
    assert state.eta_seconds is not None


async def test_events_of_a_batch_tell_its_counts(forge: Product) -> None:
    position = forge.live.log.last
    batch = await submit_batch(forge, item("a"), item("b"))
    waiter = asyncio.create_task(forge.batches.get_when_ended(batch.id, 60))
    await finish(forge, 2)
    assert (await waiter).status == "completed"
    events = [event for event in forge.live.log.since(position, batch.id) if event.kind == "batch"]
    states = [json.loads(event.data) for event in events]
    assert (states[0]["status"], states[0]["total"], states[0]["completed"]) == ("queued", 2, 0)
    assert (states[-1]["status"], states[-1]["completed"], states[-1]["progress"]) == ("completed", 2, 1.0)
    await forge.batches.delete(batch.id, keep_generations=True)
    assert forge.live.log.since(position, batch.id)[-1].kind == "batch_deleted"


async def test_a_check_finds_and_detaches_items_of_a_lost_batch(forge: Product) -> None:
    batch = await submit_batch(forge, item())
    await finish(forge, 1)

    def lose(connection: Connection) -> None:
        queries.remove(connection, batch.id)

    assert (await forge.verifier.run(repair=False)).problems == ()
    await forge.database.write(lose)
    found = await forge.verifier.run(repair=True)
    assert [problem.kind for problem in found.problems] == ["dangling"]
    assert (await forge.verifier.run(repair=False)).problems == ()
    assert (await forge.generations.get(ids(batch)[0])).batch_id is None


async def test_a_deleted_item_leaves_the_line(forge: Product) -> None:
    batch = await submit_batch(forge, *[item(f"knight {number}") for number in range(3)])
    await handed_out(forge, 2)
    await forge.generations.delete(ids(batch)[2], keep_outputs=False)
    await finish(forge, 2)
    await until_batch(forge, batch.id, "completed")
    assert len(forge.host.submitted) == 2


async def test_the_counts_of_a_batch_read_only_an_index(forge: Product) -> None:
    def plan(connection: Connection) -> list[str]:
        rows = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT status, count(*) FROM generations WHERE batch_id = ? GROUP BY status",
            ("x",),
        )
        return [row[-1] for row in rows]

    assert any("COVERING INDEX ix_generations_batch_id" in step for step in await forge.database.read(plan))
    assert KNIGHT.prompt == "a knight"
    assert await forge.database.read(generation_queries.count_active) == 0
