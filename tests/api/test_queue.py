"""Cancel, retry and a full queue, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from pictures import picture
from queueing import outputs, recorder
from services import Product, product

from avatarforge.forge.ports import PromptEvent
from avatarforge.forge.settings import Settings
from avatarforge.routes import PREFIX

from .conftest import Client, application, generate


async def test_cancel_then_retry_gives_the_generation_each_time(client: Client, forge: Product) -> None:
    queued = await generate(client, seed=3)
    path = f"{PREFIX}/generations/{queued['generation_id']}"
    cancelled = await client.post(f"{path}/cancel")
    assert cancelled.status == 200
    body = await cancelled.json()
    assert (body["status"], body["message"]) == ("failed", "Generation failed")
    assert body["error"] == "Cancelled on request."
    again = await client.post(f"{path}/retry")
    assert again.status == 200
    body = await again.json()
    assert body == {**queued, "comfyui_prompt_id": body["comfyui_prompt_id"]}
    refused = await client.post(f"{path}/retry")
    assert refused.status == 409
    assert (await refused.json())["detail"] == "Only a failed generation can be retried; this one is queued."


@pytest.mark.parametrize("verb", ["cancel", "retry"])
async def test_what_was_queued_by_hand_is_its_owners_business(
    client: Client, forge: Product, verb: str
) -> None:
    prompt_id = "11111111-2222-4333-8444-555555555555"
    file = outputs(forge).file(prompt_id, 0)
    file.parent.mkdir(parents=True)
    file.write_bytes(picture())
    await asyncio.to_thread(recorder(forge).saved, prompt_id, prompt_id, "{}", 0)
    answer = await client.post(f"{PREFIX}/generations/{prompt_id}/{verb}")
    assert answer.status == 409
    assert "a graph that was queued by hand" in (await answer.json())["detail"]


@pytest.mark.parametrize("verb", ["cancel", "retry"])
async def test_an_unknown_generation_is_a_404(client: Client, verb: str) -> None:
    assert (await client.post(f"{PREFIX}/generations/nope/{verb}")).status == 404


async def test_a_full_queue_says_when_to_come_again(
    tmp_path: Path, aiohttp_client: Callable[..., Awaitable[Client]]
) -> None:
    async with product(tmp_path, settings=Settings(max_active_generations=1)) as forge:
        client = await aiohttp_client(application(forge.services))
        first = await generate(client)
        refused = await client.post(f"{PREFIX}/generate/avatar", json={"prompt": "x"})
        assert refused.status == 503
        assert int(refused.headers["Retry-After"]) > 0
        body = await refused.json()
        assert "MAX_ACTIVE_GENERATIONS" in body["detail"]
        assert (body["code"], body["parameters"]) == ("queue_full", {"limit": 1})
        forge.host.start(first["comfyui_prompt_id"])
        forge.host.end(PromptEvent("failed", first["comfyui_prompt_id"], "no"))
        await forge.until(first["generation_id"], "failed")
        await generate(client)


async def test_a_dead_worker_makes_health_degraded(client: Client, forge: Product) -> None:
    forge.host.dead = "ComfyUI's worker thread ended."
    health = await (await client.get(f"{PREFIX}/health")).json()
    assert (health["api_status"], health["reason"]) == ("degraded", forge.host.dead)
    assert (health["queue"]["status"], health["queue"]["reason"]) == ("unhealthy", forge.host.dead)
    refused = await client.post(f"{PREFIX}/generate/avatar", json={"prompt": "x"})
    body = await refused.json()
    assert (refused.status, body["detail"], body["code"]) == (503, forge.host.dead, "worker_stopped")


@pytest.mark.parametrize("route", ["/generate/avatar", "/generate_pose?pose=back", "/generate_all_poses"])
async def test_a_prompt_that_comfyui_does_not_take_is_a_503_and_leaves_nothing(
    client: Client, forge: Product, route: str
) -> None:
    forge.host.not_taken = lambda prompt_id: "ComfyUI did not take the prompt into its queue."
    body, headers = {"prompt": "a knight"}, {"Idempotency-Key": "same"}
    refused = await client.post(f"{PREFIX}{route}", json=body, headers=headers)
    assert refused.status == 503
    answer = await refused.json()
    assert answer["detail"] == "ComfyUI did not take the prompt into its queue."
    assert answer["code"] == "queue_refused"
    assert (await (await client.get(f"{PREFIX}/generations")).json())["total"] == 0
    forge.host.not_taken = lambda prompt_id: None
    taken = await client.post(f"{PREFIX}{route}", json=body, headers=headers)
    assert (taken.status, (await taken.json())["status"]) == (200, "queued")
    assert len(forge.host.queued) == 1
