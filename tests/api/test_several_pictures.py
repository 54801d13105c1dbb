"""`count` over HTTP: several pictures or sheets in one generation, and re-rolls by position."""

from __future__ import annotations

from typing import Any

import pytest
from services import Product

from avatarforge.routes.responses import GenerationAnswer

from .conftest import Client, generate
from .templates import refused, save, send

KNIGHT = {"prompt": "a knight"}


async def complete(forge: Product, client: Client, answer: dict[str, Any]) -> dict[str, Any]:
    forge.host.succeed(answer["comfyui_prompt_id"])
    await forge.until(answer["generation_id"], "completed")
    status, ended = await send(client, "GET", f"/generations/{answer['generation_id']}")
    assert (status, ended["status"]) == (200, "completed")
    return ended


async def test_each_picture_says_its_seed_and_one_is_made_again(client: Client, forge: Product) -> None:
    body = {"views": ["front", "back"], "count": 2, "seed": 7}
    made = await generate(client, "/generate_all_poses", **body)
    ended = await complete(forge, client, made)
    GenerationAnswer.model_validate(ended)
    files = ended["output_files"]
    assert [(file["pose_type"], file["seed"]) for file in files] == [
        ("front", 7),
        ("back", 7),
        ("front", 8),
        ("back", 8),
    ]
    assert {line["picture"] for line in ended["inputs"]} == {1, 2, 3, 4}
    used = ended["parameters"]
    assert (used["count"], used["views"], used["seed"]) == (2, ["front", "back"], 7)

    path = f"/generations/{made['generation_id']}/reroll"
    for query, told in (("pose=back", "one of 2, 4"), ("position=5", "it has 4"), ("", "Say which")):
        status, _, text = await refused(client, "POST", f"{path}?{query}")
        assert (status, told in text) == (422, True), text
    status, again = await send(client, "POST", f"{path}?pose=back&position=4&seed=99")
    assert (status, again["reroll"], again["reroll_position"]) == (200, "back", 4)
    rolled = await complete(forge, client, again)
    assert [file["seed"] for file in rolled["output_files"]] == [7, 7, 8, 99]
    assert (rolled["reroll"], rolled["reroll_position"]) == (None, None)
    assert {line["picture"] for line in rolled["inputs"]} == {1, 2, 3, 4}


async def test_pictures_of_one_view_are_one_batch(client: Client, forge: Product) -> None:
    made = await generate(client, count=3, seed=1, sampler="euler")
    prompt = forge.host.prompts[made["comfyui_prompt_id"]]
    assert sum(node["class_type"] == "KSampler" for node in prompt.values()) == 1
    ended = await complete(forge, client, made)
    assert [file["seed"] for file in ended["output_files"]] == [1, 2, 3]
    assert (await generate(client))["parameters"]["count"] == 1


@pytest.mark.parametrize("count", [0, 17, 1.5, "3", True])
async def test_a_count_out_of_range_is_refused(client: Client, count: Any) -> None:
    status, answer = await send(client, "POST", "/generate/avatar", json={**KNIGHT, "count": count})
    assert (status, answer["detail"][0]["loc"]) == (422, ["body", "count"])


async def test_a_template_needs_a_slot_for_the_seed(client: Client) -> None:
    await save(client, "fixed", slots={"seed": []})
    status, _, text = await refused(
        client, "POST", "/generate/avatar", json={**KNIGHT, "template": "fixed", "count": 2}
    )
    assert (status, "no slot 'seed'" in text) == (422, True), text
    assert (await generate(client, template="fixed", count=1))["parameters"]["count"] == 1
