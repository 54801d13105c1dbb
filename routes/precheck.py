"""The header X-Content-SHA256, with which an upload announces its content.

With `Expect: 100-continue` the client waits before it sends the body (RFC 9110 10.1.1). If the content is
stored already, it is answered immediately. Otherwise the client is told to continue, and the body must have
that hash.
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
    """The announced SHA-256 in lower case; None without the header. Raises UnprocessableError."""
    hashes = {value.strip().lower() for value in call.request.headers.getall(HEADER, [])}
    if not hashes:
        return None
    content_hash = hashes.pop()
    if hashes or not HASH_PATTERN.fullmatch(content_hash):
        raise UnprocessableError(
            f"{HEADER} must be one SHA-256: 64 hexadecimal characters.", ("header", HEADER)
        )
    return content_hash


async def answer_early(call: Call) -> UploadAnswer | None:
    """The answer to an announced upload that is stored already; None if the body is needed.

    If the client does not wait for 100 Continue, its body is always read, to check its hash. Raises
    UnprocessableError, and StorageFullError if there is no room for new content.
    """
    content_hash = announced_hash(call)
    if content_hash is None or not awaits_continue(call.request):
        return None
    files = call.services.files
    stored = await files.find(content_hash)
    if stored is None:
        await files.check_quota(content_hash, max(1, (call.request.content_length or 0) - FORM_OVERHEAD))
        return None
    if not _is_acceptable(call, stored):
        return None
    reused = await files.reuse(stored)
    return None if reused is None else rendering.render_upload(Received(reused, is_duplicate=True))


def _is_acceptable(call: Call, stored: FileRecord) -> bool:
    """Whether the endpoint would accept this file with the Content-Type of the request."""
    is_pose = stored.mime_type == JSON_TYPE
    if is_pose and JSON_TYPE not in call.endpoint.upload:
        return False
    if call.request.content_type == JSON_TYPE:
        return is_pose
    try:
        return boundary_of(call.request.headers.getall("Content-Type", [])) is not None
    except BrokenForm:
        return False
