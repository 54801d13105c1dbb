"""Loose hair below the head. It hangs down in the picture, however the head is tilted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..painting.detail import Details
from ..painting.geometry import Outline, between, smooth, smooth_line
from ..painting.layers import Stroke
from ..poses.person import Point
from .cap import Scalp
from .cuts import Cut

#: The scalp from which hair falls: azimuths on both sides of straight behind, and heights.
_ROOTS = tuple((float(azimuth), height) for azimuth in range(56, 305, 8) for height in (-0.024, 0.020, 0.052))
_TIP = 0.030


@dataclass(frozen=True)
class Fall:
    """Falling hair: its outlines and the strands on it."""

    outlines: tuple[Outline, ...]
    strands: tuple[Stroke, ...]


def fall_behind(scalp: Scalp, cut: Cut, details: Details, length: float) -> Fall:
    """The hair that falls from the sides and the back of the head, `length` statures below the ears."""
    head, unit = scalp.head, scalp.head.figure.unit
    first = 84.0 if cut.curls else 0.0
    roots = [scalp.point(azimuth, y) for azimuth, y in _ROOTS if first <= azimuth <= 360.0 - first]
    left, right = min(roots), max(roots)
    end = head.origin[1] + length * unit
    drift = details.number("drift", -0.010, 0.010) * min(1.0, length / 0.2)
    one = _edge(left, end, -1.0, cut, unit, drift)
    other = _edge(right, end, 1.0, cut, unit, drift)
    count = 5
    tips: list[Point] = []
    for index in range(count * 2 + 1):
        share = index / (count * 2)
        base = between(one[-1], other[-1], share)
        middle = 1.0 - abs(share * 2 - 1)
        if index % 2:
            drop = (_TIP * 0.3 if cut.curls else _TIP) * (0.55 + 0.6 * middle)
            drop *= details.number(f"end {index}", 0.8, 1.2)
            lean = details.number(f"lean {index}", -0.006, 0.006)
            tips.append((base[0] + lean * unit, base[1] + drop * unit * min(1.0, length / 0.16)))
        elif 0 < index < count * 2:
            tips.append((base[0], base[1] + middle * 0.006 * unit))
    outline = (*smooth_line(one, 4), *_pointed(one[-1], tips, other[-1]), *smooth_line(other[::-1], 4))
    outlines = [outline]
    if cut.curls:
        outlines += _curls(one, other, cut.curls * unit, details)
    if cut.curls:
        return Fall(tuple(outlines), _curl_lines(one, other, cut.curls * unit, details))
    strands = []
    for index in range(6):
        share = (index + details.number(f"strand at {index}", 0.4, 0.9)) / 6.3
        line = [between(a, b, share) for a, b in zip(one, other, strict=True)]
        strands.append(
            Stroke(smooth_line([*_above(scalp, line[0]), *line[1:]], 4), head.unit * 0.0016, shade=True)
        )
    return Fall(tuple(outlines), tuple(strands))


def _above(scalp: Scalp, point: Point) -> list[Point]:
    """A strand on the cap that ends above a point of an upright head; none on a tilted one."""
    head = scalp.head
    if head.up[1] > -0.85:
        return [point]
    azimuths = [head.turn + step * 8.0 for step in range(-10, 11)]
    azimuth = min(azimuths, key=lambda each: abs(scalp.point(each, 0.020)[0] - point[0]))
    return [scalp.point(azimuth, y) for y in (0.058, 0.044, 0.028)]


def _edge(root: Point, end: float, side: float, cut: Cut, unit: float, drift: float) -> list[Point]:
    """One edge from the head down: over the shoulders it stands off, and further down it draws in."""
    points = []
    rows = 9
    height = max(0.0, end - root[1])
    for row in range(rows):
        share = row / (rows - 1)
        out = 0.013 * math.sin(math.pi * min(1.0, share * 1.15)) * cut.width - 0.026 * share**2
        out += (cut.width - 1.0) * 0.06 * math.sin(math.pi * min(1.0, share * 0.8 + 0.1))
        swing = cut.wave * math.sin(share * math.pi * 5 + (0.0 if side > 0 else 1.2)) * min(1.0, share * 3)
        points.append((root[0] + (side * out + swing + drift * share) * unit, root[1] + height * share))
    return points


def _pointed(start: Point, corners: Sequence[Point], end: Point) -> list[Point]:
    """Locks between corners: their sides are bowed outwards."""
    points: list[Point] = []
    chain = [start, *corners, end]
    for index, (here, there) in enumerate(pairwise(chain)):
        for step in range(4):
            share = step / 4
            bow = share**0.65 if index % 2 else share**1.5
            points.append((here[0] + (there[0] - here[0]) * share, here[1] + (there[1] - here[1]) * bow))
    return points


def _curls(one: Sequence[Point], other: Sequence[Point], radius: float, details: Details) -> list[Outline]:
    """Round tufts along the edges and at the ends."""
    ends = [between(one[-1], other[-1], share) for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
    places = [*_stepped(one, radius * 1.25), *_stepped(other, radius * 1.25), *ends]
    return [
        round_tuft(place, radius * details.number(f"tuft {index}", 0.80, 1.2))
        for index, place in enumerate(places)
    ]


def _curl_lines(
    one: Sequence[Point], other: Sequence[Point], radius: float, details: Details
) -> tuple[Stroke, ...]:
    """Arcs all over the hair."""
    lines = []
    for row, (left, right) in enumerate(zip(one[1:], other[1:], strict=True)):
        for column in range(4):
            name = f"arc {row} {column}"
            centre = between(left, right, (column + details.number(name, 0.25, 0.75)) / 4)
            start = details.number(f"{name} start", 0.0, 6.28)
            lines.append(curl_line(centre, radius * 0.62, start, radius * 0.09))
    return tuple(lines)


def curl_line(centre: Point, radius: float, start: float, width: float) -> Stroke:
    arc = [
        (centre[0] + radius * math.cos(start + step * 0.7), centre[1] + radius * math.sin(start + step * 0.7))
        for step in range(5)
    ]
    return Stroke(smooth_line(arc, 3), width, shade=True)


def _stepped(line: Sequence[Point], step: float) -> list[Point]:
    """Points on a line at distances of at least `step`."""
    dense = smooth_line(line, 6)
    found = [dense[0]]
    for point in dense[1:]:
        if math.dist(found[-1], point) >= step:
            found.append(point)
    return found


def round_tuft(centre: Point, radius: float) -> Outline:
    return smooth(
        [
            (
                centre[0] + radius * math.cos(step * math.pi / 4),
                centre[1] + radius * 0.94 * math.sin(step * math.pi / 4),
            )
            for step in range(8)
        ],
        2,
    )


def fall_in_front(scalp: Scalp, cut: Cut, details: Details, length: float, sign: float) -> Fall:
    """The lock between the face and the ear on the side `sign` (1: the person's left), over the shoulder. In
    the quarter view it reaches back to the edge of the hair."""
    head, unit = scalp.head, scalp.head.figure.unit
    back = max(96.0, min(150.0, sign * head.turn + 90.0))
    front = 76.0 if cut.curls else 50.0
    roots = [scalp.point(sign * azimuth, y) for azimuth in (front, 80.0, back) for y in (-0.006, 0.024)]
    left, right = min(roots), max(roots)
    reach = min(length, 0.125 + 0.30 * max(0.0, length - 0.12)) * details.number(f"lock {sign}", 0.92, 1.06)
    tip_y = head.origin[1] + reach * unit
    breadth = max(right[0] - left[0], 0.026 * head.unit)
    start = (left[0] + right[0]) / 2
    outward = math.copysign(1.0, start - head.origin[0])
    one, other = [], []
    top = (left[1] + right[1]) / 2
    for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        # Its beginning is inside the cap.
        half = breadth / 2 * (1.0 - 0.62 * share**1.6) * (1.0 + (cut.width - 1.0) * min(1.0, share * 3))
        half *= min(1.0, 0.7 + share * 1.5)
        # Outwards over the cheek and the shoulder, and back in at the tip.
        bow = outward * (0.0065 * math.sin(share * math.pi * 0.85) + 0.003 * share) * unit
        swing = cut.wave * math.sin(share * math.pi * 3.2) * unit
        y = top + (tip_y - 0.034 * unit - top) * share
        one.append((start + bow - half + swing, y))
        other.append((start + bow + half + swing, y))
    if cut.curls:
        radius = cut.curls * 0.92 * unit
        edges = (*_stepped(one, radius * 1.2), *_stepped(other, radius * 1.2)[1:])
        tufts = [
            round_tuft(place, radius * details.number(f"ring {sign} {index}", 0.8, 1.15))
            for index, place in enumerate(edges)
        ]
        return Fall(((*one, *other[::-1]), *tufts), ())
    # A long tip on the inner side and a short one on the outer side.
    notch = details.number(f"notch {sign}", 0.50, 0.66)
    inner, outer = (one[-1], other[-1]) if outward > 0 else (other[-1], one[-1])
    long = (between(inner, outer, 0.30)[0], tip_y)
    short = (between(inner, outer, 0.84)[0] + outward * 0.002 * unit, tip_y - 0.018 * unit)
    parting = (between(inner, outer, notch)[0], inner[1] + 0.002 * unit)
    tips = [long, parting, short] if outward > 0 else [short, parting, long]
    outline = (*smooth_line(one, 4), *_pointed(one[-1], tips, other[-1]), *smooth_line(other[::-1], 4))
    line = [between(a, b, 0.55) for a, b in zip(one[1:], other[1:], strict=True)]
    return Fall((outline,), (Stroke(smooth_line(line, 4), head.unit * 0.0015, shade=True),))
