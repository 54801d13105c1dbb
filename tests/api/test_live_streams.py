"""Event streams over HTTP, on a host that does what the test says."""

from __future__ import annotations

import pytest
from services import Product

from avatarforge.forge.live import log as log_module
from avatarforge.forge.live.listeners import Listeners
from avatarforge.forge.live.log import EventLog
from avatarforge.forge.live.state import GenerationEvent, LiveState
from avatarforge.forge.ports import NodeState, PromptProgress
from avatarforge.routes import PREFIX

from .conftest import Client, generate
from .streams import look, started, streaming


async def test_a_generations_stream_begins_with_its_state_and_tells_its_run(
    forge: Product, client: Client
) -> None:
    other = (await generate(client))["generation_id"]
    generation_id = (await generate(client))["generation_id"]
    async with streaming(client, f"/generations/{generation_id}/events") as stream:
        assert stream.answer.content_type == "text/event-stream"
        assert stream.answer.headers["Cache-Control"] == "no-store"
        state = await stream.next()
        assert (state.kind, state.data["generation_id"]) == ("state", generation_id)
        forge.host.succeed(other)
        forge.host.succeed(generation_id)
        received = await stream.until("completed")
    assert [event.kind for event in received] == ["started", "output", "completed"]
    assert {event.data["generation_id"] for event in received} == {generation_id}
    assert received[-1].data["generation"]["output_files"] == received[1].data["output_files"]
    assert all(event.data["at"].endswith("Z") for event in received)
    assert [event.data["progress"] for event in received] == [0, 0, 1]


async def test_the_stream_of_all_begins_with_those_that_are_active(forge: Product, client: Client) -> None:
    done = (await generate(client))["generation_id"]
    forge.host.succeed(done)
    await look(client, done, "?wait=60")
    waiting = (await generate(client))["generation_id"]
    async with streaming(client, "/events") as stream:
        hello = await stream.next()
        assert hello.kind == "hello"
        assert [item["generation_id"] for item in hello.data["active"]] == [waiting]
        later = (await generate(client))["generation_id"]
        queued = await stream.next()
        assert (queued.kind, queued.data["generation_id"], queued.data["queue_position"]) == (
            "queued",
            later,
            2,
        )


async def test_those_who_wait_are_told_when_they_move_up(forge: Product, client: Client) -> None:
    first, second = await generate(client), await generate(client)
    async with streaming(client, f"/generations/{second['generation_id']}/events") as stream:
        assert (await stream.next()).data["queue_position"] == 2
        forge.host.succeed(first["generation_id"])
        await generate(client)
        moved = await stream.next()
    assert (moved.kind, moved.data["queue_position"]) == ("queued", 1)


async def test_a_stream_goes_on_after_the_last_event_that_was_seen(forge: Product, client: Client) -> None:
    generation_id = (await generate(client))["generation_id"]
    path = f"/generations/{generation_id}/events"
    async with streaming(client, path) as stream:
        last = (await stream.next()).id
    forge.host.succeed(generation_id)
    await look(client, generation_id, "?wait=60")
    async with streaming(client, path, headers={"Last-Event-ID": last}) as stream:
        missed = await stream.until("completed")
    assert [event.kind for event in missed] == ["started", "output", "completed"]
    async with streaming(client, f"{path}?last_event_id={missed[1].id}") as stream:
        assert [event.id for event in await stream.until("completed")] == [missed[2].id]


async def test_a_stream_begins_anew_where_the_log_does_not_reach(forge: Product, client: Client) -> None:
    generation_id = (await generate(client))["generation_id"]
    for unknown in (EventLog(str).event_id(0), "nonsense"):
        async with streaming(
            client, f"/generations/{generation_id}/events", headers={"Last-Event-ID": unknown}
        ) as stream:
            assert (await stream.next()).kind == "state"


async def test_a_stream_ends_with_its_generation(client: Client) -> None:
    generation_id = (await generate(client))["generation_id"]
    path = f"/generations/{generation_id}/events"
    async with streaming(client, path) as stream:
        state = await stream.next()
        await client.delete(f"{PREFIX}/generations/{generation_id}")
        deleted = (await stream.until("deleted"))[-1]
        assert await stream.answer.content.read() == b""
    assert set(deleted.data) == {"generation_id", "at", "status", "progress"}
    async with streaming(client, path, headers={"Last-Event-ID": state.id}) as stream:
        assert (await stream.until("deleted"))[-1].id == deleted.id
    assert (await client.get(PREFIX + path)).status == 404
    assert (await client.get(PREFIX + path, headers={"Last-Event-ID": deleted.id})).status == 404


async def test_head_of_a_stream_ends_at_once(client: Client) -> None:
    answer = await client.head(f"{PREFIX}/events")
    assert (answer.status, answer.content_type) == (200, "text/event-stream")


async def test_a_silent_stream_is_kept_alive(forge: Product, client: Client) -> None:
    forge.live.listeners = Listeners(forge.live.log, beat=0.0)
    async with streaming(client, "/events") as stream:
        await stream.next()
        assert await stream.answer.content.readline() == b": still there\n"


async def test_a_client_that_leaves_gives_its_place_back(forge: Product, client: Client) -> None:
    async with streaming(client, "/events") as stream:
        await stream.next()
        assert len(forge.live.listeners) == 1
    while len(forge.live.listeners):
        await client.get(f"{PREFIX}/poses")


async def test_streams_have_a_bounded_number_of_places(forge: Product, client: Client) -> None:
    forge.live.listeners = Listeners(forge.live.log, most=1)
    async with streaming(client, "/events") as stream:
        await stream.next()
        refused = await client.get(f"{PREFIX}/events")
        assert refused.status == 503
        assert "Retry-After" in refused.headers


async def test_a_reader_that_fell_behind_is_told_how_things_stand(
    forge: Product, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation_id = (await generate(client))["generation_id"]
    async with streaming(client, f"/generations/{generation_id}/events") as stream:
        before = await stream.next()
        log, record = forge.live.log, await forge.generations.get(generation_id)
        monkeypatch.setattr(log_module, "STATES", 0)  # as if more came at once than the log keeps
        log.add(GenerationEvent("started", 0, generation_id, record, LiveState(0.0)))
        again = await stream.next()
    assert (again.kind, again.data["generation_id"]) == ("state", generation_id)
    assert again.number == before.number + 1


async def test_progress_is_told_at_most_ten_times_a_second_and_its_last_word_is_not_lost(
    forge: Product, client: Client
) -> None:
    generation_id, node = await started(forge, client, steps=100)
    async with streaming(client, f"/generations/{generation_id}/events") as stream:
        await stream.next()
        for step in range(1, 101):
            forge.host.show(PromptProgress(generation_id, {node: NodeState(True, step, 100)}))
        received = [await stream.next()]
        while received[-1].data["current"]["step"] < 100:
            received.append(await stream.next())
    assert [event.data["current"]["step"] for event in received] == [1, 100]


async def test_a_reroll_is_told_as_a_run_of_its_own(forge: Product, client: Client) -> None:
    generation_id = (await generate(client))["generation_id"]
    forge.host.succeed(generation_id)
    await look(client, generation_id, "?wait=60")
    async with streaming(client, f"/generations/{generation_id}/events") as stream:
        await stream.next()
        await client.post(f"{PREFIX}/generations/{generation_id}/reroll?pose=front")
        forge.host.succeed(forge.host.submitted[-1])
        received = await stream.until("completed")
    assert [event.kind for event in received if event.kind != "output"] == ["queued", "started", "completed"]
