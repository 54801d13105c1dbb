"""Plane geometry of the drawing: points and outlines in pixels, x to the right and y down."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ..poses.person import Point

Outline = tuple[Point, ...]

#: Vertices of a round end. More are not visible at the sizes of a figure.
_ROUND = 12


def add(first: Point, second: Point, times: float = 1.0) -> Point:
    return (first[0] + second[0] * times, first[1] + second[1] * times)


def between(first: Point, second: Point, share: float = 0.5) -> Point:
    """The point at `share` of the way from the first to the second."""
    return (first[0] + (second[0] - first[0]) * share, first[1] + (second[1] - first[1]) * share)


def vector(start: Point, end: Point) -> Point:
    return (end[0] - start[0], end[1] - start[1])


def distance(first: Point, second: Point) -> float:
    return math.hypot(second[0] - first[0], second[1] - first[1])


def unit_vector(start: Point, end: Point, default: Point = (0.0, 1.0)) -> Point:
    """The direction from start to end with length 1; `default` if they coincide."""
    length = distance(start, end)
    return ((end[0] - start[0]) / length, (end[1] - start[1]) / length) if length > 1e-6 else default


def across(direction: Point) -> Point:
    """The direction turned by 90 degrees: to the picture's right if it points down."""
    return (direction[1], -direction[0])


def turned(direction: Point, degrees: float) -> Point:
    """The direction turned clockwise in the picture."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return (direction[0] * cosine - direction[1] * sine, direction[0] * sine + direction[1] * cosine)


def place(origin: Point, right: Point, down: Point, points: Iterable[Point], unit: float) -> Outline:
    """Points in a local frame, as points of the picture."""
    return tuple(
        (
            origin[0] + (right[0] * x + down[0] * y) * unit,
            origin[1] + (right[1] * x + down[1] * y) * unit,
        )
        for x, y in points
    )


def smooth(points: Sequence[Point], steps: int = 6) -> Outline:
    """A closed Catmull-Rom curve through the points."""
    count = len(points)
    curve: list[Point] = []
    for index in range(count):
        p0, p1, p2, p3 = (points[(index + offset) % count] for offset in (-1, 0, 1, 2))
        curve.extend(_spline(p0, p1, p2, p3, steps))
    return tuple(curve)


def smooth_line(points: Sequence[Point], steps: int = 6) -> Outline:
    """An open Catmull-Rom curve through the points."""
    if len(points) < 3:
        return tuple(points)
    curve: list[Point] = []
    for index in range(len(points) - 1):
        p0 = points[max(index - 1, 0)]
        p3 = points[min(index + 2, len(points) - 1)]
        curve.extend(_spline(p0, points[index], points[index + 1], p3, steps))
    return (*curve, points[-1])


def _spline(p0: Point, p1: Point, p2: Point, p3: Point, steps: int) -> list[Point]:
    found = []
    for step in range(steps):
        t = step / steps
        a, b, c, d = (
            -0.5 * t + t * t - 0.5 * t**3,
            1 - 2.5 * t * t + 1.5 * t**3,
            0.5 * t + 2 * t * t - 1.5 * t**3,
            -0.5 * t * t + 0.5 * t**3,
        )
        found.append(
            (
                a * p0[0] + b * p1[0] + c * p2[0] + d * p3[0],
                a * p0[1] + b * p1[1] + c * p2[1] + d * p3[1],
            )
        )
    return found


def ellipse(
    centre: Point, across_half: float, along_half: float, along: Point = (0.0, 1.0), count: int = 24
) -> Outline:
    """An ellipse whose half axis in the direction `along` is `along_half`."""
    side = across(along)
    points = []
    for index in range(count):
        angle = 2 * math.pi * index / count
        u, v = math.cos(angle) * across_half, math.sin(angle) * along_half
        points.append((centre[0] + side[0] * u + along[0] * v, centre[1] + side[1] * u + along[1] * v))
    return tuple(points)


def tapered(start: Point, end: Point, radii: Sequence[float], *, bulge: float = 0.0) -> Outline:
    """A limb with round ends, whose half widths from start to end are the `radii`, evenly spaced. `bulge`
    moves its middle sideways, to the picture's right if it points down."""
    along = unit_vector(start, end)
    side = across(along)
    last = len(radii) - 1
    one, other = [], []
    for index, radius in enumerate(radii):
        share = index / last
        centre = add(between(start, end, share), side, bulge * math.sin(math.pi * share))
        one.append(add(centre, side, radius))
        other.append(add(centre, side, -radius))
    tip = _arc(end, radii[-1], side, along)
    base = _arc(start, radii[0], (-side[0], -side[1]), (-along[0], -along[1]))
    return (*smooth_line(one, 4), *tip, *smooth_line(other[::-1], 4), *base)


def _arc(centre: Point, radius: float, side: Point, along: Point) -> list[Point]:
    """Half a circle from `side` past `along` to the other side, without its ends."""
    points = []
    for index in range(1, _ROUND):
        angle = math.pi * index / _ROUND
        x, y = math.cos(angle) * radius, math.sin(angle) * radius
        points.append((centre[0] + side[0] * x + along[0] * y, centre[1] + side[1] * x + along[1] * y))
    return points


def ribbon(points: Sequence[Point], half_widths: Sequence[float]) -> Outline:
    """A line as an area, with a half width per point, as a pen draws it."""
    one, other = [], []
    for index, (point, half) in enumerate(zip(points, half_widths, strict=True)):
        before, after = points[max(index - 1, 0)], points[min(index + 1, len(points) - 1)]
        side = across(unit_vector(before, after))
        one.append(add(point, side, half))
        other.append(add(point, side, -half))
    return (*one, *other[::-1])


def hull(points: Iterable[Point]) -> Outline:
    """The convex hull (Andrew's monotone chain, 1979)."""
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return tuple(ordered)

    def chain(sequence: Sequence[Point]) -> list[Point]:
        found: list[Point] = []
        for point in sequence:
            while len(found) > 1 and _turn(found[-2], found[-1], point) <= 0:
                found.pop()
            found.append(point)
        return found[:-1]

    return (*chain(ordered), *chain(ordered[::-1]))


def _turn(first: Point, second: Point, third: Point) -> float:
    return (second[0] - first[0]) * (third[1] - first[1]) - (second[1] - first[1]) * (third[0] - first[0])
