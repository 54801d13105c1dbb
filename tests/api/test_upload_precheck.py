"""X-Content-SHA256 with and without `Expect: 100-continue`: who is answered before the body is sent."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pictures import picture
from services import Product, product
from sqlalchemy import update

from avatarforge.db.tables import files as table
from avatarforge.forge.access.signing import Signer
from avatarforge.forge.settings import Settings
from avatarforge.forge.workers import Slots
from avatarforge.routes import PREFIX, Access, NetworkExposure, rules

from .conftest import Client, application, generate, upload

POSE, REFERENCE = f"{PREFIX}/upload/pose_image", f"{PREFIX}/upload/reference_image"
START = b'--b\r\nContent-Disposition: form-data; name="file"; filename="b.png"\r\n\r\n'
END = b"\r\n--b--\r\n"
FORM = "Content-Type: multipart/form-data; boundary=b"
WAITS = "Expect: 100-continue"
POSE_JSON = json.dumps(
    {"people": [{"pose_keypoints_2d": [100, 100, 1] * 18}], "canvas_width": 512, "canvas_height": 512}
).encode()
Opener = Callable[..., Awaitable[Client]]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def announce(data: bytes) -> str:
    return f"X-Content-SHA256: {sha256(data)}"


class Line:
    """One connection, spoken to by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    def ask(self, path: str, data: bytes, *lines: str, length: int | None = None) -> None:
        size = len(START + data + END) if length is None else length
        top = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {size}", *lines]
        self.writer.write("\r\n".join([*top, "", ""]).encode())

    async def head(self) -> tuple[int, dict[str, str]]:
        """The next status and its headers, names in lower case."""
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}

    async def answer(self) -> tuple[int, dict[str, str], Any]:
        status, headers = await self.head()
        return status, headers, json.loads(await self._reader.readexactly(int(headers["content-length"])))

    async def send_form(self, data: bytes) -> tuple[int, dict[str, str], Any]:
        self.writer.write(START + data + END)
        return await self.answer()


@asynccontextmanager
async def line_to(client: Client) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


@pytest.mark.parametrize("path", [POSE, REFERENCE, f"/api{POSE}", f"/api{REFERENCE}"])
async def test_a_known_content_is_answered_before_its_body(client: Client, path: str) -> None:
    known = await upload(client)
    for written in (sha256(picture()), sha256(picture()).upper()):
        async with line_to(client) as line:
            line.ask(path, picture(), FORM, WAITS, f"X-Content-SHA256: {written}")
            status, headers, body = await line.answer()
        assert (status, body) == (200, {**known, "is_duplicate": True})
        assert headers["connection"] == "close"  # what it would send next on this one would count as the body


async def test_an_unknown_content_is_told_to_go_on_and_stored(client: Client, forge: Product) -> None:
    async with line_to(client) as line:
        line.ask(POSE, picture(), FORM, WAITS, announce(picture()))
        assert (await line.head())[0] == 100
        status, headers, body = await line.send_form(picture())
        assert (status, body["is_duplicate"], body["content_hash"]) == (200, False, sha256(picture()))
        assert "connection" not in headers
        line.ask(POSE, picture(), FORM)  # the connection goes on
        assert (await line.send_form(picture()))[2]["is_duplicate"] is True


async def test_expect_alone_is_told_to_go_on(client: Client) -> None:
    await upload(client)
    async with line_to(client) as line:
        line.ask(POSE, picture(), FORM, WAITS)
        assert (await line.head())[0] == 100
        assert (await line.send_form(picture()))[2]["is_duplicate"] is True


