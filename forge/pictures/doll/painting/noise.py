"""Textures that are the same everywhere: hashed bytes, enlarged. They are fixed to the drawing, not to the
canvas, so that the bands of a large picture fit together."""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache

from PIL import Image

from .masks import View

_TILE = 64


@lru_cache(maxsize=16)
def _tile(name: str) -> Image.Image:
    """White noise."""
    return Image.frombytes("L", (_TILE, _TILE), hashlib.shake_256(name.encode()).digest(_TILE * _TILE))


def texture(name: str, view: View, cell: float) -> Image.Image:
    """Noise in mode L of the size of the view's canvas, from 0 to 255. `cell` is the size of its spots in
    pixels of the drawing."""
    step = max(1, round(cell * view.scale))
    left, top = round(view.left * view.scale), round(view.top * view.scale)
    # One spot more on every side, so that the edges are interpolated as in the neighbouring band.
    column, row = math.floor(left / step) - 2, math.floor(top / step) - 2
    columns = math.ceil((left + view.size[0]) / step) + 2 - column
    rows = math.ceil((top + view.size[1]) / step) + 2 - row
    spots = Image.new("L", (columns, rows))
    for x in range(-(column % _TILE), columns, _TILE):
        for y in range(-(row % _TILE), rows, _TILE):
            spots.paste(_tile(name), (x, y))
    if step > 1:
        spots = spots.resize((columns * step, rows * step), Image.Resampling.BICUBIC)
    x, y = left - column * step, top - row * step
    return spots.crop((x, y, x + view.size[0], y + view.size[1]))
