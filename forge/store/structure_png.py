"""The byte structure of a PNG file, read without Pillow.

Source: Portable Network Graphics Specification, third edition, W3C 2025.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from .structure import PIECE, AcceptSize, InvalidImage, Structure, read_exactly

MAX_SIDE_CHUNKS = 1024
MAX_DATA_CHUNKS = 1 << 16
MAX_TEXT = 16 << 20
"""Bytes that all text and profile chunks may take together, packed and inflated."""
MAX_INFLATED = 1 << 20
"""Bytes that one compressed text or profile chunk may inflate to: what Pillow, too, allows by default."""

_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_BEFORE_DATA = frozenset(
    (b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"hIST", b"pHYs")
)
_KEPT = frozenset((b"IHDR", b"PLTE", b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"iCCP"))
# Pillow refuses a shorter one, unless its truncation flag is up: then it leaves the chunk out.
_SHORTEST = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9}
_SHORTEST_KEY = {0: 2, 2: 6}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def walk_png(fp: BinaryIO, accept: AcceptSize) -> Structure:
    """Walk the chunks of a PNG from signature to IEND, with every CRC, and inflate all of its pixel data.

    Bytes after IEND are refused: no program puts any there on purpose, and editors that overwrote a longer
    file have leaked cut-off parts of pictures that way.
    """
    fp.seek(8)
    rows: _PixelData | None = None
    width = height = colour = 0
    exif = b""
    seen: set[bytes] = set()
    side_chunks = data_chunks = text = 0
    last = b""
    while last != b"IEND":
        length, kind = struct.unpack(">I4s", read_exactly(fp, 8, "PNG"))
        if not kind.isalpha() or length > 0x7FFFFFFF:
            raise InvalidImage("The PNG is damaged: something else is where a chunk must start.")
        if (kind == b"IHDR") != (not last):
            raise InvalidImage("The PNG is damaged: it must start with its one header chunk.")
        if kind in (b"acTL", b"fcTL", b"fdAT"):
            raise InvalidImage("The PNG is animated; only pictures with a single frame are accepted.")
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
            if length < (_SHORTEST_KEY.get(colour, 0) if kind == b"tRNS" else _SHORTEST.get(kind, 0)):
                raise InvalidImage("The PNG is damaged: a chunk is shorter than it must be.")
            kept: list[bytes] = []
            keep = kind in _KEPT
            if keep:
                text += length
                if text > MAX_TEXT:
                    raise InvalidImage("The PNG carries too much text beside its pixels.")
            _check_crc(fp, kind, _pieces(fp, length), kept.append if keep else None)
            body = b"".join(kept)
            if kind == b"IHDR":
                width, height, colour, rows = _png_header(body, accept)
            elif kind == b"PLTE":
                if length % 3 or not 3 <= length <= 768:
                    raise InvalidImage("The PNG is damaged: its palette has an impossible length.")
            elif kind == b"eXIf":
                exif = body
            elif keep:
                text += _inflated_size(kind, body)
        seen.add(kind)
        last = kind
    if rows is None or b"IDAT" not in seen:
        raise InvalidImage("The PNG is damaged: it has no pixel data.")
    rows.finish()
    if fp.read(1):
        raise InvalidImage("The PNG has other data after its end; save it again as a plain PNG.")
    return Structure(width, height, exif)


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


def _inflated_size(kind: bytes, body: bytes) -> int:
    """Size of a text or profile chunk once inflated; never inflates beyond MAX_INFLATED."""
    _, _, rest = body.partition(b"\0")
    if kind == b"tEXt" or (kind == b"iTXt" and rest[:1] != b"\1"):
        return 0
    if kind == b"iTXt":
        _, _, rest = rest[2:].partition(b"\0")
        _, _, packed = rest.partition(b"\0")
    else:
        if rest[:1] != b"\0":
            raise InvalidImage("The PNG is damaged: a text or profile is packed in an unknown way.")
        packed = rest[1:]
    try:
        size = len(zlib.decompressobj().decompress(packed, MAX_INFLATED + 1))
    except zlib.error:
        return 0  # a broken comment does not spoil the picture: readers leave it out
    if size > MAX_INFLATED:
        raise InvalidImage("The PNG carries a text or colour profile that is too large once unpacked.")
    return size


class _PixelData:
    """Inflates pixel data without keeping it; counts rows and looks at each row's filter byte.

    A PNG decoder only inflates and undoes filters 0 to 4, so data that passes here decodes: this replaces a
    decode at a fraction of its time and memory.
    """

    def __init__(self, width: int, height: int, bits: int, *, interlaced: bool) -> None:
        self._stream = zlib.decompressobj()
        self._passes: list[tuple[int, int]] = []  # bytes in a row with its filter byte, bytes in the pass
        for left, top, step_x, step_y in _ADAM7 if interlaced else ((0, 0, 1, 1),):
            columns, lines = -((left - width) // step_x), -((top - height) // step_y)
            if columns > 0 and lines > 0:
                stride = 1 + (columns * bits + 7) // 8
                self._passes.append((stride, stride * lines))
        self._into = 0
        self._waiting: list[bytes] = []
        self._held = 0

    def feed(self, packed: bytes) -> None:
        """Chunks can be small. Each call of zlib is a moment to lose Python's lock, which costs more."""
        self._waiting.append(packed)
        self._held += len(packed)
        if self._held >= PIECE:
            self._inflate()

    def _inflate(self) -> None:
        packed = b"".join(self._waiting)
        self._waiting, self._held = [], 0
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
            end = min(len(data), start + total - self._into)
            if data[start + -self._into % stride : end : stride].translate(None, b"\0\1\2\3\4"):
                raise InvalidImage("The PNG is damaged: a row uses an unknown filter.")
            self._into += end - start
            start = end
            if self._into == total:
                del self._passes[0]
                self._into = 0

    def finish(self) -> None:
        self._inflate()
        while not self._stream.eof:  # output that the last bounded call held back, and the stream's checksum
            try:
                data = self._stream.decompress(b"", PIECE)
            except zlib.error:
                raise InvalidImage("The PNG is damaged: its pixel data does not unpack.") from None
            if not data:
                break
            self._count(data)
        if self._passes or not self._stream.eof:
            raise InvalidImage("The PNG is truncated: it has less pixel data than its header says.")
