"""Requests on their way in: who may send now, how much, how slowly, and what it must be.

aiohttp bounds a body in none of these ways when it is read as a stream, which is how files come.
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
from .context import Endpoint, Services
from .errors import HttpRefusal
from .expect import awaits_continue, let_continue

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:
    from async_timeout import timeout  # aiohttp brings it along

#: Seconds without a byte after which a request is given up.
PATIENCE = 60.0
#: Bytes a second that must have come on average, after PATIENCE: what keeps a drip from holding a slot.
PACE = 16 * 1024

SMALL_BODY = 64 * 1024
LARGE_BODY = 1024 * 1024
MAX_DEPTH = 32
MAX_VALUES = 2_000
#: Boundaries, part headers and the like, beside the file itself.
FORM_OVERHEAD = 64 * 1024
#: What is handed on at once of a body that lies in memory already.
PIECE = 256 * 1024


class BodyTaken(HttpRefusal):
    """A middleware of another pack has read the body, or a part of it, and nothing keeps what it took."""

    def __init__(self) -> None:
        super().__init__(
            500,
            "body_already_read",
            "Another custom node pack read the body of this request before AvatarForge could, and did "
            "not keep it, so that there is nothing to work with. ComfyUI's log names the middlewares that "
            "packs have added. Update or disable the one that does it.",
        )


class BodyReader:
    """The body of a request, bounded in bytes and in time.

    `read` gives the next bytes and b"" at the end. It raises `error` once more than `limit` bytes have come,
    HttpRefusal (408) when the client stalls or only drips, and what `start` raises. A client that waits to
    be told to go on is told so by the first `read`.
    """

    def __init__(self, request: web.Request, limit: int, error: TooLargeError) -> None:
        self._request = request
        self._stream = request.content
        self._left = limit
        self._error = error
        self._allowed = PATIENCE  # seconds that may still be waited; our own work on what came does not count
        self._started = False
        self._held = b""  # what `start` has found, handed on up to `_at`
        self._at = 0

    async def start(self) -> None:
        """Find out what is there of the body; the first `read` does so too.

        The middlewares of other packs run before our handlers. A body that one of them has read whole, with
        `read`, `text` or `json` of the request, is kept by aiohttp, and `read` gives it as if it came now.
        Raises BodyTaken where anything else was taken from it. Then `read` gives what is left.
        """
        self._started = True
        if not self._request.body_exists:  # in older aiohttps the stream of such a request counts nothing
            return
        pieces = []
        try:
            while piece := self._stream.read_nowait():
                pieces.append(piece)
        except RuntimeError as error:  # documented: some other coroutine is reading at this moment
            raise BodyTaken from error
        self._held = b"".join(pieces)
        if len(self._held) == bytes_received(self._stream):
            return
        if self._stream.at_eof():
            whole = await self._request.read()  # gives what is kept, or b"" from the empty stream
            if len(whole) == bytes_received(self._stream):
                self._held = whole
                return
        raise BodyTaken

    async def read(self) -> bytes:
        if not self._started:
            await self.start()
        if self._at < len(self._held):
            data = self._held[self._at : self._at + PIECE]
            self._at += len(data)
            self._allowed += len(data) / PACE  # it has come, as fast as it could
        else:
            self._held, self._at = b"", 0
            data = await self._receive()
        self._left -= len(data)
        if self._left < 0:
            raise self._error
        return data

    async def _receive(self) -> bytes:
        if awaits_continue(self._request):
            let_continue(self._request)
        clock = asyncio.get_running_loop().time
        begun = clock()
        try:
            async with timeout(min(self._allowed, PATIENCE)):  # wait_for makes a task of each read
                data = await self._stream.readany()
        except asyncio.TimeoutError as error:
            raise HttpRefusal(
                408,
                "body_too_slow",
                f"The body came too slowly: within {PATIENCE:g} seconds at least something must come, "
                f"and after that {PACE} bytes a second.",
            ) from error
        except RuntimeError as error:  # some other coroutine has begun to read, or the client has left
            if self._request.transport is None:
                raise ConnectionResetError from error
            raise BodyTaken from error
        self._allowed += len(data) / PACE - (clock() - begun)
        return data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self.read():
            yield data


def bytes_received(stream: StreamReader) -> int:
    """How many bytes of a body have come, whatever has been read of them since.

    aiohttp does not document the attribute, and has nothing documented that tells whether another reader
    took some. `tests/unit/test_library_internals.py` tells when it changes. Seen in aiohttp 3.11.8 to 3.14.5.
    """
    return stream.total_bytes


def check_head(endpoint: Endpoint, request: web.Request, services: Services) -> None:
    """Refuse by its head alone what need not be read. Raises TooLargeError and HttpRefusal (415)."""
    packed = request.headers.getall("Content-Encoding", [])
    if any(coding.strip().lower() not in ("", "identity") for coding in packed):
        # aiohttp would unpack it: a few bytes can become gigabytes.
        raise HttpRefusal(
            415, "unsupported_content_encoding", "Send the body as it is, without a Content-Encoding."
        )
    limit, error = _limit(endpoint, services)
    if request.content_length is not None and request.content_length > limit:
        raise error


@asynccontextmanager
async def admitted(endpoint: Endpoint, request: web.Request, services: Services) -> AsyncIterator[None]:
    """Hold a slot while a body that needs one is worked on. Raises BusyError."""
    async with AsyncExitStack() as held:
        if endpoint.upload:
            await held.enter_async_context(services.workers.uploads.take())
        elif endpoint.body and (request.content_length or 0) > LARGE_BODY:
            await held.enter_async_context(services.workers.large_bodies.take())
        yield


def _limit(endpoint: Endpoint, services: Services) -> tuple[int, TooLargeError]:
    largest = services.files.max_bytes
    if endpoint.upload:
        return largest + FORM_OVERHEAD, too_large(largest)
    # Two pictures as base64, each a third larger than its bytes, and the words.
    limit = (largest + 2) // 3 * 4 * 2 + SMALL_BODY * 2
    return limit, TooLargeError(
        f"The body is too large: the limit is {limit} bytes.",
        code="body_too_large",
        parameters={"limit": limit},
    )


def body_of(endpoint: Endpoint, request: web.Request, services: Services) -> BodyReader:
    """The body, bounded as this endpoint needs it."""
    return BodyReader(request, *_limit(endpoint, services))


def read_query(endpoint: Endpoint, request: web.Request) -> BaseModel:
    """Validate the query, without what a signed link carries. Raises ValidationError."""
    if endpoint.query is None:
        raise TypeError("the endpoint declares no query")
    if not request.query_string:
        return _without_query(endpoint.query)
    # A name given twice becomes a list, which no field takes: better than dropping one of the two.
    values = {
        name: found[0] if len(found := request.query.getall(name)) == 1 else found
        for name in request.query
        if not (endpoint.picture and name in (EXPIRES, SIGNATURE))
    }
    return endpoint.query.model_validate(values)


@functools.cache  # of the few models that endpoints declare; they are frozen
def _without_query(model: type[BaseModel]) -> BaseModel:
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
            # What has no length cannot be refused by it, and would have to lie in memory to be counted.
            raise HttpRefusal(
                411,
                "length_required",
                f"A JSON body of more than {LARGE_BODY} bytes must say its Content-Length.",
            )
        pieces.append(piece)
    raw = b"".join(pieces)
    del pieces
    if size <= SMALL_BODY:
        return _validated(model, raw)
    return await services.workers.decode(_validated, model, raw)


def _validated(model: type[BaseModel], raw: bytes) -> BaseModel:
    try:
        value = read_json(raw, max_depth=MAX_DEPTH, max_values=MAX_VALUES)
    except InvalidJson as error:
        raise UnprocessableError(str(error), ("body",), "json_invalid", code="invalid_json") from error
    return model.model_validate(value)
