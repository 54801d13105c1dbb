"""Uploads: the one file of a form, or a body that is the pose itself."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ..forge.errors import RejectedUploadError
from ..forge.store.files import Received
from ..forge.store.inspect import JSON_TYPE
from .context import Call
from .multipart import BrokenForm, FormReader, boundary_of
from .parsed_form import ParsedForm, find_parsed_form
from .precheck import announced_hash
from .reading import BodyReader, BodyTaken, body_of

FIELD = "file"
JSON_NAME = "pose.json"
_WANTED = f"send multipart/form-data with one field named {FIELD!r} that holds the picture"


async def receive_json(call: Call) -> Received:
    """Store a body that is the pose itself, in JSON. Raises the errors of `FileStore.receive`."""
    files = call.services.files
    try:
        received = await files.receive(aiter(_body(call)), JSON_NAME, announced=announced_hash(call))
    except RejectedUploadError as error:
        raise RejectedUploadError(
            f"{error} To upload a picture, {_WANTED}.", code=error.code, parameters=error.parameters
        ) from error
    if received.file.mime_type == JSON_TYPE:
        return received
    await files.withdraw(received)
    raise RejectedUploadError(
        f"Invalid image file: the body is a picture, but was sent as application/json; {_WANTED}."
    )


async def receive_form(call: Call, *, pictures_only: bool) -> Received:
    """Store the form's file. Raises the errors of `FileStore.receive`."""
    try:
        boundary = boundary_of(call.request.headers.getall("Content-Type", []))
        if boundary is None:
            raise RejectedUploadError(f"Invalid image file: {_WANTED}.")
        form = await _open_form(call, boundary)
        part = await form.next_part()
        if part is None:
            raise RejectedUploadError(f"Invalid image file: the form has no field {FIELD!r}; {_WANTED}.")
        if part.name != FIELD:
            raise _unexpected(part.name)
        return await call.services.files.receive(
            _only_file(form), part.filename, announced=announced_hash(call), pictures_only=pictures_only
        )
    except BrokenForm as error:
        raise RejectedUploadError(f"Invalid image file: the form {error}; {_WANTED}.") from error


def _body(call: Call) -> BodyReader:
    return body_of(call.endpoint, call.request, call.services)


async def _open_form(call: Call, boundary: bytes) -> FormReader | ParsedForm:
    """The form that comes, or the one that a middleware of another pack has parsed already. Raises BodyTaken
    where there is neither."""
    body = _body(call)
    try:
        await body.start()
    except BodyTaken:
        parsed = await find_parsed_form(call.request, body, call.services.workers)
        if parsed is None:
            raise
        return parsed
    return FormReader(body, boundary)


async def _only_file(form: FormReader | ParsedForm) -> AsyncIterator[bytes]:
    """The bytes of the part. It ends only when the whole form has ended well, so that nothing is stored of a
    form that is refused."""
    async for chunk in form.data():
        yield chunk
    another = await form.next_part()
    if another is not None:
        raise _unexpected(another.name)


def _unexpected(name: str | None) -> RejectedUploadError:
    return RejectedUploadError(
        f"Invalid image file: the form has an unexpected field {str(name)[:80]!r}; {_WANTED}."
    )
