"""Flat: shapes without outlines, as cut from paper, with narrow gaps between them."""

from __future__ import annotations

from PIL import ImageChops

from .colours import mix
from .layers import Layer
from .masks import Area, grown, scaled
from .render import Canvas


class FlatCanvas(Canvas):
    def outline(self, layer: Layer, area: Area) -> None:
        """A gap in the colour of the paper, where the layer lies on another."""
        self.image.paste(self.paper, area.box, grown(area.mask, self.line))

    def shade(self, layer: Layer, area: Area) -> None:
        if self.look.soft:
            super().shade(layer, area)
        else:
            self.darken(area, scaled(self.shade_mask(layer, area), 0.3))
