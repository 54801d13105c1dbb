"""Parsing of PNG files without Pillow.

Source: Portable Network Graphics Specification, third edition, W3C 2025.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from .pixel_stream import Part, joined
from .structure import MAX_EXIF, PIECE, AcceptSize, InvalidImage, Structure, read_exactly

MAX_SIDE_CHUNKS = 4096
MAX_DATA_CHUNKS = 1 << 16

_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_BEFORE_DATA = (b"PLTE", b"tRNS")
# Chunks that decide the pixels. All others except animation are metadata, whose content is not read.
_PIXELS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
_SHORT = {b"IHDR": 13, b"acTL": 8}  # chunks whose body is parsed, and their length
_ANIMATION = frozenset((b"acTL", b"fcTL", b"fdAT"))
# Minimum length of tRNS. Pillow refuses a shorter one, but ignores the chunk if its truncation flag is set.
_SHORTEST_KEY = {0: 2, 2: 6}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def walk_png(fp: BinaryIO, accept: AcceptSize) -> Structure:
    """Walk the chunks of a PNG from signature to IEND, check every CRC, and inflate all pixel data.

    Of metadata only the CRC is checked, so a text or profile can have any size and content.  Bytes after IEND
    are refused: no program puts any there on purpose, and editors that overwrote a longer file have leaked
    cropped parts of pictures that way.
    """
    fp.seek(8)
    rows: _PixelData | None = None
    width = height = colour = 0
    seen: set[bytes] = set()
    frames = _Frames()
    side_chunks = data_chunks = 0
    last = b""
    while last != b"IEND":
        kind, length = _next_chunk(fp)
        if (kind == b"IHDR") != (not last):
            raise InvalidImage("The PNG is damaged: it must start with its one header chunk.")
        if kind == b"IDAT":
            data_chunks += 1
            if rows is None or (b"IDAT" in seen and last != b"IDAT") or data_chunks > MAX_DATA_CHUNKS:
                raise InvalidImage("The PNG is damaged: its pixel data is not one run of chunks.")
            if colour == 3 and b"PLTE" not in seen:
                raise InvalidImage("The PNG is damaged: its palette is missing.")
            _check_crc(fp, kind, _pieces(fp, length), rows.feed)
        else:
            side_chunks += 1
            _check_order(kind, seen, side_chunks)
            if kind == b"tRNS" and length < _SHORTEST_KEY.get(colour, 0):
                raise InvalidImage("The PNG is damaged: a chunk is shorter than it must be.")
            pieces: list[bytes] = []
            parse = length == _SHORT.get(kind)
            _check_crc(fp, kind, _pieces(fp, length), pieces.append if parse else None)
            body = b"".join(pieces)
            if kind == b"IHDR":
                width, height, colour, rows = _png_header(body, accept)
            elif kind == b"PLTE":
                if length % 3 or not 3 <= length <= 768:
                    raise InvalidImage("The PNG is damaged: its palette has an impossible length.")
            elif kind in _ANIMATION:
                frames.count(kind, body, after_data=b"IDAT" in seen)
        seen.add(kind)
        last = kind
    if rows is None or b"IDAT" not in seen:
        raise InvalidImage("The PNG is damaged: it has no pixel data.")
    rows.finish()
    if fp.read(1):
        raise InvalidImage("The PNG has other data after its end; save it again as a plain PNG.")
    exif, pixels = png_pixels(fp)
    return Structure(width, height, exif, pixels)


def png_pixels(fp: BinaryIO) -> tuple[bytes, tuple[Part, ...]]:
    """(EXIF block, the file without its metadata) of a PNG that `walk_png` accepted."""
    exif = b""
    parts: list[Part] = [(0, 8)]
    position = 8
    kind = b""
    while kind != b"IEND":
        fp.seek(position)
        kind, length = _next_chunk(fp)
        if kind == b"eXIf":
            exif = fp.read(min(length, MAX_EXIF))
        elif kind in _PIXELS:
            parts.append((position, length + 12))
        position += length + 12
    return exif, joined(parts)


def png_size(fp: BinaryIO) -> tuple[int, int]:
    """Width and height in pixels of a PNG with all its chunks. Raises InvalidImage."""
    fp.seek(0)
    start = read_exactly(fp, 24, "PNG")
    if not start.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"):
        raise InvalidImage("The file is not a PNG.")
    png_pixels(fp)
    width, height = struct.unpack(">II", start[16:24])
    return width, height


def png_text(fp: BinaryIO, keyword: str, most: int) -> str | None:
    """The text under this keyword in a PNG that `walk_png` accepted, of an uncompressed tEXt chunk with at
    most `most` bytes; None if there is none. Other texts are not read."""
    start = keyword.encode("latin-1") + b"\0"
    position = 8
    kind = b""
    while kind != b"IEND":
        fp.seek(position)
        kind, length = _next_chunk(fp)
        if kind == b"tEXt" and len(start) < length <= most and fp.read(len(start)) == start:
            return read_exactly(fp, length - len(start), "PNG").decode("latin-1")
        position += length + 12
    return None


def _next_chunk(fp: BinaryIO) -> tuple[bytes, int]:
    """Kind and length of the chunk at the current position; moves ``fp`` to its body."""
    length, kind = struct.unpack(">I4s", read_exactly(fp, 8, "PNG"))
    if not kind.isalpha() or length > 0x7FFFFFFF:
        raise InvalidImage("The PNG is damaged: something else is where a chunk must start.")
    return kind, length


class _Frames:
    """Counts the frames of an animated PNG and refuses more than one, whatever number acTL announces.

    IDAT is one picture.  A frame control (fcTL) before it makes it the first frame too; one after it starts a
    frame with its own data.
    """

    def __init__(self) -> None:
        self._controls = 0

    def count(self, kind: bytes, body: bytes, *, after_data: bool) -> None:
        if kind == b"acTL":
            announced = int.from_bytes(body[:4], "big")
            if announced != 1:
                raise InvalidImage(
                    f"The PNG is animated: it announces {announced} frames; only pictures with a single "
                    "frame are accepted.",
                    code="multiple_images",
                )
            return
        self._controls += kind == b"fcTL"
        if kind == b"fdAT" or after_data or self._controls > 1:
            raise InvalidImage(
                "The PNG is animated; only pictures with a single frame are accepted.", code="multiple_images"
            )


def _png_header(body: bytes, accept: AcceptSize) -> tuple[int, int, int, _PixelData]:
    if len(body) != 13:
        raise InvalidImage("The PNG is damaged: its header has the wrong length.")
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", body)
    if depth not in _DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise InvalidImage("The PNG is damaged: its header names a kind of picture that does not exist.")
    accept(width, height)
    pixels = _PixelData(width, height, depth * _CHANNELS[colour], interlaced=interlace == 1)
    return width, height, colour, pixels


def _check_order(kind: bytes, seen: set[bytes], count: int) -> None:
    if count > MAX_SIDE_CHUNKS:
        raise InvalidImage("The PNG has too many chunks.")
    if not kind[0] & 0x20 and kind not in (b"IHDR", b"PLTE", b"IEND"):
        raise InvalidImage("The PNG needs an extension that no ordinary program knows.")
    if kind in _BEFORE_DATA and (b"IDAT" in seen or kind in seen):
        raise InvalidImage("The PNG is damaged: its chunks are out of order.")


def _pieces(fp: BinaryIO, length: int) -> Iterator[bytes]:
    while length:
        piece = read_exactly(fp, min(length, PIECE), "PNG")
        length -= len(piece)
        yield piece


def _check_crc(
    fp: BinaryIO, kind: bytes, pieces: Iterator[bytes], use: Callable[[bytes], None] | None
) -> None:
    crc = zlib.crc32(kind)
    for piece in pieces:
        crc = zlib.crc32(piece, crc)
        if use is not None:
            use(piece)
    if struct.pack(">I", crc) != read_exactly(fp, 4, "PNG"):
        raise InvalidImage("The PNG is damaged: a checksum does not match.")


class _PixelData:
    """Inflates pixel data without keeping it; counts its rows and checks each row's filter byte.

    A PNG decoder only inflates and undoes filters 0 to 4, so data that passes here will decode: this replaces
    a full decode at a fraction of its time and memory.
    """

    def __init__(self, width: int, height: int, bits: int, *, interlaced: bool) -> None:
        self._stream = zlib.decompressobj()
        self._passes: list[tuple[int, int]] = []  # bytes in a row with its filter byte, bytes in the pass
        for left, top, step_x, step_y in _ADAM7 if interlaced else ((0, 0, 1, 1),):
            columns, lines = -((left - width) // step_x), -((top - height) // step_y)
            if columns > 0 and lines > 0:
                stride = 1 + (columns * bits + 7) // 8
                self._passes.append((stride, stride * lines))
        self._offset = 0  # in the current pass
        self._buffer: list[bytes] = []
        self._buffered = 0  # bytes

    def feed(self, packed: bytes) -> None:
        """Add compressed data. Small chunks are batched: each call of zlib may give up the GIL, which costs
        more than the inflating."""
        self._buffer.append(packed)
        self._buffered += len(packed)
        if self._buffered >= PIECE:
            self._inflate()

    def _inflate(self) -> None:
        packed = b"".join(self._buffer)
        self._buffer, self._buffered = [], 0
        try:
            while packed and not self._stream.eof:
                self._count(self._stream.decompress(packed, PIECE))
                packed = self._stream.unconsumed_tail
        except zlib.error:
            raise InvalidImage("The PNG is damaged: its pixel data does not unpack.") from None

    def _count(self, data: bytes) -> None:
        start = 0
        while start < len(data):
            if not self._passes:
                raise InvalidImage("The PNG is damaged: it has more pixel data than its header says.")
            stride, total = self._passes[0]
            end = min(len(data), start + total - self._offset)
            if data[start + -self._offset % stride : end : stride].translate(None, b"\0\1\2\3\4"):
                raise InvalidImage("The PNG is damaged: a row uses an unknown filter.")
            self._offset += end - start
            start = end
            if self._offset == total:
                del self._passes[0]
                self._offset = 0

    def finish(self) -> None:
        self._inflate()
        # Drain output beyond the limit of the last call, and check the checksum of the stream.
        while not self._stream.eof:
            try:
                data = self._stream.decompress(b"", PIECE)
            except zlib.error:
                raise InvalidImage("The PNG is damaged: its pixel data does not unpack.") from None
            if not data:
                break
            self._count(data)
        if self._passes or not self._stream.eof:
            raise InvalidImage("The PNG is truncated: it has less pixel data than its header says.")
