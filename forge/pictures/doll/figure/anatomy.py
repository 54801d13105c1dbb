"""The outlines of the body below the head: torso, limbs, hands and feet.

Half widths are fractions of stature. They follow the breadths of Drillis and Contini as `pictures.body` does,
with limbs a little fuller, as drawn figures have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..painting.geometry import (
    Outline,
    across,
    add,
    between,
    distance,
    hull,
    smooth,
    smooth_line,
    tapered,
    unit_vector,
)
from ..painting.layers import Shape
from ..poses.person import Hand, Point
from .physique import Figure

UPPER_ARM = (0.031, 0.030, 0.027, 0.024)
FOREARM = (0.024, 0.025, 0.021, 0.016)
THIGH = (0.052, 0.051, 0.045, 0.037)
SHANK = (0.036, 0.039, 0.031, 0.022)
NECK = 0.030

#: Share of the way from shoulders to hips; half breadth and half depth; how far in front of the spine.
_SECTIONS: tuple[tuple[float, float, float, float], ...] = (
    (-0.02, 0.094, 0.030, -0.004),
    (0.14, 0.100, 0.056, 0.004),
    (0.34, 0.094, 0.060, 0.008),
    (0.58, 0.080, 0.050, 0.004),
    (0.74, 0.078, 0.050, 0.002),
    (0.90, 0.090, 0.058, -0.006),
    (1.04, 0.096, 0.062, -0.010),
    (1.18, 0.090, 0.058, -0.008),
)
_FINGERS = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
_FINGER_WIDTHS = (0.0085, 0.0075, 0.0078, 0.0074, 0.0066)
_PALM = (0, 1, 5, 9, 13, 17)


@dataclass(frozen=True)
class TorsoLine:
    """Both edges of the torso from the shoulders down, seen from the figure's side of the camera."""

    left_edge: tuple[Point, ...]
    right_edge: tuple[Point, ...]


def torso_edges(figure: Figure, widen: float = 0.0, start: float = -1.0, end: float = 2.0) -> TorsoLine:
    """The torso's edges between two shares of the way from shoulders to hips, `widen` statures outside."""
    side, build = across(figure.spine), figure.build
    one, other = [], []
    for share, breadth, depth, forward in _SECTIONS:
        if not start <= share <= end:
            continue
        if share < 0.5:
            breadth *= build.chest
        elif share < 0.8:
            breadth *= build.waist
        else:
            breadth *= build.hips
        bust = 0.014 if figure.character.figure == "feminine" and share == 0.34 else 0.0
        belly = build.belly if 0.5 < share < 1.0 else 0.0
        half = figure.half_breadth(breadth + widen, depth + (bust + belly) / 2 + widen)
        # The bust and the belly are in front of the spine only.
        centre = figure.body_point(0.0, share, forward + (bust + belly) / 2)
        one.append(add(centre, side, half))
        other.append(add(centre, side, -half))
    return TorsoLine(tuple(one), tuple(other))


def torso_shapes(figure: Figure, widen: float = 0.0, start: float = -1.0, end: float = 0.95) -> list[Shape]:
    """The torso between two shares of the way from the shoulders to the hips, with the shoulders or the hips
    if it reaches them."""
    edges = torso_edges(figure, widen, start, end)
    one, other = list(edges.left_edge), list(edges.right_edge)
    outline = (*smooth_line(one, 5), *smooth_line(other[::-1], 5))
    shapes = [Shape(outline, "torso")]
    if start < 0.1:
        shapes.append(Shape(shoulder_outline(figure, widen), "torso"))
    if end > 0.9:
        shapes.append(Shape(pelvis_outline(figure, widen), "torso"))
    return shapes


def pelvis_outline(figure: Figure, widen: float = 0.0) -> Outline:
    """The hips, from the waist to where the legs begin."""
    edges = torso_edges(figure, widen, 0.7, 1.2)
    radius = figure.px(THIGH[0] * figure.build.limb + widen)
    right, left = figure.limb("right", "hip")[0], figure.limb("left", "hip")[0]
    return hull(
        (
            *edges.left_edge,
            *edges.right_edge,
            *tapered(right, right, (radius, radius)),
            *tapered(left, left, (radius, radius)),
        )
    )


def shoulder_outline(figure: Figure, widen: float = 0.0) -> Outline:
    """The slope from the neck to both shoulders."""
    radius = figure.px(0.024 * figure.build.limb + widen)
    right, left = figure.limb("right", "shoulder")[0], figure.limb("left", "shoulder")[0]
    neck = add(figure.chest, figure.spine, -figure.px(0.044 + widen * 0.6))
    half = figure.px(NECK * 1.25 * figure.build.limb + widen)
    side = across(figure.spine)
    outline = [point for end in (right, left) for point in tapered(end, end, (radius, radius))]
    lower = [add(end, figure.spine, figure.px(0.03)) for end in (right, left)]
    return hull((*outline, *lower, add(neck, side, half), add(neck, side, -half)))


def neck_shape(figure: Figure, head_base: Point) -> Shape:
    radius = figure.px(NECK * figure.build.limb)
    return Shape(
        tapered(
            add(figure.chest, figure.spine, figure.px(0.012)),
            head_base,
            (radius * 1.12, radius, radius * 0.98),
        ),
        "neck",
    )


def arm_shapes(figure: Figure, side: str, widen: float = 0.0, until: float = 2.0) -> list[Shape]:
    """Upper arm and forearm, `widen` statures fuller. `until` counts segments: 1 ends at the elbow."""
    shoulder, elbow, wrist = figure.limb(side, "shoulder", "elbow", "wrist")
    return _chain(
        figure,
        (shoulder, elbow, wrist),
        (UPPER_ARM, FOREARM),
        (f"{side}_upper_arm", f"{side}_forearm"),
        widen,
        until,
    )


