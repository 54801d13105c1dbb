"""What the pack uses of libraries beyond what they document. A failure here means that a library has changed:
adapt the module that the message names."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from typing import Any

import corpus_parts as parts
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from dotenv import parser as dotenv_parser
from PIL import Image, ImageFile, JpegImagePlugin

from avatarforge.forge.store.pillow_decoder import jpeg_decoder
from avatarforge.routes.reading import bytes_received

PILLOW = "Pillow's JPEG decoder has changed: adapt forge/store/pillow_decoder.py."
AIOHTTP = "aiohttp's StreamReader has changed: adapt bytes_received in routes/reading.py."
DOTENV = "python-dotenv's parser has changed: adapt forge/env_file.py."


def test_pillow_has_the_decoder() -> None:
    assert callable(getattr(Image, "_getdecoder", None)), PILLOW
    picture = JpegImagePlugin.JpegImageFile(io.BytesIO(parts.encoded(parts.gradient(), "JPEG")))
    assert [tile[0] for tile in picture.tile] == ["jpeg"], PILLOW
    assert isinstance(picture.decoderconfig, tuple), PILLOW


@pytest.mark.parametrize("forgiving", [False, True])
def test_pillows_decoder_says_what_it_used_and_when_it_is_done(
    monkeypatch: pytest.MonkeyPatch, forgiving: bool
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", forgiving)  # as other packs do
    data = parts.encoded(parts.gradient(), "JPEG")
    with jpeg_decoder(JpegImagePlugin.JpegImageFile(io.BytesIO(data))) as decoder:
        used, error = decoder.decode(data[:-40])
        assert (0 < used <= len(data) - 40, error) == (True, 0), PILLOW
        used, error = decoder.decode(data[used:])
        assert (used, error) == (-1, 0), PILLOW


def test_pillows_decoder_reports_damage() -> None:
    data = parts.encoded(parts.gradient(), "JPEG")
    table = data.index(b"\xff\xc4")
    picture = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    with jpeg_decoder(picture) as decoder:
        used, error = decoder.decode(data[: table + 4] + b"\xff" * 400)
    assert used == -1, PILLOW
    assert error < 0, PILLOW


async def test_aiohttp_counts_what_has_come(aiohttp_client: Callable[..., Awaitable[Any]]) -> None:
    seen: list[int] = []

    async def handler(request: web.Request) -> web.Response:
        await request.content.read(1)
        await request.content.wait_eof()
        seen.append(bytes_received(request.content))
        await request.read()
        seen.append(bytes_received(request.content))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", handler)
    client: TestClient[web.Request, web.Application] = await aiohttp_client(app)
    await client.post("/", data=b"x" * 1000)
    assert seen == [1000, 1000], AIOHTTP


def test_python_dotenv_gives_lines_and_errors() -> None:
    found = list(dotenv_parser.parse_stream(io.StringIO("A=1\n\nB='x\\'y' # z\n'broken\nC\n", newline="")))
    assert [(item.key, item.value, item.error) for item in found] == [
        ("A", "1", False),
        ("B", "x'y", False),
        (None, None, True),
        ("C", None, False),
    ], DOTENV
    assert [(item.original.string, item.original.line) for item in found][:2] == [
        ("A=1\n", 1),
        ("\nB='x\\'y' # z\n", 2),
    ], DOTENV
