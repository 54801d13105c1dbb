"""Parsing of WebP files without Pillow.

Source: RFC 9649.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from .pixel_stream import Part, joined
from .structure import MAX_EXIF, AcceptSize, InvalidImage, Structure, read_exactly

MAX_CHUNKS = 4096

_ALPHA, _ANIMATION = 0x10, 0x02  # flags of the VP8X chunk; the others announce metadata
_BITSTREAMS = (b"VP8 ", b"VP8L")
_ANIMATED = "The WEBP is animated; only pictures with a single frame are accepted."

Size = tuple[int, int]


class _Chunk(NamedTuple):
    kind: bytes
    start: int  # of its body
    length: int  # of its body


def walk_webp(fp: BinaryIO, size: int, accept: AcceptSize) -> Structure:
    """Walk the RIFF chunks of a WebP of ``size`` bytes.

    Bytes after the RIFF container are refused: no program puts any there.  The bitstream is left to libwebp,
    which decodes all of it or fails and has no truncation flag.  An animation with one frame is accepted; its
    size is that of its canvas, of which the frame may cover only a part.
    """
    fp.seek(4)
    (riff_size,) = struct.unpack("<I4x", read_exactly(fp, 8, "WEBP"))
    end = riff_size + 8
    if end > size:
        raise InvalidImage("The WEBP is truncated: the file is shorter than its header says.")
    if size - end > riff_size % 2:
        raise InvalidImage("The WEBP has other data after its end; save it again as a plain WEBP.")
    canvas: Size | None = None
    picture: Size | None = None
    animated = False
    exif = b""
    body: list[Part] = []
    for chunk in _chunks(fp, 12, end):
        kind, start, length = chunk
        if kind == b"EXIF" and not exif:
            exif = fp.read(min(length, MAX_EXIF))
        elif kind == b"VP8X" and start == 20:
            header = fp.read(min(length, 10))
            canvas = _canvas(header)
            accept(*canvas)
            animated = bool(header[0] & _ANIMATION)
            body += _chunk(b"VP8X", [bytes((header[0] & (_ALPHA | _ANIMATION),)) + header[1:10]])
        elif kind in (b"ANIM", b"ANMF"):
            if not animated or (kind == b"ANMF" and picture is not None) or canvas is None:
                raise InvalidImage(_ANIMATED, code="multiple_images")
            if kind == b"ANMF":
                picture, part = _animation_frame(fp, chunk, canvas, accept)
                body += part
            else:
                body += _chunk(kind, [(start, length)])
        elif kind in _BITSTREAMS:
            if animated:
                raise InvalidImage(_ANIMATED, code="multiple_images")
            if picture is not None or not (start == 20 or canvas):
                raise InvalidImage("The WEBP is damaged: it must hold one picture.")
            picture = _bitstream(kind, fp.read(min(length, 10)))
            accept(*picture)
            body += _chunk(kind, [(start, length)])
        elif kind == b"ALPH":
            body += _chunk(kind, [(start, length)])
    if picture is None or (canvas or picture) != picture:
        raise InvalidImage("The WEBP is damaged: it holds no picture of the size that its header says.")
    riff = b"RIFF" + struct.pack("<I", 4 + _length(body)) + b"WEBP"
    return Structure(*picture, exif, joined([riff, *body]))


def _chunks(fp: BinaryIO, position: int, end: int) -> Iterator[_Chunk]:
    """Yield the chunks between two offsets, with ``fp`` at the body of each."""
    for _ in range(MAX_CHUNKS):
        if position >= end:
            return
        fp.seek(position)
        kind, length = struct.unpack("<4sI", read_exactly(fp, 8, "WEBP"))
        if position + 8 + length > end:
            raise InvalidImage("The WEBP is truncated: a part of it is shorter than it says.")
        yield _Chunk(kind, position + 8, length)
        position += 8 + length + length % 2
    if position < end:
        raise InvalidImage("The WEBP has too many parts.")


def _animation_frame(
    fp: BinaryIO, frame: _Chunk, canvas: Size, accept: AcceptSize
) -> tuple[Size, list[Part]]:
    """(canvas size, the frame without its metadata) of an animation's only frame."""
    header = read_exactly(fp, 16, "WEBP") if frame.length >= 16 else b""
    if not header:
        raise InvalidImage("The WEBP is damaged: its frame is too short.")
    left, top, width, height = (int.from_bytes(header[at : at + 3], "little") for at in (0, 3, 6, 9))
    frame_size = (width + 1, height + 1)
    accept(*canvas)
    if 2 * left + frame_size[0] > canvas[0] or 2 * top + frame_size[1] > canvas[1]:
        raise InvalidImage("The WEBP is damaged: its frame is larger than its canvas.")
    picture: Size | None = None
    body: list[Part] = [header]
    for kind, start, length in _chunks(fp, frame.start + 16, frame.start + frame.length):
        if kind in _BITSTREAMS:
            if picture is not None:
                raise InvalidImage("The WEBP is damaged: it must hold one picture.")
            picture = _bitstream(kind, fp.read(min(length, 10)))
        if kind in (*_BITSTREAMS, b"ALPH"):
            body += _chunk(kind, [(start, length)])
    if picture != frame_size:
        raise InvalidImage("The WEBP is damaged: it holds no picture of the size that its header says.")
    return canvas, _chunk(b"ANMF", body)


def _chunk(kind: bytes, body: list[Part]) -> list[Part]:
    length = _length(body)
    return [kind + struct.pack("<I", length), *body, b"\0" * (length % 2)]


def _length(parts: list[Part]) -> int:
    return sum(len(part) if isinstance(part, bytes) else part[1] for part in parts)


def _canvas(data: bytes) -> Size:
    if len(data) < 10:
        raise InvalidImage("The WEBP is damaged: its header is too short.")
    return int.from_bytes(data[4:7], "little") + 1, int.from_bytes(data[7:10], "little") + 1


def _bitstream(kind: bytes, data: bytes) -> Size:
    if kind == b"VP8 " and len(data) == 10 and data[3:6] == b"\x9d\x01\x2a" and not data[0] & 1:
        width, height = struct.unpack("<HH", data[6:10])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and len(data) >= 5 and data[0] == 0x2F:
        bits = int.from_bytes(data[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise InvalidImage("The WEBP is damaged: its picture does not start as it must.")
