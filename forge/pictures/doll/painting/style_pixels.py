"""Pixel art: painted small, without smooth edges, in few colours, and enlarged by a whole factor."""

from __future__ import annotations

import math

from PIL import Image, ImageChops

from ..character.description import Colour
from ..character.shades import line_of, mix
from .layers import Layer, Stroke
from .masks import Area, Box, View, scaled, shifted
from .render import Canvas
from .scene import Scene

#: About how many large pixels a figure is high.
HEIGHT = 124
#: Figures that are not as high, in pixels, have eyes that are too small to be composed of pixels.
_SMALLEST_WITH_EYES = 84
#: Strokes narrower than this share of a pixel would be specks.
_SPECK = 0.3
_BLACK: Colour = (28, 20, 34)


def pixel_grid(scene: Scene) -> tuple[View, int]:
    """The small canvas, in the middle of the picture, and how many pixels of the picture each of its pixels
    has on a side."""
    width, height = scene.size
    factor = max(1, min(round(scene.unit / HEIGHT), width, height))
    columns, rows = width // factor, height // factor
    left, top = (width - columns * factor) // 2, (height - rows * factor) // 2
    return View((columns, rows), 1 / factor, left, top, "coarse"), factor


class PixelCanvas(Canvas):
    def paint(self, layer: Layer) -> None:
        if layer.part in ("left_eye", "right_eye") and self.unit >= _SMALLEST_WITH_EYES:
            self._eye(layer)
        else:
            super().paint(layer)

    def outline(self, layer: Layer, area: Area) -> None:
        self.image.paste(mix(line_of(layer.colour), _BLACK, 0.4), area.box, self.edge(area.mask))

    def edge(self, mask: Image.Image, width: float = 1.0) -> Image.Image:
        """A line is one pixel wide."""
        edge = mask
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            edge = ImageChops.lighter(edge, shifted(mask, x, y))
        return edge

    def patch_outline(self, colour: Colour, inner: Area, area: Area) -> None:
        """None: a line of a pixel would hide the patch."""

    def stroke(self, stroke: Stroke, layer: Layer, area: Area) -> None:
        if stroke.width * self.view.scale >= _SPECK:
            super().stroke(stroke, layer, area)

    def shade(self, layer: Layer, area: Area) -> None:
        # A pixel of shade all along a chin would be stubble.
        if layer.part != "skin" or self.look.soft or self.reach(layer) >= 1.5:
            super().shade(layer, area)

    def lay(self, colour: Colour, box: Box, mask: Image.Image, strength: float = 1.0) -> None:
        """Soft edges become a chequered pattern."""
        if mask.mode == "L":
            mask = _chequered(scaled(mask, 0.7) if strength < 1 else mask)
        below = self.image.crop(box)
        tinted = Image.blend(below, Image.new("RGB", below.size, colour), strength)
        self.image.paste(tinted, box, mask)

    def _eye(self, layer: Layer) -> None:
        """An eye of few pixels: a lash, and below it the white with an iris and a pupil."""
        irises = [patch for patch in layer.patches if patch.part is not None and patch.part.endswith("_iris")]
        if len(irises) < 2:
            return
        rim, iris = irises[0].outline, irises[1]
        outline = layer.shapes[0].outline
        left, top, right, bottom = self._rounded(outline)
        middle = sum(x for x, _ in rim) / len(rim)
        wide = max(1, round((max(x for x, _ in rim) - min(x for x, _ in rim)) * self.view.scale * 0.7))
        column = round((middle - self.view.left) * self.view.scale - wide / 2)
        column = max(left, min(right - wide, column))
        lash = mix(line_of(layer.colour), _BLACK, 0.6)
        self.image.paste(layer.colour, (left, top, right, bottom))
        self.image.paste(iris.colour or lash, (column, top, column + wide, bottom))
        if bottom - top > 1:
            self.image.paste(_BLACK, (column, top, column + wide, top + 1))
        if self.look.line:
            self.image.paste(lash, (left, top - 1, right, top))

    def _rounded(self, outline: tuple[tuple[float, float], ...]) -> tuple[int, int, int, int]:
        """The box of an outline in whole pixels, at least one in each direction."""
        scale, view = self.view.scale, self.view
        xs = [(x - view.left) * scale for x, _ in outline]
        ys = [(y - view.top) * scale for _, y in outline]
        left, top = math.floor(min(xs) + 0.5), math.floor(min(ys) + 0.5)
        return (
            left,
            top,
            max(left + 1, math.floor(max(xs) + 0.5)),
            max(top + 1, math.floor(max(ys) + 0.5)),
        )


def _chequered(mask: Image.Image) -> Image.Image:
    """A mask in mode 1: every pixel where the mask is strong, every other one where it is half as strong."""
    row = Image.new("1", (mask.width + 1, 1))
    for x in range(0, mask.width + 1, 2):
        row.putpixel((x, 0), 255)
    limits = Image.new("L", mask.size, 96)
    for y in range(mask.height):
        limits.paste(168, (0, y, mask.width, y + 1), row.crop((y % 2, 0, y % 2 + mask.width, 1)))
    return ImageChops.subtract(mask, limits).point([255 * (value > 0) for value in range(256)], "1")
