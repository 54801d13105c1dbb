"""The byte structure of pictures, read without Pillow: what the formats share, and WebP.

Pillow's truncation flag is one for the whole process and other packs raise it for moments, so a decode
that succeeds proves nothing by itself.  What the three walks check does not depend on it: that a file is
whole and holds one picture.  Every walk reads the file forwards, in pieces, and hands width and height to
``accept`` before it reads anything that depends on them.

Sources: RFC 9649 (WebP), TIFF 6.0 section 2 (EXIF and the MPF index are laid out like it).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

PIECE = 1 << 18
MAX_WEBP_CHUNKS = 4096
ORIENTATION_TAG = 0x0112

AcceptSize = Callable[[int, int], None]


class InvalidImage(ValueError):
    """The file is not a picture that may be stored; the message is one sentence for the user."""


@dataclass(frozen=True)
class Structure:
    """What the bytes say: width and height in pixels as stored, and the EXIF block (TIFF bytes or none)."""

    width: int
    height: int
    exif: bytes


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


def walk_webp(fp: BinaryIO, size: int, accept: AcceptSize) -> Structure:
    """Walk the RIFF chunks of a WebP of ``size`` bytes.

    Bytes after the RIFF are refused: no program puts any there.  The bitstream is left to libwebp, which
    decodes it whole or not at all and knows no truncation flag.
    """
    fp.seek(4)
    (promised,) = struct.unpack("<I4x", read_exactly(fp, 8, "WEBP"))
    end = promised + 8
    if end > size:
        raise InvalidImage("The WEBP is truncated: the file is shorter than its header says.")
    if size - end > promised % 2:
        raise InvalidImage("The WEBP has other data after its end; save it again as a plain WEBP.")
    canvas: tuple[int, int] | None = None
    frame: tuple[int, int] | None = None
    exif = b""
    position = 12
    for _ in range(MAX_WEBP_CHUNKS):
        if position >= end:
            break
        fp.seek(position)
        kind, length = struct.unpack("<4sI", read_exactly(fp, 8, "WEBP"))
        if position + 8 + length > end:
            raise InvalidImage("The WEBP is truncated: a part of it is shorter than it says.")
        first = position == 12
        position += 8 + length + length % 2
        if kind in (b"ANIM", b"ANMF"):
            raise InvalidImage("The WEBP is animated; only pictures with a single frame are accepted.")
        if kind == b"EXIF" and not exif:
            exif = fp.read(length)
        elif kind == b"VP8X" and first:
            canvas = _webp_canvas(fp.read(min(length, 10)))
            accept(*canvas)
        elif kind in (b"VP8 ", b"VP8L"):
            if frame is not None or not (first or canvas):
                raise InvalidImage("The WEBP is damaged: it must hold one picture.")
            frame = _webp_frame(kind, fp.read(min(length, 10)))
            accept(*frame)
    else:
        raise InvalidImage("The WEBP has too many parts.")
    if frame is None or (canvas or frame) != frame:
        raise InvalidImage("The WEBP is damaged: it holds no picture of the size that its header says.")
    return Structure(*frame, exif)


def _webp_canvas(data: bytes) -> tuple[int, int]:
    if len(data) < 10:
        raise InvalidImage("The WEBP is damaged: its header is too short.")
    if data[0] & 0x02:
        raise InvalidImage("The WEBP is animated; only pictures with a single frame are accepted.")
    return int.from_bytes(data[4:7], "little") + 1, int.from_bytes(data[7:10], "little") + 1


def _webp_frame(kind: bytes, data: bytes) -> tuple[int, int]:
    if kind == b"VP8 " and len(data) == 10 and data[3:6] == b"\x9d\x01\x2a" and not data[0] & 1:
        width, height = struct.unpack("<HH", data[6:10])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and len(data) >= 5 and data[0] == 0x2F:
        bits = int.from_bytes(data[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise InvalidImage("The WEBP is damaged: its picture does not start as it must.")
