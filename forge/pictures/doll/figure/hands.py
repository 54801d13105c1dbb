"""The outlines of hands: those of the pose, or relaxed ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ..painting.geometry import (
    Outline,
    across,
    add,
    between,
    distance,
    hull,
    tapered,
    unit_vector,
)
from ..painting.layers import Shape
from ..poses.person import Hand, Point
from .physique import Figure

_FINGERS = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
_FINGER_WIDTHS = (0.0085, 0.0075, 0.0078, 0.0074, 0.0066)
_PALM = (0, 1, 5, 9, 13, 17)


def hand_points(figure: Figure, side: str) -> tuple[Point, ...]:
    """The 21 keypoints of a hand: those given, else those of a relaxed one."""
    given = figure.hand_of(side)
    elbow, wrist = figure.limb(side, "elbow", "wrist")
    relaxed = _relaxed_hand(figure, unit_vector(elbow, wrist), wrist)
    if given is None or (given[0] is None and sum(point is not None for point in given) < 5):
        return relaxed
    # A hand that was read a little off its wrist is moved to it.
    move = (0.0, 0.0)
    if given[0] is not None:
        move = (wrist[0] - given[0][0], wrist[1] - given[0][1])
        if distance((0.0, 0.0), move) > figure.px(0.05):
            return relaxed
    return _filled(given, relaxed, move)


def _filled(given: Hand, default: Sequence[Point], move: Point) -> tuple[Point, ...]:
    return tuple(
        default[index] if point is None else add(point, move) for index, point in enumerate(given[:21])
    )


def _relaxed_hand(figure: Figure, along: Point, wrist: Point) -> tuple[Point, ...]:
    """A hanging hand, its fingers a little bent. The thumb points forward, or to the body from the front."""
    toward_body = unit_vector(wrist, figure.hip_centre)
    inner = across(along)
    if inner[0] * toward_body[0] + inner[1] * toward_body[1] < 0:
        inner = (-inner[0], -inner[1])
    if figure.in_profile:
        forward = (-1.0, 0.0) if figure.sin > 0 else (1.0, 0.0)
        inner = across(along)
        if inner[0] * forward[0] + inner[1] * forward[1] < 0:
            inner = (-inner[0], -inner[1])
    unit = figure.unit

    def at(x: float, y: float) -> Point:
        return add(add(wrist, along, y * unit), inner, x * unit)

    points = [wrist, at(0.009, 0.012), at(0.019, 0.025), at(0.022, 0.037), at(0.021, 0.047)]
    for x, reach in ((0.012, 0.088), (0.004, 0.094), (-0.004, 0.089), (-0.011, 0.078)):
        points += [at(x, 0.043), at(x * 0.98, 0.043 + (reach - 0.043) * 0.42)]
        points += [at(x * 0.9 + 0.002, 0.043 + (reach - 0.043) * 0.75), at(x * 0.8 + 0.004, reach)]
    return tuple(points)


def finger_lines(figure: Figure, side: str) -> tuple[Outline, ...]:
    """The lines between the fingers."""
    points = hand_points(figure, side)
    return tuple(
        (
            between(points[first], points[second]),
            between(
                between(points[first + 1], points[second + 1]),
                between(points[first + 2], points[second + 2]),
                0.6,
            ),
        )
        for first, second in ((5, 9), (9, 13), (13, 17))
    )


def hand_shapes(figure: Figure, side: str, widen: float = 0.0) -> list[Shape]:
    points = hand_points(figure, side)
    limb = f"{side}_hand"
    build = figure.build.limb**0.5
    palm = hull(
        corner
        for index in _PALM
        for corner in tapered(points[index], points[index], [figure.px(0.0085 * build + widen)] * 2)
    )
    shapes = [Shape(palm, limb)]
    for finger, width in zip(_FINGERS, _FINGER_WIDTHS, strict=True):
        radius = figure.px(width * build + widen)
        for start, end in pairwise(finger):
            shapes.append(Shape(tapered(points[start], points[end], (radius, radius * 0.94)), limb))
    return shapes
