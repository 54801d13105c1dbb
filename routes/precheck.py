"""Uploads that say beforehand what they are: the header X-Content-SHA256.

With `Expect: 100-continue` the client waits before it sends the body (RFC 9110 10.1.1). A known content is
answered then and there; for any other one it is told to go on, and what comes must have that hash.
"""

from __future__ import annotations

from ..forge.errors import UnprocessableError
from ..forge.store.files import HASH_PATTERN, FileRecord, Received
from ..forge.store.inspect import JSON_TYPE
from . import rendering
from .context import Call
from .expect import awaits_continue
from .multipart import BrokenForm, boundary_of
from .reading import FORM_OVERHEAD
from .responses import UploadAnswer

HEADER = "X-Content-SHA256"
HEADERS = {
    HEADER: "SHA-256 of the file, 64 hexadecimal characters. With `Expect: 100-continue`, a content that is "
    "stored already is answered without its body. A file that has another SHA-256 is refused."
}


def announced_hash(call: Call) -> str | None:
    """The SHA-256 that the client announces, lower case. Raises UnprocessableError."""
    given = {value.strip().lower() for value in call.request.headers.getall(HEADER, [])}
    if not given:
        return None
    content_hash = given.pop()
    if given or not HASH_PATTERN.fullmatch(content_hash):
        raise UnprocessableError(
            f"{HEADER} must be one SHA-256: 64 hexadecimal characters.", ("header", HEADER)
        )
    return content_hash


async def answer_early(call: Call) -> UploadAnswer | None:
    """The answer to an announced upload whose body nobody needs; None where the body has to come.

    A client that does not wait for it is read to the end in any case, so that its hash can be checked. Raises
    UnprocessableError, and StorageFullError for a new content that has no room.
    """
    content_hash = announced_hash(call)
    if content_hash is None or not awaits_continue(call.request):
        return None
    files = call.services.files
    found = await files.find(content_hash)
    if found is None:
        await files.check_quota(content_hash, max(1, (call.request.content_length or 0) - FORM_OVERHEAD))
        return None
    if not _fits(call, found):
        return None
    used = await files.reuse(found)
    return None if used is None else rendering.render_upload(Received(used, is_duplicate=True))


def _fits(call: Call, found: FileRecord) -> bool:
    """Whether the body would have got that answer too: it is sent as what it is, where it is wanted."""
    is_pose = found.mime_type == JSON_TYPE
    if is_pose and JSON_TYPE not in call.endpoint.upload:
        return False
    if call.request.content_type == JSON_TYPE:
        return is_pose
    try:
        return boundary_of(call.request.headers.getall("Content-Type", [])) is not None
    except BrokenForm:
        return False
