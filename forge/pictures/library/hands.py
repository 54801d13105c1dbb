"""The 21 points of a hand in three dimensions, in OpenPose's order (doc/02_output.md): the wrist, then four
per finger from the thumb on.

The hand is 0.108 of the stature long (Drillis and Contini, as in `pictures.body`). Half of that is the palm;
how the rest divides among the fingers is chosen by eye.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from ..body import Vector
from .vectors import FORWARD, UP, across, add, cross, dot, scaled, unit

HAND = 0.108
_PALM = 0.5 * HAND
_SEGMENTS = (0.22 * HAND, 0.16 * HAND, 0.12 * HAND)
# Distance of the roots of index, middle, ring and little finger from the middle of the palm, to the thumb's
# side, and their lengths as shares of the middle finger's.
_ROOTS = ((0.022, 0.92), (0.007, 1.0), (-0.008, 0.94), (-0.021, 0.78))


class Grip(Enum):
    """What a hand does: the bend of index, middle, ring and little finger at each joint, in degrees."""

    OPEN = (4.0, 4.0, 4.0, 4.0)
    RELAXED = (18.0, 24.0, 28.0, 30.0)
    FIST = (82.0, 84.0, 86.0, 86.0)
    POINT = (3.0, 80.0, 84.0, 86.0)


@dataclass(frozen=True)
class _Frame:
    """Directions of a hand: where fingers and palm point, and to which side the thumb is."""

    fingers: Vector
    palm: Vector
    thumb: Vector


def hand_points(
    wrist: Vector, fingers: Vector, palm: Vector | None, side: int, grip: Grip
) -> tuple[Vector, ...]:
    """The points of a hand at a wrist. `palm` None: towards the body, or down where the hand points to the
    side. `side` is +1 for the left hand and -1 for the right one."""
    frame = _frame(unit(fingers), palm, side)
    points = [wrist]
    curled = grip in (Grip.FIST, Grip.POINT)
    at = _placed(wrist, frame, (0.18 * HAND, 0.022, 0.004))
    points.append(at)
    for ahead, aside, inward in (
        ((0.8, 0.55, 0.2), (0.9, 0.1, 0.4), (0.8, -0.5, 0.5))
        if curled
        else (
            (0.75, 0.65, 0.15),
            (0.9, 0.4, 0.15),
            (0.95, 0.25, 0.15),
        )
    ):
        at = _placed(at, frame, _step(0.2 * HAND, ahead, aside, inward))
        points.append(at)
    for (root, share), bend in zip(_ROOTS, grip.value, strict=True):
        at = _placed(wrist, frame, (_PALM, root, 0.0))
        points.append(at)
        for number, length in enumerate(_SEGMENTS, 1):
            angle = math.radians(min(bend * number, 3 * 70.0))
            step = (length * share * math.cos(angle), 0.0, length * share * math.sin(angle))
            at = _placed(at, frame, step)
            points.append(at)
    return tuple(points)


def _step(length: float, ahead: float, aside: float, inward: float) -> Vector:
    """A step of this length in a direction of the hand."""
    return scaled(unit((ahead, aside, inward)), length)


def _frame(fingers: Vector, palm: Vector | None, side: int) -> _Frame:
    for wanted in (palm, (-float(side), 0.0, 0.0), (0.0, -1.0, 0.0), FORWARD, UP):
        if wanted is None:
            continue
        rest = across(wanted, fingers)
        if dot(rest, rest) > 0.05 * dot(wanted, wanted):
            normal = unit(rest)
            return _Frame(fingers, normal, scaled(cross(normal, fingers), side))
    raise ValueError("A hand needs a direction.")


def _placed(at: Vector, frame: _Frame, step: Vector) -> Vector:
    """`step` is along the fingers, to the thumb's side, and to the palm."""
    ahead, aside, inward = step
    moved = add(at, scaled(frame.fingers, ahead))
    return add(add(moved, scaled(frame.thumb, aside)), scaled(frame.palm, inward))
