"""The hair that lies on the head, as a surface around the skull."""

from __future__ import annotations

import math
from functools import cached_property

from ..figure.head import Head
from ..figure.skull import WIDEST, Section
from ..painting.geometry import Outline, smooth_line
from ..poses.person import Point
from .cuts import Border, Cut

#: Short hair follows the skull down to this height.
_NAPE = -0.034


class Scalp:
    """The surface of the hair: the skull's, grown, and straight down below its widest section. Heights are
    statures of an adult's head."""

    def __init__(self, head: Head, cut: Cut) -> None:
        self.head, self._swell, self._hugs = head, cut.swell, cut.hugs
        self._scale = head.enlarged / 1.12
        self._lift = cut.lift * self._scale
        self.top = head.skull.top * cut.swell + self._lift

    def _section(self, y: float) -> Section:
        skull = self.head.skull
        # The lift grows with the height above the ears.
        height = y / (self.top / skull.top) if y > 0 else y
        if self._hugs:
            return skull.section(max(height, _NAPE * skull.size)).grown(self._swell)
        # Outwards at the ears, and back in at the ends.
        low = max(0.0, WIDEST - height / skull.size) / 0.08
        flare = 1.0 + 0.22 * low - 0.38 * low**2
        return skull.section(max(height, WIDEST * skull.size)).grown(self._swell * flare)

    def point(self, azimuth: float, y: float) -> Point:
        y *= self._scale
        return self.head.on_section(self._section(y), azimuth, y)

    def raised(self, azimuth: float, y: float, out: float, up: float = 0.0, back: float = 0.0) -> Point:
        """A point `out` statures above the surface, and from there `up` and `back`."""
        y *= self._scale
        x, z = self._section(y).point(azimuth)
        # Near the crown, the surface faces upwards.
        slope = max(0.0, min(1.0, y / self.top)) ** 2 * 1.2
        flat = math.hypot(x, z) or 1.0
        length = math.hypot(1.0, slope)
        factor = 1.0 + out * self._scale / length / max(flat, 0.02 * self._scale)
        return self.head.at(
            x * factor, y + (out * slope / length + up) * self._scale, z * factor - back * self._scale
        )

    def faces(self, azimuth: float) -> float:
        """How much the surface there faces the viewer, from -1 to 1."""
        return math.cos(math.radians(azimuth - self.head.turn))

    def edge(self, side: int, y: float) -> Point:
        """The silhouette at a height: side 0 is the picture's left."""
        y *= self._scale
        return self.head.flat(self._section(y).silhouette(self.head.cos, self.head.sin)[side], y)

    def cap(self, border: Border) -> Outline:
        """The visible area above a border."""
        turn = self.head.turn
        line = border.window(turn - 90.0, turn + 90.0)
        top = self.top / self._scale
        steps = 12
        rise = [math.sin(math.pi / 2 * step / steps) for step in range(steps + 1)]
        left, right = line[0][1], line[-1][1]
        return (
            *(self.edge(0, left + (top - left) * share) for share in rise),
            *(self.edge(1, right + (top - right) * share) for share in rise[-2::-1]),
            *(self.point(azimuth, y) for azimuth, y in reversed(line)),
        )

    def meridian(self, azimuth: float, low: float, high: float) -> Outline:
        """A strand that runs up the head."""
        return tuple(self.point(azimuth, low + (high - low) * step / 7) for step in range(8))

    def combed(self, start: Point, end: Point, until: float = 1.0) -> Outline:
        """A strand from one place to another over the surface, as far as it is visible."""
        around = (end[0] - start[0] + 180.0) % 360.0 - 180.0
        points = []
        for step in range(9):
            share = step / 8 * until
            azimuth = start[0] + around * share
            if self.faces(azimuth) < 0.08:
                continue
            arch = math.sin(math.pi * share) * 0.006
            points.append(self.point(azimuth, start[1] + (end[1] - start[1]) * share + arch))
        return smooth_line(points, 2) if len(points) > 2 else ()

    @cached_property
    def gloss(self) -> Outline:
        """A band of light around the head, on the side of the light."""
        turn = self.head.turn
        upper: list[Point] = []
        lower: list[Point] = []
        for step in range(17):
            share = step / 16
            aside = -60.0 + 84.0 * share
            breadth = math.sin(math.pi * share) ** 0.6
            jag = 0.0040 if step % 2 else 0.0
            y = 0.0595 - 0.0100 * (aside / 60.0) ** 2
            upper.append(self.point(turn + aside, y + (0.0012 + jag * 0.4) * breadth))
            lower.append(self.point(turn + aside, y - (0.0050 + jag) * breadth))
        return (*upper, *reversed(lower))
