"""Bodies that are too long, packed, or without a length: refused early, and nothing is stored."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from typing import Any

import pytest
from pictures import picture
from services import Product

from avatarforge.routes import PREFIX
from avatarforge.routes.reading import FORM_OVERHEAD

from .conftest import Client
from .forms import TYPE, form, part, send, stored


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip", "nonsense"])
@pytest.mark.parametrize("path", ["/upload/pose_image", "/upload/reference_image", "/generate/avatar"])
async def test_a_packed_request_is_refused_unread(
    client: Client, forge: Product, path: str, coding: str
) -> None:
    body = zlib.compress(bytes(1_000_000)) if coding == "deflate" else gzip.compress(bytes(1_000_000))
    answer = await client.post(
        PREFIX + path, data=body, headers={"Content-Type": TYPE, "Content-Encoding": coding}
    )
    assert answer.status in (415, 400)  # what aiohttp cannot unpack here ends before it comes to us
    if answer.status == 415 or coding in ("gzip", "deflate"):
        assert answer.status == 415
        assert "Content-Encoding" in (await answer.json())["detail"]
    assert stored(forge) == []


async def test_the_limit_holds_to_the_byte(client: Client, forge: Product) -> None:
    data = picture()
    forge.files.max_bytes = len(data)
    assert (await send(client, form(part(data=data))))[0] == 200
    status, detail = await send(client, form(part(data=data + b"\0")))
    assert (status, detail) == (413, f"File too large: the limit is {len(data)} bytes.")
    assert len([name for name in stored(forge) if name.endswith(".png")]) == len(stored(forge)) == 1


async def test_the_limit_holds_for_a_body_without_a_length(client: Client, forge: Product) -> None:
    data = picture()
    forge.files.max_bytes = len(data)
    read = 0

    async def chunks(body: bytes) -> Any:
        nonlocal read
        for start in range(0, len(body), 1000):
            read += 1000
            yield body[start : start + 1000]

    assert (await send(client, chunks(form(part(data=data)))))[0] == 200
    assert (await send(client, chunks(form(part(data=data + b"\0")))))[0] == 413
    # The rest of a form counts too, whatever it is made of.
    endless = form(part(data=data)) + bytes(FORM_OVERHEAD * 2)
    assert (await send(client, chunks(endless)))[0] in (400, 413)


async def test_a_length_beyond_the_limit_is_refused_before_the_body_is_sent(
    client: Client, forge: Product
) -> None:
    head = (
        f"POST {PREFIX}/upload/pose_image HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {TYPE}\r\n"
        f"Content-Length: {forge.files.max_bytes + FORM_OVERHEAD + 1}\r\n\r\n"
    )
    status, body = await raw(client, head.encode())
    assert status == 413
    assert b"File too large" in body


async def test_a_json_body_beyond_its_limit_is_refused_before_it_is_sent(client: Client) -> None:
    head = (
        f"POST {PREFIX}/generate/avatar HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "Content-Length: 200000000\r\n\r\n"
    )
    status, body = await raw(client, head.encode())
    assert status == 413
    assert b"the limit is" in body


async def test_a_large_json_body_must_say_its_length(client: Client) -> None:
    async def endless() -> Any:
        yield b'{"prompt": "'
        for _ in range(100):
            yield b"x" * 20_000
        yield b'"}'

    answer = await client.post(
        f"{PREFIX}/generate/avatar", data=endless(), headers={"Content-Type": "application/json"}
    )
    assert answer.status == 411
    refused = await answer.json()
    assert ("Content-Length" in refused["detail"], refused["code"]) == (True, "length_required")


async def raw(client: Client, sent: bytes) -> tuple[int, bytes]:
    """Send these bytes on a connection of their own; the status and the body of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
    try:
        writer.write(sent)
        await writer.drain()
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)).decode().lower()
        length = next(line for line in head.splitlines() if line.startswith("content-length"))
        body = await asyncio.wait_for(reader.readexactly(int(length.split(":")[1])), 30)
        return int(head.split()[1]), body
    finally:
        writer.close()
