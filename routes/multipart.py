"""Reading an uploaded form, bounded in every direction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from ..forge.errors import RejectedUploadError, TooLargeError
from ..forge.store.files import FileStore, Received, too_large
from ..forge.store.inspect import JSON_TYPE

FIELD = "file"
CHUNK = 64 * 1024
OVERHEAD = 64 * 1024  # boundaries, part headers and a preamble, beside the picture itself
JSON_NAME = "pose.json"
_WANTED = f"send multipart/form-data with one field named {FIELD!r} that holds the picture"


class _Bounded:
    """A request body that ends in an error once more than `limit` bytes were read from it.

    aiohttp's multipart reader has no limit of its own on preamble, parts or total size.
    """

    def __init__(self, request: web.Request, limit: int, error: TooLargeError) -> None:
        self._stream = request.content
        self._left = limit
        self._error = error

    def _count(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise self._error
        return data

    async def read(self, size: int = -1) -> bytes:
        return self._count(await self._stream.read(size))

    async def readline(self, *args: int, **kwargs: int) -> bytes:
        return self._count(await self._stream.readline(*args, **kwargs))

    def unread_data(self, data: bytes) -> None:
        self._left += len(data)
        self._stream.unread_data(data)

    def at_eof(self) -> bool:
        return self._stream.at_eof()


async def receive_json(request: web.Request, files: FileStore) -> Received:
    """Store a body that is the pose itself, in JSON. Raises the errors of `FileStore.receive`."""
    try:
        received = await files.receive(request.content.iter_chunked(CHUNK), JSON_NAME)
    except RejectedUploadError as error:
        raise RejectedUploadError(f"{error} To upload a picture, {_WANTED}.") from error
    if received.file.mime_type == JSON_TYPE:
        return received
    await files.forget(received)
    raise RejectedUploadError(
        f"Invalid image file: the body is a picture, but was sent as application/json; {_WANTED}."
    )


async def receive_form(request: web.Request, files: FileStore, *, pictures_only: bool) -> Received:
    """Store the form's file. Raises the errors of `FileStore.receive`."""
    if request.content_type != "multipart/form-data" or "boundary=" not in request.headers["Content-Type"]:
        raise RejectedUploadError(f"Invalid image file: {_WANTED}.")
    bounded = _Bounded(request, files.max_bytes + OVERHEAD, too_large(files.max_bytes))
    received: Received | None = None
    async with AsyncExitStack() as undo:
        try:
            reader = MultipartReader(request.headers, bounded)  # type: ignore[arg-type]
            while (part := await reader.next()) is not None:
                if not isinstance(part, BodyPartReader) or part.name != FIELD or received is not None:
                    name = part.name if isinstance(part, BodyPartReader) else None
                    raise RejectedUploadError(
                        f"Invalid image file: the form has an unexpected field {str(name)[:80]!r}; {_WANTED}."
                    )
                received = await files.receive(_chunks(part), part.filename, pictures_only=pictures_only)
                undo.push_async_callback(files.forget, received)
        except (ValueError, HttpProcessingError, EOFError) as error:
            raise RejectedUploadError(f"Invalid image file: the form is broken; {_WANTED}.") from error
        if received is None:
            raise RejectedUploadError(f"Invalid image file: the form has no field {FIELD!r}; {_WANTED}.")
        undo.pop_all()
    return received


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(CHUNK):
        yield chunk
