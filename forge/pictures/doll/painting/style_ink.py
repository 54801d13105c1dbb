"""Ink: black lines that are heavier away from the light, hatching, and spots of black on paper."""

from __future__ import annotations

import math
from functools import cached_property

from PIL import Image, ImageChops

from ..character.description import Colour
from ..character.shades import luminance, mix
from .geometry import Outline
from .layers import Layer, Patch, Stroke
from .masks import Area, Edges, filled, shifted, without
from .noise import texture
from .render import Canvas
from .scene import Scene

_INK: Colour = (24, 22, 30)
_PAPER: Colour = (250, 246, 236)
#: Colours darker than these are black, or hatched all over.
_BLACK, _TONED = 0.22, 0.36
#: Details darker than this are lines.
_LINE = 0.6
#: Distance of the lines of a hatching, in statures.
_CLOSE, _WIDE = 0.0066, 0.0092


class InkCanvas(Canvas):
    @classmethod
    def edges(cls, scene: Scene) -> Edges:
        return "hard"

    @property
    def paper(self) -> Colour:
        return mix(_PAPER, self.scene.background, 0.12)

    def _is_black(self, layer: Layer) -> bool:
        """Whether it is a spot of black. Skin is not, so that a face shows on it."""
        return luminance(layer.colour) < _BLACK and layer.part != "skin"

    def _tint(self, colour: Colour) -> Colour:
        return mix(self.paper, colour, 0.10)

    def margin(self, layer: Layer) -> float:
        return super().margin(layer) + self.line * 2

    def outline(self, layer: Layer, area: Area) -> None:
        thin = self.edge(area.mask, 0.7)
        reach = self.line * 1.5
        heavy = shifted(thin, round(reach), round(reach * 0.6))
        self.lay(_INK, area.box, ImageChops.lighter(thin, heavy))

    def fill(self, layer: Layer, area: Area) -> None:
        # What has no outline and no shade is a line itself, such as the nose.
        line = not layer.lined and not layer.depth and luminance(layer.colour) < _LINE
        black = line or self._is_black(layer)
        self.lay(_INK if black else self._tint(layer.colour), area.box, area.mask)

    def patch_outline(self, colour: Colour, inner: Area, area: Area) -> None:
        super().patch_outline((0, 0, 0), inner, area)

    def fill_patch(self, patch: Patch, colour: Colour, inner: Area) -> None:
        # A patch that is a part of its own is small: black or white is clearer.
        black = luminance(colour) < (_BLACK if patch.part in (None, "skin") else _LINE)
        self.lay(_INK if black else self._tint(colour), inner.box, inner.mask)

    def stroke_colour(self, stroke: Stroke, layer: Layer) -> Colour:
        return self.paper if self._is_black(layer) else _INK

    def stroke_widths(self, stroke: Stroke) -> list[float]:
        """A line swells and thins as a pen's."""
        last = len(stroke.points) - 1
        return [
            stroke.width * (0.4 + 0.9 * math.sin(math.pi * (at + 0.3) / (last + 0.6)))
            for at in range(last + 1)
        ]

    def shade(self, layer: Layer, area: Area) -> None:
        reach, tone = self.reach(layer), luminance(layer.colour)
        dark = self.shade_mask(layer, area)
        if self._is_black(layer):
            # Black has a rim of light instead.
            if reach >= 1:
                self._hatch(area, self.rim_mask(area, reach * 0.5, reach * 0.9), self._falling, self.paper)
            return
        if tone < _TONED and layer.lined:
            bright = [
                patch.outline for patch in layer.patches if luminance(patch.colour or (0, 0, 0)) >= _TONED
            ]
            self._hatch(area, without(area.mask, filled(bright, self.view, area.box)), self._rising)
        if not self.look.soft:
            self._hatch(area, dark, self._falling)
            return
        # Softer shade: it begins with a few lines, and is crossed where it is deepest.
        self._hatch(area, self._turned_away(area, reach * 2.2), self._falling)
        self._hatch(area, ImageChops.lighter(dark, self._turned_away(area, reach)), self._level)
        self._hatch(area, self._turned_away(area, reach * 0.5), self._rising)

    def cast(self, layer: Layer, area: Area, covered: Image.Image) -> None:
        """None: ink has no grey."""

    def _turned_away(self, area: Area, reach: float) -> Image.Image:
        lit = shifted(area.mask, -round(reach), -round(reach * 0.45))
        return area.only(ImageChops.invert(lit))

    def _hatch(self, area: Area, mask: Image.Image, pattern: Image.Image, colour: Colour = _INK) -> None:
        self.lay(colour, area.box, ImageChops.darker(mask, pattern.crop(area.box)))

    @cached_property
    def _falling(self) -> Image.Image:
        return self._lines(40.0, _CLOSE)

    @cached_property
    def _rising(self) -> Image.Image:
        return self._lines(-52.0, _WIDE)

    @cached_property
    def _level(self) -> Image.Image:
        return self._lines(-8.0, _CLOSE)

    def _lines(self, degrees: float, spacing: float) -> Image.Image:
        """Parallel lines all over the canvas, this many statures apart, with gaps where the pen was
        lifted."""
        view = self.view
        step = max(2.5, self.scene.unit * spacing)
        cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        right, bottom = view.left + view.size[0] / view.scale, view.top + view.size[1] / view.scale
        across = [y * cosine - x * sine for x in (view.left, right) for y in (view.top, bottom)]
        # The same ends for all bands of a picture, so that the lines continue from one to the next.
        far = (self.scene.unit + math.hypot(*self.scene.size)) * 2
        half = max(step * 0.13, 0.55 / view.scale)
        outlines: list[Outline] = []
        for number in range(math.floor(min(across) / step), math.ceil(max(across) / step) + 1):
            one, other = number * step - half, number * step + half
            outlines.append(
                tuple(
                    (cosine * end - sine * side, sine * end + cosine * side)
                    for end, side in (
                        (-far, one),
                        (far, one),
                        (far, other),
                        (-far, other),
                    )
                )
            )
        lines = filled(outlines, view, (0, 0, *view.size))
        drawn = texture(f"pen {degrees}", view, step * 1.2).point([255 * (v > 34) for v in range(256)], "1")
        return ImageChops.darker(lines, drawn)
