"""Forms that another pack has parsed before us.

A middleware that calls `request.post()` leaves an empty stream behind, and aiohttp keeps the fields.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web
from multidict import MultiDictProxy

from ..forge.workers import Workers
from .multipart import MAX_AROUND, Part, read_part_headers
from .reading import BodyReader, BodyTaken

CHUNK = 256 * 1024
Field = str | bytes | bytearray | web.FileField


class ParsedForm:
    """The fields in the order in which they were sent, read as `FormReader` is read."""

    def __init__(self, fields: MultiDictProxy[Field], workers: Workers) -> None:
        self._fields = iter(fields.items())
        self._workers = workers
        self._field: Field = b""

    async def next_part(self) -> Part | None:
        """What the headers of the next part say; None after the last one. Raises BrokenForm."""
        name, self._field = next(self._fields, ("", b""))
        if isinstance(self._field, web.FileField):
            headers = self._field.headers.items()
            return read_part_headers(
                [f"{header}: {value}".encode("utf-8", "surrogateescape") for header, value in headers]
            )
        return Part(name, None) if name else None

    async def data(self) -> AsyncIterator[bytes]:
        """The bytes of the part. Raises BodyTaken for a file that was closed."""
        if isinstance(self._field, str):
            yield self._field.encode()
        elif not isinstance(self._field, web.FileField):
            yield bytes(self._field)
        else:
            file = self._field.file
            try:
                await self._workers.disk(file.seek, 0)  # the pack that read it has moved its position
                while chunk := await self._workers.disk(file.read, CHUNK):
                    yield chunk
            except ValueError as error:
                raise BodyTaken from error


async def find_parsed_form(request: web.Request, body: BodyReader, workers: Workers) -> ParsedForm | None:
    """The form that was parsed from a body of which `body.start` has raised BodyTaken; None where nobody has
    parsed it. Raises what `body.read` raises."""
    left = MAX_AROUND  # what a parser leaves unread stands after the last boundary
    async for piece in body:
        left -= len(piece)
        if left < 0:
            return None
    try:
        # At the end of the stream it gives what is kept, or finds no form.
        fields = await request.post()
    except (ValueError, RuntimeError, AssertionError):
        return None
    return ParsedForm(fields, workers) if fields else None
