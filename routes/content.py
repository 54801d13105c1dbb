"""Responses with pictures: conditional requests, ranges and safe headers (RFC 9110, RFC 6266).

aiohttp's FileResponse derives its ETag from time and size. Here the ETag is the content's hash, so that a
client can recognise bytes that it has.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from aiohttp import web

from ..forge.errors import NotFoundError
from ..forge.store.disk import open_to_read
from ..forge.waiting import wait_at_most
from ..forge.workers import Workers
from .conditional import has_already, matches
from .context import Call
from .errors import error_answer

CHUNK = 256 * 1024
#: Seconds in which a client must take a piece of an archive, so that a slow one cannot keep a slot.
WRITE_SECONDS = 60.0

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class Content:
    """A file to send. `size` is None if the bytes may change before their row, as in a re-roll."""

    path: Path
    mime_type: str
    content_hash: str
    filename: str
    size: int | None = None


@dataclass(frozen=True)
class StreamedContent:
    """Bytes to send that are made on the way. `pieces` gives them from a start to a stop, and blocks. `tag`
    identifies them."""

    size: int
    pieces: Callable[[int, int], Iterator[bytes]]
    mime_type: str
    tag: str
    filename: str


async def send(call: Call, content: Content) -> web.StreamResponse:
    """Answer GET or HEAD with the bytes or a range of them, or with 304, 412 or 416. Raises NotFoundError."""
    request, workers = call.request, call.services.workers
    headers = {
        **_safe_headers(call, content.content_hash),
        "Accept-Ranges": "bytes",
        "Content-Disposition": _disposition("inline", content.filename),
    }
    refused = _precondition(request, content.content_hash)
    if refused is not None:
        return refused
    if has_already(request, content.content_hash):
        return web.Response(status=304, headers=headers)
    try:
        file, size = await workers.disk(_open, content.path)
    except OSError as error:
        raise NotFoundError("The bytes of this picture are gone from the disk.", code="file_lost") from error
    if content.size not in (None, size):
        await workers.disk(file.close)
        raise NotFoundError(
            "The bytes of this picture on the disk are not those that were stored.", code="file_lost"
        )
    try:
        span = _span(request, size, content.content_hash)
        if span is None:
            return _outside(size)
        response = _response(request, headers, content.mime_type, content.content_hash, size, span)
        await response.prepare(request)
        if request.method != "HEAD":
            await _copy(response, workers, file, *span)
        await response.write_eof()
        return response
    finally:
        await workers.disk(file.close)


async def send_streamed(call: Call, content: StreamedContent) -> web.StreamResponse:
    """Answer GET or HEAD as `send` does. If the client is gone or too slow, or bytes are gone that were there
    a moment ago, the connection ends early: the client sees that it has not all."""
    request, workers = call.request, call.services.workers
    refused = _precondition(request, content.tag)
    if refused is not None:
        return refused
    span = _span(request, content.size, content.tag)
    if span is None:
        return _outside(content.size)
    headers = {
        **_safe_headers(call, content.tag),
        "Accept-Ranges": "bytes",
        "Content-Disposition": _disposition("attachment", content.filename),
    }
    response = _response(request, headers, content.mime_type, content.tag, content.size, span)
    await response.prepare(request)
    try:
        if request.method != "HEAD":
            pieces = content.pieces(*span)
            while (piece := await workers.disk(next, pieces, None)) is not None:
                await wait_at_most(response.write(piece), WRITE_SECONDS)
        await response.write_eof()
    except (ConnectionError, asyncio.TimeoutError, TimeoutError, NotFoundError) as error:
        if isinstance(error, NotFoundError):
            log.warning("AvatarForge: an export ended early: %s", error)
        if request.transport is not None:
            request.transport.abort()
    return response


def _precondition(request: web.Request, tag: str) -> web.Response | None:
    """412 if the client wants other bytes."""
    if request.if_match is None or matches(request.if_match, tag, weak=False):
        return None
    return error_answer(412, "precondition_failed", "The file is not the one that If-Match names.")


def _outside(size: int) -> web.Response:
    return error_answer(
        416,
        "range_not_satisfiable",
        f"The range lies outside the {size} bytes.",
        {"Content-Range": f"bytes */{size}"},
    )


def _response(
    request: web.Request,
    headers: Mapping[str, str],
    mime_type: str,
    tag: str,
    size: int,
    span: tuple[int, int],
) -> web.StreamResponse:
    """200 for all bytes, or 206 for a range of them."""
    start, stop = span
    response = web.StreamResponse(status=200, headers=headers)
    if span != (0, size) or _wants_range(request, tag):
        response.set_status(206)
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    response.content_type = mime_type
    response.content_length = stop - start
    return response


async def send_generated(
    call: Call, tag: str, make: Callable[[], Awaitable[tuple[bytes, str]]]
) -> web.Response:
    """Answer GET or HEAD with the (bytes, MIME type) that `make` returns, or with 304 without calling it.
    `tag` identifies the bytes."""
    unchanged = not_modified(call, tag)
    if unchanged is not None:
        return unchanged
    body, mime_type = await make()
    return web.Response(body=body, content_type=mime_type, headers=_safe_headers(call, tag))


def not_modified(call: Call, tag: str) -> web.Response | None:
    """304 if the client has the bytes with this tag."""
    if not has_already(call.request, tag):
        return None
    return web.Response(status=304, headers=_safe_headers(call, tag))


def _safe_headers(call: Call, tag: str) -> dict[str, str]:
    return {
        **call.caller.headers,
        "ETag": f'"{tag}"',
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }


def _open(path: Path) -> tuple[BinaryIO, int]:
    file = open_to_read(path)
    return file, os.fstat(file.fileno()).st_size


async def _copy(
    response: web.StreamResponse, workers: Workers, file: BinaryIO, start: int, stop: int
) -> None:
    await workers.disk(file.seek, start)
    remaining = stop - start
    while remaining > 0:
        chunk = await workers.disk(file.read, min(CHUNK, remaining))
        if not chunk:
            break
        await response.write(chunk)
        remaining -= len(chunk)


def _wants_range(request: web.Request, content_hash: str) -> bool:
    """Whether the request has a single byte range that applies. Any other `Range` is ignored, as RFC 9110
    14.2 allows, and so is a range whose If-Range does not match."""
    condition = request.headers.get("If-Range")
    if "Range" not in request.headers or (condition is not None and condition != f'"{content_hash}"'):
        return False
    try:
        byte_range = request.http_range
    except ValueError:
        return False
    return byte_range.start is not None or byte_range.stop is not None


def _span(request: web.Request, size: int, content_hash: str) -> tuple[int, int] | None:
    """(first byte, one past the last) of the response; None if the range cannot be satisfied."""
    if not _wants_range(request, content_hash):
        return 0, size
    start, stop, _ = request.http_range.indices(size)
    return (start, stop) if start < stop else None


def _disposition(kind: str, filename: str) -> str:
    """Content-Disposition (RFC 6266), inline or attachment, with an ASCII name for old clients and the real
    one. The client chose the name."""
    # Names of uploads are cleaned already. A control character would end the header, and a direction mark
    # would reverse the name.
    filename = "".join(character if character.isprintable() else "_" for character in filename)
    plain = "".join(
        character if character.isascii() and character.isprintable() and character not in '"\\%;' else "_"
        for character in filename
    )
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
