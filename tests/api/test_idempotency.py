"""Requests that are sent twice and done once."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from aiohttp import ClientResponse
from services import Product
from sqlalchemy import Connection, text

from avatarforge.db.clock import DAY
from avatarforge.forge.idempotency import Claim, with_claim
from avatarforge.forge.ports import PromptEvent
from avatarforge.forge.spec.request import AvatarRequest
from avatarforge.routes import PREFIX

from .conftest import Client, generate

BODY = {"prompt": "a knight"}


async def send(
    client: Client, key: str, body: dict[str, Any] = BODY, path: str = "/generate/avatar"
) -> ClientResponse:
    return await client.post(PREFIX + path, json=body, headers={"Idempotency-Key": key})


def run(connection: Connection, statement: str, **values: int) -> None:
    connection.execute(text(statement), values)


async def total(client: Client) -> int:
    count: int = (await (await client.get(f"{PREFIX}/generations")).json())["total"]
    return count


async def test_the_same_request_again_gets_the_first_answer(forge: Product, client: Client) -> None:
    first = await send(client, "k")
    answer = await first.text()
    assert (first.status, "Idempotent-Replayed" in first.headers) == (200, False)
    forge.host.succeed((await first.json())["generation_id"])
    again = await send(client, "k")
    assert (again.status, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert again.content_type == "application/json"
    assert await again.text() == answer
    assert await total(client) == 1


async def test_the_order_of_fields_does_not_matter(client: Client) -> None:
    first = await send(client, "k", {"prompt": "a knight", "seed": 1})
    again = await send(client, "k", {"seed": 1, "prompt": "a knight"})
    assert (await first.text(), again.headers.get("Idempotent-Replayed")) == (await again.text(), "true")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/generate/avatar", {"prompt": "a knave"}),
        ("/generate_all_poses", BODY),
        ("/generate_pose?pose=back", BODY),
    ],
)
async def test_another_request_with_the_same_key_is_a_conflict(
    client: Client, path: str, body: dict[str, Any]
) -> None:
    await send(client, "k", path="/generate/avatar")
    answer = await send(client, "k", body, path)
    assert answer.status == 409
    refused = await answer.json()
    assert "was used for another request" in refused["detail"]
    assert refused["code"] == "idempotency_key_reused"
    assert await total(client) == 1


async def test_the_query_is_part_of_the_request(client: Client) -> None:
    assert (await send(client, "k", path="/generate_pose?pose=back")).status == 200
    assert (await send(client, "k", path="/generate_pose?pose=side")).status == 409


async def test_two_at_once_make_one_generation_and_the_second_is_told_to_wait(client: Client) -> None:
    answers = await asyncio.gather(*(send(client, "k") for _ in range(8)))
    statuses = sorted(answer.status for answer in answers)
    assert statuses[0] == 200
    assert set(statuses) <= {200, 409}
    fresh = [item for item in answers if item.status == 200 and "Idempotent-Replayed" not in item.headers]
    assert len(fresh) == 1
    for answer in answers:
        if answer.status == 409:
            refused = await answer.json()
            assert "still being worked on" in refused["detail"]
            assert refused["code"] == "idempotency_key_in_use"
    assert await total(client) == 1


async def test_a_refused_request_is_not_remembered(forge: Product, client: Client) -> None:
    forge.host.refusal = "no"
    assert (await send(client, "k")).status == 422
    forge.host.refusal = None
    again = await send(client, "k", {"prompt": "a knave"})
    assert (again.status, "Idempotent-Replayed" in again.headers) == (200, False)


async def test_the_answer_outlives_its_generation(client: Client) -> None:
    first = await send(client, "k")
    generation_id = (await first.json())["generation_id"]
    await client.delete(f"{PREFIX}/generations/{generation_id}")
    assert await (await send(client, "k")).text() == await first.text()
    assert await total(client) == 0


async def test_a_reroll_is_done_once_too(forge: Product, client: Client) -> None:
    generation_id = (await generate(client))["generation_id"]
    forge.host.succeed(generation_id)
    await forge.until(generation_id, "completed")
    path = f"/generations/{generation_id}/reroll?pose=front"
    headers = {"Idempotency-Key": "k"}
    first = await client.post(PREFIX + path, headers=headers)
    again = await client.post(PREFIX + path, headers=headers)
    assert (first.status, await again.text()) == (200, await first.text())
    assert len(forge.host.submitted) == 2


async def test_without_a_stored_answer_the_generation_as_it_is_now_is_given(
    forge: Product, client: Client
) -> None:
    first = await (await send(client, "k")).json()
    # As after a crash between the commit and the answer.
    await forge.database.write(partial(run, statement="UPDATE idempotency_keys SET answer = NULL"))
    forge.host.succeed(first["generation_id"])
    await forge.until(first["generation_id"], "completed")
    again = await (await send(client, "k")).json()
    assert (again["generation_id"], again["status"]) == (first["generation_id"], "completed")


async def test_a_key_is_forgotten_after_a_day(forge: Product, client: Client) -> None:
    await send(client, "k")
    age = partial(run, statement="UPDATE idempotency_keys SET created_at = created_at - :day", day=DAY)
    await forge.database.write(age)
    assert (await send(client, "k", {"prompt": "a knave"})).status == 200
    assert await total(client) == 2
    await forge.database.write(age)
    assert await forge.idempotency.clean_up() == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "schlüssel", "a\tb"])
async def test_what_is_no_key_is_refused(client: Client, key: str) -> None:
    answer = await send(client, key)
    assert answer.status == 422
    (problem,) = (await answer.json())["detail"]
    assert problem["loc"] == ["header", "Idempotency-Key"]
    assert await total(client) == 0


async def test_the_longest_key_is_taken(client: Client) -> None:
    assert (await send(client, "k" * 255)).status == 200


async def test_a_key_whose_client_left_before_the_commit_makes_no_second_generation(forge: Product) -> None:
    record = await forge.generations.get((await _committed(forge)).id)
    claim = Claim("k", "h")
    query = with_claim(lambda connection: record, claim, forge.database.now())
    await forge.database.write(query)
    with pytest.raises(Exception, match="still being worked on"):
        await forge.database.write(query)


async def _committed(forge: Product) -> Any:
    record = await forge.generations.submit(AvatarRequest("a knight"), "avatar", None)
    forge.host.end(PromptEvent("failed", record.id, "over"))
    return record