async def test_expectations_that_nobody_knows_are_left_alone(client: Client) -> None:
    async with line_to(client) as line:
        line.ask(POSE, picture(), FORM, "Expect: a-miracle")
        assert (await line.send_form(picture()))[0] == 200


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("known", [True, False])
async def test_a_body_of_another_hash_is_refused_and_nothing_kept(
    client: Client, forge: Product, waits: bool, known: bool
) -> None:
    claimed = picture(1)
    if known and not waits:
        await upload(client, claimed)
    stored = (await forge.health.measure()).stored_files
    async with line_to(client) as line:
        line.ask(POSE, picture(2), FORM, announce(claimed), *([WAITS] if waits else []))
        if waits:
            assert (await line.head())[0] == 100
        status, _, body = await line.send_form(picture(2))
    assert status == 400
    assert sha256(claimed) in body["detail"]
    assert sha256(picture(2)) in body["detail"]
    assert (await forge.health.measure()).stored_files == stored
    assert list(forge.blobs.incoming.iterdir()) == []


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize(
    "value", ["", "x", "0" * 63, "g" * 64, "0" * 64 + "\r\nX-Content-SHA256: " + "1" * 64]
)
async def test_a_value_that_is_no_hash_is_refused(client: Client, value: str, waits: bool) -> None:
    async with line_to(client) as line:
        line.ask(POSE, picture(), FORM, f"X-Content-SHA256: {value}", *([WAITS] if waits else []))
        status, headers, body = await line.answer()
    assert status == 422
    assert body["detail"][0]["loc"] == ["header", "X-Content-SHA256"]
    assert (headers.get("connection") == "close") is waits


async def test_a_known_content_without_expect_is_an_ordinary_duplicate(client: Client) -> None:
    known = await upload(client)
    async with line_to(client) as line:
        line.ask(POSE, picture(), FORM, announce(picture()))
        assert (await line.send_form(picture()))[2] == {**known, "is_duplicate": True}


@pytest.mark.parametrize("how", ["soft-deleted", "lost", "shorter", "deleted"])
async def test_what_is_not_whole_and_live_is_asked_for(client: Client, forge: Product, how: str) -> None:
    file_id = (await upload(client))["file_id"]
    path = forge.files.path(await forge.files.get(file_id))
    if how == "soft-deleted":
        await generate(client, reference_file_id=file_id)
        await client.delete(f"{PREFIX}/files/{file_id}")
    elif how == "lost":
        path.unlink()
    elif how == "shorter":
        path.write_bytes(picture()[:-1])
    else:
        await client.delete(f"{PREFIX}/files/{file_id}?force=true")
    async with line_to(client) as line:
        line.ask(POSE, picture(), FORM, WAITS, announce(picture()))
        assert (await line.head())[0] == 100
        body = (await line.send_form(picture()))[2]
    assert body["is_duplicate"] is (how != "deleted")
    assert (await (await client.get(PREFIX + body["url"])).read()) == picture()


async def test_the_answer_is_the_one_that_the_body_would_get(client: Client) -> None:
    as_json = "Content-Type: application/json"
    answer = await client.post(POSE, data=POSE_JSON, headers={"Content-Type": "application/json"})
    assert answer.status == 200, await answer.text()
    await upload(client)
    for path, kind, data, status in (
        (POSE, as_json, POSE_JSON, 200),
        (POSE, FORM, POSE_JSON, 200),
        (REFERENCE, FORM, POSE_JSON, 100),
        (POSE, as_json, picture(), 100),
        (REFERENCE, as_json, picture(), 400),
        (POSE, "Content-Type: multipart/form-data", picture(), 400),
    ):
        async with line_to(client) as line:
            line.ask(path, data, kind, WAITS, announce(data))
            assert (await line.head())[0] == status, (path, kind)


@pytest.fixture
async def opened(forge: Product, aiohttp_client: Callable[..., Awaitable[Client]]) -> Opener:
    async def make(**settings: Any) -> Client:
        access = Access(rules(Settings(**settings), NetworkExposure()), Signer("s" * 32))
        return await aiohttp_client(application(forge.services, access))

    return make


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("announced", [True, False])
async def test_nobody_without_the_key_is_told_anything(opened: Opener, known: bool, announced: bool) -> None:
    client = await opened(api_key="k" * 20)
    key = "X-API-Key: " + "k" * 20
    if known:
        async with line_to(client) as line:
            line.ask(POSE, picture(), FORM, key)
            assert (await line.send_form(picture()))[0] == 200
    lines = [FORM, WAITS, *([announce(picture())] if announced else [])]
    for added, expected in (((), 401), (("X-API-Key: wrong",), 401), (("Origin: http://evil",), 403)):
        async with line_to(client) as line:
            line.ask(POSE, picture(), *lines, *added)
            status, headers, _ = await line.answer()
        assert (status, headers["connection"]) == (expected, "close")
    async with line_to(client) as line:
        line.ask(POSE, picture(), *lines, key)
        assert (await line.head())[0] == (200 if known and announced else 100)


