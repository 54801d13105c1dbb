"""The family that draws its pictures, over HTTP, on a ComfyUI without any model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pictures import picture
from services import Product, product

from avatarforge.forge.ports import InstalledModels
from avatarforge.forge.settings import Settings
from avatarforge.routes import PREFIX

from .conftest import Client, application, generate, upload

NOTHING = InstalledModels((), (), ("euler",), ("normal",), embeddings=())
SHEET = "/generate_all_poses"


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        opened.host.installed = NOTHING
        yield opened


async def get(client: Client, path: str) -> dict[str, Any]:
    answer = await client.get(f"{PREFIX}{path}")
    assert answer.status == 200, await answer.text()
    body: dict[str, Any] = await answer.json()
    return body


async def post(client: Client, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
    answer = await client.post(PREFIX + path, json={"prompt": "a knight", **body})
    return answer.status, await answer.json()


def drawn(forge: Product, generation: dict[str, Any]) -> dict[str, Any]:
    """The inputs of the one node that draws."""
    prompt = forge.host.prompts[generation["comfyui_prompt_id"]]
    (node,) = [item for item in prompt.values() if item["class_type"] == "AvatarForgePaperDoll"]
    inputs: dict[str, Any] = node["inputs"]
    return inputs


@pytest.mark.parametrize(
    "path", ["/generate/avatar", "/generate_pose?pose=side", "/generate_pose?pose=back_left", SHEET]
)
async def test_every_route_draws_when_it_is_asked_to(client: Client, forge: Product, path: str) -> None:
    answer = await generate(client, path, family="doll", seed=5)
    assert drawn(forge, answer)["seed"] == 5
    used = answer["parameters"]
    assert (used["model"], used["checkpoint"], used["steps"]) == ("Paper doll", "Paper doll", 4)
    assert [used[name] for name in ("cfg", "sampler", "scheduler", "loras")] == [None] * 4
    forge.host.succeed(answer["comfyui_prompt_id"])
    await forge.until(answer["generation_id"], "completed")
    again = await generate(client, path, **used)
    assert again["parameters"] == used
    assert drawn(forge, again) == drawn(forge, answer)


async def test_a_request_that_does_not_name_it_is_told_how_to_try_the_service(client: Client) -> None:
    status, body = await post(client, "/generate/avatar")
    assert (status, body["code"]) == (503, "checkpoint_missing")
    assert '"family": "doll"' in body["detail"]
    status, body = await post(client, "/generate/avatar", family="sdxl")
    assert (status, body["code"]) == (503, "checkpoint_missing")


async def test_it_is_marked_and_changes_no_health(client: Client) -> None:
    table = await get(client, "/capabilities")
    assert table["checkpoints"] == []
    (model,) = table["models"]
    assert (model["name"], model["drawn"], model["folder"]) == ("Paper doll", True, "")
    assert (model["defaults"]["steps"], model["defaults"]["cfg"]) == (4, None)
    assert [family["name"] for family in table["families"] if family["installed"]] == ["doll"]
    assert table["families"][-1]["label"] == model["family_label"] == "Paper doll (drawn, no model)"
    health = await get(client, "/health")
    assert health["api_status"] == "degraded"
    assert health["reason"] == table["reasons"][0]
    assert health["capabilities"]["families"] == {}
    files = await get(client, "/models")
    assert files["models"] == []
    assert "doll" not in [family["name"] for family in files["families"]]


async def test_a_setting_selects_it_for_everything(
    tmp_path: Path, aiohttp_client: Callable[..., Awaitable[Client]]
) -> None:
    async with product(tmp_path, settings=Settings(default_family="doll", default_steps=20)) as forge:
        forge.host.installed = NOTHING
        client = await aiohttp_client(application(forge.services))
        answer = await generate(client, SHEET)
        assert (answer["parameters"]["model"], answer["parameters"]["steps"]) == ("Paper doll", 4)
        health = await get(client, "/health")
        assert (health["api_status"], health["reason"]) == ("healthy", None)
        assert (await post(client, "/generate/avatar", family="sd15"))[0] == 503


async def test_what_it_cannot_do_is_refused_before_anything_is_queued(client: Client, forge: Product) -> None:
    photo = (await upload(client, picture(3)))["file_id"]
    for body, status, code in (
        ({"cfg": 7}, 422, "not_supported_by_family"),
        ({"steps": 20}, 422, "not_supported_by_family"),
        ({"pose_file_id": photo}, 503, "pose_extractor_missing"),
        ({"pose_file_id": photo, "pose_mode": "raw"}, 422, "not_supported_by_family"),
    ):
        answered, problem = await post(client, "/generate/avatar", family="doll", **body)
        assert (answered, problem["code"]) == (status, code)
    assert forge.host.submitted == []


async def test_unknown_words_are_a_warning_with_the_words(client: Client) -> None:
    answer = await generate(client, family="doll", clothing="a blorptastic cape")
    (warning,) = answer["warning_details"]
    assert warning["code"] == "words_not_understood"
    assert warning["parameters"] == {"words": ["blorptastic"], "count": 1}


async def test_retry_and_re_roll_need_no_model_either(client: Client, forge: Product) -> None:
    answer = await generate(client, SHEET, family="doll", seed=5)
    generation_id = answer["generation_id"]
    forge.host.cancel(answer["comfyui_prompt_id"])
    await forge.until(generation_id, "failed")
    retried = await client.post(f"{PREFIX}/generations/{generation_id}/retry")
    assert retried.status == 200, await retried.text()
    forge.host.succeed((await retried.json())["comfyui_prompt_id"])
    await forge.until(generation_id, "completed")
    rolled = await client.post(f"{PREFIX}/generations/{generation_id}/reroll?pose=back&seed=8")
    assert rolled.status == 200, await rolled.text()
    node = drawn(forge, await rolled.json())
    assert (node["view"], node["seed"], node["view_seed"]) == ("back", 5, 8)


async def test_its_graph_is_given_as_a_template(client: Client) -> None:
    document = await get(client, "/templates/builtin/doll")
    assert {node["class_type"] for node in document["prompt"].values()} == {
        "AvatarForgePaperDoll",
        "AvatarForgeSave",
    }
