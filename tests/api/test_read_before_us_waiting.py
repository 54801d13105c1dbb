"""Middlewares of other packs that read a body first, and clients that wait for `100 Continue`."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from pictures import picture
from services import Product

from avatarforge.routes import expect

from .bodies import END, FORM, GONE, POSE, START, Client, Request, body_of, connection, send
from .conftest import REFUSED_BY_OTHERS, application
from .middlewares import KEEPING, LOSING, Handler, Look

# What packs do, and aiohttp advises against.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unread_data:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:It is recommended to use web.RequestKey"),
]
Opener = Callable[[Look], Awaitable[Client]]


def head(*lines: str) -> bytes:
    size = len(START + picture() + END)
    top = [f"POST {POSE} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {FORM}", f"Content-Length: {size}"]
    return "\r\n".join([*top, "Expect: 100-continue", *lines, "", ""]).encode()


async def status_of(reader: asyncio.StreamReader) -> int:
    return int((await reader.readuntil(b"\r\n\r\n")).split()[1])


async def slowly(request: web.Request) -> web.Request:
    """As a pack that asks its own database first."""
    await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    return await KEEPING["post"](request)


@pytest.mark.parametrize("look", [*KEEPING.values(), slowly], ids=lambda look: look.__name__)
async def test_a_client_that_waits_is_told_to_go_on(open_client: Opener, look: Look) -> None:
    announced = f"X-Content-SHA256: {hashlib.sha256(picture()).hexdigest()}"
    client = await open_client(look)
    for known in (False, True):
        async with connection(client) as (reader, writer):
            writer.write(head(announced))
            if known and look is KEEPING["only_clone"]:  # nobody needs the body, and nobody asks for it
                status, body = await body_of(reader)
            else:
                assert await status_of(reader) == 100
                writer.write(START + picture() + END)
                status, body = await body_of(reader)
        assert (status, body["is_duplicate"]) == (200, known)


async def test_a_client_that_waits_is_told_what_went_wrong(open_client: Opener) -> None:
    async with connection(await open_client(LOSING["drain"])) as (reader, writer):
        writer.write(head())
        assert await status_of(reader) == 100
        writer.write(START + picture() + END)
        status, body = await body_of(reader)
    assert (status, body["detail"][: len(GONE)]) == (500, GONE)


async def test_a_middleware_that_answers_itself_is_all_that_the_client_hears(
    forge: Product, aiohttp_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expect, "POLL_SECONDS", 0)  # so that it looks in every round of the loop
    answered, go_on = asyncio.Event(), asyncio.Event()

    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[REFUSED_BY_OTHERS] = True
        answered.set()
        await go_on.wait()
        return web.json_response({"detail": "no"}, status=403)

    client: Client = await aiohttp_client(application(forge.services, middlewares=[refuse]))
    async with connection(client) as (reader, writer):
        writer.write(head())
        await answered.wait()
        go_on.set()
        assert (await body_of(reader))[0] == 403
        # The server now waits for the rest of the body, and may not take that for a middleware that reads.
        for _ in range(20):  # rounds of the loop in which it could
            await asyncio.sleep(0)
        writer.write_eof()
        assert b"100" not in await reader.read()


async def test_a_middleware_that_takes_its_time_does_not_let_a_body_come_that_nobody_needs(
    forge: Product, aiohttp_client: Any
) -> None:
    plain: Client = await aiohttp_client(application(forge.services))
    assert (await send(plain, Request(POSE, FORM, picture())))[0] == 200
    passed = False

    @web.middleware
    async def wait(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal passed
        for _ in range(100):  # some of these lie between two looks of ours
            await asyncio.sleep(0.001)
        passed = True
        return await handler(request)

    client: Client = await aiohttp_client(application(forge.services, middlewares=[wait]))
    async with connection(client) as (reader, writer):
        writer.write(head(f"X-Content-SHA256: {hashlib.sha256(picture()).hexdigest()}"))
        status, body = await body_of(reader)
    assert (status, body["is_duplicate"], passed) == (200, True, True)
