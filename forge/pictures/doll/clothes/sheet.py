"""The cloth of a cape as a sheet around the back. Its rows are arcs in space, so that it is right from every
side. Lengths are statures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..figure.anatomy import NECK
from ..figure.physique import Figure
from ..painting.detail import Details
from ..painting.geometry import Outline, across, add, between, smooth_line, unit_vector
from ..painting.layers import Patch
from ..poses.person import Point


@dataclass(frozen=True)
class Cut:
    """The length of a cape below the shoulders, half its breadth and its depth at the hem, and the azimuths
    in degrees from straight ahead where its edges are, at the shoulders and at the hem."""

    length: float
    breadth: float
    depth: float
    edge: float
    hem_edge: float


CUTS: Mapping[str, Cut] = {
    "cape": Cut(0.61, 0.190, 0.150, 62.0, 64.0),
    "cloak": Cut(0.70, 0.205, 0.160, 34.0, 44.0),
}
_ROWS = 9
_PITCH = 0.12
#: The shoulders' half breadth and depth under the cloth.
_BREADTH, _DEPTH = 0.126, 0.072
#: How much of its inside is in shade: the rest catches light at the edges.
_SHADED = 0.74


def faces(figure: Figure, azimuth: float) -> float:
    return math.cos(math.radians(azimuth - figure.turn))


class Sheet:
    """The cloth in space."""

    def __init__(self, figure: Figure, cut: Cut, details: Details) -> None:
        self._figure, self._cut, self._details = figure, cut, details

    @cached_property
    def _fall(self) -> Point:
        """Where it hangs: down, but along the back if the body lies."""
        spine = self._figure.spine
        return unit_vector((0.0, 0.0), (spine[0], spine[1] + 0.6), spine)

    def at(self, azimuth: float, share: float) -> Point:
        """A point of the sheet: `share` of the way from the shoulders to the hem."""
        figure, cut = self._figure, self._cut
        # It leaves the body quickly, then widens evenly.
        wide = share**0.8
        breadth = (_BREADTH + (cut.breadth - _BREADTH) * wide) * figure.build.chest
        depth = _DEPTH + (cut.depth - _DEPTH) * wide
        sine, cosine = math.sin(math.radians(azimuth)), math.cos(math.radians(azimuth))
        wave = 0.010 * share * math.sin(math.radians(azimuth * 7.0) + self._phase)
        x, z = (breadth + wave) * sine, -0.018 * share + (depth + wave) * cosine
        sway = self._details.number("cape sway", -0.014, 0.014) * share * share
        nearer = x * figure.sin + z * figure.cos
        start = add(figure.chest, self._fall, figure.px(share * cut.length + _PITCH * nearer * share))
        return add(start, across(self._fall), figure.px(x * figure.cos - z * figure.sin + sway))

    @cached_property
    def _phase(self) -> float:
        return self._details.number("cape folds", 0.0, 2 * math.pi)

    def _edge(self, share: float) -> float:
        return self._cut.edge + (self._cut.hem_edge - self._cut.edge) * share

    def _row(self, share: float, start: float, end: float) -> list[Point]:
        return [self.at(start + (end - start) * step / 40, share) for step in range(41)]

    def _extent(self, share: float, ranges: Sequence[tuple[float, float]]) -> tuple[Point, Point]:
        """The ends of a row in the picture, to the left and to the right of the falling cloth."""
        right = across(self._fall)
        points = [point for start, end in ranges for point in self._row(share, start, end)]
        points.sort(key=lambda point: point[0] * right[0] + point[1] * right[1])
        return points[0], points[-1]

    def outline(self) -> Outline:
        """All of it, with its neck."""
        figure = self._figure
        rows = [step / _ROWS for step in range(_ROWS + 1)]
        extents = [self._extent(share, [(self._edge(share), 360.0 - self._edge(share))]) for share in rows]
        neck = figure.half_breadth(NECK * 1.5, NECK * 1.6)
        top = add(figure.chest, figure.spine, -figure.px(0.048))
        side = across(figure.spine)
        left = [add(top, side, -neck), *(pair[0] for pair in extents)]
        right = [add(top, side, neck), *(pair[1] for pair in extents)]
        return (*smooth_line(left, 4), *self._hem(extents[-1]), *smooth_line(right[::-1], 4))

    def _hem(self, ends: tuple[Point, Point]) -> list[Point]:
        """The lower edge from left to right, with the waves of the folds."""
        right = across(self._fall)
        row = self._row(1.0, self._edge(1.0), 360.0 - self._edge(1.0))
        lower = self._fall
        columns = 28
        found = []
        for column in range(1, columns):
            at = add(ends[0], (ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]), column / columns)
            place = at[0] * right[0] + at[1] * right[1]
            slot = self._figure.px(0.02)
            near = [p for p in row if abs(p[0] * right[0] + p[1] * right[1] - place) < slot]
            depth = max((p[0] - at[0]) * lower[0] + (p[1] - at[1]) * lower[1] for p in near) if near else 0.0
            ripple = self._figure.px(0.006) * math.sin(column * 0.9 + self._phase)
            found.append(add(at, lower, depth + ripple))
        return found

    def inside(self) -> Outline | None:
        """The lining that the viewer sees, without its edges, which catch light."""
        left: list[Point] = []
        right: list[Point] = []
        for step in range(_ROWS + 1):
            ends = self._lining(step / _ROWS)
            if ends is None:
                return None
            middle = between(*ends)
            for side, point in ((left, ends[0]), (right, ends[1])):
                side.append(between(middle, point, _SHADED))
        low = [add(row[-1], self._fall, self._figure.px(0.1)) for row in (left, right)]
        return (*left, *low, *right[::-1])

    def _lining(self, share: float) -> tuple[Point, Point] | None:
        """The ends of a row's inside, as far as the outside does not hide it."""
        edge, right = self._edge(share), across(self._fall)
        inner: list[float] = []
        outer: tuple[list[float], list[float]] = ([], [])
        azimuths = [edge + (360.0 - 2 * edge) * step / 48 for step in range(49)]
        for azimuth in azimuths:
            point = self.at(azimuth, share)
            place = point[0] * right[0] + point[1] * right[1]
            if faces(self._figure, azimuth) < 0:
                inner.append(place)
            else:
                outer[azimuth > 180.0].append(place)
        if not inner:
            return None
        start, end, slack = min(inner), max(inner), self._figure.px(0.02)
        for half in outer:
            if half and max(half) >= end - slack:
                end = min(end, min(half))
            elif half and min(half) <= start + slack:
                start = max(start, max(half))
        if end - start < self._figure.px(0.03):
            return None
        level = self.at(180.0, share)
        place = level[0] * right[0] + level[1] * right[1]
        return add(level, right, start - place), add(level, right, end - place)

    def folds(self) -> list[Patch]:
        """Shadows of the folds, from the shoulders to the hem, on the outside that the viewer sees."""
        patches = []
        count = 7
        for index in range(count):
            azimuth = 75.0 + 210.0 * index / (count - 1) + self._details.number(f"fold {index}", -9.0, 9.0)
            if faces(self._figure, azimuth) < 0.25:
                continue
            start = self._details.number(f"fold top {index}", 0.10, 0.38)
            width = self._details.number(f"fold width {index}", 2.5, 5.0)
            shares = [start + (1.02 - start) * step / 6 for step in range(7)]
            one = [self.at(azimuth - width * (share - start), share) for share in shares]
            other = [self.at(azimuth + width * (share - start), share) for share in shares]
            patches.append(Patch((*smooth_line(one, 3), *smooth_line(other[::-1], 3))))
        return patches

    def panel(self, sign: float) -> Outline | None:
        """What the viewer sees of one half of the front, from its edge around the side."""
        one, other = [], []
        for step in range(_ROWS + 1):
            share = step / _ROWS
            edge = self._edge(share)
            azimuths = [sign * (edge + (150.0 - edge) * part / 14) for part in range(15)]
            shown = [azimuth for azimuth in azimuths if faces(self._figure, azimuth) >= -0.02]
            if len(shown) < 2:
                return None
            one.append(self.at(shown[0], share))
            other.append(self.at(shown[-1], share))
        return (*smooth_line(one, 3), *smooth_line(other[::-1], 3))
