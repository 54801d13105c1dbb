"""Middlewares of other packs that read a body first: nothing is lost that anybody still has, and what is lost
is said."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from character_files import character_file
from graphs import plain
from pictures import picture
from services import Product, product

from avatarforge.forge.settings import Settings
from avatarforge.routes import ENDPOINTS, PREFIX

from .bodies import END, FORM, GONE, NAME, POSE, START, Client, Request, body_of, connection, send
from .conftest import application
from .middlewares import KEEPING, LOSING, LOSING_FORMS, Handler, Look, middleware

# What packs do, and aiohttp advises against.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unread_data:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:It is recommended to use web.RequestKey"),
]
Opener = Callable[[Look], Awaitable[Client]]
POSE_JSON = json.dumps(
    {"people": [{"pose_keypoints_2d": [100, 100, 1] * 18}], "canvas_width": 512, "canvas_height": 512}
).encode()
BODIES: dict[str, Any] = {
    "prompt": "a knight",
    "urls": ["/files/b1c29540-8712-4faf-8d5c-9ed86409ddce"],
    "name": "mine",
    "requests": [{"prompt": "a knight"}],
    "description": "a knight",
    "pose": json.loads(POSE_JSON),
    "generation_ids": ["b1c29540-8712-4faf-8d5c-9ed86409ddce"],
}
#: Other bodies are read by the same code, and need something that is there already.
ENDPOINTS_WITH_BODIES = [
    endpoint
    for endpoint in ENDPOINTS
    if endpoint.takes_body
    and endpoint.method == "POST"
    and "{" not in endpoint.path
    and endpoint.path != "/gallery/export"
]


def requests() -> list[Request]:
    found = []
    for endpoint in ENDPOINTS_WITH_BODIES:
        path = PREFIX + endpoint.path
        values = {**BODIES, "prompt": plain()} if "/templates" in path else BODIES
        found += [Request(path, kind, POSE_JSON) for kind in endpoint.upload if kind == "application/json"]
        content = character_file() if "/characters" in path else picture()
        found += [Request(path, kind, content) for kind in endpoint.upload if kind != "application/json"]
        if endpoint.body is not None:
            needed = {n: values[n] for n, item in endpoint.body.model_fields.items() if item.is_required()}
            found.append(Request(path, "application/json", json.dumps(needed).encode()))
    return found


REQUESTS = requests()
FORMS = [request for request in REQUESTS if request.kind.startswith("multipart")]
OTHERS = [request for request in REQUESTS if not request.kind.startswith("multipart")]


async def stored(forge: Product) -> int:
    return (await forge.files.page(limit=1, cursor=None)).total


def test_every_route_with_a_body_is_among_them() -> None:
    taking = {PREFIX + endpoint.path for endpoint in ENDPOINTS_WITH_BODIES}
    assert {request.path for request in REQUESTS} == taking
    assert len(FORMS) >= 2
    assert len(OTHERS) >= 5


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("look", KEEPING)
@pytest.mark.parametrize("request_", REQUESTS, ids=str)
async def test_a_body_that_somebody_still_has_is_used(
    open_client: Opener, request_: Request, look: str, chunked: bool
) -> None:
    client = await open_client(KEEPING[look])
    status, body = await send(client, request_, chunked=chunked)
    assert status == 200, body
    if "/upload/" in request_.path:
        assert body["content_hash"] == hashlib.sha256(request_.content).hexdigest()
        if request_ in FORMS:
            assert body["filename"] == NAME
    elif "/templates" in request_.path:
        assert body["slots"]["prompt"][0]["node"] == "6"
    elif "/generate" in request_.path:
        assert body["parameters"]["prompt"] == "a knight"
    elif "/gallery" in request_.path:
        assert body["missing"] == BODIES["generation_ids"]
    elif "urls" in body:
        assert [item["url"] for item in body["urls"]] == BODIES["urls"]
    elif b'"requests"' in request_.content:
        assert body["total"] == 1
    else:
        assert body["name"] == "mine"


@pytest.mark.parametrize("look", ["read", "post", "post_and_look"])
async def test_a_file_that_lies_on_the_disk_meanwhile_too(open_client: Opener, look: str) -> None:
    large = picture(1, (1000, 1000))
    assert len(large) > 2_000_000
    status, body = await send(await open_client(KEEPING[look]), Request(POSE, FORM, large))
    assert (status, body["content_hash"]) == (200, hashlib.sha256(large).hexdigest())


LOST = [
    *((request, look) for look in LOSING.values() for request in REQUESTS),
    *((request, look) for look in LOSING_FORMS.values() for request in FORMS),
]


@pytest.mark.parametrize(
    ("request_", "look"), LOST, ids=[f"{request} {look.__name__}" for request, look in LOST]
)
async def test_a_body_that_is_gone_is_said_to_be(
    forge: Product,
    open_client: Opener,
    request_: Request,
    look: Look,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = await open_client(look)
    with caplog.at_level(logging.ERROR):
        status, body = await send(client, request_)
    assert (status, body["detail"][: len(GONE)]) == (500, GONE)
    assert body["code"] == "body_already_read"
    (line,) = [record.getMessage() for record in caplog.records if record.name == "avatarforge"]
    assert middleware.__module__ in line
    assert await stored(forge) == 0
    # Nothing is left of it that would stand in the way of another request.
    async with client.get(f"{PREFIX}/poses") as answer:
        assert answer.status == 200


async def test_a_body_that_somebody_is_reading_at_this_moment_is_gone(
    forge: Product, aiohttp_client: Any
) -> None:
    @web.middleware
    async def beside(request: web.Request, handler: Handler) -> web.StreamResponse:
        reading = asyncio.create_task(request.read())
        await asyncio.sleep(0)
        try:
            return await handler(request)
        finally:
            reading.cancel()

    client: Client = await aiohttp_client(application(forge.services, middlewares=[beside]))
    async with connection(client) as (reader, writer):
        size = len(START + picture() + END)
        lines = [
            f"POST {POSE} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Content-Type: {FORM}",
            f"Content-Length: {size}",
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode() + START)
        status, body = await body_of(reader)
    assert (status, body["detail"][: len(GONE)]) == (500, GONE)


@pytest.mark.parametrize("look", LOSING_FORMS)
@pytest.mark.parametrize("request_", OTHERS, ids=str)
async def test_what_only_reads_forms_leaves_other_bodies(
    open_client: Opener, request_: Request, look: str
) -> None:
    status, body = await send(await open_client(LOSING_FORMS[look]), request_)
    assert status == 200, body


def part(name: str, content: bytes, *lines: str, filename: str | None = "a.png") -> bytes:
    given = f'; filename="{filename}"' if filename is not None else ""
    head = [f'Content-Disposition: form-data; name="{name}"{given}', *lines]
    return b"--b\r\n" + "\r\n".join(head).encode() + b"\r\n\r\n" + content + b"\r\n"


BROKEN_FORMS = {
    "another field": part("picture", picture()),
    "a second field": part("file", picture()) + part("more", b"x", filename=None),
    "two files": part("file", picture()) + part("file", picture()),
    "a text first": part("prompt", b"a knight", filename=None) + part("file", picture()),
    "no picture": part("file", b"no picture"),
    "an encoding": part("file", b"AAAA", "Content-Transfer-Encoding: base64"),
    "a header twice": part("file", picture(), "X-A: 1", "X-A: 2"),
}


@pytest.mark.parametrize("look", ["read", "post"])
@pytest.mark.parametrize("form", BROKEN_FORMS.values(), ids=BROKEN_FORMS)
async def test_a_form_is_refused_for_the_same_reason(
    forge: Product, open_client: Opener, aiohttp_client: Any, form: bytes, look: str
) -> None:
    plain: Client = await aiohttp_client(application(forge.services))
    answers = []
    for client in (plain, await open_client(KEEPING[look])):
        async with client.post(POSE, data=form + b"--b--\r\n", headers={"Content-Type": FORM}) as answer:
            answers.append((answer.status, await answer.json()))
    assert answers[0][0] == 400
    assert answers[0] == answers[1]
    assert await stored(forge) == 0


@pytest.mark.parametrize("kind", ["image/png", "text/plain", None])
async def test_a_pose_without_a_file_name_is_the_same_file(
    forge: Product, open_client: Opener, aiohttp_client: Any, kind: str | None
) -> None:
    content = POSE_JSON if kind != "image/png" else picture()
    lines = [f"Content-Type: {kind}"] if kind else []
    form = part("file", content, *lines, filename=None) + b"--b--\r\n"
    plain: Client = await aiohttp_client(application(forge.services))
    found = []
    for client in (plain, await open_client(KEEPING["post"])):
        async with client.post(POSE, data=form, headers={"Content-Type": FORM}) as answer:
            found.append((answer.status, (await answer.json())["content_hash"]))
    assert found == [(200, hashlib.sha256(content).hexdigest())] * 2


@pytest.mark.parametrize("look", ["read", "post"])
async def test_the_limit_of_a_file_holds(tmp_path: Path, aiohttp_client: Any, look: str) -> None:
    limit = len(picture())
    async with product(tmp_path, settings=Settings(max_file_size=limit)) as forge:
        app = application(forge.services, middlewares=[middleware(KEEPING[look])])
        client: Client = await aiohttp_client(app)
        assert (await send(client, Request(POSE, FORM, picture()), chunked=True))[0] == 200
        status, body = await send(client, Request(POSE, FORM, picture(1) + b"x"), chunked=True)
    assert (status, body["detail"].split(":")[0]) == (413, "File too large")


@pytest.mark.parametrize("body", [b"{", b'{"prompt": 1}', b'{"prompt": "a", "colour": 1}', b"\xff", b""])
async def test_json_is_refused_for_the_same_reason(
    forge: Product, open_client: Opener, aiohttp_client: Any, body: bytes
) -> None:
    plain: Client = await aiohttp_client(application(forge.services))
    answers = []
    for client in (plain, await open_client(KEEPING["read"])):
        headers = {"Content-Type": "application/json"}
        async with client.post(f"{PREFIX}/generate/avatar", data=body, headers=headers) as answer:
            answers.append((answer.status, await answer.json()))
    assert answers[0][0] == 422
    assert answers[0] == answers[1]


@pytest.mark.parametrize("look", KEEPING)
async def test_routes_without_a_body_do_not_mind(open_client: Opener, look: str) -> None:
    client = await open_client(KEEPING[look])
    async with client.post(f"{PREFIX}/cleanup/orphaned-files?days=1", data=b"what for?") as answer:
        assert answer.status == 200
