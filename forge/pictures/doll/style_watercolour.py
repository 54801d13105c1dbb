"""Watercolour: washes of uneven pigment with dark edges on rough paper, over a thin pencil drawing."""

from __future__ import annotations

from functools import cached_property

from PIL import Image, ImageChops

from .colours import mix, shade_of
from .description import Colour
from .layers import Layer, Patch
from .masks import Area, filled, grown, scaled, softened
from .noise import texture
from .render import Canvas

_PAPER: Colour = (253, 250, 243)
_PENCIL: Colour = (92, 82, 88)


class WatercolourCanvas(Canvas):
    oversampling = 2

    @property
    def paper(self) -> Colour:
        return mix(_PAPER, self.scene.background, 0.45)

    def margin(self, layer: Layer) -> float:
        return super().margin(layer) + self.unit * 0.02

    def outline(self, layer: Layer, area: Area) -> None:
        """Pencil, which the washes do not follow exactly."""
        ring = ImageChops.subtract(grown(area.mask, max(0.5, self.line * 0.8)), area.mask)
        grain = self._grain.crop(area.box).point([140 if v < 110 else 215 for v in range(256)])
        self.image.paste(_PENCIL, area.box, ImageChops.multiply(ring, grain))

    def fill(self, layer: Layer, area: Area) -> None:
        if not layer.lined and not layer.depth:
            self.image.paste(layer.colour, area.box, scaled(area.mask, 0.85))
            return
        self._wash(layer.colour, area, area.mask)

    def patch(self, patch: Patch, colour: Colour, area: Area) -> None:
        inside = area.only(filled([patch.outline], self.view, area.box))
        if patch.part is not None:
            self.image.paste(colour, area.box, inside)
        else:
            self._wash(colour, area, inside)

    def _wash(self, colour: Colour, area: Area, mask: Image.Image) -> None:
        wet = self._uneven(area, mask)
        pigment = self._pigment.crop(area.box)
        light = mix(self.paper, colour, 0.66)
        strong = mix(colour, shade_of(colour), 0.25)
        wash = Image.composite(
            Image.new("RGB", mask.size, strong), Image.new("RGB", mask.size, light), pigment
        )
        # What is below shows through where the colour runs out.
        self.image.paste(wash, area.box, wet)
        edge = ImageChops.subtract(wet, softened(wet, self.unit * 0.006))
        self.image.paste(shade_of(shade_of(colour)), area.box, scaled(edge, 0.8))

    def _uneven(self, area: Area, mask: Image.Image) -> Image.Image:
        """The mask with an edge that wanders a little, as that of a wash."""
        soft = softened(mask, self.unit * 0.007)
        drift = self._drift.crop(area.box)
        return ImageChops.add(soft, drift, 1.0, -128).point(_EDGE)

    def shade(self, layer: Layer, area: Area) -> None:
        dark = self.shade_mask(layer, area)
        if self.look.soft:
            super().shade(layer, area)
            return
        self.darken(area, scaled(area.only(self._uneven(area, dark)), 0.8))

    def light(self, colour: Colour) -> Colour:
        return self.paper

    @cached_property
    def _pigment(self) -> Image.Image:
        """How much pigment lies where: in large clouds and small grains."""
        clouds = ImageChops.blend(
            texture("clouds", self.view, self.scene.unit * 0.05),
            texture("blooms", self.view, self.scene.unit * 0.018),
            0.4,
        )
        return ImageChops.blend(clouds, self._grain, 0.2)

    @cached_property
    def _drift(self) -> Image.Image:
        noise = texture("drift", self.view, self.scene.unit * 0.012)
        return noise.point([round(128 + (value - 128) * 0.5) for value in range(256)])

    @cached_property
    def _grain(self) -> Image.Image:
        return texture("grain", self.view, max(1.0, self.scene.unit * 0.0022))

    def finished(self, reduced: int) -> Image.Image:
        """On paper whose grain shows everywhere."""
        picture = super().finished(reduced)
        grain = self._grain.reduce(reduced) if reduced > 1 else self._grain
        grain = grain.point([236 + round(value * 19 / 255) for value in range(256)])
        return ImageChops.multiply(picture, Image.merge("RGB", (grain, grain, grain)))


#: A steep ramp about the middle.
_EDGE = [max(0, min(255, (value - 128) * 5 + 128)) for value in range(256)]
