"""Takes over HTTP: they are listed, chosen, deleted and downloaded, and re-rolls wait for one another."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pictures import picture
from services import Product

from avatarforge.routes import PREFIX
from avatarforge.routes.responses import GenerationAnswer, TakesAnswer

from .conftest import Client, generate
from .streams import streaming
from .templates import refused, send


async def complete(forge: Product, answer: dict[str, Any]) -> str:
    forge.host.succeed(answer["comfyui_prompt_id"])
    await forge.until(answer["generation_id"], "completed")
    return str(answer["generation_id"])


async def rerolled(forge: Product, client: Client) -> str:
    """A sheet of two views whose back has two takes: the second one is current."""
    made = await generate(client, "/generate_all_poses", views=["front", "back"], seed=7)
    generation_id = await complete(forge, made)
    status, again = await send(client, "POST", f"/generations/{generation_id}/reroll?pose=back&seed=9")
    assert status == 200, again
    return await complete(forge, again)


async def content(client: Client, url: str) -> bytes:
    answer = await client.get(url)
    assert answer.status == 200, await answer.text()
    return await answer.read()


async def test_takes_are_listed_and_each_has_its_own_picture(client: Client, forge: Product) -> None:
    generation_id = await rerolled(forge, client)
    _, generation = await send(client, "GET", f"/generations/{generation_id}")
    GenerationAnswer.model_validate(generation)
    front, back = generation["output_files"]
    assert (front["take"], front["takes"], back["take"], back["takes"]) == (1, 1, 2, 2)
    for named in ("back", "2"):
        status, listed = await send(client, "GET", f"/generations/{generation_id}/views/{named}/takes")
        assert status == 200, listed
        TakesAnswer.model_validate(listed)
        assert (listed["position"], listed["pose_type"], listed["current"]) == (2, "back", 2)
        assert [(take["take"], take["current"], take["seed"]) for take in listed["takes"]] == [
            (1, False, 7),
            (2, True, 9),
        ]
    first, second = listed["takes"]
    assert second["url"] == back["url"] != first["url"]
    # The fake host numbers its pictures: two of the sheet, then the re-roll.
    assert await content(client, first["url"]) == picture(2)
    assert await content(client, second["url"]) == await content(client, PREFIX + second["url"]) == picture(3)
    prompts = [{line["comfyui_prompt_id"] for line in take["inputs"]} for take in (first, second)]
    assert prompts == [{generation_id}, {generation["comfyui_prompt_id"]}]


async def test_another_take_is_chosen_and_told_to_everybody(client: Client, forge: Product) -> None:
    generation_id = await rerolled(forge, client)
    path = f"/generations/{generation_id}/views/back/takes"
    async with streaming(client, f"/generations/{generation_id}/events") as stream:
        await stream.next()
        status, chosen = await send(client, "POST", f"{path}/1/choose")
        assert status == 200, chosen
        assert chosen["status"] == "completed"
        assert [(file["seed"], file["take"]) for file in chosen["output_files"]] == [(7, 1), (7, 1)]
        event = await stream.next()
        assert (event.kind, event.data["output_files"]) == ("output", chosen["output_files"])
        # Nothing changes, so nothing is told: the next event is that of the next choice.
        assert (await send(client, "POST", f"{path}/1/choose"))[1] == chosen
        status, again = await send(client, "POST", f"{path}/2/choose")
        event = await stream.next()
        assert (event.kind, event.data["output_files"]) == ("output", again["output_files"])
    assert (await send(client, "GET", f"/generations/{generation_id}"))[1] == again
    assert len(forge.host.submitted) == 2


async def test_a_take_is_deleted_and_its_picture_is_gone(client: Client, forge: Product) -> None:
    generation_id = await rerolled(forge, client)
    path = f"/generations/{generation_id}/views/back/takes"
    url = (await send(client, "GET", path))[1]["takes"][0]["url"]
    assert (await refused(client, "DELETE", f"{path}/2"))[:2] == (409, "take_is_current")
    status, answer = await send(client, "DELETE", f"{path}/1")
    assert (status, answer["deleted"], answer["take"]) == (200, True, 1)
    assert (await refused(client, "GET", url))[:2] == (404, "output_not_found")
    assert (await refused(client, "DELETE", f"{path}/1"))[:2] == (404, "take_not_found")
    assert (await refused(client, "POST", f"{path}/1/choose"))[:2] == (404, "take_not_found")
    _, generation = await send(client, "GET", f"/generations/{generation_id}")
    assert [(file["take"], file["takes"]) for file in generation["output_files"]] == [(1, 1), (2, 1)]


@pytest.mark.parametrize("view", ["side", "0", "3", "front ", "..%2Fx", "%00", "%FF", "x" * 2000, "%D9%A2"])
async def test_a_view_that_is_not_there(client: Client, forge: Product, view: str) -> None:
    generation_id = await rerolled(forge, client)
    path = f"/generations/{generation_id}/views/{view}/takes"
    for method, of_it in (("GET", ""), ("POST", "/1/choose"), ("DELETE", "/1")):
        assert (await refused(client, method, path + of_it))[:2] == (404, "output_not_found")


@pytest.mark.parametrize("take", ["0", "-1", "01", "1.0", "x", "1e1", "%20", "9" * 10, "9" * 4000, "%D9%A1"])
async def test_a_number_that_no_take_has(client: Client, forge: Product, take: str) -> None:
    generation_id = await rerolled(forge, client)
    path = f"/generations/{generation_id}/views/back/takes/{take}"
    assert (await refused(client, "POST", f"{path}/choose"))[:2] == (404, "take_not_found")
    assert (await refused(client, "DELETE", path))[:2] == (404, "take_not_found")


async def test_several_pictures_of_a_view_are_named_by_number(client: Client, forge: Product) -> None:
    made = await generate(client, "/generate_pose?pose=front", count=2)
    generation_id = await complete(forge, made)
    path = f"/generations/{generation_id}/views"
    status, _, text = await refused(client, "GET", f"{path}/front/takes")
    assert (status, "one of 1, 2" in text) == (422, True)
    assert (await send(client, "GET", f"{path}/2/takes"))[1]["position"] == 2


async def test_a_generation_that_is_not_there(client: Client) -> None:
    path = "/generations/b1c29540-8712-4faf-8d5c-9ed86409ddce/views/front/takes"
    for method, of_it in (("GET", ""), ("POST", "/1/choose"), ("DELETE", "/1")):
        assert (await refused(client, method, path + of_it))[:2] == (404, "generation_not_found")


async def test_rerolls_wait_for_one_another(client: Client, forge: Product) -> None:
    generation_id = await complete(forge, await generate(client, "/generate_pose?pose=front", seed=7))
    path = f"/generations/{generation_id}/reroll?pose=front"
    _, first = await send(client, "POST", f"{path}&seed=1")
    assert (first["status"], first["waiting_rerolls"]) == ("queued", [])
    status, second = await send(client, "POST", f"{path}&seed=18446744073709551615")
    assert (status, second["comfyui_prompt_id"]) == (200, first["comfyui_prompt_id"])
    waiting = [{"position": 1, "pose_type": "front", "seed": 2**64 - 1}]
    assert second["waiting_rerolls"] == waiting
    assert (await send(client, "GET", f"/generations/{generation_id}"))[1]["waiting_rerolls"] == waiting
    forge.host.succeed(first["comfyui_prompt_id"])
    while len(forge.host.submitted) < 3:
        await forge.generations.get(generation_id)
    forge.host.succeed(forge.host.submitted[-1])
    while (await forge.generations.get(generation_id)).is_rerolling:
        pass
    _, listed = await send(client, "GET", f"/generations/{generation_id}/views/front/takes")
    assert [take["seed"] for take in listed["takes"]] == [7, 1, 2**64 - 1]


async def test_all_learn_which_rerolls_wait_and_a_long_poll_ends_with_the_last(
    client: Client, forge: Product
) -> None:
    generation_id = await complete(forge, await generate(client, "/generate_pose?pose=front", seed=7))
    path = f"/generations/{generation_id}"
    _, first = await send(client, "POST", f"{path}/reroll?pose=front&seed=1")
    async with streaming(client, f"{path}/events") as stream:
        await stream.next()
        for seed in (2, 3):
            await send(client, "POST", f"{path}/reroll?pose=front&seed={seed}")
            event = await stream.next()
            told = [waiting["seed"] for waiting in event.data["waiting_rerolls"]]
            assert (event.kind, told) == ("output", list(range(2, seed + 1)))
        waiting = asyncio.create_task(send(client, "GET", f"{path}?wait=60"))
        forge.host.succeed(first["comfyui_prompt_id"])
        await stream.until("queued")
        assert not waiting.done()
        await send(client, "POST", f"{path}/cancel")
        ended = (await stream.until("completed"))[-1].data["generation"]
    status, answer = await waiting
    assert (status, answer["status"], answer["waiting_rerolls"]) == (200, "completed", [])
    assert answer["output_files"] == ended["output_files"]
    assert [answer["output_files"][0][name] for name in ("seed", "takes")] == [1, 2]


async def test_one_that_waits_is_queued_once_however_often_it_is_sent(client: Client, forge: Product) -> None:
    generation_id = await complete(forge, await generate(client))
    path = f"/generations/{generation_id}/reroll?pose=front"
    await send(client, "POST", path)
    headers = {"Idempotency-Key": "k"}
    first = await client.post(PREFIX + path, headers=headers)
    again = await client.post(PREFIX + path, headers=headers)
    assert await again.text() == await first.text()
    assert len((await forge.generations.get(generation_id)).waiting_rerolls) == 1


async def test_a_cancel_lets_none_wait(client: Client, forge: Product) -> None:
    generation_id = await complete(forge, await generate(client))
    for _ in range(3):
        await send(client, "POST", f"/generations/{generation_id}/reroll?pose=front")
    status, cancelled = await send(client, "POST", f"/generations/{generation_id}/cancel")
    assert (status, cancelled["status"], cancelled["waiting_rerolls"]) == (200, "completed", [])
    assert forge.host.queued == []
