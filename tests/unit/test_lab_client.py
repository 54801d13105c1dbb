from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from lab.client import ApiError, Client


@pytest.fixture
async def client(aiohttp_server: object) -> Client:
    async def upload(request: web.Request) -> web.Response:
        field = (await request.post())["file"]
        assert isinstance(field, web.FileField)
        return web.json_response({"name": field.filename, "bytes": field.file.read().hex()})

    async def echo(request: web.Request) -> web.Response:
        return web.json_response(await request.json())

    async def refuse(_request: web.Request) -> web.Response:
        return web.json_response({"detail": "There is no checkpoint."}, status=503)

    async def picture(_request: web.Request) -> web.Response:
        return web.Response(body=b"\x89PNG")

    app = web.Application()
    app.router.add_post("/upload", upload)
    app.router.add_post("/echo", echo)
    app.router.add_get("/refuse", refuse)
    app.router.add_get("/outputs/1/a.png", picture)
    server: TestServer = await aiohttp_server(app)  # type: ignore[operator]
    return Client(str(server.make_url("/")).rstrip("/"))


async def test_upload_is_one_multipart_file(client: Client, tmp_path: Path) -> None:
    content = bytes(range(256)) + b"\r\n--not a boundary--\r\n"
    (tmp_path / "pose.png").write_bytes(content)
    answer = await asyncio.to_thread(client.upload, "/upload", tmp_path / "pose.png")
    assert answer == {"name": "pose.png", "bytes": content.hex()}


async def test_post_sends_json(client: Client) -> None:
    assert await asyncio.to_thread(client.post, "/echo", {"prompt": "Ritter, süß"}) == {
        "prompt": "Ritter, süß"
    }


async def test_a_refusal_carries_the_servers_sentence(client: Client) -> None:
    with pytest.raises(ApiError, match=r"503, There is no checkpoint\."):
        await asyncio.to_thread(client.get, "/refuse")


async def test_nobody_there_is_an_api_error() -> None:
    with pytest.raises(ApiError, match="/health"):
        await asyncio.to_thread(Client("http://127.0.0.1:9").get, "/health")


async def test_a_url_of_an_answer_is_taken_from_the_servers_root(client: Client, tmp_path: Path) -> None:
    await asyncio.to_thread(client.download, "/outputs/1/a.png", tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == b"\x89PNG"
