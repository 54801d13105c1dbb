"""The shape of the head in three dimensions, as level sections, and its silhouette from every side.

Heights and breadths are statures for a head that is not enlarged (`Skull.size` enlarges them), measured from
a point on the head's axis at the height of the ears.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..painting.geometry import smooth_line
from ..poses.person import Point

#: Height, half breadth, and how far the section reaches forward and backward, from the crown to the chin.
_SECTIONS: tuple[tuple[float, float, float, float], ...] = (
    (0.0690, 0.0000, -0.0040, -0.0040),
    (0.0675, 0.0130, 0.0110, -0.0190),
    (0.0620, 0.0255, 0.0250, -0.0330),
    (0.0510, 0.0372, 0.0390, -0.0450),
    (0.0370, 0.0446, 0.0480, -0.0525),
    (0.0210, 0.0478, 0.0525, -0.0555),
    (0.0050, 0.0474, 0.0520, -0.0545),
    (-0.0070, 0.0460, 0.0530, -0.0505),
    (-0.0180, 0.0438, 0.0534, -0.0420),
    (-0.0290, 0.0404, 0.0532, -0.0290),
    (-0.0390, 0.0346, 0.0526, -0.0140),
    (-0.0480, 0.0268, 0.0516, 0.0010),
    (-0.0565, 0.0172, 0.0492, 0.0165),
    (-0.0630, 0.0080, 0.0445, 0.0270),
    (-0.0650, 0.0000, 0.0350, 0.0350),
)
TOP, CHIN = _SECTIONS[0][0], _SECTIONS[-1][0]
#: Height of the widest section.
WIDEST = 0.021
#: Below this height, the jaw is broader or narrower by the figure.
_JAW = -0.015
#: The middle line of the face: forehead, brow and the bridge of the nose, enlarged with the head.
_BROW_RIDGE = ((0.044, 0.046), (0.030, 0.0515), (0.018, 0.0535), (0.008, 0.0528))
_CHIN_RIDGE = ((-0.0535, 0.0540), (-0.0590, 0.0532), (-0.0632, 0.0480))
#: In the quarter view, the far edge of the face goes in at the eye and the mouth and out at the cheek: how
#: far, at which height, over which height.
_FAR_EDGE = (
    (0.0022, 0.0260, 0.0090),
    (-0.0012, 0.0080, 0.0070),
    (0.0040, -0.0130, 0.0120),
    (-0.0020, -0.0420, 0.0090),
)


@dataclass(frozen=True)
class Section:
    """A level section: an ellipse whose centre is `middle` in front of the axis."""

    half: float
    middle: float
    deep: float

    def point(self, azimuth: float) -> Point:
        """(x, z) where the surface faces `azimuth`: degrees from straight ahead to the person's left."""
        sine, cosine = math.sin(math.radians(azimuth)), math.cos(math.radians(azimuth))
        length = math.hypot(self.half * sine, self.deep * cosine)
        if length < 1e-9:
            return (0.0, self.middle)
        return (self.half**2 * sine / length, self.middle + self.deep**2 * cosine / length)

    def silhouette(self, cosine: float, sine: float) -> tuple[float, float]:
        """How far it reaches to the left and to the right in the picture, of a head turned by an angle."""
        reach = math.hypot(self.half * cosine, self.deep * sine)
        return (-self.middle * sine - reach, -self.middle * sine + reach)

    def grown(self, factor: float) -> Section:
        return Section(self.half * factor, self.middle * factor, self.deep * factor)


class Skull:
    """The head of a figure. `size` enlarges it, `jaw` broadens the lower face, `nose` is the tip of the nose
    as (height, forward) in statures."""

    def __init__(self, size: float, jaw: float, nose: Point) -> None:
        self.size, self._jaw, self._nose = size, jaw, nose
        self.top, self.chin = TOP * size, CHIN * size

    def section(self, y: float) -> Section:
        """The section at a height in statures."""
        height = y / self.size
        half, front, back = (_at(_CURVES[column], height) for column in range(3))
        if height < _JAW:
            half *= 1.0 + (self._jaw - 1.0) * min(1.0, (_JAW - height) / 0.015)
        return Section(
            half * self.size, (front + back) / 2 * self.size, max(0.0, (front - back) / 2 * self.size)
        )

    def ridge(self) -> list[Point]:
        """(height, forward) along the middle of the face, from the forehead to the chin, in statures."""
        tip, size = self._nose, self.size
        lips = 0.0552 * size
        features = (
            (tip[0] + 0.0155, 0.0528 * size),
            (tip[0] + 0.0085, (0.0528 * size + tip[1]) / 2 - 0.0008),
            (tip[0] + 0.0022, tip[1] - 0.0008),
            (tip[0] - 0.0004, tip[1]),
            (tip[0] - 0.0034, tip[1] - 0.0030),
            (tip[0] - 0.0068, lips - 0.0004),
            (tip[0] - 0.0110, lips - 0.0008),
            (tip[0] - 0.0160, lips + 0.0018),
            (tip[0] - 0.0200, lips - 0.0008),
            (tip[0] - 0.0236, lips + 0.0008),
            (tip[0] - 0.0285, lips - 0.0030),
        )
        scaled = [(y * size, z * size) for y, z in (*_BROW_RIDGE, *_CHIN_RIDGE)]
        return sorted((*features, *scaled), reverse=True)

    def silhouette(self, cosine: float, sine: float, *, face: bool = True) -> tuple[list[Point], list[Point]]:
        """The left and the right edge in the picture from top to chin, as (x, y) with y up. Without `face`
        the nose and the lips are left out."""
        ridge = self.ridge() if face else []
        heights = {y * self.size for y, *_ in _SECTIONS} | {y for y, _ in ridge}
        if face:
            heights |= {y * self.size for _, y, _ in _FAR_EDGE}
        left, right = [], []
        for y in sorted(heights, reverse=True):
            least, most = self.section(y).silhouette(cosine, sine)
            if ridge and ridge[-1][0] <= y <= ridge[0][0]:
                middle = -_between(ridge, y) * sine
                least, most = min(least, middle), max(most, middle)
            if face:
                hollow = self._hollow(y) * abs(2 * sine * cosine) * max(0.0, cosine)
                least, most = (least - hollow, most) if sine > 0 else (least, most + hollow)
            left.append((least, y))
            right.append((most, y))
        return left, right

    def _hollow(self, y: float) -> float:
        return self.size * sum(
            out * math.exp(-(((y / self.size - height) / spread) ** 2)) for out, height, spread in _FAR_EDGE
        )


def _between(falling: Sequence[Point], key: float) -> float:
    """The value at `key`, of points in order of falling keys."""
    for (high, first), (low, second) in pairwise(falling):
        if low <= key <= high:
            share = (high - key) / (high - low) if high > low else 0.0
            return first + (second - first) * share
    return falling[-1][1]


def _dense(column: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """A column of the sections as a smooth curve: rising heights and their values."""
    points = [(row[0], row[column]) for row in reversed(_SECTIONS)]
    curve = smooth_line(points, 8)
    return tuple(y for y, _ in curve), tuple(value for _, value in curve)


_CURVES = tuple(_dense(column) for column in (1, 2, 3))


def _at(curve: tuple[Sequence[float], Sequence[float]], height: float) -> float:
    heights, values = curve
    index = min(max(bisect_left(heights, height), 1), len(heights) - 1)
    low, high = heights[index - 1], heights[index]
    share = min(1.0, max(0.0, (height - low) / (high - low)))
    return values[index - 1] + (values[index] - values[index - 1]) * share