async def test_announcements_are_counted_as_changes(opened: Opener) -> None:
    client = await opened(rate_limit=2)
    await upload(client)
    seen = []
    for _ in range(2):
        async with line_to(client) as line:
            line.ask(POSE, picture(), FORM, WAITS, announce(picture()))
            seen.append((await line.head())[0])
    assert seen == [200, 429]


async def test_what_is_too_large_or_packed_is_not_asked_for(client: Client, forge: Product) -> None:
    async with line_to(client) as line:
        line.ask(POSE, picture(), FORM, WAITS, length=forge.files.max_bytes + 100_000)
        assert (await line.head())[0] == 413
    async with line_to(client) as line:
        line.ask(POSE, picture(), FORM, WAITS, "Content-Encoding: gzip")
        assert (await line.head())[0] == 415


async def test_a_large_json_body_waits_too(client: Client) -> None:
    body = json.dumps({"prompt": "a knight", "width": "wide"}).encode()
    async with line_to(client) as line:
        line.ask(f"{PREFIX}/generate/avatar", b"", "Content-Type: text/plain", WAITS, length=len(body))
        assert (await line.head())[0] == 415
    async with line_to(client) as line:
        line.ask(f"{PREFIX}/generate/avatar", b"", "Content-Type: application/json", WAITS, length=len(body))
        assert (await line.head())[0] == 100
        line.writer.write(body)
        assert (await line.answer())[0] == 422


async def test_a_known_content_does_not_wait_for_its_turn(client: Client, forge: Product) -> None:
    await upload(client)
    forge.workers.uploads = Slots(1, 0)
    async with forge.workers.uploads.take(), line_to(client) as line:
        line.ask(POSE, picture(), FORM, WAITS, announce(picture()))
        assert (await line.head())[0] == 200
    async with forge.workers.uploads.take(), line_to(client) as line:
        line.ask(POSE, picture(1), FORM, WAITS, announce(picture(1)))
        assert (await line.head())[0] == 503


async def test_a_full_quota_refuses_a_new_content_before_its_body(
    tmp_path: Path, aiohttp_client: Callable[..., Awaitable[Client]]
) -> None:
    async with product(tmp_path, settings=Settings(storage_quota_files=1)) as full:
        client = await aiohttp_client(application(full.services))
        await upload(client)
        for data, status in ((picture(), 200), (picture(1), 507)):
            async with line_to(client) as line:
                line.ask(POSE, data, FORM, WAITS, announce(data))
                assert (await line.head())[0] == status


async def test_an_announced_content_counts_as_used(client: Client, forge: Product) -> None:
    file_id = (await upload(client))["file_id"]
    await forge.database.write(lambda connection: connection.execute(update(table).values(last_used_at=1)))
    async with line_to(client) as line:
        line.ask(POSE, picture(), FORM, WAITS, announce(picture()))
        assert (await line.head())[0] == 200
    assert (await forge.files.get(file_id)).last_used_at > 1
    assert await forge.files.clean_up(1) == 0


async def test_a_new_upload_that_somebody_else_was_told_of_is_not_taken_back(
    client: Client, forge: Product
) -> None:
    async def whole() -> AsyncIterator[bytes]:
        yield picture()

    received = await forge.files.receive(whole(), "a.png")
    async with line_to(client) as line:
        line.ask(POSE, picture(), FORM, WAITS, announce(picture()))
        assert (await line.head())[0] == 200
    await forge.files.withdraw(received)
    assert (await forge.files.get(received.file.id)).id == received.file.id


async def test_the_document_describes_the_header(client: Client) -> None:
    document = await (await client.get(f"{PREFIX}/openapi.json")).json()
    for path in (POSE, REFERENCE):
        operation = document["paths"][path]["post"]
        (header,) = [item for item in operation["parameters"] if item["name"] == "X-Content-SHA256"]
        assert (header["in"], header["required"]) == ("header", False)
        assert header["schema"] == {"type": "string", "pattern": "^[0-9A-Fa-f]{64}$"}
        assert "422" in operation["responses"]
