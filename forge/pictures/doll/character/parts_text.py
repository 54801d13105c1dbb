"""A doll's part mask as the text of a PNG's text chunk."""

from __future__ import annotations

import base64
import binascii
import re
import zlib

from PIL import Image

from ..parts import PARTS

#: Longest side of a mask, in pixels.
MAX_SIDE = 4096
#: Longest text that is read, in characters: that of a drawing of 4096 x 4096 pixels fits well.
MAX_TEXT = 1024 * 1024

_VERSION = "doll1"
_HEADER = re.compile(r"doll1:([1-9][0-9]{0,3})x([1-9][0-9]{0,3}):", re.ASCII)


def parts_to_text(mask: Image.Image) -> str:
    """Render a mask (mode L, positions in PARTS) as "doll1:WIDTHxHEIGHT:" and its compressed bytes in Base64.

    Raises ValueError for a mask of another mode or with a side over MAX_SIDE.
    """
    if mask.mode != "L" or max(mask.size) > MAX_SIDE or 0 in mask.size:
        raise ValueError(f"a part mask is in mode L with at most {MAX_SIDE} pixels a side")
    data = base64.b64encode(zlib.compress(mask.tobytes(), 9)).decode("ascii")
    return f"{_VERSION}:{mask.width}x{mask.height}:{data}"


def parts_from_text(text: str, size: tuple[int, int]) -> Image.Image | None:
    """Read a mask back. None for anything but the text of a mask of that size (width, height; pixels).

    The text may come from anybody: it never raises, and takes no more memory than a mask of that size.
    """
    if len(text) > MAX_TEXT or max(size) > MAX_SIDE:
        return None
    header = _HEADER.match(text)
    if header is None or (int(header[1]), int(header[2])) != size:
        return None
    pixels = size[0] * size[1]
    try:
        reader = zlib.decompressobj()
        data = reader.decompress(base64.b64decode(text[header.end() :], validate=True), pixels + 1)
    except (binascii.Error, zlib.error, ValueError):
        return None
    complete = reader.eof and not reader.unused_data and len(data) == pixels
    if not complete or max(data) >= len(PARTS):
        return None
    return Image.frombytes("L", size, data)
