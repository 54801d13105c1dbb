"""Progress, long polls and previews over HTTP, on a host that does what the test says."""

from __future__ import annotations

import asyncio

import pytest
from services import Product

from avatarforge.forge.live import live as live_module
from avatarforge.forge.live.long_polls import LongPolls
from avatarforge.forge.ports import NodeState, PreviewPicture, PromptEvent, PromptProgress
from avatarforge.routes import PREFIX

from .conftest import Client, generate
from .streams import look, started, streaming

JPEG = b"\xff\xd8\xff\xe0 and so on"


async def test_a_queued_one_has_its_place_and_no_progress(forge: Product, client: Client) -> None:
    first, second = await generate(client), await generate(client)
    assert (first["queue_position"], second["queue_position"]) == (1, 2)
    assert (first["progress"], first["current"], first["previews"]) == (0, None, [])
    forge.host.succeed(first["generation_id"])
    await forge.until(first["generation_id"], "completed")
    ended = await look(client, first["generation_id"])
    assert (ended["progress"], ended["queue_position"], ended["eta_seconds"]) == (1, None, None)
    listed = (await (await client.get(f"{PREFIX}/generations")).json())["generations"]
    assert [item["queue_position"] for item in listed] == [1, None]


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


async def test_a_preview_that_was_just_announced_can_be_had_after_the_end_and_not_after_a_deletion(
    forge: Product, client: Client
) -> None:
    generation_id, node = await started(forge, client)
    forge.host.show(PreviewPicture(generation_id, node, 0, JPEG))
    (preview,) = (await look(client, generation_id))["previews"]
    forge.host.save(generation_id)
    forge.host.end(PromptEvent("succeeded", generation_id))
    assert (await look(client, generation_id, "?wait=60"))["status"] == "completed"
    assert (await look(client, generation_id))["previews"] == []
    answer = await client.get(preview["url"])
    assert (answer.status, await answer.read()) == (200, JPEG)
    assert (await client.delete(f"{PREFIX}/generations/{generation_id}")).status == 200
    assert (await client.get(preview["url"])).status == 404


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
