"""Progress, long polls and event streams over HTTP, on a host that does what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import sse
from aiohttp import ClientResponse
from services import Product

from avatarforge.forge.live import live as live_module
from avatarforge.forge.live import log as log_module
from avatarforge.forge.live.listeners import Listeners
from avatarforge.forge.live.log import EventLog
from avatarforge.forge.live.long_polls import LongPolls
from avatarforge.forge.live.state import GenerationEvent, LiveState
from avatarforge.forge.ports import NodeState, PreviewPicture, PromptEvent, PromptProgress
from avatarforge.routes import PREFIX

from .conftest import Client, generate

JPEG = b"\xff\xd8\xff\xe0 and so on"


class Stream:
    """What has come so far of an event stream."""

    def __init__(self, answer: ClientResponse) -> None:
        self.answer = answer
        self._lines: list[str] = []

    async def next(self) -> sse.Event:
        """The next event. pytest's own timeout bounds the wait."""
        while True:
            line = (await self.answer.content.readline()).decode()
            assert line.endswith("\n"), "the stream has ended"
            self._lines.append(line.removesuffix("\n"))
            if line == "\n":
                told = list(sse.read(self._lines))
                self._lines.clear()
                if told:
                    return told[0]

    async def until(self, kind: str) -> list[sse.Event]:
        """The events up to the first of this kind."""
        found = [await self.next()]
        while found[-1].kind != kind:
            found.append(await self.next())
        return found


@asynccontextmanager
async def streaming(client: Client, path: str, **options: Any) -> AsyncIterator[Stream]:
    answer = await client.get(PREFIX + path, **options)
    assert answer.status == 200, await answer.text()
    try:
        yield Stream(answer)
    finally:
        answer.close()


async def look(client: Client, generation_id: str, query: str = "") -> dict[str, Any]:
    answer = await client.get(f"{PREFIX}/generations/{generation_id}{query}")
    assert answer.status == 200, await answer.text()
    body: dict[str, Any] = await answer.json()
    return body


def sampler(forge: Product, prompt_id: str) -> str:
    (key,) = (key for key, node in forge.host.prompts[prompt_id].items() if node["class_type"] == "KSampler")
    return key


async def started(forge: Product, client: Client, **body: Any) -> tuple[str, str]:
    """(generation id, sampler's node id) of a generation that runs."""
    generation_id = (await generate(client, **body))["generation_id"]
    forge.host.start(generation_id)
    await forge.until(generation_id, "processing")
    async with streaming(client, f"/generations/{generation_id}/events") as stream:
        state = await stream.next()
        if state.data["status"] == "queued":
            await stream.until("started")
    return generation_id, sampler(forge, generation_id)


async def test_a_queued_one_has_its_place_and_no_progress(forge: Product, client: Client) -> None:
    first, second = await generate(client), await generate(client)
    assert (first["queue_position"], second["queue_position"]) == (1, 2)
    assert (first["progress"], first["current"], first["previews"]) == (0, None, [])
    forge.host.succeed(first["generation_id"])
    await forge.until(first["generation_id"], "completed")
    ended = await look(client, first["generation_id"])
    assert (ended["progress"], ended["queue_position"], ended["eta_seconds"]) == (1, None, None)
    listed = (await (await client.get(f"{PREFIX}/generations")).json())["generations"]
    assert [one["queue_position"] for one in listed] == [1, None]


async def test_a_running_one_tells_node_step_and_share(forge: Product, client: Client) -> None:
    generation_id, node = await started(forge, client, steps=20)
    forge.host.show(PromptProgress(generation_id, {node: NodeState(True, 5, 20)}))
    running = await look(client, generation_id)
    assert running["current"] == {
        "node": "KSampler", "node_id": node, "view": "front", "step": 5, "steps": 20
    }  # fmt: skip
    assert running["progress"] == pytest.approx(0.95 / 4)


async def test_progress_never_goes_back_and_stays_where_it_failed(forge: Product, client: Client) -> None:
    generation_id, node = await started(forge, client, steps=20)
    for step in (10, 2):
        forge.host.show(PromptProgress(generation_id, {node: NodeState(True, step, 20)}))
    assert (await look(client, generation_id))["progress"] == pytest.approx(0.475)
    forge.host.end(PromptEvent("failed", generation_id, "no"))
    assert (await look(client, generation_id, "?wait=60"))["progress"] == pytest.approx(0.475)


async def test_the_usual_time_of_past_runs_is_left_at_the_start(forge: Product, client: Client) -> None:
    first = await generate(client)
    assert first["eta_seconds"] is None
    forge.host.succeed(first["generation_id"])
    await look(client, first["generation_id"], "?wait=60")
    assert (await generate(client))["eta_seconds"] is not None
    assert (await generate(client, steps=3))["eta_seconds"] is None


async def test_a_wait_ends_with_the_generation(forge: Product, client: Client) -> None:
    generation_id = (await generate(client))["generation_id"]
    waiting = asyncio.create_task(look(client, generation_id, "?wait=60"))
    while not forge.live.long_polls.count:
        await look(client, generation_id)
    forge.host.succeed(generation_id)
    assert (await waiting)["status"] == "completed"


async def test_a_wait_that_is_over_gives_the_state_as_it_is(client: Client) -> None:
    generation_id = (await generate(client))["generation_id"]
    assert (await look(client, generation_id, "?wait=1"))["status"] == "queued"


