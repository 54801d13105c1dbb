"""Hands and face of one person in a pose in JSON, beside the 18 keypoints of the body.

Skeletons are drawn without them, so for a long time nothing checked them. A stored pose may therefore have a
hand or face that cannot be read. It is left out, with a sentence that says so, instead of being refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .pose_points import InvalidPose, Point, read_points
from .skeleton import Keypoint

HAND_COUNT = 21
FACE_COUNTS = (68, 70)
# A point may be outside of the canvas by up to this many times its size.
MAX_OUTSIDE = 10.0

_HAND_FORMAT = f"A hand is a list of x, y, confidence for {HAND_COUNT} keypoints: {3 * HAND_COUNT} numbers."
_FACE_FORMAT = "A face is a list of x, y, confidence for 68 or 70 keypoints: 204 or 210 numbers."

Keypoints = tuple[Keypoint | None, ...]


@dataclass(frozen=True)
class Details:
    """Hands of 21 keypoints and a face of 68 or 70, in OpenPose's order (doc/02_output.md), as fractions of
    the canvas; None for a hand or face of which nothing is visible."""

    left_hand: Keypoints | None = None
    right_hand: Keypoints | None = None
    face: Keypoints | None = None


@dataclass(frozen=True)
class _Part:
    """`keys` are the names of its list; the second is that of OpenPose before 1.1."""

    field: str
    keys: tuple[str, str]
    counts: tuple[int, ...]
    wanted: str


_PARTS = (
    _Part("left_hand", ("hand_left_keypoints_2d", "hand_left_keypoints"), (HAND_COUNT,), _HAND_FORMAT),
    _Part("right_hand", ("hand_right_keypoints_2d", "hand_right_keypoints"), (HAND_COUNT,), _HAND_FORMAT),
    _Part("face", ("face_keypoints_2d", "face_keypoints"), FACE_COUNTS, _FACE_FORMAT),
)
NO_DETAILS = Details()


def read_details(
    person: Any, size: tuple[int, int], sure: float, max_fraction: float
) -> tuple[Details, list[str]]:
    """(hands and face of one of the `people`, a sentence for each that is left out because it cannot be
    read).

    `size` is that of the canvas in pixels. A hand or face in which no number is above `max_fraction` is in
    fractions of the canvas, any other in pixels; programs mix both. Keypoints with a confidence of 0 or below
    `sure` are None.
    """
    if not isinstance(person, dict):
        return NO_DETAILS, []
    found: dict[str, Keypoints | None] = {}
    left_out: list[str] = []
    for part in _PARTS:
        key = next((key for key in part.keys if person.get(key)), None)
        if key is None:
            continue
        try:
            points = read_points(person[key], part.counts, sure, part.wanted)
            found[part.field] = _fractions(points, size, max_fraction)
        except InvalidPose as error:
            left_out.append(f'"{key}" cannot be read and was left out. {error}')
    return Details(**found), left_out


def seen_from_behind(details: Details) -> Details:
    """The hands mirrored, each with its name, and no face."""
    return Details(_mirrored(details.left_hand), _mirrored(details.right_hand))


def _mirrored(points: Keypoints | None) -> Keypoints | None:
    if points is None:
        return None
    return tuple(None if point is None else Keypoint(1.0 - point.x, point.y) for point in points)


def _fractions(points: list[Point | None], size: tuple[int, int], max_fraction: float) -> Keypoints | None:
    """The points as fractions of the canvas, or None if none of them is visible."""
    visible = [point for point in points if point is not None]
    if not visible:
        return None
    in_pixels = any(max(abs(x), abs(y)) > max_fraction for x, y in visible)
    width, height = size if in_pixels else (1, 1)
    if any(max(abs(x) / width, abs(y) / height) > MAX_OUTSIDE for x, y in visible):
        raise InvalidPose("It has keypoints far outside of the canvas.")
    return tuple(None if point is None else Keypoint(point[0] / width, point[1] / height) for point in points)
