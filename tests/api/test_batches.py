"""POST /batch and what can be done with a batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from batching import finish, until_batch
from pictures import picture
from services import Product, product

from avatarforge.forge.settings import Settings
from avatarforge.routes import PREFIX
from avatarforge.routes.responses import BatchAnswer, BatchSummary

from .conftest import Client, application, upload

BATCH = f"{PREFIX}/batch"
NOWHERE = "00000000-0000-4000-8000-000000000000"
KNIGHT = {"prompt": "a knight"}


async def post(client: Client, requests: list[Any], status: int = 200, **values: Any) -> dict[str, Any]:
    headers = values.pop("headers", {})
    answer = await client.post(BATCH, json={"requests": requests, **values}, headers=headers)
    assert answer.status == status, await answer.text()
    body: dict[str, Any] = await answer.json()
    return body


async def json_of(client: Client, method: str, path: str, status: int = 200) -> dict[str, Any]:
    answer = await client.request(method, path)
    assert answer.status == status, await answer.text()
    body: dict[str, Any] = await answer.json()
    return body


async def count(client: Client) -> int:
    total: int = (await json_of(client, "GET", f"{PREFIX}/generations"))["total"]
    return total


async def test_each_kind_becomes_the_generation_that_its_route_makes(client: Client, forge: Product) -> None:
    requests = [
        {**KNIGHT, "seed": 7},
        {**KNIGHT, "kind": "pose", "pose": "back"},
        {**KNIGHT, "kind": "all_poses", "views": ["front", "left"]},
    ]
    made = await post(client, requests, name="  Knights ")
    BatchAnswer.model_validate(made)
    assert (made["name"], made["status"], made["total"]) == ("  Knights ", "queued", 3)
    ids = [item["generation_id"] for item in made["generations"]]
    found = [await json_of(client, "GET", f"{PREFIX}/generations/{generation_id}") for generation_id in ids]
    assert [generation["kind"] for generation in found] == ["avatar", "pose", "all_poses"]
    assert {generation["batch_id"] for generation in found} == {made["batch_id"]}
    assert found[0]["parameters"]["seed"] == 7
    assert found[2]["parameters"]["views"] == ["front", "left"]
    assert found[2]["queue_position"] is None
    await finish(forge, 3)
    await until_batch(forge, made["batch_id"], "completed")
    ended = await json_of(client, "GET", f"{BATCH}/{made['batch_id']}?wait=30")
    assert (ended["status"], ended["completed"], ended["progress"]) == ("completed", 3, 1.0)
    assert [item["status"] for item in ended["generations"]] == ["completed"] * 3
    back = await json_of(client, "GET", f"{PREFIX}/generations/{ids[1]}")
    assert [file["pose_type"] for file in back["output_files"]] == ["back"]


@pytest.mark.parametrize(
    ("requests", "location"),
    [
        ([], ["body", "requests"]),
        ([KNIGHT] * 1001, ["body", "requests"]),
        ([KNIGHT] * 999 + [{**KNIGHT, "width": 7}], ["body", "requests", 999, "width"]),
        ([KNIGHT] * 17 + [{**KNIGHT, "unknown": 1}], ["body", "requests", 17, "unknown"]),
        ([{**KNIGHT, "kind": "graph"}], ["body", "requests", 0, "kind"]),
        ([KNIGHT, {**KNIGHT, "kind": "pose"}], ["body", "requests", 1, "pose"]),
        ([{**KNIGHT, "pose": "front"}], ["body", "requests", 0, "pose"]),
        ([KNIGHT, {**KNIGHT, "pose_image": "AAAA"}], ["body", "requests", 1, "pose_image"]),
        ([KNIGHT, {**KNIGHT, "views": ["front"]}], ["body", "requests", 1, "views"]),
        ([KNIGHT, {**KNIGHT, "sampler": "none such"}], ["body", "requests", 1, "sampler"]),
        ([{"prompt": "x" * 10_001}], ["body", "requests", 0, "prompt"]),
        ([7], ["body", "requests", 0]),
    ],
)
async def test_one_bad_request_refuses_all(client: Client, requests: list[Any], location: list[Any]) -> None:
    refused = await post(client, requests, 422)
    assert refused["detail"][0]["loc"] == location
    assert await count(client) == 0


async def test_a_refusal_lists_a_hundred_problems_at_most(client: Client) -> None:
    refused = await post(client, [{"width": 7}] * 1000, 422)
    assert len(refused["detail"]) == 100


async def test_unknown_files_and_templates_are_named(client: Client) -> None:
    for values in ({"reference_file_id": NOWHERE}, {"template": "none"}):
        refused = await post(client, [KNIGHT, {**KNIGHT, **values}], 404)
        assert refused["detail"].startswith("requests[1]: ")
    assert await count(client) == 0


async def test_the_body_has_limits(client: Client) -> None:
    deep: Any = KNIGHT
    for _ in range(20):
        deep = [deep]
    assert (await post(client, [deep], 422))["code"] == "invalid_json"
    assert (await post(client, [{"loras": [0] * 100_001}], 422))["code"] == "invalid_json"
    answer = await client.post(
        BATCH,
        data=b'{"requests": [' + b" " * (16 * 1024 * 1024) + b"]}",
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status, (await answer.json())["code"]) == (413, "body_too_large")
    refused = await post(client, [KNIGHT], 422, name="")
    assert refused["detail"][0]["loc"] == ["body", "name"]


async def test_a_repeated_key_makes_one_batch(client: Client, forge: Product) -> None:
    key = {"Idempotency-Key": "once"}
    first = await post(client, [KNIGHT, KNIGHT], headers=key)
    assert await post(client, [KNIGHT, KNIGHT], headers=key) == first
    assert (await post(client, [KNIGHT], 409, headers=key))["code"] == "idempotency_key_reused"
    assert await count(client) == 2
    await json_of(client, "POST", f"{BATCH}/{first['batch_id']}/cancel")
    path = f"{BATCH}/{first['batch_id']}/retry"
    answers = [await client.post(path, headers={"Idempotency-Key": "again"}) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert await answers[0].text() == await answers[1].text()
    assert answers[1].headers["Idempotent-Replayed"] == "true"


async def test_cancel_retry_and_delete(client: Client, forge: Product) -> None:
    made = await post(client, [KNIGHT, KNIGHT, KNIGHT])
    path = f"{BATCH}/{made['batch_id']}"
    assert (await json_of(client, "POST", f"{path}/retry", 409))["code"] == "batch_not_failed"
    cancelled = await json_of(client, "POST", f"{path}/cancel")
    assert (cancelled["status"], cancelled["failed"]) == ("failed", 3)
    assert cancelled["completed_at"] is not None
    assert (await json_of(client, "POST", f"{path}/cancel", 409))["code"] == "batch_not_active"
    again = await json_of(client, "POST", f"{path}/retry")
    assert (again["failed"], again["completed_at"]) == (0, None)
    deleted = await json_of(client, "DELETE", path)
    assert deleted == {
        "batch_id": made["batch_id"],
        "deleted": True,
        "message": "Batch and its generations deleted",
    }
    assert await count(client) == 0
    for method, route in (
        ("GET", path),
        ("DELETE", path),
        ("POST", f"{path}/cancel"),
        ("POST", f"{path}/retry"),
    ):
        assert (await json_of(client, method, route, 404))["code"] == "batch_not_found"


async def test_characters_poses_of_the_library_and_references(client: Client, forge: Product) -> None:
    answer = await client.post(f"{PREFIX}/characters", json={"name": "Mira", "description": "red hair"})
    character_id = (await answer.json())["character_id"]
    reference = (await upload(client, picture(1)))["file_id"]
    requests = [
        {"character_id": character_id},
        {**KNIGHT, "pose_id": "waving"},
        {**KNIGHT, "references": [{"file_id": reference}]},
    ]
    made = await post(client, requests)
    ids = [item["generation_id"] for item in made["generations"]]
    found = [await json_of(client, "GET", f"{PREFIX}/generations/{generation_id}") for generation_id in ids]
    assert found[0]["parameters"]["character_id"] == character_id
    assert found[1]["parameters"]["pose_id"] is not None
    listed = await json_of(client, "GET", f"{PREFIX}/generations?character_id={character_id}")
    assert [generation["generation_id"] for generation in listed["generations"]] == ids[:1]
    # What waits counts as a use: the file stays until the batch is gone.
    path = f"{PREFIX}/files/{reference}"
    assert (await json_of(client, "DELETE", path))["deleted"] == "soft"
    await finish(forge, 3)
    await until_batch(forge, made["batch_id"], "completed")
    await json_of(client, "DELETE", f"{BATCH}/{made['batch_id']}")
    assert (await json_of(client, "POST", f"{PREFIX}/maintenance/verify"))["problems"] == []
    refused = await post(client, [KNIGHT, {"character_id": NOWHERE}], 404)
    assert refused["code"] == "character_not_found"
    assert refused["detail"].startswith("requests[1]: ")


async def test_a_full_line_is_told(tmp_path: Path, aiohttp_client: Callable[..., Awaitable[Client]]) -> None:
    async with product(tmp_path, settings=Settings(max_waiting_items=2)) as forge:
        client = await aiohttp_client(application(forge.services))
        refused = await client.post(BATCH, json={"requests": [KNIGHT] * 3})
        body = await refused.json()
        assert (refused.status, refused.headers["Retry-After"]) == (503, "60")
        assert (body["code"], body["parameters"]) == ("waiting_full", {"limit": 2})
        assert await count(client) == 0


async def test_lists_and_the_filter(client: Client, forge: Product) -> None:
    first = await post(client, [KNIGHT], name="Knights")
    second = await post(client, [KNIGHT, KNIGHT])
    page = await json_of(client, "GET", f"{BATCH}?limit=1")
    BatchSummary.model_validate(page["batches"][0])
    assert (page["total"], page["batches"][0]["batch_id"]) == (2, second["batch_id"])
    assert "generations" not in page["batches"][0]
    rest = await json_of(client, "GET", f"{BATCH}?limit=1&cursor={page['next_cursor']}")
    assert [batch["batch_id"] for batch in rest["batches"]] == [first["batch_id"]]
    assert (await json_of(client, "GET", f"{BATCH}?q=kni"))["total"] == 1
    assert (await json_of(client, "GET", f"{BATCH}?cursor=x", 422))["code"] == "invalid_cursor"
    listed = await json_of(client, "GET", f"{PREFIX}/generations?batch_id={second['batch_id']}&limit=1")
    assert (listed["total"], len(listed["generations"])) == (2, 1)
    assert (await json_of(client, "GET", f"{PREFIX}/generations?batch_id={NOWHERE}"))["total"] == 0
