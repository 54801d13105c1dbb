"""Measures of the standing body, and which way a person is upright in a picture.

Points of a picture are complex numbers here: x to the right, y down. `up` is a complex number of length 1
that points from the hips to the neck; `up * 1j` then points to the right of the upright person's picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from ...body import HALF_HIPS, HALF_SHOULDERS, Vector, standing_body
from .person import Point

STANDING: Mapping[str, Vector] = standing_body()

HEAD = ("nose", "right_eye", "left_eye", "right_ear", "left_ear")
SIDES = ("right", "left")
#: Segments that hang from one another, upper end first.
SEGMENTS: tuple[tuple[str, str], ...] = tuple(
    (f"{side}_{upper}", f"{side}_{lower}")
    for side in SIDES
    for upper, lower in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
)
SHOULDERS = 2 * HALF_SHOULDERS
HIPS = 2 * HALF_HIPS
STRAIGHT_UP = -1j
#: Pixels. No picture is so large, and the square of a much larger number overflows.
FAR = 1e7


def length(first: str, second: str) -> float:
    """Distance of two joints of the standing body in three dimensions, in statures."""
    return math.dist(STANDING[first], STANDING[second])


TORSO = math.dist(
    STANDING["neck"],
    [(left + right) / 2 for left, right in zip(STANDING["left_hip"], STANDING["right_hip"], strict=True)],
)
HEAD_HEIGHT = sum(STANDING[name][1] for name in HEAD) / len(HEAD) - STANDING["neck"][1]


def as_complex(body: Mapping[str, Point]) -> dict[str, complex]:
    """The joints as complex numbers, without those that are too far away to compute with."""
    return {name: complex(x, y) for name, (x, y) in body.items() if abs(x) < FAR and abs(y) < FAR}


def mean(points: Iterable[complex]) -> complex | None:
    """The mean point, or None without points."""
    given = list(points)
    return sum(given) / len(given) if given else None


def middle(points: Mapping[str, complex], part: str) -> complex | None:
    """The point between the two joints of a part such as "hip", or None unless both are given."""
    right, left = points.get(f"right_{part}"), points.get(f"left_{part}")
    return None if right is None or left is None else (right + left) / 2


def base_of_neck(points: Mapping[str, complex]) -> complex | None:
    """The neck, or the point between the shoulders."""
    return points["neck"] if "neck" in points else middle(points, "shoulder")


def hip_centre(points: Mapping[str, complex]) -> complex | None:
    """The point between the hips. With one hip it is estimated: hips and shoulders are about parallel."""
    centre = middle(points, "hip")
    if centre is not None:
        return centre
    for side, other in (SIDES, SIDES[::-1]):
        hip, shoulder = points.get(f"{side}_hip"), points.get(f"{side}_shoulder")
        if hip is None:
            continue
        if shoulder is not None and f"{other}_shoulder" in points:
            return hip + (points[f"{other}_shoulder"] - shoulder) * (HIPS / SHOULDERS / 2)
        if shoulder is not None and "neck" in points:
            return hip + (points["neck"] - shoulder) * (HIPS / SHOULDERS)
        return hip
    return None


def up_of(points: Mapping[str, complex]) -> complex:
    """The direction from the hips to the neck, estimated from whatever is given; straight up if unknown.

    Head and legs may be turned and bent against the torso, so without a torso they decide only whether the
    person is upright, lies or stands upside down.
    """
    neck, hips = base_of_neck(points), hip_centre(points)
    torso = _direction(neck, hips)
    if torso is not None:
        return torso
    head = mean(points[name] for name in HEAD if name in points)
    eyes = mean(points[name] for name in HEAD[1:] if name in points)
    legs = mean(points[name] for name in points if name.endswith(("knee", "ankle")))
    for upper, lower, tolerance in ((head, neck, 45.0), (hips, legs, 60.0), (eyes, points.get("nose"), 75.0)):
        direction = _direction(upper, lower)
        if direction is not None:
            tilt = math.degrees(math.acos(max(-1.0, min(1.0, -direction.imag))))
            return STRAIGHT_UP if tilt <= tolerance else direction
    return STRAIGHT_UP


def _direction(upper: complex | None, lower: complex | None) -> complex | None:
    if upper is None or lower is None:
        return None
    distance = abs(upper - lower)
    # Below this, rounding decides the direction.
    return (upper - lower) / distance if distance > 1e-3 else None


def upright(point: complex, up: complex) -> tuple[float, float]:
    """(to the right, up) of a vector of the picture, for the upright person."""
    turned = point / up
    return turned.imag, turned.real


def stature_of(points: Mapping[str, complex], *, wide: bool = True) -> float | None:
    """Pixels per stature, or None if no segment of the body is given.

    A segment may look shorter than it is, but never longer. So this takes nearly the largest of the ratios
    between the segments in the picture and those of the standing body; not the largest, because stylised
    figures have a part that is larger than usual. `wide` says whether the breadths of shoulders and hips are
    among them.
    """
    ratios = [_ratio(points, upper, lower, length(upper, lower)) for upper, lower in SEGMENTS]
    for (upper, joint), (_, lower) in zip(SEGMENTS[::2], SEGMENTS[1::2], strict=True):
        if joint not in points:
            ratios.append(_ratio(points, upper, lower, length(upper, joint) + length(joint, lower)))
    neck, hips = base_of_neck(points), hip_centre(points)
    if neck is not None and hips is not None:
        ratios += [abs(neck - hips) / TORSO] * 2
    if wide:
        ratios += [
            _ratio(points, "right_shoulder", "left_shoulder", SHOULDERS),
            _ratio(points, "right_hip", "left_hip", HIPS),
        ]
        if middle(points, "shoulder") is None:
            ratios += [_ratio(points, "neck", f"{side}_shoulder", SHOULDERS / 2) for side in SIDES]
    head = mean(points[name] for name in HEAD if name in points)
    if neck is not None and head is not None:
        ratios.append(abs(head - neck) / (HEAD_HEIGHT * 1.1))
    found = sorted((ratio for ratio in ratios if ratio is not None and ratio > 1.0), reverse=True)
    if not found:
        return _from_face(points)
    at = 0.2 * (len(found) - 1)
    low = int(at)
    high = min(low + 1, len(found) - 1)
    return found[low] + (found[high] - found[low]) * (at - low)


def _ratio(points: Mapping[str, complex], first: str, second: str, standing: float) -> float | None:
    if first not in points or second not in points:
        return None
    return abs(points[first] - points[second]) / standing


def _from_face(points: Mapping[str, complex]) -> float | None:
    """Pixels per stature from the distances within the face."""
    given = [name for name in HEAD if name in points]
    ratios = [
        abs(points[first] - points[second]) / length(first, second)
        for at, first in enumerate(given)
        for second in given[at + 1 :]
    ]
    largest = max(ratios, default=0.0)
    return largest if largest > 1.0 else None
