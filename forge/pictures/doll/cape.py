"""Capes, cloaks and wings: what hangs behind the shoulders.

A cape is a sheet around the back. Its rows are arcs in space, so that it is right from every side. Lengths are
statures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from .anatomy import NECK, shoulder_outline
from .character import Worn
from .detail import Details
from .geometry import Outline, across, add, ellipse, hull, smooth, smooth_line, unit_vector
from .head import Head
from .layers import Layer, Patch, Shape, Stroke
from .person import Point
from .physique import Figure
from .wings import wings


@dataclass(frozen=True)
class Cut:
    """The length of a cape below the shoulders, half its breadth and its depth at the hem, and the azimuths in
    degrees from straight ahead where its edges are, at the shoulders and at the hem."""

    length: float
    breadth: float
    depth: float
    edge: float
    hem_edge: float


_CUTS: Mapping[str, Cut] = {
    "cape": Cut(0.61, 0.190, 0.150, 62.0, 64.0),
    "cloak": Cut(0.70, 0.205, 0.160, 34.0, 44.0),
}
_ROWS = 9
_PITCH = 0.12
#: The shoulders' half breadth and depth under the cloth.
_BREADTH, _DEPTH = 0.126, 0.072
#: How much of its inside is in shade: the rest catches light at the edges.
_SHADED = 0.74


def behind(figure: Figure, head: Head, worn: Worn, details: Details) -> list[Layer]:
    """What shows beside and behind the body from the front and from the side."""
    if worn.kind == "wings":
        return wings(figure, worn, details)
    if worn.kind not in _CUTS:
        return []
    sheet = _Sheet(figure, _CUTS[worn.kind], details)
    inside = sheet.inside()
    patches = [Patch(inside)] if inside else []
    return [_cloth(figure, worn, [sheet.outline()], [*patches, *sheet.folds()], 0.010)]


def in_front(figure: Figure, head: Head, worn: Worn, details: Details) -> list[Layer]:
    """What covers the back when it is seen."""
    if worn.kind == "wings":
        return wings(figure, worn, details)
    if worn.kind not in _CUTS:
        return []
    sheet = _Sheet(figure, _CUTS[worn.kind], details)
    outlines = [sheet.outline(), shoulder_outline(figure, 0.004)]
    layer = _cloth(figure, worn, outlines, sheet.folds(), 0.016)
    return [layer, *_standing_collar(figure, worn)]


def collar(figure: Figure, head: Head, worn: Worn, details: Details) -> list[Layer]:
    """What lies on the shoulders and the chest: the front of the cape and its clasp."""
    if worn.kind not in _CUTS:
        return []
    layers = []
    if worn.kind == "cloak":
        sheet = _Sheet(figure, _CUTS[worn.kind], details)
        panels = [panel for sign in (-1.0, 1.0) if (panel := sheet.panel(sign))]
        if panels:
            layers.append(_cloth(figure, worn, panels, sheet.folds(), 0.010))
    yokes = [_yoke(figure, sign) for sign in (-1.0, 1.0) if _faces(figure, sign * 70.0) > -0.5]
    yokes += [_nape(figure, sign) for sign in (-1.0, 1.0) if _faces(figure, sign * 150.0) > 0.1]
    layers.append(_cloth(figure, worn, yokes, (), 0.006))
    if _faces(figure, 0.0) > -0.05:
        layers += _clasp(figure, worn)
    return layers


def _faces(figure: Figure, azimuth: float) -> float:
    return math.cos(math.radians(azimuth - figure.turn))


def _cloth(
    figure: Figure, worn: Worn, outlines: Sequence[Outline], patches: Sequence[Patch], depth: float
) -> Layer:
    return Layer(
        "cape",
        worn.colour,
        [Shape(outline, "torso") for outline in outlines],
        depth=figure.px(depth),
        patches=patches,
        material=worn.material,
    )


class _Sheet:
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
        turn = self._figure.turn
        left, right = [], []
        for step in range(_ROWS + 1):
            share = step / _ROWS
            edge = self._edge(share)
            start, end = max(edge, turn % 360.0 + 90.0), min(360.0 - edge, turn % 360.0 + 270.0)
            if turn % 360.0 > 180.0:
                start, end = max(edge, turn % 360.0 - 270.0), min(360.0 - edge, turn % 360.0 - 90.0)
            if end - start < 20.0:
                return None
            one, other = self._extent(share, [(start, end)])
            middle = ((one[0] + other[0]) / 2, (one[1] + other[1]) / 2)
            for side, point in ((left, one), (right, other)):
                side.append(add(middle, (point[0] - middle[0], point[1] - middle[1]), _SHADED))
        low = (
            add(left[-1], self._fall, self._figure.px(0.1)),
            add(right[-1], self._fall, self._figure.px(0.1)),
        )
        return (*left, *low, *right[::-1])

    def folds(self) -> list[Patch]:
        """Shadows of the folds, from the shoulders to the hem, on the outside that the viewer sees."""
        patches = []
        count = 7
        for index in range(count):
            azimuth = 75.0 + 210.0 * index / (count - 1) + self._details.number(f"fold {index}", -9.0, 9.0)
            if _faces(self._figure, azimuth) < 0.25:
                continue
            start = self._details.number(f"fold top {index}", 0.10, 0.38)
            width = self._details.number(f"fold width {index}", 2.5, 5.0)
            shares = [start + (1.02 - start) * step / 6 for step in range(7)]
            one = [self.at(azimuth - width * (share - start), share) for share in shares]
            other = [self.at(azimuth + width * (share - start), share) for share in shares]
            patches.append(Patch((*smooth_line(one, 3), *smooth_line(other[::-1], 3))))
        return patches

    def panel(self, sign: float) -> Outline | None:
        """One half of the front, from its edge to the side of the body."""
        azimuths = [sign * (self._cut.edge + (96.0 - self._cut.edge) * step / 6) for step in range(7)]
        if max(_faces(self._figure, azimuth) for azimuth in azimuths) < 0.1:
            return None
        rows = []
        for step in range(_ROWS + 1):
            share = step / _ROWS
            edge = self._edge(share)
            ends = [sign * (edge + (96.0 - edge) * part / 6) for part in range(7)]
            shown = [azimuth for azimuth in ends if _faces(self._figure, azimuth) >= -0.02]
            if len(shown) < 2:
                return None
            rows.append((self.at(shown[0], share), self.at(shown[-1], share)))
        one, other = [row[0] for row in rows], [row[1] for row in rows]
        return (*smooth_line(one, 3), *smooth_line(other[::-1], 3))


def _yoke(figure: Figure, sign: float) -> Outline:
    """The cloth over one shoulder, from the neck to the clasp."""

    def at(x: float, down: float, forward: float) -> Point:
        return figure.body_point(sign * x, down, forward)

    return smooth_line(
        [
            at(0.030, -0.17, -0.020),
            at(0.062, -0.165, -0.010),
            at(0.110, -0.105, 0.0),
            at(0.112, 0.12, 0.020),
            at(0.074, 0.13, 0.045),
            at(0.020, 0.115, 0.058),
            at(0.0, 0.09, 0.058),
            at(0.012, 0.03, 0.052),
            at(0.026, -0.06, 0.036),
            at(0.034, -0.13, 0.010),
            at(0.030, -0.17, -0.020),
        ],
        4,
    )


def _nape(figure: Figure, sign: float) -> Outline:
    """From the side: the cloth from one shoulder to where it hangs behind the back."""
    corners = (
        (0.030, -0.17, -0.010),
        (0.0, -0.17, -0.046),
        (0.0, -0.04, -0.074),
        (0.0, 0.16, -0.082),
        (0.090, 0.20, -0.050),
        (0.110, 0.02, 0.0),
    )
    return hull(figure.body_point(sign * x, down, forward) for x, down, forward in corners)


def _clasp(figure: Figure, worn: Worn) -> list[Layer]:
    middle = figure.body_point(0.0, 0.10, 0.060)
    half = figure.px(0.0155)
    broad = half * max(0.45, abs(figure.cos))
    outline = ellipse(middle, broad, half, figure.spine, 20)
    ring = ellipse(middle, broad * 0.55, half * 0.55, figure.spine, 20)
    return [
        Layer(
            "cape",
            worn.colour,
            [Shape(outline, "torso")],
            depth=figure.px(0.003),
            patches=(Patch(outline, worn.accent),),
            strokes=(Stroke((*ring, ring[0]), figure.px(0.0016)),),
            material="metal",
        )
    ]


def _standing_collar(figure: Figure, worn: Worn) -> list[Layer]:
    """The border around the neck from behind, in the second colour."""
    points = []
    for x, down in (
        (-0.049, -0.12),
        (-0.043, -0.185),
        (0.0, -0.17),
        (0.043, -0.185),
        (0.049, -0.12),
        (0.0, -0.095),
    ):
        points.append(figure.body_point(x, down, -0.030))
    outline = smooth(points, 4)
    return [
        Layer(
            "cape",
            worn.colour,
            [Shape(outline, "torso")],
            depth=figure.px(0.004),
            patches=(Patch(outline, worn.accent),),
            material=worn.material,
        )
    ]