async def test_a_wait_ends_with_a_404_when_it_is_deleted(forge: Product, client: Client) -> None:
    generation_id = (await generate(client))["generation_id"]
    waiting = asyncio.create_task(client.get(f"{PREFIX}/generations/{generation_id}?wait=60"))
    while not forge.live.long_polls.count:
        await look(client, generation_id)
    await client.delete(f"{PREFIX}/generations/{generation_id}")
    assert (await waiting).status == 404


@pytest.mark.parametrize("wait", ["61", "-1", "soon", "1.5"])
async def test_a_wait_out_of_range_is_refused(client: Client, wait: str) -> None:
    generation_id = (await generate(client))["generation_id"]
    assert (await client.get(f"{PREFIX}/generations/{generation_id}?wait={wait}")).status == 422


async def test_waiting_has_a_bounded_number_of_places(forge: Product, client: Client) -> None:
    forge.live.long_polls = LongPolls(most=1)
    generation_id = (await generate(client))["generation_id"]
    waiting = asyncio.create_task(look(client, generation_id, "?wait=60"))
    while not forge.live.long_polls.count:
        await look(client, generation_id)
    refused = await client.get(f"{PREFIX}/generations/{generation_id}?wait=60")
    assert refused.status == 503
    assert "Retry-After" in refused.headers
    forge.host.succeed(generation_id)
    assert (await waiting)["status"] == "completed"


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
        told = await stream.until("completed")
    assert [event.kind for event in told] == ["started", "output", "completed"]
    assert {event.data["generation_id"] for event in told} == {generation_id}
    assert told[-1].data["generation"]["output_files"] == told[1].data["output_files"]
    assert all(event.data["at"].endswith("Z") for event in told)
    assert [event.data["progress"] for event in told] == [0, 0, 1]


async def test_the_stream_of_all_begins_with_those_that_are_active(forge: Product, client: Client) -> None:
    done = (await generate(client))["generation_id"]
    forge.host.succeed(done)
    await look(client, done, "?wait=60")
    waiting = (await generate(client))["generation_id"]
    async with streaming(client, "/events") as stream:
        hello = await stream.next()
        assert hello.kind == "hello"
        assert [one["generation_id"] for one in hello.data["active"]] == [waiting]
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
        told = [await stream.next()]
        while told[-1].data["current"]["step"] < 100:
            told.append(await stream.next())
    assert [event.data["current"]["step"] for event in told] == [1, 100]


async def test_previews_are_told_and_can_be_had_while_it_runs(forge: Product, client: Client) -> None:
    generation_id, node = await started(forge, client)
    url = f"{PREFIX}/generations/{generation_id}/previews/0"
    assert (await client.get(url)).status == 404
    async with streaming(client, f"/generations/{generation_id}/events") as stream:
        await stream.next()
        forge.host.show(PreviewPicture(generation_id, node, 0, JPEG))
        (preview,) = (await stream.until("preview"))[-1].data["previews"]
    assert preview["view"] == "front"
    assert preview["url"].startswith(url)
    answer = await client.get(preview["url"])
    assert (answer.status, answer.content_type, await answer.read()) == (200, "image/jpeg", JPEG)
    assert answer.headers["Cache-Control"] == "no-store"
    assert (await look(client, generation_id))["previews"] == [preview]
    forge.host.show(PreviewPicture(generation_id, node, 0, JPEG))
    assert (await look(client, generation_id))["previews"] != [preview]
    assert (await client.get(f"{PREFIX}/generations/{generation_id}/previews/first")).status == 404


async def test_previews_that_are_too_large_or_of_unknown_rows_are_not_kept(
    forge: Product, client: Client
) -> None:
    generation_id, node = await started(forge, client)
    forge.host.show(PreviewPicture(generation_id, node, 0, JPEG.ljust(live_module.PREVIEW_BYTES + 1)))
    forge.host.show(PreviewPicture(generation_id, node, 1, JPEG))
    forge.host.show(PreviewPicture(generation_id, "no such node", 0, JPEG))
    forge.host.show(PreviewPicture("no such prompt", node, 0, JPEG))
    assert (await look(client, generation_id))["previews"] == []


async def test_the_graph_can_be_had_and_that_of_an_unknown_one_not(forge: Product, client: Client) -> None:
    generation_id = (await generate(client))["generation_id"]
    answer = await client.get(f"{PREFIX}/generations/{generation_id}/prompt")
    assert (await answer.json())["prompt"] == forge.host.prompts[generation_id]
    assert (await client.get(f"{PREFIX}/generations/{generation_id[:-1]}x/prompt")).status == 404


async def test_a_reroll_is_told_as_a_run_of_its_own(forge: Product, client: Client) -> None:
    generation_id = (await generate(client))["generation_id"]
    forge.host.succeed(generation_id)
    await look(client, generation_id, "?wait=60")
    async with streaming(client, f"/generations/{generation_id}/events") as stream:
        await stream.next()
        await client.post(f"{PREFIX}/generations/{generation_id}/reroll?pose=front")
        forge.host.succeed(forge.host.submitted[-1])
        told = await stream.until("completed")
    assert [event.kind for event in told if event.kind != "output"] == ["queued", "started", "completed"]
