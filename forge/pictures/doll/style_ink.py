"""Ink: black lines that are heavier away from the light, hatching, and spots of black on paper."""

from __future__ import annotations

import math
from functools import cached_property

from PIL import Image, ImageChops

from .colours import luminance, mix
from .description import Colour
from .geometry import Outline
from .layers import Layer, Patch, Stroke
from .masks import Area, filled, grown, lined, scaled, shifted
from .noise import texture
from .render import Canvas

_INK: Colour = (24, 22, 30)
_PAPER: Colour = (250, 246, 236)
#: Colours darker than these are black, or hatched all over.
_BLACK, _TONED = 0.24, 0.5


class InkCanvas(Canvas):
    @property
    def paper(self) -> Colour:
        return mix(_PAPER, self.scene.background, 0.12)

    def ink_of(self, colour: Colour) -> Colour:
        return _INK if luminance(colour) < _BLACK else mix(self.paper, colour, 0.10)

    def outline(self, layer: Layer, area: Area) -> None:
        thin = grown(area.mask, max(0.5, self.line * 0.7))
        reach = self.line * 1.5
        heavy = shifted(thin, round(reach), round(reach * 0.6))
        self.image.paste(_INK, area.box, ImageChops.lighter(thin, heavy))

    def fill(self, layer: Layer, area: Area) -> None:
        self.image.paste(self.ink_of(layer.colour), area.box, area.mask)

    def patch(self, patch: Patch, colour: Colour, area: Area) -> None:
        inside = area.only(filled([patch.outline], self.view, area.box))
        if patch.lined and self.look.line:
            self.image.paste(_INK, area.box, area.only(grown(inside, self.line * 0.7)))
        small = patch.part is not None
        ink = (_INK if luminance(colour) < 0.55 else self.paper) if small else self.ink_of(colour)
        self.image.paste(ink, area.box, inside)

    def stroke(self, stroke: Stroke, layer: Layer, area: Area) -> None:
        black = luminance(layer.colour) < _BLACK
        self.image.paste(self.paper if black else _INK, area.box, self.stroke_mask(stroke, area))

    def stroke_mask(self, stroke: Stroke, area: Area) -> Image.Image:
        """A line that swells and thins as a pen's."""
        last = max(1, len(stroke.points) - 1)
        widths = [
            stroke.width * (0.4 + 0.9 * math.sin(math.pi * (at + 0.3) / (last + 0.6)))
            for at in range(last + 1)
        ]
        return area.only(lined(stroke.points, widths, self.view, area.box))

    def shade(self, layer: Layer, area: Area) -> None:
        tone = luminance(layer.colour)
        dark = self.shade_mask(layer, area)
        if tone < _BLACK:
            # Black has a rim of light instead.
            reach = layer.depth * self.view.scale
            if reach >= 1:
                near, far = reach * 0.5, reach * 0.8
                rim = ImageChops.subtract(
                    shifted(area.mask, round(near), round(near * 0.45)),
                    shifted(area.mask, round(far), round(far * 0.45)),
                )
                self._hatch(area, area.only(rim), self._falling, self.paper)
            return
        self._hatch(area, dark, self._falling)
        if tone < _TONED and layer.lined:
            self._hatch(area, area.mask, self._rising)
        if self.look.soft and layer.depth:
            wider = ImageChops.lighter(dark, self._wider(layer, area))
            self._hatch(area, wider, self._falling)
            self._hatch(area, dark, self._level)

    def _wider(self, layer: Layer, area: Area) -> Image.Image:
        reach = layer.depth * self.view.scale * 2
        return ImageChops.subtract(area.mask, shifted(area.mask, -round(reach), -round(reach * 0.45)))

    def _hatch(self, area: Area, mask: Image.Image, pattern: Image.Image, colour: Colour = _INK) -> None:
        self.image.paste(colour, area.box, ImageChops.darker(mask, pattern.crop(area.box)))

    @cached_property
    def _falling(self) -> Image.Image:
        return self._lines(38.0, 0.0082)

    @cached_property
    def _rising(self) -> Image.Image:
        return self._lines(-52.0, 0.0105)

    @cached_property
    def _level(self) -> Image.Image:
        return self._lines(-12.0, 0.0082)

    def _lines(self, degrees: float, spacing: float) -> Image.Image:
        """Parallel lines all over the canvas, `spacing` statures apart, of uneven weight."""
        step = max(2.5, self.scene.unit * spacing)
        along = (math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
        across = (-along[1], along[0])
        view = self.view
        left, top = view.left, view.top
        right, bottom = left + view.size[0] / view.scale, top + view.size[1] / view.scale
        reaches = [x * across[0] + y * across[1] for x in (left, right) for y in (top, bottom)]
        ends = [x * along[0] + y * along[1] for x in (left, right) for y in (top, bottom)]
        outlines: list[Outline] = []
        for number in range(math.floor(min(reaches) / step), math.ceil(max(reaches) / step) + 1):
            half, at = step * 0.17, number * step
            outlines.append(
                tuple(
                    (along[0] * end + across[0] * (at + side), along[1] * end + across[1] * (at + side))
                    for end, side in (
                        (min(ends), half),
                        (max(ends), half),
                        (max(ends), -half),
                        (min(ends), -half),
                    )
                )
            )
        lines = filled(outlines, view, (0, 0, *view.size))
        # Where the pen was lifted.
        gaps = texture(f"pen {degrees}", view, step * 1.5).point([255 if v > 58 else 0 for v in range(256)])
        return ImageChops.darker(lines, gaps)
