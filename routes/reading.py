"""Reads and validates requests, with limits on the size of a body, its speed, and the number of large ones.

aiohttp applies none of these limits to a body that is read as a stream, as uploads are.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import StreamReader, web
from pydantic import BaseModel

from ..forge.access.signing import EXPIRES, SIGNATURE
from ..forge.errors import TooLargeError, UnprocessableError
from ..forge.store.files import too_large
from ..forge.strict_json import InvalidJson, read_json
from .context import BodyLimits, Endpoint, Services
from .errors import HttpRefusal
from .expect import awaits_continue, let_continue

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:
    from async_timeout import timeout  # a dependency of aiohttp

#: Seconds without a byte after which a request is aborted.
STALL_SECONDS = 60.0
#: Average bytes a second that a client must send after STALL_SECONDS, so that a slow one cannot keep a slot.
MIN_RATE = 16 * 1024

SMALL_BODY = 64 * 1024
LARGE_BODY = 1024 * 1024
MAX_DEPTH = 32
MAX_VALUES = 2_000
#: Room for boundaries and part headers, in addition to the file.
FORM_OVERHEAD = 64 * 1024
#: The size of the pieces in which a body that is already in memory is read.
PIECE = 256 * 1024


class BodyAlreadyRead(HttpRefusal):
    """A middleware of another pack has read the body or a part of it, and the bytes are lost."""

    def __init__(self) -> None:
        super().__init__(
            500,
            "body_already_read",
            "Another custom node pack read the body of this request before AvatarForge could, and did "
            "not keep it, so that there is nothing to work with. ComfyUI's log names the middlewares that "
            "packs have added. Update or disable the one that does it.",
        )


class BodyReader:
    """The body of a request, with limits on its bytes and its time.

    `read` returns the next bytes, and b"" at the end. It raises `error` once more than `limit` bytes have
    arrived, HttpRefusal (408) if the client stalls or is too slow, and what `start` raises. The first `read`
    sends 100 Continue to a client that waits for it.
    """

    def __init__(self, request: web.Request, limit: int, error: TooLargeError) -> None:
        self._request = request
        self._stream = request.content
        self._remaining = limit
        self._error = error
        self._allowed = STALL_SECONDS  # seconds left for waiting; processing time does not count
        self._started = False
        self._buffer = b""  # found by `start`; read up to `_offset`
        self._offset = 0

    async def start(self) -> None:
        """Find what is available of the body. The first `read` calls this too.

        Middlewares of other packs run before our handlers. If one has read the whole body with the request's
        `read`, `text` or `json`, aiohttp keeps it, and `read` returns it as if it arrived now. Raises
        BodyAlreadyRead if bytes were read in any other way. `read` then returns the rest.
        """
        self._started = True
        if not self._request.body_exists:  # in older versions of aiohttp, such a stream counts no bytes
            return
        pieces = []
        try:
            while piece := self._stream.read_nowait():
                pieces.append(piece)
        except RuntimeError as error:  # documented: another coroutine is reading now
            raise BodyAlreadyRead from error
        self._buffer = b"".join(pieces)
        if len(self._buffer) == bytes_received(self._stream):
            return
        if self._stream.at_eof():
            body = await self._request.read()  # the kept body, or b"" from the empty stream
            if len(body) == bytes_received(self._stream):
                self._buffer = body
                return
        raise BodyAlreadyRead

    async def read(self) -> bytes:
        if not self._started:
            await self.start()
        if self._offset < len(self._buffer):
            data = self._buffer[self._offset : self._offset + PIECE]
            self._offset += len(data)
            self._allowed += len(data) / MIN_RATE  # it arrived without any wait here
        else:
            self._buffer, self._offset = b"", 0
            data = await self._receive()
        self._remaining -= len(data)
        if self._remaining < 0:
            raise self._error
        return data

    async def _receive(self) -> bytes:
        if awaits_continue(self._request):
            let_continue(self._request)
        clock = asyncio.get_running_loop().time
        start = clock()
        try:
            async with timeout(
                min(self._allowed, STALL_SECONDS)
            ):  # wait_for would create a task for each read
                data = await self._stream.readany()
        except asyncio.TimeoutError as error:
            raise HttpRefusal(
                408,
                "body_too_slow",
                f"The body came too slowly: within {STALL_SECONDS:g} seconds at least something must come, "
                f"and after that {MIN_RATE} bytes a second.",
            ) from error
        except RuntimeError as error:  # another coroutine started to read, or the client disconnected
            if self._request.transport is None:
                raise ConnectionResetError from error
            raise BodyAlreadyRead from error
        self._allowed += len(data) / MIN_RATE - (clock() - start)
        return data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self.read():
            yield data


def bytes_received(stream: StreamReader) -> int:
    """How many bytes of a body have arrived, including those already read.

    aiohttp does not document this attribute, and documents nothing else that shows whether another reader
    read some bytes. `tests/unit/test_library_internals.py` fails if it changes. Present in aiohttp 3.11.8 to
    3.14.5.
    """
    return stream.total_bytes


def check_head(endpoint: Endpoint, request: web.Request, services: Services) -> None:
    """Refuse a request by its head, before its body is read. Raises TooLargeError and HttpRefusal (415)."""
    encodings = request.headers.getall("Content-Encoding", [])
    if any(encoding.strip().lower() not in ("", "identity") for encoding in encodings):
        # aiohttp would decompress it, and a few bytes can become gigabytes.
        raise HttpRefusal(
            415, "unsupported_content_encoding", "Send the body as it is, without a Content-Encoding."
        )
    limit, error = _limit(endpoint, services)
    if request.content_length is not None and request.content_length > limit:
        raise error


@asynccontextmanager
async def admitted(endpoint: Endpoint, request: web.Request, services: Services) -> AsyncIterator[None]:
    """Hold a slot while an upload or a large body is processed. Raises BusyError."""
    async with AsyncExitStack() as slots:
        if endpoint.upload:
            await slots.enter_async_context(services.workers.uploads.take())
        elif endpoint.body and (request.content_length or 0) > LARGE_BODY:
            await slots.enter_async_context(services.workers.large_bodies.take())
        yield


def _limit(endpoint: Endpoint, services: Services) -> tuple[int, TooLargeError]:
    max_bytes = services.files.max_bytes
    if endpoint.limits is not None:
        limit = endpoint.limits.size(services.settings)
        return limit + (FORM_OVERHEAD if endpoint.upload else 0), _body_too_large(limit)
    if endpoint.upload:
        return max_bytes + FORM_OVERHEAD, too_large(max_bytes)
    # Two pictures as base64, each a third larger than its bytes, and the other fields.
    limit = (max_bytes + 2) // 3 * 4 * 2 + SMALL_BODY * 2
    return limit, _body_too_large(limit)


def _body_too_large(limit: int) -> TooLargeError:
    return TooLargeError(
        f"The body is too large: the limit is {limit} bytes.",
        code="body_too_large",
        parameters={"limit": limit},
    )


def body_of(endpoint: Endpoint, request: web.Request, services: Services) -> BodyReader:
    """A reader of the body with the limits of this endpoint."""
    return BodyReader(request, *_limit(endpoint, services))


def read_query(endpoint: Endpoint, request: web.Request) -> BaseModel:
    """Validate the query, except for the signature of a signed link. Raises ValidationError."""
    if endpoint.query is None:
        raise TypeError("the endpoint declares no query")
    if not request.query_string:
        return _empty_query(endpoint.query)
    # A repeated name becomes a list, which every field rejects, instead of one value being dropped silently.
    values = {
        name: given[0] if len(given := request.query.getall(name)) == 1 else given
        for name in request.query
        if not (endpoint.signable and name in (EXPIRES, SIGNATURE))
    }
    return endpoint.query.model_validate(values)


@functools.cache  # there are few models, and their instances are frozen
def _empty_query(model: type[BaseModel]) -> BaseModel:
    return model.model_validate({})


async def read_body(endpoint: Endpoint, request: web.Request, services: Services) -> BaseModel:
    """Read and validate a JSON body. Raises ValidationError, UnprocessableError, TooLargeError and
    HttpRefusal (408, 411, 415)."""
    model = endpoint.body
    if model is None:
        raise TypeError("the endpoint declares no body")
    if request.content_type != "application/json" or len(request.headers.getall("Content-Type")) > 1:
        raise HttpRefusal(415, "unsupported_media_type", "Send the body as application/json.")
    pieces, size = [], 0
    async for piece in body_of(endpoint, request, services):
        size += len(piece)
        if size > LARGE_BODY and request.content_length is None:
            # Without a length, it could only be refused after it is in memory.
            raise HttpRefusal(
                411,
                "length_required",
                f"A JSON body of more than {LARGE_BODY} bytes must say its Content-Length.",
            )
        pieces.append(piece)
    raw = b"".join(pieces)
    del pieces
    # A small text of many values, such as a thousand short requests, is validated in a thread, too.
    if size <= SMALL_BODY and endpoint.limits is None:
        return _validate(model, raw, endpoint.limits)
    return await services.workers.decode(_validate, model, raw, endpoint.limits)


def _validate(model: type[BaseModel], raw: bytes, limits: BodyLimits | None) -> BaseModel:
    depth, values = (limits.depth, limits.values) if limits else (MAX_DEPTH, MAX_VALUES)
    try:
        value = read_json(raw, max_depth=depth, max_values=values)
    except InvalidJson as error:
        raise UnprocessableError(str(error), ("body",), "json_invalid", code="invalid_json") from error
    return model.model_validate(value)
