"""Pictures for benchmarks, made with only the standard library."""

from __future__ import annotations

import struct
import zlib


def plain_png(width: int, height: int, grey: int) -> bytes:
    """An RGB picture of one colour (PNG, third edition, section 11)."""
    rows = (b"\x00" + bytes([grey]) * 3 * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
