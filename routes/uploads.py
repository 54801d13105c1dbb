"""Receives uploads: the only file of a form, or a pose as a JSON body."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ..forge.errors import RejectedUploadError
from ..forge.store.files import Received
from ..forge.store.inspect import JSON_TYPE
from .context import Call
from .multipart import BrokenForm, FormReader, boundary_of
from .parsed_form import ParsedForm, find_parsed_form
from .precheck import announced_hash
from .reading import BodyAlreadyRead, BodyReader, body_of

FIELD = "file"
JSON_NAME = "pose.json"
_USAGE = f"send multipart/form-data with one field named {FIELD!r} that holds the picture"


async def receive_json(call: Call) -> Received:
    """Store a pose sent as a JSON body. Raises the errors of `FileStore.receive`."""
    files = call.services.files
    try:
        received = await files.receive(aiter(_body(call)), JSON_NAME, announced=announced_hash(call))
    except RejectedUploadError as error:
        raise RejectedUploadError(
            f"{error} To upload a picture, {_USAGE}.", code=error.code, parameters=error.parameters
        ) from error
    if received.file.mime_type == JSON_TYPE:
        return received
    await files.withdraw(received)
    raise RejectedUploadError(
        f"Invalid image file: the body is a picture, but was sent as application/json; {_USAGE}."
    )


async def open_archive(call: Call, kind: str) -> AsyncIterator[bytes]:
    """The bytes of an archive that is the body, sent as `kind`, or the file of a form. Raises
    RejectedUploadError."""
    if call.request.content_type == kind:
        return aiter(_body(call))
    usage = f"send it as {kind}, or as multipart/form-data with one field named {FIELD!r}"
    try:
        boundary = boundary_of(call.request.headers.getall("Content-Type", []))
        if boundary is None:
            raise BrokenForm("is none")
        form = await _open_form(call, boundary)
        part = await form.next_part()
    except BrokenForm as error:
        raise _broken_archive(error, usage) from error
    if part is None or part.name != FIELD:
        raise _broken_archive(BrokenForm(f"has no field {FIELD!r} first"), usage)
    return _archive_of(form, usage)


async def _archive_of(form: FormReader | ParsedForm, usage: str) -> AsyncIterator[bytes]:
    try:
        async for chunk in form.data():
            yield chunk
        if await form.next_part() is not None:
            raise BrokenForm("has more than one field")
    except BrokenForm as error:
        raise _broken_archive(error, usage) from error


def _broken_archive(error: BrokenForm, usage: str) -> RejectedUploadError:
    return RejectedUploadError(f"Invalid character file: the form {error}; {usage}.")


async def receive_form(call: Call, *, pictures_only: bool) -> Received:
    """Store the file of a form. Raises the errors of `FileStore.receive`."""
    try:
        boundary = boundary_of(call.request.headers.getall("Content-Type", []))
        if boundary is None:
            raise RejectedUploadError(f"Invalid image file: {_USAGE}.")
        form = await _open_form(call, boundary)
        part = await form.next_part()
        if part is None:
            raise RejectedUploadError(f"Invalid image file: the form has no field {FIELD!r}; {_USAGE}.")
        if part.name != FIELD:
            raise _unexpected_field(part.name)
        return await call.services.files.receive(
            _only_file(form), part.filename, announced=announced_hash(call), pictures_only=pictures_only
        )
    except BrokenForm as error:
        raise RejectedUploadError(f"Invalid image file: the form {error}; {_USAGE}.") from error


def _body(call: Call) -> BodyReader:
    return body_of(call.endpoint, call.request, call.services)


async def _open_form(call: Call, boundary: bytes) -> FormReader | ParsedForm:
    """The form in the body, or one that a middleware of another pack has parsed already. Raises
    BodyAlreadyRead if neither can be read."""
    body = _body(call)
    try:
        await body.start()
    except BodyAlreadyRead:
        parsed = await find_parsed_form(call.request, body, call.services.workers)
        if parsed is None:
            raise
        return parsed
    return FormReader(body, boundary)


async def _only_file(form: FormReader | ParsedForm) -> AsyncIterator[bytes]:
    """The bytes of the part. Checks the rest of the form before it ends, so that no file of a refused form is
    stored."""
    async for chunk in form.data():
        yield chunk
    next_part = await form.next_part()
    if next_part is not None:
        raise _unexpected_field(next_part.name)


def _unexpected_field(name: str | None) -> RejectedUploadError:
    return RejectedUploadError(
        f"Invalid image file: the form has an unexpected field {str(name)[:80]!r}; {_USAGE}."
    )
