"""Pictures and parts of pictures, written byte by byte where Pillow does not write them."""

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
    """An RGB picture with both smooth parts and noise, so that every row matters."""
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


# --- PNG by hand, since Pillow writes neither 16-bit colour nor interlaced pictures


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
    """A PNG of ``values``, shape (height, width, channels), with values of ``depth`` bits."""
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
    data = b"".join(chunk(b"IDAT", packed[at : at + step]) for at in range(0, len(packed), step))
    return PNG_START + chunk(b"IHDR", header) + extra + data + late + chunk(b"IEND", b"")


def png_chunks(data: bytes) -> list[tuple[int, int, bytes]]:
    """(offset, end, kind) of every chunk."""
    found = []
    at = 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        found.append((at, at + 12 + length, kind))
        at += 12 + length
    return found


def jpeg_segments(data: bytes) -> list[tuple[int, int, int]]:
    """(offset, end, code) of every segment up to EOI; the data of a scan belongs to its scan header."""
    found = []
    at = 2
    while data[at + 1] != 0xD9:
        code = data[at + 1]
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if code == 0xDA:
            while data[end] != 0xFF or data[end + 1] in (0, *range(0xD0, 0xD8)):
                end += 1
        found.append((at, end, code))
        at = end
    return found


def with_exif(jpeg: bytes, exif: bytes) -> bytes:
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 8) + b"Exif\0\0" + exif + jpeg[2:]


def exif_block(orientation: int, order: str = ">") -> bytes:
    start = b"MM\0*" if order == ">" else b"II*\0"
    return start + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def mpf_index(kinds: list[int]) -> bytes:
    """An APP2 segment with the index of several pictures, whose MP types are ``kinds``."""
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
    found = []
    at = 12
    while at < len(data):
        kind, length = struct.unpack("<4sI", data[at : at + 8])
        found.append((kind, data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return found


def exif_of(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def ycck(cmyk: bytes) -> bytes:
    """The same data called YCCK by its Adobe segment: other colours, but a valid file."""
    at = cmyk.index(b"Adobe") + 11
    return cmyk[:at] + b"\2" + cmyk[at + 1 :]


def zipped() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.txt"), "hello")  # which, unlike a bare name, carries no clock
    return target.getvalue()


def icc_profile() -> bytes:
    """sRGB; its creation date is taken out, so that it is the same every time."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + bytes(12) + profile[36:84] + bytes(16) + profile[100:]
