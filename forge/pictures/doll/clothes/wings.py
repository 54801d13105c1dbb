"""A pair of feathered wings on the back. Lengths are statures."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..character.character import Worn
from ..figure.physique import Figure
from ..painting.detail import Details
from ..painting.geometry import Outline, across, add, between, smooth, smooth_line, unit_vector
from ..painting.layers import Layer, Patch, Shape, Stroke
from ..poses.person import Point

#: A wing's plane points outwards and back.
_OUT, _BACK = 0.80, 0.60
_NARROWEST = 0.26
#: The bone from the back to the tip, outwards and up.
_BONE = ((0.0, 0.0), (0.055, 0.085), (0.135, 0.160), (0.215, 0.178), (0.280, 0.140))
#: Tips of the feathers of each row, from the outermost inwards.
_LONG = (
    (0.345, 0.030),
    (0.345, -0.070),
    (0.322, -0.160),
    (0.285, -0.232),
    (0.238, -0.278),
    (0.188, -0.292),
    (0.138, -0.272),
    (0.092, -0.222),
    (0.052, -0.150),
)
_SHORT = (
    (0.300, 0.010),
    (0.272, -0.060),
    (0.232, -0.108),
    (0.186, -0.128),
    (0.138, -0.118),
    (0.092, -0.092),
    (0.050, -0.060),
)


def wings(figure: Figure, worn: Worn, details: Details) -> list[Layer]:
    """Both wings, the one that is further away first."""
    order = ("right", "left") if figure.near != "right" else ("left", "right")
    return [layer for side in order for layer in _wing(figure, worn, details, side)]


def _wing(figure: Figure, worn: Worn, details: Details, side: str) -> list[Layer]:
    sign = 1.0 if side == "left" else -1.0
    outwards = sign * _OUT * figure.cos + _BACK * figure.sin
    outwards = math.copysign(max(_NARROWEST, abs(outwards)), outwards or sign)
    root = figure.body_point(sign * 0.028, 0.18, -0.048)
    up = (-figure.spine[0], -figure.spine[1])
    right = (-up[1], up[0])

    def at(point: Point) -> Point:
        return add(add(root, right, figure.px(point[0] * outwards * 0.88)), up, figure.px(point[1]))

    bone = smooth_line(_BONE, 6)
    layers = []
    for row, (tips, half) in enumerate(((_LONG, 0.0260), (_SHORT, 0.0240))):
        count = len(tips)
        for index, tip in enumerate(tips):
            start = bone[round((1.0 - (index + 0.2) / count) * (len(bone) - 1))]
            drift = details.number(f"feather {side} {row} {index}", -0.006, 0.006)
            layers.append(
                _feather(figure, worn, at, (start, (tip[0] + drift, tip[1])), half, tipped=row == 0)
            )
    edge = [
        add(point, (0.35, -1.0), 0.026 + 0.030 * math.sin(math.pi * i / (len(bone) - 1)))
        for i, point in enumerate(bone)
    ]
    top = [add(point, (-0.3, 1.0), 0.010) for point in bone]
    arm = smooth([at(point) for point in (*top[::3], *edge[::-3])], 4)
    layers.append(_layer(figure, worn, arm, 0.006))
    return layers


def _layer(
    figure: Figure,
    worn: Worn,
    outline: Outline,
    depth: float,
    patches: tuple[Patch, ...] = (),
    strokes: tuple[Stroke, ...] = (),
) -> Layer:
    return Layer(
        "cape",
        worn.colour,
        [Shape(outline)],
        depth=figure.px(depth),
        patches=patches,
        strokes=strokes,
        material=worn.material,
    )


def _feather(
    figure: Figure,
    worn: Worn,
    at: Callable[[Point], Point],
    ends: tuple[Point, Point],
    half: float,
    *,
    tipped: bool,
) -> Layer:
    """A feather with its shaft; `tipped` in the second colour."""
    start, tip = ends
    side = across(unit_vector(start, tip))

    def beside(share: float, width: float) -> Point:
        return at(add(between(start, tip, share), side, width * half))

    one = [beside(share, width) for share, width in ((0.0, 0.5), (0.4, 0.95), (0.78, 1.0), (0.94, 0.6))]
    other = [beside(share, -width) for share, width in ((0.94, 0.6), (0.78, 1.0), (0.4, 0.95), (0.0, 0.5))]
    outline = smooth_line([*one, at(tip), *other], 3)
    dip = [beside(0.86, 1.3), beside(0.80, 0.0), beside(0.86, -1.3), beside(1.1, -1.3), beside(1.1, 1.3)]
    patches = (Patch(tuple(dip), worn.accent),) if tipped else ()
    shaft = Stroke(
        (at(between(start, tip, 0.3)), at(between(start, tip, 0.92))), figure.px(0.0016), shade=True
    )
    return _layer(figure, worn, outline, 0.004, patches, (shaft,))
