"""Generations that use a template, over HTTP."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from graphs import custom_sampler, node, plain, titled
from pictures import picture
from services import Product, product
from sqlalchemy import func, select

from avatarforge.db.tables import template_versions, templates
from avatarforge.forge.settings import Settings

from .conftest import Client, application, generate, upload
from .templates import TEMPLATES, refused, save, send


async def test_a_request_fills_the_slots(client: Client, forge: Product) -> None:
    await save(client)
    answer = await generate(client, template="MINE", seed=7, width=128, height=192, negative_prompt="hat")
    assert answer["parameters"] == {
        **dict.fromkeys(answer["parameters"]),
        "prompt": "a knight",
        "realism": False,
        "template": "mine",
        "seed": 7,
        "count": 1,
        "width": 128,
        "height": 192,
        "steps": 1,
        "cfg": 2.0,
        "negative_prompt": "hat",
        "judge": False,
    }
    prompt = forge.host.prompts[answer["comfyui_prompt_id"]]
    assert prompt["5"]["inputs"]["width"] == 128
    assert prompt["3"]["inputs"]["seed"] == 7
    forge.host.succeed(answer["comfyui_prompt_id"])
    record = await forge.until(answer["generation_id"], "completed")
    assert record.outputs[0].view == "front"
    again = await generate(client, **{**answer["parameters"], "realism": None} | {"realism": False})
    assert forge.host.prompts[again["comfyui_prompt_id"]]["3"]["inputs"] == prompt["3"]["inputs"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("checkpoint", "anime-sd15.safetensors"),
        ("sampler", "euler"),
        ("scheduler", "normal"),
        ("pose_strength", 0.5),
        ("pose_strength", 0),
        ("seed", 0),
        ("cfg", 0),
        ("consistency", 0.5),
        ("model", "anime-sd15.safetensors"),
        ("family", "sd15"),
        ("loras", []),
        ("reference_strength", 0.5),
        ("realism", True),
        ("width", 64),
        ("height", 64),
        ("pose_file_id", None),
        ("reference_file_id", None),
    ],
)
async def test_a_field_without_a_slot_is_refused_by_name(client: Client, field: str, value: Any) -> None:
    graph = plain()
    graph["3"]["inputs"]["latent_image"] = ["20", 0]
    graph["20"] = node("EmptyLatentByRatio", ratio="1:1")
    await save(client, "mine", graph, slots={"seed": [], "cfg": []})
    if value is None:
        value = (await upload(client))["file_id"]
    body = {"prompt": "x", "template": "mine", field: value}
    status, answer = await send(client, "POST", "/generate/avatar", json=body)
    assert (status, answer["code"]) == (422, "template_slot_missing")
    assert answer["parameters"] == {"template": "mine", "field": field}
    assert answer["detail"][0]["loc"] == ["body", field]
    assert field in answer["detail"][0]["msg"]


async def test_a_graph_that_shows_a_character_takes_any(client: Client, forge: Product) -> None:
    """Without a slot for words: the graph itself loads words and pictures."""
    face = (await upload(client, kind="reference"))["file_id"]
    _, vex = await send(
        client,
        "POST",
        "/characters",
        json={
            "name": "Vex",
            "description": "red hair",
            "clothing": "a dress",
            "references": [{"file_id": face, "role": "face"}, {"file_id": face}],
            "outfits": [{"name": "Armour", "words": "steel plate"}],
        },
    )
    graph = plain()
    graph["6"]["inputs"]["text"] = ["20", 0]
    graph["20"] = node("AvatarForgeLoadCharacter", character="Mira", version=0, outfit="", expression="happy")
    saved = await save(client, "mine", graph, slots={"prompt": [], "negative": []})
    assert [item["input"] for item in saved["slots"]["character"]] == ["character"]
    body = {"template": "mine", "character_id": vex["character_id"], "outfit": "armour"}
    status, answer = await send(client, "POST", "/generate/avatar", json=body)
    assert (status, answer["warnings"]) == (200, [])
    shown = forge.host.prompts[answer["comfyui_prompt_id"]]["20"]["inputs"]
    assert shown == {
        "character": vex["character_id"],
        "version": 1,
        "outfit": "Armour",
        "expression": "happy",
    }
    status, again = await send(client, "POST", "/generate/avatar", json=answer["parameters"])
    assert status == 200, again
    assert forge.host.prompts[again["comfyui_prompt_id"]]["20"]["inputs"] == shown
    # Words still need a slot for words.
    found = await refused(client, "POST", "/generate/avatar", json={**body, "prompt": "in the rain"})
    assert found[:2] == (422, "template_slot_missing")


async def test_several_views_and_rerolls_run_the_version_that_they_began_with(
    client: Client, forge: Product
) -> None:
    saved = await save(client, "mine", custom_sampler())
    pose = await upload(client, picture(5))
    answer = await generate(
        client, "/generate_all_poses", template="mine", pose_file_id=pose["file_id"], pose_mode="raw"
    )
    prompt_id = answer["comfyui_prompt_id"]
    assert [(line["role"], line["pose_type"], line["kind"]) for line in answer["inputs"]] == [
        ("pose", "front", "template"),
        ("view", "back", "template"),
        ("view", "side", "template"),
        ("view", "quarter", "template"),
    ]
    forge.host.succeed(prompt_id)
    await forge.until(answer["generation_id"], "completed")
    # The template changes, and is deleted.
    changed = custom_sampler()
    changed["10"]["inputs"]["cfg"] = 9.0
    path = f"/templates/{saved['template_id']}"
    assert (await send(client, "PUT", path, json={"prompt": changed}))[0] == 200
    assert (await send(client, "DELETE", path))[0] == 200
    assert (await refused(client, "GET", path))[:2] == (404, "template_not_found")
    await save(client, "MINE")  # its name is free
    status, again = await send(
        client, "POST", f"/generations/{answer['generation_id']}/reroll?pose=back&seed=77"
    )
    assert status == 200, again
    prompt = forge.host.prompts[again["comfyui_prompt_id"]]
    assert prompt["10"]["inputs"]["cfg"] == 5.0
    assert prompt["11"]["inputs"]["noise_seed"] == 77
    forge.host.succeed(again["comfyui_prompt_id"])
    await forge.until(answer["generation_id"], "completed")
    _, done = await send(client, "GET", f"/generations/{answer['generation_id']}")
    assert [output["seed"] for output in done["output_files"]].count(77) == 1
    assert len(done["inputs"]) == 4


async def test_a_drawn_seed_is_one_that_every_node_takes(client: Client, forge: Product) -> None:
    await save(client)
    answer = await generate(client, template="mine")
    assert 0 <= answer["parameters"]["seed"] < 2**31
    forge.host.succeed(answer["comfyui_prompt_id"])
    await forge.until(answer["generation_id"], "completed")
    _, again = await send(client, "POST", f"/generations/{answer['generation_id']}/reroll?pose=front")
    prompt = forge.host.prompts[again["comfyui_prompt_id"]]
    assert prompt["3"]["inputs"]["seed"] < 2**31
    assert prompt["3"]["inputs"]["seed"] != answer["parameters"]["seed"]


async def test_a_template_without_a_seed_is_not_rerolled(client: Client, forge: Product) -> None:
    await save(client, "mine", slots={"seed": []})
    answer = await generate(client, template="mine")
    assert answer["parameters"]["seed"] is None
    forge.host.succeed(answer["comfyui_prompt_id"])
    await forge.until(answer["generation_id"], "completed")
    path = f"/generations/{answer['generation_id']}/reroll?pose=front"
    assert (await refused(client, "POST", path))[:2] == (422, "template_slot_missing")
    body = {"prompt": "x", "template": "mine", "seed": 5}
    assert (await refused(client, "POST", "/generate/avatar", json=body))[:2] == (
        422,
        "template_slot_missing",
    )


async def test_a_failed_generation_is_retried_after_its_template_was_deleted(
    client: Client, forge: Product
) -> None:
    await save(client)
    answer = await generate(client, template="mine")
    await send(client, "DELETE", "/templates/mine")
    forge.host.drop(answer["comfyui_prompt_id"])
    await forge.until(answer["generation_id"], "failed")
    status, again = await send(client, "POST", f"/generations/{answer['generation_id']}/retry")
    assert (status, again["status"]) == (200, "queued")


async def test_the_graph_of_a_deleted_template_goes_with_its_last_generation(
    client: Client, forge: Product
) -> None:
    def rows() -> tuple[int, int]:
        def read(connection: Any) -> tuple[int, int]:
            counts = [
                connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables
            ]
            return counts[0], counts[1]

        tables = (templates, template_versions)
        return forge.database.read_here(read)

    await save(client)
    answer = await generate(client, template="mine")
    await send(client, "DELETE", "/templates/mine")
    assert rows() == (1, 1)
    await send(client, "DELETE", f"/generations/{answer['generation_id']}")
    assert rows() == (0, 0)


async def test_only_the_newest_versions_and_those_in_use_are_kept(aiohttp_client: Any, tmp_path: Any) -> None:
    async with product(tmp_path, settings=Settings(max_template_versions=2)) as forge:
        client = await aiohttp_client(application(forge.services))
        await save(client)
        await generate(client, template="mine")
        for _ in range(4):
            status, _ = await send(client, "PUT", "/templates/mine", json={"prompt": plain()})
            assert status == 200
        query = select(template_versions.c.number).order_by(template_versions.c.number)
        kept = forge.database.read_here(lambda connection: connection.execute(query).scalars().all())
        assert list(kept) == [1, 4, 5]


async def test_a_stored_file_that_a_graph_names_is_used_by_it(client: Client) -> None:
    file_id = (await upload(client, kind="reference"))["file_id"]
    graph = titled()
    graph["5"] = node("AvatarForgeLoadReference", "face", file_id=file_id.upper())
    await save(client, "mine", graph)
    _, listed = await send(client, "GET", "/files")
    assert [item["references"] for item in listed["files"]] == [1]
    assert (await send(client, "POST", "/cleanup/orphaned-files?days=0"))[1]["files_deleted"] == 0
    assert (await send(client, "DELETE", f"/files/{file_id}"))[1]["deleted"] == "soft"
    await send(client, "DELETE", "/templates/mine")
    # Its bytes went with the last use, so that the content is new again.
    assert (await upload(client, kind="reference"))["file_id"] != file_id


async def test_two_that_save_at_once_get_one_name(client: Client) -> None:
    body = {"name": "mine", "prompt": plain()}
    answers = await asyncio.gather(
        *(send(client, "POST", "/templates", json=copy.deepcopy(body)) for _ in range(5))
    )
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409, 409]


async def test_templates_need_the_key_as_all_routes_do(opened: Callable[..., Awaitable[Client]]) -> None:
    client = await opened(api_key="a-key-of-more-than-16-characters")
    answer = await client.post(TEMPLATES, data=json.dumps({"name": "x"}))
    assert answer.status == 401
