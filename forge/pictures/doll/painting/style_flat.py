"""Flat: shapes without outlines, as cut from paper, with narrow gaps between them."""

from __future__ import annotations

from ..character.description import Colour
from ..character.shades import mix, shade_of
from .layers import Layer, Stroke
from .masks import Area
from .render import Canvas


class FlatCanvas(Canvas):
    def outline(self, layer: Layer, area: Area) -> None:
        """A gap in the colour of the paper, where the layer lies on another."""
        self.lay(self.paper, area.box, self.edge(area.mask, 0.8))

    def patch_outline(self, colour: Colour, inner: Area, area: Area) -> None:
        """None: patches differ by their colour."""

    def dark(self, colour: Colour) -> Colour:
        return mix(colour, shade_of(colour), 0.4)

    def shine(self, layer: Layer, area: Area) -> None:
        if self.look.soft:
            super().shine(layer, area)

    def stroke_colour(self, stroke: Stroke, layer: Layer) -> Colour:
        return stroke.colour or self.dark(shade_of(layer.colour) if not stroke.shade else layer.colour)