def leg_shapes(figure: Figure, side: str, widen: float = 0.0, until: float = 2.0) -> list[Shape]:
    """Thigh and shank, `widen` statures fuller. `until` counts segments: 1 ends at the knee."""
    hip, knee, ankle = figure.limb(side, "hip", "knee", "ankle")
    return _chain(
        figure, (hip, knee, ankle), (THIGH, SHANK), (f"{side}_thigh", f"{side}_shank"), widen, until
    )


def _chain(
    figure: Figure,
    joints: Sequence[Point],
    widths: Sequence[Sequence[float]],
    limbs: Sequence[str],
    widen: float,
    until: float,
) -> list[Shape]:
    shapes = []
    for index, limb in enumerate(limbs):
        share = min(1.0, until - index)
        if share <= 0:
            break
        radii = [figure.px(width * figure.build.limb + widen) for width in widths[index]]
        start, end = joints[index], joints[index + 1]
        if share < 1:
            radii = [_at(radii, step / 3 * share) for step in range(4)]
            end = between(start, end, share)
        shapes.append(Shape(tapered(start, end, radii), limb))
    return shapes


def _at(values: Sequence[float], share: float) -> float:
    """The value at this share of the way through the list."""
    position = share * (len(values) - 1)
    index = min(int(position), len(values) - 2)
    return values[index] + (values[index + 1] - values[index]) * (position - index)


def limb_width(figure: Figure, part: str, along: float) -> float:
    """Half the width in pixels of "arm" or "leg" at this many segments from the shoulder or hip."""
    widths = ((UPPER_ARM, FOREARM), (THIGH, SHANK))[part == "leg"][min(int(along), 1)]
    return figure.px(_at(widths, along - min(int(along), 1)) * figure.build.limb)


def limb_point(figure: Figure, side: str, part: str, along: float) -> tuple[Point, Point]:
    """The point at this many segments from the shoulder or hip, and the direction of its segment."""
    names = (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))[part == "leg"]
    joints = figure.limb(side, *names)
    index = min(int(along), 1)
    start, end = joints[index], joints[index + 1]
    return between(start, end, along - index), unit_vector(start, end)


def hand_points(figure: Figure, side: str) -> tuple[Point, ...]:
    """The 21 keypoints of a hand: those given, else those of a relaxed one."""
    given = figure.hand_of(side)
    elbow, wrist = figure.limb(side, "elbow", "wrist")
    relaxed = _relaxed_hand(figure, side, unit_vector(elbow, wrist), wrist)
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


def _relaxed_hand(figure: Figure, side: str, along: Point, wrist: Point) -> tuple[Point, ...]:
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


@dataclass(frozen=True)
class Foot:
    """Where a foot is: the middle of its sole below the ankle, and its directions. `toe` has the length of
    the visible foot, in pixels, in front of the ankle; `heel` behind it."""

    ankle: Point
    down: Point
    ahead: Point
    toe: float
    heel: float
    spread: float


def foot_of(figure: Figure, side: str) -> Foot:
    knee, ankle = figure.limb(side, "knee", "ankle")
    down = unit_vector(knee, ankle)
    ahead = across(down)  # to the picture's right of a hanging leg
    if figure.sin > 0:
        ahead = (-ahead[0], -ahead[1])
    outward = 1.0 if side == "left" else -1.0
    # Feet point a little outwards: the turn of each foot is its own.
    visible = abs(figure.sin) if figure.near else 0.0
    return Foot(
        ankle, down, ahead, figure.px(0.118 * visible), figure.px(0.030 * visible), outward * figure.cos
    )


def foot_shapes(figure: Figure, side: str, widen: float = 0.0, sole: float = 0.0) -> list[Shape]:
    """A foot. `sole` is the thickness of a shoe's sole, in statures."""
    foot = foot_of(figure, side)
    px, limb = figure.px, f"{side}_foot"
    height = px(0.039 + sole)
    side_way = across(foot.down)
    if foot.toe > px(0.05):
        half = px(0.024 + widen)

        def at(x: float, y: float) -> Point:
            return add(add(foot.ankle, foot.ahead, x), foot.down, y)

        outline = smooth(
            (
                at(-half, -px(0.012)),
                at(-foot.heel - px(widen), height * 0.5),
                at(-foot.heel * 1.05 - px(widen), height),
                at(foot.toe * 0.3, height),
                at(foot.toe * 0.8, height + px(0.002)),
                at(foot.toe + px(widen), height * 0.94),
                at(foot.toe * 0.97 + px(widen), height * 0.62 - px(widen)),
                at(foot.toe * 0.6, height * 0.3 - px(widen)),
                at(half, -px(0.012)),
            )
        )
        return [Shape(outline, limb)]
    # Towards the viewer or away: seen from a little above, the toes are lower than the heel.
    away = figure.cos < 0
    length = px(0.030 if away else 0.050) + height * 0.45
    half, toes = px(0.022 + widen), px(0.033 + widen)
    lean = foot.spread * px(0.012)

    def down_at(x: float, y: float) -> Point:
        return add(add(foot.ankle, side_way, x), foot.down, y)

    outline = smooth(
        (
            down_at(-half, -px(0.014)),
            down_at(-half * 1.05, length * 0.3),
            down_at(-toes + lean, length * 0.72),
            down_at(-toes * 0.72 + lean * 1.2, length),
            down_at(toes * 0.72 + lean * 1.2, length),
            down_at(toes + lean, length * 0.72),
            down_at(half * 1.05, length * 0.3),
            down_at(half, -px(0.014)),
        )
    )
    return [Shape(outline, limb)]
