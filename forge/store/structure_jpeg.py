"""Parsing of JPEG files without Pillow.

Sources: ITU-T T.81; CIPA DC-007 for MPF, the index of several pictures in one file.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import BinaryIO

from .structure import PIECE, AcceptSize, InvalidImage, Structure, read_exactly, tiff_tags

MAX_SEGMENTS = 4096
MAX_SCANS = 50
"""Ordinary progressive files have 10; each scan costs a pass over the whole picture (the "scan bomb")."""

# A marker is FF, possibly repeated as fill bytes, and a code. In data, FF00 is a byte and FFD0..FFD7 are
# restarts.
_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ARITHMETIC = frozenset(range(0xC9, 0xD0))
_PROGRESSIVE = frozenset((0xC2, 0xCA))
_SCAN, _END = 0xDA, 0xD9
END_OF_JPEG = b"\xff\xd9"
_STANDALONE = frozenset((0x01, 0xD8))
# Segments with metadata only: comments, and application data except the two that define the colour coding.
# Like libjpeg, recognise those two by their first bytes and minimum length.
_METADATA = frozenset((*range(0xE0, 0xF0), 0xFE))
_COLOURS = {0xE0: (b"JFIF\0", 14), 0xEE: (b"Adobe", 12)}
_MPF_ENTRIES = 0xB002


@dataclass(frozen=True)
class JpegStructure(Structure):
    """Adds what to feed a decoder.

    ``header`` runs from SOI to the end of the first scan header, without metadata.  ``scans`` is the range of
    file offsets from there to the end of the data of the last scan that a decoder reads.  ``buffered``: a
    decoder collects all scans before it outputs pixels.  ``arithmetic``: uses arithmetic coding, where
    decoders normally read a little beyond the data.
    """

    header: bytes
    scans: tuple[int, int]
    buffered: bool
    arithmetic: bool


@dataclass
class _Frame:
    """The frame header and, for progressive files, the lowest bit sent so far of each (component,
    coefficient)."""

    code: int
    width: int
    height: int
    components: tuple[int, ...]
    lowest_bit: dict[tuple[int, int], int] = field(default_factory=dict)

    def add_scan(self, body: bytes) -> int:
        """Record which bits a scan sends; returns its number of components."""
        number = body[0] if body else 0
        if not 1 <= number <= 4 or len(body) != 4 + 2 * number:
            raise InvalidImage("The JPEG is damaged: a scan header makes no sense.")
        first, last, bits = body[-3:]
        if self.code not in _PROGRESSIVE:
            first, last, bits = 0, 0, 0
        for component in body[1 : 1 + 2 * number : 2]:
            for coefficient in range(first, min(last, 63) + 1):
                self.lowest_bit[component, coefficient] = bits & 15
        return number

    def complete(self) -> bool:
        """Whether every component was sent, and every coefficient that was begun was refined to the last
        bit."""
        return all((c, 0) in self.lowest_bit for c in self.components) and not any(self.lowest_bit.values())


def walk_jpeg(fp: BinaryIO, accept: AcceptSize) -> JpegStructure:
    """Walk the segments of a JPEG from SOI to EOI.

    Bytes after EOI are allowed, since cameras and phones put previews and gain maps there; nothing reads
    them, and a page or archive hidden there is served as image/jpeg with nosniff.  A file that was cut off
    before EOI is refused here.
    """
    fp.seek(0)
    header = bytearray(read_exactly(fp, 2, "JPEG"))
    frame: _Frame | None = None
    exif = b""
    scans: list[tuple[int, int]] = []  # number of components in a scan, file offset of its data
    stops: list[int] = []  # file offset where the data of a scan ends
    views = 0
    position = 2
    for _ in range(MAX_SEGMENTS):
        marker, position, code = _next_marker(fp, position)
        if len(stops) < len(scans):
            stops.append(marker)
        if code == _END:
            break
        if code in _STANDALONE:
            continue
        (length,) = struct.unpack(">H", read_exactly(fp, 2, "JPEG"))
        if length < 2:
            raise InvalidImage("The JPEG is damaged: a segment has an impossible length.")
        body = read_exactly(fp, length - 2, "JPEG")
        position += length
        if not scans and (code not in _METADATA or _defines_colours(code, body)):
            header += struct.pack(">BBH", 0xFF, code, length) + body
        if code in _FRAMES:
            if frame is not None:
                raise InvalidImage("The JPEG is damaged: it must hold one picture.")
            frame = _read_frame(code, body, accept)
        elif code == _SCAN:
            if frame is None or len(scans) == MAX_SCANS:
                raise InvalidImage("The JPEG is damaged: its scans are out of order or too many.")
            scans.append((frame.add_scan(body), position))
        elif code == 0xE1 and body.startswith(b"Exif\0\0") and not exif:
            exif = body[6:]
        elif code == 0xE2 and body.startswith(b"MPF\0"):
            views += _views(body[4:])
            if views > 1:
                raise InvalidImage(
                    "The JPEG holds several pictures; save the one you want as a plain JPEG.",
                    code="multiple_images",
                )
    else:
        raise InvalidImage("The JPEG has too many segments.")
    if frame is None or not frame.complete():
        raise InvalidImage("The JPEG is truncated: a part of its scans is missing.")
    header_bytes = bytes(header)
    buffered = frame.code in _PROGRESSIVE or scans[0][0] < len(frame.components)
    start, stop = scans[0][1], stops[-1 if buffered else 0]
    return JpegStructure(
        width=frame.width,
        height=frame.height,
        exif=exif,
        pixels=(header_bytes, (start, stop - start), END_OF_JPEG),
        header=header_bytes,
        scans=(start, stop),
        buffered=buffered,
        arithmetic=frame.code in _ARITHMETIC,
    )


def _next_marker(fp: BinaryIO, position: int) -> tuple[int, int, int]:
    """Find the next marker: (its offset, the offset after it, its code).  Moves ``fp`` to the offset after
    it."""
    size = 1 << 10  # usually the marker is right here; after a scan header it can be megabytes away
    while True:
        fp.seek(position)
        window = fp.read(size)
        # Most FFs in data are stuffed (FF00): with those masked, one fast search rules out a window.
        masked = window.replace(b"\xff\0", b"\0\0")
        first = masked.find(b"\xff")
        match = _MARKER.search(masked, first) if first >= 0 else None
        if match:
            fp.seek(position + match.end())
            return position + match.start(), position + match.end(), match[1][0]
        if len(window) < size:
            raise InvalidImage("The JPEG is truncated: its end is missing.")
        # An FF at the end of the window may begin a marker.
        position += len(window.rstrip(b"\xff")) or len(window) - 1
        size = PIECE


def _read_frame(code: int, body: bytes, accept: AcceptSize) -> _Frame:
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        raise InvalidImage("The JPEG is damaged: its header makes no sense.")
    height, width = struct.unpack(">HH", body[1:5])
    accept(width, height)
    return _Frame(code, width, height, tuple(body[6::3]))


def _defines_colours(code: int, body: bytes) -> bool:
    start, length = _COLOURS.get(code, (b"", 0))
    return bool(start) and body.startswith(start) and len(body) >= length


def _views(block: bytes) -> int:
    """The number of multi-view pictures in an MPF index: panorama, stereo pair, several angles.

    Previews (type 0x01....) and gain maps of HDR photos (type 0) are in the same index and do not count.
    """
    _, size, value = tiff_tags(block).get(_MPF_ENTRIES, (0, 0, b""))
    order = ">" if block.startswith(b"MM") else "<"
    start = int.from_bytes(value, "little")
    kinds = (
        struct.unpack_from(order + "I", block, offset)[0] >> 16 & 0xFF
        for offset in range(start, min(start + size, len(block) - 15), 16)
    )
    return sum(kind == 0x02 for kind in kinds)
