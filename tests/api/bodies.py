"""Requests with a body, as a client sends them and byte by byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import FormData, web
from aiohttp.test_utils import TestClient

from avatarforge.routes import PREFIX

Client = TestClient[web.Request, web.Application]
POSE = f"{PREFIX}/upload/pose_image"
GONE = "Another custom node pack read the body of this request"
QUERIES = {"pose": "front"}
NAME = "grün & „schön“.png"
START = b'--b\r\nContent-Disposition: form-data; name="file"; filename="b.png"\r\n\r\n'
END = b"\r\n--b--\r\n"
FORM = "multipart/form-data; boundary=b"


@dataclass(frozen=True)
class Request:
    """One route with one of the bodies that it takes."""

    path: str
    kind: str
    content: bytes = b""

    def __str__(self) -> str:
        return f"{self.path.rsplit('/')[-1]} {self.kind}"


async def send(client: Client, request: Request, *, chunked: bool = False) -> tuple[int, Any]:
    headers = {} if request.kind.startswith("multipart") else {"Content-Type": request.kind}
    data: Any = request.content
    if not headers:
        data = FormData(quote_fields=False)
        data.add_field("file", request.content, filename=NAME, content_type="image/png")
    query = QUERIES if request.path.endswith("/generate_pose") else None
    async with client.post(
        request.path, data=data, headers=headers, params=query, chunked=chunked or None
    ) as answer:
        return answer.status, await answer.json()


@asynccontextmanager
async def connection(client: Client) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def body_of(reader: asyncio.StreamReader) -> tuple[int, Any]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
    (size,) = (int(line.split(":")[1]) for line in lines if line.startswith("content-length:"))
    return int(lines[0].split()[1]), json.loads(await reader.readexactly(size))
