"""Poses in JSON over HTTP, and the table of capabilities, on the fake host."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient
from pictures import picture
from PIL import Image
from services import Product

from avatarforge.forge.pictures.openpose_json import MAX_BYTES
from avatarforge.forge.ports import OPTIONAL_NODES, ModelFile
from avatarforge.routes import PREFIX

POSE = json.dumps(
    {
        "canvas_width": 300,
        "canvas_height": 400,
        "people": [{"pose_keypoints_2d": [100, 200, 1] * 18}],
    },
    indent=1,
).encode()
CASES = {
    path.stem: path.read_bytes()
    for path in sorted((Path(__file__).resolve().parents[1] / "data" / "cases").glob("pose-*.json"))
}
JSON = {"Content-Type": "application/json"}


async def send(client: TestClient[Any, Any], kind: str, data: bytes) -> tuple[int, dict[str, Any]]:
    form = FormData()
    form.add_field("file", data, filename="jump.png", content_type="image/png")
    answer = await client.post(f"{PREFIX}/upload/{kind}_image", data=form)
    return answer.status, await answer.json()


async def test_a_pose_in_json_is_uploaded_as_a_form_or_as_the_body_itself(
    client: TestClient[Any, Any],
) -> None:
    status, first = await send(client, "pose", POSE)
    assert status == 200
    assert first["mime_type"] == "application/json"
    assert first["filename"] == "jump.json"
    assert first["dimensions"] == {"width": 300, "height": 400}
    assert first["content_hash"] == hashlib.sha256(POSE).hexdigest()
    assert first["is_duplicate"] is False
    answer = await client.post(f"{PREFIX}/upload/pose_image", data=POSE, headers=JSON)
    assert answer.status == 200
    second = await answer.json()
    assert (second["file_id"], second["is_duplicate"]) == (first["file_id"], True)


async def test_it_is_downloaded_byte_for_byte_with_its_type(client: TestClient[Any, Any]) -> None:
    answer = await client.post(f"{PREFIX}/upload/pose_image", data=POSE, headers=JSON)
    uploaded = await answer.json()
    assert uploaded["filename"] == "pose.json"
    download = await client.get(uploaded["url"])
    assert download.headers["Content-Type"] == "application/json"
    assert download.headers["ETag"] == f'"{uploaded["content_hash"]}"'
    assert await download.read() == POSE


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b'{"people": []}', 400, "shows nobody"),
        (b"{", 400, "not a valid JSON document"),
        (b"", 400, "The file is empty"),
        (POSE.ljust(MAX_BYTES + 1), 413, f"{MAX_BYTES} bytes"),
        (picture(), 400, "the body is a picture, but was sent as application/json"),
    ],
)
async def test_a_body_that_is_no_pose_is_refused_and_leaves_nothing(
    client: TestClient[Any, Any], forge: Product, body: bytes, status: int, said: str
) -> None:
    answer = await client.post(f"{PREFIX}/upload/pose_image", data=body, headers=JSON)
    assert answer.status == status
    detail = (await answer.json())["detail"]
    assert detail.startswith("Invalid image file: " if status == 400 else "File too large: ")
    assert said in detail
    assert (await forge.health.measure()).stored_files == 0


async def test_a_reference_is_no_json(client: TestClient[Any, Any]) -> None:
    status, refused = await send(client, "reference", POSE)
    assert (status, "pose in JSON" in refused["detail"]) == (400, True)
    answer = await client.post(f"{PREFIX}/upload/reference_image", data=POSE, headers=JSON)
    assert answer.status == 400
    await send(client, "pose", POSE)
    assert (await send(client, "reference", POSE))[0] == 400


async def test_the_document_says_in_which_types_a_pose_may_come(client: TestClient[Any, Any]) -> None:
    paths = (await (await client.get(f"{PREFIX}/openapi.json")).json())["paths"]
    types = {
        kind: set(paths[f"{PREFIX}/upload/{kind}_image"]["post"]["requestBody"]["content"])
        for kind in ("pose", "reference")
    }
    assert types == {
        "pose": {"multipart/form-data", "application/json"},
        "reference": {"multipart/form-data"},
    }
    download = paths[f"{PREFIX}/files/{{file_id}}"]["get"]["responses"]["200"]["content"]
    assert "application/json" in download


async def table(client: TestClient[Any, Any]) -> dict[str, Any]:
    answer = await client.get(f"{PREFIX}/capabilities")
    assert answer.status == 200
    found: dict[str, Any] = await answer.json()
    return found


async def test_capabilities_follow_what_is_installed(client: TestClient[Any, Any], forge: Product) -> None:
    forge.host.installed = replace(forge.host.installed, nodes=OPTIONAL_NODES)
    full = await table(client)
    assert full["reasons"] == []
    assert {item["name"]: [method["works"] for method in item["pose"]] for item in full["checkpoints"]} == {
        "anime-sd15.safetensors": [True],
        "realistic-sd15.safetensors": [True],
    }
    forge.host.installed = replace(
        forge.host.installed, controlnets=(ModelFile("canny.safetensors", "sd15"),), nodes=frozenset()
    )
    bare = await table(client)
    (method,) = bare["checkpoints"][0]["pose"]
    assert (method["name"], method["works"], method["model"]) == ("controlnet", False, None)
    assert "'openpose' in its name for Stable Diffusion 1.5" in method["missing"]
    assert len(bare["reasons"]) == 2
    health = await (await client.get(f"{PREFIX}/health")).json()
    assert health["api_status"] == "healthy"
    assert health["capabilities"] == {
        "families": {"sd15": {"pose": [], "reference": ["attention"]}},
        "pose_extractors": [],
        "missing": bare["reasons"],
    }


async def test_a_refused_pose_says_what_the_table_says(client: TestClient[Any, Any], forge: Product) -> None:
    forge.host.installed = replace(forge.host.installed, controlnets=(), nodes=OPTIONAL_NODES)
    (reason,) = (await table(client))["reasons"]
    image = base64.b64encode(picture()).decode()
    answer = await client.post(f"{PREFIX}/generate/avatar", json={"prompt": "x", "pose_image": image})
    assert (answer.status, (await answer.json())["detail"]) == (503, reason)


async def test_while_unavailable_there_is_no_table(broken: TestClient[Any, Any]) -> None:
    assert (await broken.get(f"{PREFIX}/capabilities")).status == 503
    health = await (await broken.get(f"{PREFIX}/health")).json()
    assert health["capabilities"]["families"] == {}
    assert health["capabilities"]["missing"]


@pytest.mark.parametrize("name", CASES)
async def test_poses_from_the_field_are_stored_with_their_canvas_and_drawn(
    client: TestClient[Any, Any], name: str
) -> None:
    status, uploaded = await send(client, "pose", CASES[name])
    assert status == 200, uploaded
    assert uploaded["dimensions"] == {"width": 512, "height": 768}
    small = await client.get(f"{PREFIX}/files/{uploaded['file_id']}/thumbnail?size=384")
    assert small.status == 200
    with Image.open(io.BytesIO(await small.read())) as picture_of_pose:
        assert picture_of_pose.size == (256, 384)
        # From wrist to wrist and from the eyes to the feet, at half the size of the canvas.
        box = picture_of_pose.convert("L").point(lambda value: 255 * (value > 64)).getbbox()
    assert box is not None
    assert box == pytest.approx((90, 35, 166, 270), abs=6)


async def test_a_pose_that_cannot_be_read_is_refused_with_the_reason(client: TestClient[Any, Any]) -> None:
    pose = {**json.loads(POSE), "width": 64, "height": 64}
    status, answer = await send(client, "pose", json.dumps(pose).encode())
    assert status == 400
    assert answer["detail"].startswith("Invalid image file: The pose gives its canvas more than once")
