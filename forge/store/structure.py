"""The byte structure of pictures, read without Pillow: what the formats share.

Pillow's truncation flag is one for the whole process and other packs raise it for moments, so a decode
that succeeds proves nothing by itself.  What the three walks check does not depend on it: that a file is
whole and holds one picture.  Every walk reads the file forwards, in pieces, and hands width and height to
``accept`` before it reads anything that depends on them.

Source: TIFF 6.0 section 2 (EXIF and the MPF index are laid out like it).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from ..error_codes import ErrorCode, ErrorParameters
from .pixel_stream import Part

PIECE = 1 << 18
MAX_EXIF = 1 << 20
"""Bytes of an EXIF block that are read; the directory with the orientation lies near its start."""
ORIENTATION_TAG = 0x0112

AcceptSize = Callable[[int, int], None]


class InvalidImage(ValueError):
    """The file is not a picture that may be stored; the message is one sentence for the user."""

    def __init__(
        self, message: str, *, code: ErrorCode = "damaged_image", parameters: ErrorParameters | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.parameters = parameters or {}


@dataclass(frozen=True)
class Structure:
    """What the bytes say: width and height in pixels as stored, and the EXIF block (TIFF bytes or none).

    ``pixels`` is the file without its metadata: what a decoder has to be given.
    """

    width: int
    height: int
    exif: bytes
    pixels: tuple[Part, ...]


def read_exactly(fp: BinaryIO, count: int, what: str) -> bytes:
    """``count`` bytes from where ``fp`` stands; raises InvalidImage when the file ends before that."""
    data = fp.read(count)
    if len(data) != count:
        raise InvalidImage(f"The {what} is truncated: the file ends before the picture does.")
    return data


def tiff_tags(block: bytes) -> dict[int, tuple[int, int, bytes]]:
    """The first directory of a TIFF block: tag -> (type, count, four bytes of a value or of its offset).

    The four bytes come in little endian order whatever the block's own order is.  A block that makes no
    sense gives what can be read of it: metadata never decides whether a picture is whole.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    tags: dict[int, tuple[int, int, bytes]] = {}
    if order is None or len(block) < 8:
        return tags
    (start,) = struct.unpack_from(order + "I", block, 4)
    if start + 2 > len(block):
        return tags
    (count,) = struct.unpack_from(order + "H", block, start)
    for offset in range(start + 2, min(start + 2 + 12 * count, len(block) - 11), 12):
        tag, kind, number = struct.unpack_from(order + "HHI", block, offset)
        value = block[offset + 8 : offset + 12]
        if order == ">":
            value = value[1::-1] + value[2:] if kind == 3 else value[::-1]
        tags.setdefault(tag, (kind, number, value))
    return tags


def orientation(exif: bytes) -> int:
    """EXIF orientation, 1 to 8; 1 where the block has none that makes sense."""
    kind, _, value = tiff_tags(exif.removeprefix(b"Exif\0\0")).get(ORIENTATION_TAG, (0, 0, b""))
    number = int.from_bytes(value[:2], "little") if kind == 3 else 1
    return number if 1 <= number <= 8 else 1
