"""Answers that a client has already are not sent again, and those of generations keep the schema's form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from services import Product

from avatarforge.forge.ports import PromptEvent
from avatarforge.routes import ENDPOINTS, PREFIX, responses

from .conftest import Client, generate, upload

READ_AGAIN = [endpoint.path for endpoint in ENDPOINTS if endpoint.conditional and "{" not in endpoint.path]


async def paths(client: Client) -> list[str]:
    file, made = await upload(client), await generate(client)
    filled = [f"/files/hash/{file['content_hash']}", f"/generations/{made['generation_id']}"]
    return [*READ_AGAIN, *filled, f"/generations/{made['generation_id']}/prompt"]


async def test_what_the_client_has_is_not_sent_again(client: Client) -> None:
    assert {"/generations", "/files", "/capabilities", "/poses"} <= set(READ_AGAIN)
    for path in await paths(client):
        answer = await client.get(PREFIX + path)
        tag = answer.headers["ETag"]
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "private, no-cache"), path
        for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = await client.get(PREFIX + path, headers={"If-None-Match": given})
            assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", tag), path
            assert again.headers["Cross-Origin-Resource-Policy"] == "same-site"
        other = await client.get(PREFIX + path, headers={"If-None-Match": '"other"'})
        assert (other.status, await other.read()) == (200, await answer.read())
        head = await client.head(PREFIX + path)
        assert (head.status, head.headers["ETag"], await head.read()) == (200, tag, b"")
        head = await client.head(PREFIX + path, headers={"If-None-Match": tag})
        assert head.status == 304


async def test_the_tag_changes_with_the_generation(forge: Product, client: Client) -> None:
    made = await generate(client, "/generate_all_poses")
    item, many = f"{PREFIX}/generations/{made['generation_id']}", f"{PREFIX}/generations"
    prompt_id = made["comfyui_prompt_id"]
    seen = set()

    async def changed() -> dict[str, Any]:
        body: dict[str, Any] = {}
        for path in (item, many):
            answer = await client.get(path)
            assert answer.headers["ETag"] not in seen
            seen.add(answer.headers["ETag"])
            body = await answer.json()
        listed: dict[str, Any] = body["generations"][0]
        assert listed == await (await client.get(item)).json()
        return listed

    assert (await changed())["status"] == "queued"
    forge.host.start(prompt_id)
    await forge.until(made["generation_id"], "processing")
    assert (await changed())["status"] == "processing"
    forge.host.save(prompt_id)
    forge.host.end(PromptEvent("succeeded", prompt_id))
    await forge.until(made["generation_id"], "completed")
    assert len((await changed())["output_files"]) == 4
    await client.delete(item)
    assert (await client.get(item, headers={"If-None-Match": "*"})).status == 404
    assert (await (await client.get(many)).json())["total"] == 0


async def test_a_health_is_never_kept(client: Client) -> None:
    answer = await client.get(f"{PREFIX}/health", headers={"If-None-Match": "*"})
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert "ETag" not in answer.headers


@pytest.mark.parametrize(
    "body",
    [
        {},
        {
            "seed": 2**64 - 1,
            "cfg": 7,
            "steps": 3,
            "clothing": 'a "quoted" cape\n\u2028',
            "prompt": "ritter \u00fc",
        },
        {"pose_strength": 1, "reference_strength": 0, "realism": True},
    ],
)
@pytest.mark.parametrize("path", ["/generate/avatar", "/generate_pose?pose=back", "/generate_all_poses"])
async def test_answers_have_the_form_of_the_schema(
    forge: Product, client: Client, path: str, body: dict[str, Any]
) -> None:
    if "reference_strength" in body:
        file = await upload(client)
        body = {
            **body,
            "pose_file_id": file["file_id"],
            "pose_mode": "raw",
            "reference_file_id": file["file_id"],
        }
    if path.endswith("all_poses"):
        body = {**body, "consistency": 1}
    made = await generate(client, path, **body)
    for step in ("start", "save", "end"):
        url = f"{PREFIX}/generations/{made['generation_id']}"
        text = await (await client.get(url)).text()
        assert text == responses.GenerationAnswer.model_validate_json(text, strict=True).model_dump_json()
        text = await (await client.get(f"{PREFIX}/generations")).text()
        assert text == responses.GenerationsAnswer.model_validate_json(text, strict=True).model_dump_json()
        if step == "start":
            forge.host.start(made["comfyui_prompt_id"])
            await forge.until(made["generation_id"], "processing")
        elif step == "save":
            forge.host.save(made["comfyui_prompt_id"])
            forge.host.end(PromptEvent("failed", made["comfyui_prompt_id"], error="no", reason="no"))
            await forge.until(made["generation_id"], "failed")
    text = await (await client.get(f"{PREFIX}/files")).text()
    assert text == responses.FilesAnswer.model_validate_json(text, strict=True).model_dump_json()
    assert json.loads(text)["total"] == ("reference_strength" in body)


async def test_rendered_pages_of_characters_are_what_the_model_says(client: Client) -> None:
    url = f"{PREFIX}/characters"
    for number in range(3):
        saved = {"name": f"Mira {number}", "description": "a woman"}
        assert (await client.post(url, json=saved)).status == 200
        for query in ("", "?limit=1", "?q=mira", "?q=mira&limit=1"):
            texts = [await (await client.get(url + query)).text() for _ in range(2)]
            assert texts[0] == texts[1]
            answer = responses.CharactersAnswer.model_validate_json(texts[0], strict=True)
            assert texts[0] == answer.model_dump_json()
            assert answer.total == number + 1
