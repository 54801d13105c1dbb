"""Writes a PNG (PNG specification, third edition) from strips of rows, so that a large picture is never in
memory as a whole."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator

import numpy as np
from PIL import Image

#: zlib's level. Another one gives other bytes for the same picture.
LEVEL = 6
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP = 2  # the filter: each byte less the one above it
_TYPES = {"RGB": 2, "RGBA": 6}
_CHANNELS = {"RGB": 3, "RGBA": 4}


def write_png(width: int, height: int, mode: str, strips: Iterable[Image.Image]) -> Iterator[bytes]:
    """The pieces of a PNG of the mode RGB or RGBA: strips of its full width, from the top. Raises ValueError
    for a strip of another mode or width, or if they have not `height` rows together."""
    yield _SIGNATURE + _chunk(b"IHDR", struct.pack(">2L5B", width, height, 8, _TYPES[mode], 0, 0, 0))
    packer = zlib.compressobj(LEVEL)
    above = np.zeros((1, width * _CHANNELS[mode]), np.uint8)
    rows = 0
    for strip in strips:
        if strip.mode != mode or strip.width != width:
            raise ValueError(f"A strip is {strip.mode} and {strip.width} wide, not {mode} and {width}.")
        rows += strip.height
        pixels = np.asarray(strip).reshape(strip.height, -1)
        filtered = np.empty((strip.height, pixels.shape[1] + 1), np.uint8)
        filtered[:, 0] = _UP
        filtered[:, 1:] = pixels - np.concatenate((above, pixels[:-1]))
        above = pixels[-1:].copy()
        packed = packer.compress(filtered.tobytes())
        if packed:
            yield _chunk(b"IDAT", packed)
    if rows != height:
        raise ValueError(f"The strips have {rows} rows, not {height}.")
    yield _chunk(b"IDAT", packer.flush()) + _chunk(b"IEND", b"")


def png_bytes(image: Image.Image) -> bytes:
    """A picture of the mode RGB or RGBA as a PNG."""
    return b"".join(write_png(image.width, image.height, image.mode, (image,)))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))
