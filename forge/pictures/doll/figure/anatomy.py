"""The outlines of the body below the head: torso and limbs.

Half widths are fractions of stature. They follow the breadths of Drillis and Contini as `pictures.body` does,
with limbs a little fuller, as drawn figures have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..painting.geometry import (
    Outline,
    across,
    add,
    between,
    hull,
    smooth_line,
    tapered,
    unit_vector,
)
from ..painting.layers import Shape
from ..poses.person import Point
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
