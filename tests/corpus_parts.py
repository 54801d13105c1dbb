"""Builds pictures and parts of pictures, byte by byte where Pillow cannot write them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

Samples = npt.NDArray[np.int64]

SIZE = (72, 66)
PNG_START = b"\x89PNG\r\n\x1a\n"
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def gradient(size: tuple[int, int] = SIZE, seed: int = 1) -> Image.Image:
    """An RGB picture that is smooth with noise, so that every row differs."""
    width, height = size
    noise = np.random.default_rng(seed).integers(0, 40, (height, width, 3))
    rows, columns = np.mgrid[0:height, 0:width]
    smooth = np.stack(
        [columns * 200 // width, rows * 200 // height, (rows + columns) * 100 // (width + height)], -1
    )
    return Image.fromarray((smooth + noise).astype(np.uint8))


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    target = io.BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


# --- PNG without Pillow, which writes neither 16-bit colour nor interlaced pictures


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    values: Samples,
    depth: int,
    colour: int,
    *,
    interlaced: bool = False,
    extra: bytes = b"",
    late: bytes = b"",
    claim: tuple[int, int] | None = None,
    pieces: int = 3,
) -> bytes:
    """A PNG of ``values``, an array (height, width, channels) of numbers with ``depth`` bits.

    Args:
        extra, late: chunks to insert before and after the pixel data.
        claim: (width, height) to write into the header instead of the real size.
        pieces: number of chunks for the pixel data.
    """
    height, width, _ = values.shape
    raw = bytearray()
    for left, top, step_x, step_y in ADAM7 if interlaced else ((0, 0, 1, 1),):
        part = values[top::step_y, left::step_x]
        if not part.size:
            continue
        for row in part.reshape(part.shape[0], -1):
            if depth == 16:
                line = row.astype(">u2").tobytes()
            elif depth == 8:
                line = row.astype(np.uint8).tobytes()
            else:
                bits = (row[:, None] >> np.arange(depth - 1, -1, -1)) & 1
                line = np.packbits(bits.reshape(-1).astype(np.uint8)).tobytes()
            raw += b"\0" + line
    packed = zlib.compress(bytes(raw))
    claimed_width, claimed_height = claim or (width, height)
    header = struct.pack(">IIBBBBB", claimed_width, claimed_height, depth, colour, 0, 0, int(interlaced))
    step = -(-len(packed) // pieces)
    data = b"".join(chunk(b"IDAT", packed[i : i + step]) for i in range(0, len(packed), step))
    return PNG_START + chunk(b"IHDR", header) + extra + data + late + chunk(b"IEND", b"")


def png_chunks(data: bytes) -> list[tuple[int, int, bytes]]:
    """(offset, end, kind) of every chunk."""
    chunks = []
    offset = 8
    while offset < len(data):
        length, kind = struct.unpack(">I4s", data[offset : offset + 8])
        chunks.append((offset, offset + 12 + length, kind))
        offset += 12 + length
    return chunks


def jpeg_segments(data: bytes) -> list[tuple[int, int, int]]:
    """(offset, end, code) of every segment up to EOI; the data of a scan belongs to its scan header."""
    segments = []
    offset = 2
    while data[offset + 1] != 0xD9:
        code = data[offset + 1]
        end = offset + 2 + int.from_bytes(data[offset + 2 : offset + 4], "big")
        if code == 0xDA:
            while data[end] != 0xFF or data[end + 1] in (0, *range(0xD0, 0xD8)):
                end += 1
        segments.append((offset, end, code))
        offset = end
    return segments


def with_exif(jpeg: bytes, exif: bytes) -> bytes:
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 8) + b"Exif\0\0" + exif + jpeg[2:]


def exif_block(orientation: int, order: str = ">") -> bytes:
    start = b"MM\0*" if order == ">" else b"II*\0"
    return start + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def mpf_index(kinds: list[int]) -> bytes:
    """An APP2 segment with an index of pictures with the MP types ``kinds``."""
    entries = b"".join(struct.pack(">IIIHH", kind, 100, 0, 0, 0) for kind in kinds)
    tags = struct.pack(">HHHI4s", 2, 0xB000, 7, 4, b"0100") + struct.pack(
        ">HHII", 0xB002, 7, len(entries), 38
    )
    body = b"MPF\0" + b"MM\0*" + struct.pack(">I", 8) + tags + struct.pack(">I", 0) + entries
    return b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body


def samples(channels: int, depth: int, size: tuple[int, int] = SIZE) -> Samples:
    width, height = size
    return np.random.default_rng(channels * 100 + depth).integers(0, 1 << depth, (height, width, channels))


def rebuilt_webp(parts: list[tuple[bytes, bytes]]) -> bytes:
    body = b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in parts
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def webp_parts(data: bytes) -> list[tuple[bytes, bytes]]:
    parts = []
    offset = 12
    while offset < len(data):
        kind, length = struct.unpack("<4sI", data[offset : offset + 8])
        parts.append((kind, data[offset + 8 : offset + 8 + length]))
        offset += 8 + length + length % 2
    return parts


def exif_of(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def ycck(cmyk: bytes) -> bytes:
    """The same data, declared as YCCK in its Adobe segment: a valid file with other colours."""
    offset = cmyk.index(b"Adobe") + 11
    return cmyk[:offset] + b"\2" + cmyk[offset + 1 :]


def zipped() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        # A ZipInfo has a fixed date, while a plain name would get the current one.
        archive.writestr(zipfile.ZipInfo("a.txt"), "hello")
    return target.getvalue()


def icc_profile() -> bytes:
    """An sRGB profile without its creation date, so that it is always the same."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + bytes(12) + profile[36:84] + bytes(16) + profile[100:]
