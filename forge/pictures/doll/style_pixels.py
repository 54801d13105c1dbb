"""Pixel art: painted small, without smooth edges, in few colours, and enlarged by a whole factor."""

from __future__ import annotations

from PIL import Image, ImageChops

from .colours import line_of, mix
from .description import Colour
from .layers import Layer
from .masks import Area, View, shifted
from .render import Canvas
from .scene import Scene

#: About how many large pixels a figure is high.
HEIGHT = 116
_BLACK: Colour = (28, 20, 34)


def pixel_grid(scene: Scene) -> tuple[View, int]:
    """The small canvas, in the middle of the picture, and how many pixels of the picture each of its pixels
    has on a side."""
    width, height = scene.size
    factor = max(1, min(round(scene.unit / HEIGHT), width, height))
    columns, rows = width // factor, height // factor
    left, top = (width - columns * factor) // 2, (height - rows * factor) // 2
    return View((columns, rows), 1 / factor, left, top, coarse=True), factor


class PixelCanvas(Canvas):
    oversampling = 1

    def outline(self, layer: Layer, area: Area) -> None:
        edge = area.mask
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            edge = ImageChops.lighter(edge, shifted(area.mask, x, y))
        self.image.paste(mix(line_of(layer.colour), _BLACK, 0.4), area.box, edge)

    def patch_outline(self, colour: Colour, inner: Area, area: Area) -> None:
        """None: a line of a pixel would hide the patch."""

    def tone(self, mask: Image.Image) -> Image.Image:
        """A chequered pattern between the light and the dark."""
        if not self.look.soft:
            return mask
        pattern = Image.new("L", (2, 2), 96)
        pattern.paste(168, (0, 0, 1, 1))
        pattern.paste(168, (1, 1, 2, 2))
        limits = Image.new("L", mask.size)
        for x in range(0, mask.width, 2):
            for y in range(0, mask.height, 2):
                limits.paste(pattern, (x, y))
        return ImageChops.subtract(mask, limits).point([255 if value else 0 for value in range(256)])
