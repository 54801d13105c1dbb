"""Round things around a head: rings, what spans two of them, and openings for the face.

Lengths are statures for a head that is not enlarged. Everything is seen a little from above, so that a brim
is an ellipse.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..character.character import Worn
from ..character.description import Colour
from ..figure.head import Head
from ..figure.physique import Figure
from ..painting.geometry import Outline, add, hull
from ..painting.layers import Layer, Patch, Shape, Stroke
from ..poses.person import Point

#: How far a point that is nearer to the viewer by one stature is lower in the picture.
_PITCH = 0.2
_STEP = 7.5


@dataclass(frozen=True)
class Ring:
    """An ellipse around the axis of a head: half breadth, half depth and height. Its centre is `forward` in
    front of the axis and `aside` to the person's left. Its front is higher by `rise` per stature, and both of
    its sides are higher by `curl`."""

    breadth: float
    depth: float
    height: float
    forward: float = 0.0
    aside: float = 0.0
    rise: float = 0.0
    curl: float = 0.0


def seen(head: Head, x: float, y: float, z: float) -> Point:
    """A point of the head's space: to the person's left, up and forward."""
    size, figure = head.enlarged, head.figure
    nearer = x * figure.sin + z * figure.cos
    return head.flat((x * figure.cos - z * figure.sin) * size, (y - _PITCH * nearer) * size)


def on_ring(head: Head, ring: Ring, azimuth: float) -> Point:
    """The ring's point at an azimuth in degrees from straight ahead to the person's left."""
    sine, cosine = math.sin(math.radians(azimuth)), math.cos(math.radians(azimuth))
    z = ring.depth * cosine
    height = ring.height + ring.rise * z + ring.curl * sine * sine
    return seen(head, ring.aside + ring.breadth * sine, height, ring.forward + z)


def arc(head: Head, ring: Ring, start: float, end: float) -> list[Point]:
    count = max(2, math.ceil((end - start) / _STEP))
    return [on_ring(head, ring, start + (end - start) * step / count) for step in range(count + 1)]


def disc(head: Head, ring: Ring) -> Outline:
    return tuple(arc(head, ring, -180.0, 180.0)[:-1])


def stack(head: Head, rings: Sequence[Ring]) -> list[Shape]:
    """The solid that joins the rings in their order."""
    discs = [disc(head, ring) for ring in rings]
    return [Shape(hull((*lower, *upper)), "head") for lower, upper in pairwise(discs)]


def visible(head: Head, centre: float = 0.0, half: float = 180.0) -> tuple[float, float] | None:
    """What the viewer sees of the azimuths within `half` degrees of `centre`; None if nothing. More than half
    of a ring is seen as the half that is nearest."""
    turn = head.figure.turn
    around = turn + (centre - turn + 180.0) % 360.0 - 180.0
    if half >= 180.0:
        return (turn - 90.0, turn + 90.0)
    start, end = max(around - half, turn - 90.0), min(around + half, turn + 90.0)
    return (start, end) if end - start > 4.0 else None


def facing(head: Head, azimuth: float) -> float:
    """How much this side of the head points to the viewer: 1 straight, below 0 away."""
    return math.cos(math.radians(azimuth - head.figure.turn))


def band(head: Head, lower: Ring, upper: Ring, centre: float = 0.0, half: float = 180.0) -> Outline | None:
    """The visible surface between two rings, within `half` degrees of `centre`."""
    seen_part = visible(head, centre, half)
    if seen_part is None:
        return None
    return (*arc(head, lower, *seen_part), *arc(head, upper, *seen_part)[::-1])


def opening(head: Head, edge: Sequence[tuple[float, float]], swell: float) -> Outline | None:
    """The area of the face that a hood or helmet leaves open; None if it is turned away. `edge` has azimuths
    and heights, from the middle of the forehead down the person's left side. Where the edge is turned away,
    the area goes on beyond the outline of the head."""
    left = _edge_points(head, edge, 1.0, swell)
    right = _edge_points(head, edge, -1.0, swell)
    # Turned away but for a sliver.
    if max(facing(head, sign * azimuth) for azimuth, _ in edge for sign in (1.0, -1.0)) < 0.26:
        return None
    return (*right[::-1], *left)


def _edge_points(head: Head, edge: Sequence[tuple[float, float]], sign: float, swell: float) -> list[Point]:
    points = []
    beyond = 0.0
    for azimuth, y in edge:
        offset = (sign * azimuth - head.figure.turn + 180.0) % 360.0 - 180.0
        # On the far side, what follows a hidden point is hidden too.
        if sign * offset > 82.0:
            beyond = sign * 1.8
        sine = math.sin(math.radians(offset)) if abs(offset) <= 82.0 else math.copysign(1.8, offset)
        sine = beyond or sine
        points.append(head.flat(sine * 0.0505 * swell * head.enlarged, y * head.enlarged))
    return points


def body_disc(figure: Figure, breadth: float, depth: float, down: float, forward: float = 0.0) -> Outline:
    """A level ellipse around the torso, `down` as in `Figure.body_point`. Its first point is the farthest."""
    points = []
    for step in range(48):
        angle = math.radians(figure.turn + 180.0 + 7.5 * step)
        x, z = breadth * math.sin(angle), forward + depth * math.cos(angle)
        lower = figure.px(_PITCH * (x * figure.sin + z * figure.cos))
        points.append(add(figure.body_point(x, down, z), figure.spine, lower))
    return tuple(points)


def covered(
    part: str, colour: Colour, accent: Colour, outlines: Sequence[Outline], depth: float = 0.0
) -> Layer:
    """A thing in the second colour of its part: its layer has the main colour, and patches cover it."""
    return Layer(
        part,
        colour,
        [Shape(outline, "head") for outline in outlines],
        depth=depth,
        patches=tuple(Patch(outline, accent) for outline in outlines),
    )


def headwear_layer(
    head: Head,
    worn: Worn,
    shapes: Sequence[Shape],
    *,
    depth: float = 0.007,
    patches: Sequence[Patch | None] = (),
    strokes: Sequence[Stroke] = (),
) -> Layer:
    return Layer(
        "head",
        worn.colour,
        shapes,
        depth=head.unit * depth,
        patches=tuple(patch for patch in patches if patch),
        strokes=strokes,
        material=worn.material,
    )
