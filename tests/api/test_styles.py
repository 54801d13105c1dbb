"""The list of preset styles, and large pixels, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from services import Product, product

from avatarforge.forge.spec.styles import STYLES
from avatarforge.routes import PREFIX

from .conftest import Client, generate

PIXEL_ART = "AvatarForgePixelArt"


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        yield opened


async def test_the_presets_are_listed_with_their_words(client: Client) -> None:
    listed = (await (await client.get(f"{PREFIX}/styles")).json())["styles"]
    assert [item["name"] for item in listed] == [style.name for style in STYLES]
    first, words = listed[0], listed[0]["words"]
    assert set(first) == {"name", "description", "words", "drawn", "pixel_art"}
    assert (words["tags"], words["sentence"], words["negative"]) == (
        STYLES[0].tags,
        STYLES[0].sentence,
        STYLES[0].negative,
    )
    assert [item["name"] for item in listed if item["pixel_art"]] == ["pixel art"]
    assert {item["name"] for item in listed if not item["drawn"]} == {
        "oil painting",
        "3D render",
        "concept art",
        "vintage photograph",
        "stained glass",
    }
    fields = (await (await client.get(f"{PREFIX}/request_fields")).json())["fields"]
    (style,) = [field for field in fields if field["name"] == "style"]
    assert style["suggestions"] == [item["name"] for item in listed]
    assert {
        field["name"]: (field["group"], field["applies"]) for field in fields if "pixel" in field["name"]
    } == {
        "pixel_height": ("advanced", "always"),
        "pixel_colors": ("advanced", "pixel_art"),
    }


async def test_large_pixels_are_reported_and_a_reroll_has_them_too(client: Client, forge: Product) -> None:
    made = await generate(client, "/generate_all_poses", pixel_height=96, pixel_colors=16)
    assert (made["parameters"]["pixel_height"], made["parameters"]["pixel_colors"]) == (96, 16)
    forge.host.succeed(made["comfyui_prompt_id"])
    await forge.until(made["generation_id"], "completed")
    answer = await client.post(f"{PREFIX}/generations/{made['generation_id']}/reroll?pose=back")
    again: dict[str, Any] = await answer.json()
    assert (answer.status, again["parameters"]["pixel_height"]) == (200, 96)
    prompt = forge.host.prompts[again["comfyui_prompt_id"]]
    (reduction,) = [node["inputs"] for node in prompt.values() if node["class_type"] == PIXEL_ART]
    assert (reduction["pixel_height"], reduction["colors"]) == (96, 16)
    assert prompt[reduction["palette_from"][0]]["class_type"] == "AvatarForgeLoadView"


async def test_a_palette_without_large_pixels_is_refused_by_name(client: Client) -> None:
    body = {"prompt": "a knight", "pixel_colors": 16}
    answer = await client.post(f"{PREFIX}/generate/avatar", json=body)
    problem = await answer.json()
    assert (answer.status, problem["code"]) == (422, "field_not_applicable")
    assert problem["parameters"] == {"field": "pixel_colors"}
    assert "pixel_height" in problem["detail"][0]["msg"]
