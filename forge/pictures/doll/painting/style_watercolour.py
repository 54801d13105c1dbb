"""Watercolour: washes of uneven pigment with dark edges on rough paper, over a thin pencil drawing."""

from __future__ import annotations

from functools import cached_property

from PIL import Image, ImageChops

from ..character.description import Colour
from ..character.shades import mix, shade_of
from .layers import Layer, Patch, Stroke
from .masks import Area, Edges, View, filled, scaled, shifted, softened, without
from .noise import texture
from .render import Canvas
from .scene import Look, Scene

_PAPER: Colour = (253, 250, 243)
_PENCIL: Colour = (92, 82, 88)
#: Tables for the blurred and disturbed mask of a wash: where it is wet, and the dark edge inside of that.
_WET = [max(0, min(255, (value - 128) * 5 + 128)) for value in range(256)]
_EDGE = [max(0, min(205, (value - 110) * 8, round((236 - value) * 2.1))) for value in range(256)]
#: The table that multiplies with the colour of shade.
_DARKER = [round(value * share / 255) for share in shade_of((255, 255, 255)) for value in range(256)]


class WatercolourCanvas(Canvas):
    def __init__(self, scene: Scene, view: View, look: Look) -> None:
        super().__init__(scene, view, look)
        # The wash that was painted last.
        self._wet = Image.new("L", (1, 1))

    @classmethod
    def edges(cls, scene: Scene) -> Edges:
        return "smooth"

    @property
    def paper(self) -> Colour:
        return mix(_PAPER, self.scene.background, 0.45)

    def margin(self, layer: Layer) -> float:
        return super().margin(layer) + self.unit * 0.01

    def outline(self, layer: Layer, area: Area) -> None:
        """Pencil, broken by the grain of the paper."""
        ring = without(self.edge(area.mask, 0.8), area.mask)
        grain = self._grain.crop(area.box).point([150 if value < 110 else 225 for value in range(256)])
        self.lay(_PENCIL, area.box, ImageChops.darker(ring.convert("L"), grain))

    def fill(self, layer: Layer, area: Area) -> None:
        if layer.lined or layer.depth:
            self._wet = self._wash(layer.colour, area)
        else:
            self._wet = area.mask.convert("L")
            self.lay(layer.colour, area.box, scaled(area.mask, 0.85))

    def fill_patch(self, patch: Patch, colour: Colour, inner: Area) -> None:
        if patch.part is None:
            self._wash(colour, inner)
        else:
            self.lay(colour, inner.box, inner.mask)

    def patch_outline(self, colour: Colour, inner: Area, area: Area) -> None:
        """Pencil, as around a layer."""
        ring = without(self.edge(inner.mask, 0.6), inner.mask)
        ring = ImageChops.darker(ring, area.cropped(area.mask, inner.box))
        self.lay(_PENCIL, inner.box, scaled(ring, 0.7))

    def stroke_colour(self, stroke: Stroke, layer: Layer) -> Colour:
        return stroke.colour or mix(shade_of(shade_of(layer.colour)), _PENCIL, 0.2 if stroke.shade else 0.5)

    def _wash(self, colour: Colour, area: Area) -> Image.Image:
        """Paint a wash, and return where it is wet."""
        thin, thick = mix(self.paper, colour, 0.68), mix(colour, shade_of(colour), 0.16)
        # Each value of the pigment's texture is a colour between thin and thick.
        pigment = self._pigment.crop(area.box)
        wash = [
            pigment.point([round(low + (high - low) * value / 255) for value in range(256)])
            for low, high in zip(thin, thick, strict=True)
        ]
        soft = softened(area.mask, self.unit * 0.006)
        soft = ImageChops.add(soft, self._drift.crop(area.box), 1.0, -128)
        wet = soft.point(_WET)
        self.image.paste(Image.merge("RGB", wash), area.box, wet)
        # Pigment gathers where a wash dries last: at its edge.
        self.lay(shade_of(thick), area.box, soft.point(_EDGE))
        return wet

    def shade(self, layer: Layer, area: Area) -> None:
        if self.look.soft:
            super().shade(layer, area)
            return
        # A second wash, with the same wandering edge.
        reach = self.reach(layer)
        patches = [patch.outline for patch in layer.patches if patch.colour is None]
        dark = filled(patches, self.view, area.box).convert("L")
        if reach >= 1:
            lit = shifted(self._wet, -round(reach * 1.1), -round(reach * 0.6))
            dark = ImageChops.lighter(dark, ImageChops.invert(lit))
        self.lay_shade(layer, area, ImageChops.darker(self._wet, dark))

    def lay_shade(self, layer: Layer, area: Area, mask: Image.Image) -> None:
        """Shade through which the pigment shows."""
        self.image.paste(self.image.crop(area.box).point(_DARKER), area.box, mask)

    def light(self, colour: Colour) -> Colour:
        return mix(self.paper, colour, 0.3)

    @cached_property
    def _pigment(self) -> Image.Image:
        """How much pigment lies where: in large clouds and small grains."""
        unit = self.scene.unit
        clouds = Image.blend(
            texture("clouds", self.view, unit * 0.085), texture("blooms", self.view, unit * 0.03), 0.22
        )
        return Image.blend(clouds, self._grain, 0.14)

    @cached_property
    def _drift(self) -> Image.Image:
        noise = texture("drift", self.view, self.scene.unit * 0.022)
        return noise.point([round(128 + (value - 128) * 0.45) for value in range(256)])

    @cached_property
    def _grain(self) -> Image.Image:
        return texture("grain", self.view, max(1.0, self.scene.unit * 0.0026))

    def finished(self, reduced: int) -> Image.Image:
        """On paper whose grain shows everywhere."""
        picture = super().finished(reduced)
        grain = self._grain.reduce(reduced) if reduced > 1 else self._grain
        grain = grain.point([244 + round(value * 11 / 255) for value in range(256)])
        return ImageChops.multiply(picture, Image.merge("RGB", (grain, grain, grain)))
