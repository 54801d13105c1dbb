"""Views, the expression and the height of the camera, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from services import Product, product

from avatarforge.forge.spec.views import EIGHT_VIEWS, SHEET_VIEWS, VIEW_NAMES
from avatarforge.routes import PREFIX

from .conftest import Client, generate, upload

SHEET = "/generate_all_poses"


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        yield opened


async def refused(client: Client, path: str, **body: Any) -> tuple[str, list[Any], str]:
    answer = await client.post(PREFIX + path, json={"prompt": "a knight", **body})
    problem = await answer.json()
    assert answer.status == 422, problem
    return problem["code"], problem["detail"][0]["loc"], problem["detail"][0]["msg"]


async def finished(client: Client, forge: Product, answer: dict[str, Any]) -> dict[str, Any]:
    forge.host.succeed(answer["comfyui_prompt_id"])
    await forge.until(answer["generation_id"], "completed")
    done = await client.get(f"{PREFIX}/generations/{answer['generation_id']}")
    body: dict[str, Any] = await done.json()
    return body


@pytest.mark.parametrize("view", VIEW_NAMES)
async def test_every_view_can_be_asked_for_alone(client: Client, forge: Product, view: str) -> None:
    done = await finished(client, forge, await generate(client, f"/generate_pose?pose={view}"))
    (output,) = done["output_files"]
    assert output["pose_type"] == view
    prompt = forge.host.prompts[done["comfyui_prompt_id"]]
    (canvas,) = [node["inputs"] for node in prompt.values() if node["class_type"] == "AvatarForgeViewsLatent"]
    assert (canvas["width"] < 512) is (view in ("side", "left", "right"))


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (None, SHEET_VIEWS),
        (list(reversed(EIGHT_VIEWS)), tuple(name for name in VIEW_NAMES if name in EIGHT_VIEWS)),
        (["left", "front"], ("front", "left")),
        (["back_right"], ("back_right",)),
        (list(VIEW_NAMES), VIEW_NAMES),
    ],
)
@pytest.mark.parametrize("turnaround", ["batch", "sequential"])
async def test_a_sheet_has_the_views_that_were_asked_for(
    client: Client, forge: Product, asked: list[str] | None, given: tuple[str, ...], turnaround: str
) -> None:
    extra = {} if asked is None else {"views": asked}
    if len(given) > 1:
        extra["turnaround"] = turnaround  # type: ignore[assignment]
    done = await finished(client, forge, await generate(client, SHEET, **extra))
    assert [output["pose_type"] for output in done["output_files"]] == list(given)
    assert done["parameters"]["views"] == list(given)
    again = await generate(client, SHEET, **done["parameters"])
    assert again["parameters"] == done["parameters"]


async def test_a_view_of_a_chosen_sheet_can_be_re_rolled(client: Client, forge: Product) -> None:
    done = await finished(client, forge, await generate(client, SHEET, views=["front", "back_left"]))
    path = f"{PREFIX}/generations/{done['generation_id']}/reroll"
    missing = await client.post(f"{path}?pose=side")
    assert (missing.status, (await missing.json())["code"]) == (422, "view_not_found")
    answer = await client.post(f"{path}?pose=back_left")
    assert answer.status == 200, await answer.text()
    again = await finished(client, forge, await answer.json())
    before, after = (
        {item["pose_type"]: item["seed"] for item in body["output_files"]} for body in (done, again)
    )
    assert before["front"] == after["front"]
    assert before["back_left"] != after["back_left"]


@pytest.mark.parametrize("path", ["/generate/avatar", "/generate_pose?pose=front"])
async def test_views_belong_to_a_sheet(client: Client, path: str) -> None:
    code, where, _ = await refused(client, path, views=["front"])
    assert (code, where) == ("field_not_applicable", ["body", "views"])


@pytest.mark.parametrize(
    "views", [[], ["front", "front"], ["top"], "front", [*VIEW_NAMES, "front"], [None], {"front": 1}]
)
async def test_invalid_views_are_refused_by_name(client: Client, views: Any) -> None:
    _, where, _ = await refused(client, SHEET, views=views)
    assert where[:2] == ["body", "views"]


async def test_a_pose_that_no_view_can_show_is_refused(client: Client) -> None:
    pose = (await upload(client))["file_id"]
    code, where, message = await refused(client, SHEET, views=["left", "right"], pose_file_id=pose)
    assert (code, where) == ("field_not_applicable", ["body", "pose_file_id"])
    assert "front" in message


@pytest.mark.parametrize("name", ["happy", "Embarrassed"])
async def test_an_expression_is_in_the_words(client: Client, forge: Product, name: str) -> None:
    answer = await generate(client, "/generate_pose?pose=front", expression=name)
    assert answer["parameters"]["expression"] == name
    prompt = forge.host.prompts[answer["comfyui_prompt_id"]]
    (words,) = [node for node in prompt.values() if node["class_type"] == "AvatarForgePrompt"]
    assert words["inputs"]["expression"] == name


async def test_an_unknown_expression_is_refused_with_the_known_ones(client: Client) -> None:
    code, where, message = await refused(client, "/generate/avatar", expression="smug")
    assert (code, where) == ("unknown_option", ["body", "expression"])
    assert "embarrassed" in message


async def test_the_height_of_the_camera_is_for_models(client: Client, forge: Product) -> None:
    answer = await generate(client, "/generate/avatar", elevation="above")
    assert answer["parameters"]["elevation"] == "above"
    prompt = forge.host.prompts[answer["comfyui_prompt_id"]]
    (words,) = [node for node in prompt.values() if node["class_type"] == "AvatarForgePrompt"]
    assert words["inputs"]["elevation"] == "above"
    code, where, _ = await refused(client, "/generate/avatar", elevation="above", family="doll")
    assert (code, where) == ("not_supported_by_family", ["body", "elevation"])
