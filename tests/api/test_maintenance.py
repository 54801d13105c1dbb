"""The check of the store over HTTP, and what a full disk or a used-up quota answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData
from pictures import picture
from services import Product, product
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from avatarforge.forge.settings import Settings
from avatarforge.routes import PREFIX

from .conftest import Client, application, upload

VERIFY = f"{PREFIX}/maintenance/verify"


async def test_the_check_tells_what_it_found_and_what_it_did(client: Client, forge: Product) -> None:
    uploaded = await upload(client)
    clean = await (await client.post(VERIFY)).json()
    assert (clean["clean"], clean["files"], clean["problems"]) == (True, 1, [])
    forge.blobs.path(uploaded["content_hash"], "png").unlink()
    found = await (await client.post(VERIFY)).json()
    assert (found["clean"], found["counts"]["missing"], found["problems_total"]) == (False, 1, 1)
    assert found["problems"] == [
        {
            "kind": "missing",
            "detail": f"The bytes of file {uploaded['file_id']} are gone.",
            "file_id": uploaded["file_id"],
            "generation_id": None,
            "name": f"{uploaded['content_hash']}.png",
            "repaired": None,
        }
    ]
    repaired = await (await client.post(f"{VERIFY}?repair=true")).json()
    assert "uploading that content again" in repaired["problems"][0]["repaired"]
    again = await (await client.post(VERIFY)).json()
    assert (again["clean"], again["lost_files"]) == (True, 1)


async def test_a_second_check_is_refused_while_one_runs(client: Client) -> None:
    answers = await asyncio.gather(*(client.post(VERIFY) for _ in range(4)))
    statuses = sorted(answer.status for answer in answers)
    assert statuses[0] == 200
    assert set(statuses) <= {200, 409}
    assert 409 in statuses
    refused = [await answer.json() for answer in answers if answer.status == 409]
    assert {body["code"] for body in refused} == {"verification_running"}


@pytest.mark.parametrize("query", ["repair=perhaps", "fix=true", "repair=true&repair=false"])
async def test_an_unknown_wish_is_refused(client: Client, query: str) -> None:
    assert (await client.post(f"{VERIFY}?{query}")).status == 422


async def test_bytes_that_are_gone_or_changed_are_not_sent(client: Client, forge: Product) -> None:
    uploaded = await upload(client)
    url, path = PREFIX + uploaded["url"], forge.blobs.path(uploaded["content_hash"], "png")
    path.write_bytes(b"other bytes")
    changed = await client.get(url)
    assert (await changed.json())["code"] == "file_lost"
    assert (changed.status, "not those that were stored" in (await changed.json())["detail"]) == (404, True)
    path.unlink()
    gone = await client.get(url)
    assert (await gone.json())["code"] == "file_lost"
    assert (gone.status, "gone from the disk" in (await gone.json())["detail"]) == (404, True)
    known = await (await client.get(f"{PREFIX}/files/hash/{uploaded['content_hash']}")).json()
    assert known["exists"] is False
    assert (await upload(client))["file_id"] == uploaded["file_id"]
    assert await (await client.get(url)).read() == picture()


@pytest.mark.parametrize(
    ("words", "status", "code", "sentence"),
    [
        ("database or disk is full", 507, "disk_full", "Free some space"),
        ("database is locked", 503, "database_locked", "Another program holds the database locked"),
        ("attempt to write a readonly database", 503, "database_read_only", "can only be read"),
    ],
)
async def test_what_the_database_refuses_is_answered_with_a_sentence(
    client: Client,
    forge: Product,
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    status: int,
    code: str,
    sentence: str,
) -> None:
    async def refuse(_: Callable[[Connection], Any]) -> Any:
        raise OperationalError("INSERT", {}, Exception(words))

    monkeypatch.setattr(forge.database, "write", refuse)
    form = FormData()
    form.add_field("file", picture(), filename="a.png")
    answer = await client.post(f"{PREFIX}/upload/pose_image", data=form)
    body = await answer.json()
    assert (answer.status, sentence in body["detail"], body["code"]) == (status, True, code)
    assert not [path for path in forge.blobs.blobs.rglob("*") if path.is_file()]


async def test_a_used_up_quota_answers_507_and_keeps_answering(
    tmp_path: Path, aiohttp_client: Callable[..., Awaitable[Client]]
) -> None:
    async with product(tmp_path, settings=Settings(storage_quota_files=1)) as forge:
        client = await aiohttp_client(application(forge.services))
        first = await upload(client)
        form = FormData()
        form.add_field("file", picture(2), filename="a.png")
        answer = await client.post(f"{PREFIX}/upload/reference_image", data=form)
        body = await answer.json()
        assert (answer.status, "STORAGE_QUOTA_FILES" in body["detail"]) == (507, True)
        assert (body["code"], body["parameters"]) == ("quota_exceeded", {"setting": "STORAGE_QUOTA_FILES"})
        again = await upload(client)
        assert (again["file_id"], again["is_duplicate"]) == (first["file_id"], True)
        assert (await client.delete(f"{PREFIX}{first['url']}")).status == 200
        assert (await upload(client, picture(2)))["is_duplicate"] is False
        assert (await (await client.post(VERIFY)).json())["clean"] is True
