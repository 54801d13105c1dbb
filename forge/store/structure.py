"""Parsing of picture files without Pillow: what the formats share.

Pillow's truncation flag (LOAD_TRUNCATED_IMAGES) is global to the process and other packs set it at times, so
a successful decode proves nothing by itself.  The three walks check, independently of it, that a file is
complete and has one picture.  Each walk reads the file forwards, in pieces, and passes width and height to
``accept`` before it reads anything that depends on them.

Source: TIFF 6.0 section 2, for EXIF and the MPF index, which have its layout.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from ..error_codes import ErrorCode, ErrorParameters
from .pixel_stream import Part

PIECE = 1 << 18  # bytes
MAX_EXIF = 1 << 20
"""Bytes of an EXIF block that are read; the directory with the orientation is near its start."""
ORIENTATION_TAG = 0x0112

AcceptSize = Callable[[int, int], None]


class InvalidImage(ValueError):
    """The file is not a picture that can be stored; the message is one sentence for the user."""

    def __init__(
        self, message: str, *, code: ErrorCode = "damaged_image", parameters: ErrorParameters | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.parameters = parameters or {}


@dataclass(frozen=True)
class Structure:
    """What a walk found: width and height in pixels as stored, and the EXIF block (TIFF bytes, maybe empty).

    ``pixels`` is the file without its metadata, for decoders.
    """

    width: int
    height: int
    exif: bytes
    pixels: tuple[Part, ...]


def read_exactly(fp: BinaryIO, count: int, what: str) -> bytes:
    """Read ``count`` bytes from the current position.  Raises InvalidImage if the file ends before that."""
    data = fp.read(count)
    if len(data) != count:
        raise InvalidImage(f"The {what} is truncated: the file ends before the picture does.")
    return data


def tiff_tags(block: bytes) -> dict[int, tuple[int, int, bytes]]:
    """The first directory of a TIFF block: tag -> (type, count, four bytes of the value or its offset).

    The four bytes are converted to little endian.  A malformed block gives the tags that can be read:
    metadata never decides whether a picture is valid.
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
    """EXIF orientation, 1 to 8; 1 if it is missing or invalid."""
    kind, _, value = tiff_tags(exif.removeprefix(b"Exif\0\0")).get(ORIENTATION_TAG, (0, 0, b""))
    number = int.from_bytes(value[:2], "little") if kind == 3 else 1
    return number if 1 <= number <= 8 else 1
