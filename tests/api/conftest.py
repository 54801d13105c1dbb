"""Our own route table on a bare aiohttp application, with the host behind its port replaced."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient
from pictures import picture
from services import Product, product

from avatarforge.forge.access.signing import Signer
from avatarforge.forge.error_codes import ERROR_CODES
from avatarforge.forge.settings import Settings
from avatarforge.routes import (
    ACCESS,
    PREFIX,
    STATE,
    Access,
    NetworkExposure,
    Services,
    Unavailable,
    add_routes,
    body_routes,
    note_answer,
    rules,
)

from .middlewares import Look, middleware

Client = TestClient[web.Request, web.Application]


#: Of ComfyUI's own application, by default; aiohttp's is 1 MiB.
CLIENT_MAX_SIZE = 100 * 1024 * 1024
#: The error answers of the test that runs, as (request, body), whose code is not in the registry.
uncoded: list[tuple[str, str]] = []
#: Set in a request that the test's own middleware refuses.
REFUSED_BY_OTHERS = "refused by others"


@pytest.fixture(autouse=True)
def every_error_has_a_code() -> Iterator[None]:
    """Whatever the test is about, no error answer of ours may lack its code."""
    uncoded.clear()
    yield
    assert uncoded == []


async def _check_code(request: web.Request, answer: web.StreamResponse) -> None:
    not_ours = request.match_info.http_exception is not None or REFUSED_BY_OTHERS in request
    if answer.status < 400 or not_ours:
        return
    text = str(answer.text) if isinstance(answer, web.Response) else ""
    try:
        body = json.loads(text)
        known = bool(body["detail"]) and body["code"] in ERROR_CODES
    except (ValueError, TypeError, KeyError):
        known = False
    if not known:
        uncoded.append((f"{request.method} {request.path}", text))


def application(
    state: Services | Unavailable, access: Access | None = None, middlewares: Iterable[Any] = ()
) -> web.Application:
    """`access`: by default that of a ComfyUI which listens on 127.0.0.1 and has no settings. `middlewares`
    are those of other packs."""
    app = web.Application(client_max_size=CLIENT_MAX_SIZE, middlewares=middlewares)
    app.add_routes(body_routes())
    app.on_response_prepare.append(note_answer)
    routes = web.RouteTableDef()
    add_routes(routes, "0.0.0")
    app.add_routes(routes)
    app.on_response_prepare.append(_check_code)
    app[STATE] = state
    app[ACCESS] = access or Access(rules(Settings(), NetworkExposure()), Signer("s" * 32))
    return app


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        yield opened


@pytest.fixture
async def client(forge: Product, aiohttp_client: Callable[..., Awaitable[Client]]) -> Client:
    return await aiohttp_client(application(forge.services))


@pytest.fixture
def opened(
    forge: Product, aiohttp_client: Callable[..., Awaitable[Client]]
) -> Callable[..., Awaitable[Client]]:
    """``await opened(reach, **settings)``: the API on a ComfyUI of that reach, with these settings."""

    async def make(reach: NetworkExposure = NetworkExposure(), **settings: Any) -> Client:  # noqa: B008 - it is frozen
        access = Access(rules(Settings(**settings), reach), Signer("s" * 32))
        return await aiohttp_client(application(forge.services, access))

    return make


@pytest.fixture
def open_client(forge: Product, aiohttp_client: Any) -> Callable[[Look], Awaitable[Client]]:
    """``await open_client(look)``: the API behind another pack, whose middleware looks at bodies first."""

    async def opened(look: Look) -> Client:
        made: Client = await aiohttp_client(application(forge.services, middlewares=[middleware(look)]))
        return made

    return opened


@pytest.fixture
async def broken(aiohttp_client: Callable[..., Awaitable[Client]]) -> Client:
    async def stats() -> dict[str, Any]:
        return {"system": {}}

    return await aiohttp_client(
        application(Unavailable("MAX_FILE_SIZE='x' cannot be used.", "http://c", stats))
    )


async def upload(client: Client, data: bytes | None = None, kind: str = "pose") -> dict[str, Any]:
    form = FormData()
    form.add_field("file", picture() if data is None else data, filename="a.png", content_type="image/png")
    answer = await client.post(f"{PREFIX}/upload/{kind}_image", data=form)
    assert answer.status == 200, await answer.text()
    body: dict[str, Any] = await answer.json()
    return body


async def generate(client: Client, path: str = "/generate/avatar", **body: Any) -> dict[str, Any]:
    answer = await client.post(PREFIX + path, json={"prompt": "a knight", **body})
    assert answer.status == 200, await answer.text()
    generation: dict[str, Any] = await answer.json()
    return generation
