"""Base64 is read the same on every Python: a2b_base64's strict_mode is newer than 3.10."""

from __future__ import annotations

import base64
import itertools

import pytest

from avatarforge.forge.errors import RejectedUploadError, TooLargeError
from avatarforge.forge.store.base64_text import PIECE, decode_base64

TOO_LARGE = TooLargeError("too large")
LIMIT = 4 * PIECE


async def decoded(text: str) -> bytes | None:
    """The bytes; None for a text that is refused."""
    try:
        return b"".join([piece async for piece in decode_base64(text, LIMIT, TOO_LARGE)])
    except RejectedUploadError:
        return None


def expected(text: str) -> bytes | None:
    """RFC 4648: whole groups of four; padding at the end alone, and no more than the last group needs."""
    digits = text.rstrip("=")
    padding = len(text) - len(digits)
    if "=" in digits or "*" in digits or padding != (-len(digits)) % 4 or padding > 2:
        return None
    return base64.b64decode(text)


async def test_every_short_text_is_read_as_the_standard_says() -> None:
    """Every text of up to six characters out of a digit, another digit, padding and a foreign character."""
    texts = ["".join(item) for length in range(7) for item in itertools.product("AQ=*", repeat=length)]
    found = {text: await decoded(text) for text in texts}
    assert found == {text: expected(text) for text in texts}
    # The empty text, and per last group: 16 without padding, 8 with one sign of it, 4 with two.
    assert sum(item is not None for item in found.values()) == 1 + 16 + 8 + 4


@pytest.mark.parametrize(
    "size", [1, 2, 3, 1000, PIECE * 3 // 4 - 1, PIECE * 3 // 4, PIECE * 3 // 4 + 1, PIECE]
)
async def test_bytes_come_back_as_they_were(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + bytes(range(size % 256))
    text = base64.b64encode(data).decode()
    folded = base64.encodebytes(data).decode()
    assert await decoded(text) == data
    assert await decoded(folded) == data
    assert await decoded(f"data:image/png;base64,{text}") == data


@pytest.mark.parametrize("tail", ["=", "==", "====", "QUJD", "*", "\u00e9", "\x00"])
async def test_nothing_may_follow_the_padding_in_a_later_piece(tail: str) -> None:
    text = "A" * (PIECE - 2) + "=="
    assert await decoded(text) == b"\0" * (PIECE // 4 * 3 - 2)
    assert await decoded(text + tail) is None
