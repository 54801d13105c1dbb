"""Pictures that come as base64 text."""

from __future__ import annotations

import binascii
from collections.abc import AsyncIterator

from ..errors import RejectedUploadError, TooLargeError

PIECE = 1024 * 1024  # characters
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"  # RFC 4648, 4
MOST_PADDING = 2


async def decode_base64(text: str, limit: int, too_large: TooLargeError) -> AsyncIterator[bytes]:
    """The bytes of base64 with or without a `data:` prefix, piece by piece.

    Raises RejectedUploadError, and `too_large` for a text that cannot hold less than `limit` bytes.
    """
    if text.startswith("data:"):
        head, comma, text = text.partition(",")
        if not comma or not head.endswith(";base64"):
            raise RejectedUploadError(
                "Invalid image file: a data: URL must end in ;base64, before the picture.",
                code="invalid_base64",
            )
    if len(text) > limit * 2:
        raise too_large
    carried = ""
    ended = False
    for start in range(0, len(text), PIECE):
        piece = carried + "".join(text[start : start + PIECE].split())
        whole = len(piece) - len(piece) % 4
        carried = piece[whole:]
        yield _decode(piece[:whole], ended)
        ended = ended or piece[:whole].endswith("=")
    if carried:
        yield _decode(carried, ended)


def _decode(piece: str, ended: bool) -> bytes:
    """Decode whole groups of four characters. `ended`: an earlier piece ended in padding."""
    try:
        encoded = piece.encode("ascii")
    except UnicodeEncodeError as error:
        raise _not_base64() from error
    digits = encoded.rstrip(b"=")
    # a2b_base64 skips what it does not know. Its strict_mode exists from Python 3.11 only.
    if (
        (ended and piece)
        or len(encoded) % 4
        or len(encoded) - len(digits) > MOST_PADDING
        or digits.translate(None, ALPHABET)
    ):
        raise _not_base64()
    return binascii.a2b_base64(encoded)


def _not_base64() -> RejectedUploadError:
    return RejectedUploadError(
        "Invalid image file: the text is not base64 of a picture.", code="invalid_base64"
    )
