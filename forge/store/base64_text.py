"""Decode pictures that arrive as base64 text."""

from __future__ import annotations

import binascii
from collections.abc import AsyncIterator

from ..errors import RejectedUploadError, TooLargeError

PIECE = 1024 * 1024  # characters decoded at a time
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"  # RFC 4648, 4
MOST_PADDING = 2


async def decode_base64(text: str, limit: int, too_large: TooLargeError) -> AsyncIterator[bytes]:
    """Yield the decoded bytes in pieces. The text may start with a `data:` prefix.

    Raises RejectedUploadError, and `too_large` for a text of more than twice `limit` characters.
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
    rest = ""
    padded = False
    for start in range(0, len(text), PIECE):
        piece = rest + "".join(text[start : start + PIECE].split())
        whole = len(piece) - len(piece) % 4
        rest = piece[whole:]
        yield _decode(piece[:whole], padded)
        padded = padded or piece[:whole].endswith("=")
    if rest:
        yield _decode(rest, padded)


def _decode(piece: str, padded: bool) -> bytes:
    """Decode whole groups of four characters. `padded`: an earlier piece ended in padding."""
    try:
        encoded = piece.encode("ascii")
    except UnicodeEncodeError as error:
        raise _not_base64() from error
    digits = encoded.rstrip(b"=")
    # a2b_base64 silently skips characters outside the alphabet; its strict_mode needs Python 3.11.
    if (
        (padded and piece)
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
