"""The 70 points of a face in three dimensions, in OpenPose's order (doc/02_output.md): 17 of the outline, 10
of the brows, 9 of the nose, 12 of the eyes, 20 of the mouth, and the pupils. "Right" is the person's right,
which comes first.

Points are measured from where the head turns (`rig.NECK` above the neck), in statures. Eyes, ears and nose
are where the body has them; the rest is chosen by eye.
"""

from __future__ import annotations

import math

from ..body import Vector
from .rig import HEAD_POINTS

_CHIN_UP, _CHIN_FORWARD = 0.022, 0.064


def _outline() -> list[Vector]:
    points = []
    for number in range(17):
        part = (number - 8) / 8  # -1 at the right ear, 0 at the chin
        points.append(
            (
                0.043 * math.sin(part * math.pi / 2),
                _CHIN_UP + 0.062 * abs(part) ** 2.2,
                _CHIN_FORWARD - 0.05 * abs(part) ** 1.6,
            )
        )
    return points


def _mirrored(points: list[Vector]) -> list[Vector]:
    """The same on the other side, in the opposite order."""
    return [(-x, y, z) for x, y, z in reversed(points)]


def _brows() -> list[Vector]:
    right = [
        (-0.033, 0.096, 0.046),
        (-0.028, 0.101, 0.053),
        (-0.022, 0.103, 0.058),
        (-0.015, 0.102, 0.062),
        (-0.009, 0.099, 0.064),
    ]
    return right + _mirrored(right)


def _nose() -> list[Vector]:
    _, height, forward = HEAD_POINTS["nose"]
    bridge = [
        (0.0, height + (3 - number) / 3 * 0.028, forward - (3 - number) / 3 * 0.011) for number in range(4)
    ]
    return bridge + [
        (x, height - 0.006 + y, forward - 0.007 - abs(x) * 0.6)
        for x, y in ((-0.012, 0.002), (-0.006, 0.0), (0.0, -0.001), (0.006, 0.0), (0.012, 0.002))
    ]


def _eye(side: int) -> list[Vector]:
    x, y, z = HEAD_POINTS["left_eye" if side > 0 else "right_eye"]
    # From the corner on the picture's left, over the upper lid, and back along the lower one.
    steps = ((-0.009, 0.0), (-0.003, 0.004), (0.003, 0.004), (0.009, 0.0), (0.003, -0.003), (-0.003, -0.003))
    return [(x + dx, y + dy, z - 0.6 * side * dx * 0.5) for dx, dy in steps]


def _mouth() -> list[Vector]:
    def lip(width: float, heights: tuple[float, ...]) -> list[Vector]:
        last = len(heights) - 1
        return [
            (
                width * (2 * at / last - 1),
                0.040 + height,
                0.067 - 0.012 * abs(2 * at / last - 1) ** 2,
            )
            for at, height in enumerate(heights)
        ]

    upper = lip(0.016, (0.0, 0.004, 0.006, 0.005, 0.006, 0.004, 0.0))
    lower = lip(0.016, (0.0, -0.004, -0.006, -0.007, -0.006, -0.004, 0.0))
    inner_upper = lip(0.013, (0.0, 0.001, 0.001, 0.001, 0.0))
    inner_lower = lip(0.013, (0.0, -0.001, -0.001, -0.001, 0.0))
    return [*upper, *lower[-2:0:-1], *inner_upper, *inner_lower[-2:0:-1]]


FACE_POINTS: tuple[Vector, ...] = (
    *_outline(),
    *_brows(),
    *_nose(),
    *_eye(-1),
    *_eye(1),
    *_mouth(),
    HEAD_POINTS["right_eye"],
    HEAD_POINTS["left_eye"],
)


def _swap() -> tuple[int, ...]:
    pairs = [(number, 16 - number) for number in range(8)]  # the outline
    pairs += [(17 + number, 26 - number) for number in range(5)]  # the brows
    pairs += [(31, 35), (32, 34)]  # the nostrils
    pairs += [(36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)]  # the eyes
    pairs += [(48, 54), (49, 53), (50, 52), (55, 59), (56, 58)]  # the lips outside
    pairs += [(60, 64), (61, 63), (65, 67), (68, 69)]  # the lips inside, and the pupils
    order = list(range(70))
    for first, second in pairs:
        order[first], order[second] = second, first
    return tuple(order)


#: Which point of a face takes the place of each one in its mirror image.
FACE_SWAP = _swap()
