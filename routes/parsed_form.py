"""Reads forms that a middleware of another pack has parsed already.

After `request.post()` the stream is empty, but aiohttp keeps the fields.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web
from multidict import MultiDictProxy

from ..forge.workers import Workers
from .multipart import MAX_AROUND, Part, read_part_headers
from .reading import BodyAlreadyRead, BodyReader

CHUNK = 256 * 1024
Field = str | bytes | bytearray | web.FileField


class ParsedForm:
    """The fields in the order in which they were sent, with the interface of `FormReader`."""

    def __init__(self, fields: MultiDictProxy[Field], workers: Workers) -> None:
        self._fields = iter(fields.items())
        self._workers = workers
        self._field: Field = b""

    async def next_part(self) -> Part | None:
        """The headers of the next part; None after the last one. Raises BrokenForm."""
        name, self._field = next(self._fields, ("", b""))
        if isinstance(self._field, web.FileField):
            headers = self._field.headers.items()
            return read_part_headers(
                [f"{header}: {value}".encode("utf-8", "surrogateescape") for header, value in headers]
            )
        return Part(name, None) if name else None

    async def data(self) -> AsyncIterator[bytes]:
        """The bytes of the part. Raises BodyAlreadyRead if its file was closed."""
        if isinstance(self._field, str):
            yield self._field.encode()
        elif not isinstance(self._field, web.FileField):
            yield bytes(self._field)
        else:
            file = self._field.file
            try:
                await self._workers.disk(file.seek, 0)  # the other pack may have read it
                while chunk := await self._workers.disk(file.read, CHUNK):
                    yield chunk
            except ValueError as error:
                raise BodyAlreadyRead from error


async def find_parsed_form(request: web.Request, body: BodyReader, workers: Workers) -> ParsedForm | None:
    """The form that was parsed from this body; None if there is none. Call it after `body.start` has raised
    BodyAlreadyRead. Raises what `body.read` raises."""
    remaining = MAX_AROUND  # a parser may leave unread what comes after the last boundary
    async for piece in body:
        remaining -= len(piece)
        if remaining < 0:
            return None
    try:
        # At the end of the stream this returns the kept fields, or finds no form.
        fields = await request.post()
    except (ValueError, RuntimeError, AssertionError):
        return None
    return ParsedForm(fields, workers) if fields else None
