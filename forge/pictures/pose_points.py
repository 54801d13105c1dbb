"""Reads the keypoints of one person as OpenPose, pose editors and extractors write them.

Sources: OpenPose, doc/02_output.md (flat lists of x, y, confidence; 18 or 25 of them), the POSE_KEYPOINT of
ComfyUI and comfyui_controlnet_aux (the same, also nested), the OpenPose editors for ControlNet (x, y alone).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .skeleton import KEYPOINT_NAMES

# Keypoints may be outside of the canvas, but a number beyond this is an error or an attack.
MAX_COORDINATE = 1_000_000.0

# Length of a list -> index of each of the 18 keypoints in it. BODY_25 has the middle of the hips at index 8,
# and the feet after index 18.
LAYOUTS: dict[int, tuple[int, ...]] = {
    18: tuple(range(18)),
    25: (*range(8), *range(9, 19)),
}

#: Names of the list of a person's keypoints; the second is that of OpenPose before 1.1.
BODY_KEYS = ("pose_keypoints_2d", "pose_keypoints", "keypoints")
_CONFIDENCE_KEYS = ("confidence", "score", "c", "visibility", "v")
_BODY_FORMAT = (
    '"pose_keypoints_2d" is a list of x, y, confidence for 18 (COCO with neck) or 25 (BODY_25) keypoints: '
    "54 or 75 numbers."
)
# Coordinates of a missing keypoint in formats without confidence.
_ABSENT = ((0.0, 0.0), (-1.0, -1.0))

Point = tuple[float, float]
Body = tuple[Point | None, ...]
NO_BODY: Body = (None,) * len(KEYPOINT_NAMES)


class InvalidPose(ValueError):
    """The document is not a pose that can be drawn; the message is a sentence for its author."""


def read_person(person: Any, sure: float) -> Body:
    """The 18 points of one of the `people`, unscaled; all None if it is empty or has only hands or a face.

    A keypoint with a confidence of 0 or below `sure` is None.
    """
    if person is None or person in ({}, []):
        return NO_BODY
    if not isinstance(person, dict):
        raise InvalidPose('Each of the "people" of a pose is an object with "pose_keypoints_2d".')
    given = [key for key in BODY_KEYS if person.get(key)]
    if len(given) > 1:
        raise InvalidPose(f'One of the people has keypoints twice, as "{given[0]}" and as "{given[1]}".')
    if given:
        return read_body(person[given[0]], sure)
    if person.get("pose_keypoints_3d"):
        raise InvalidPose(
            'One of the people has "pose_keypoints_3d" only, and keypoints in three dimensions are not read; '
            'write "pose_keypoints_2d".'
        )
    if not any("keypoints" in key for key in person):
        raise InvalidPose('One of the "people" of the pose has no list "pose_keypoints_2d".')
    return NO_BODY


def read_body(keypoints: Any, sure: float) -> Body:
    """The 18 points of a list of keypoints, given as numbers, or as one list or object per keypoint."""
    points = read_points(keypoints, LAYOUTS, sure, _BODY_FORMAT)
    return tuple(points[index] for index in LAYOUTS[len(points)]) if points else NO_BODY


def read_points(keypoints: Any, counts: Collection[int], sure: float, wanted: str) -> list[Point | None]:
    """The points of a list of keypoints, given as numbers, or as one list or object per keypoint; empty if it
    is null, empty or all null.

    `counts` are the numbers of keypoints that it may have. `wanted` is a sentence that describes the list,
    for the InvalidPose that this raises for another list.
    """
    if keypoints is None or keypoints == []:
        return []
    if not isinstance(keypoints, list):
        raise InvalidPose(wanted)
    if any(isinstance(item, list | dict) for item in keypoints):
        points = [_nested(item, sure) for item in keypoints]
    elif len(keypoints) in {3 * count for count in counts}:
        triples = zip(keypoints[0::3], keypoints[1::3], keypoints[2::3], strict=True)
        points = [_point(x, y, confidence, sure) for x, y, confidence in triples]
    elif len(keypoints) in {2 * count for count in counts}:
        points = [_pair(x, y) for x, y in zip(keypoints[0::2], keypoints[1::2], strict=True)]
    elif len(keypoints) in counts and not any(keypoints):
        return []  # null for each keypoint
    else:
        raise InvalidPose(f"{wanted} It has {len(keypoints)} numbers.")
    if len(points) not in counts:
        raise InvalidPose(f"{wanted} It has {len(points)} keypoints.")
    return points


def _nested(item: Any, sure: float) -> Point | None:
    if item is None or item == []:
        return None
    if isinstance(item, dict) and ("name" in item or "part" in item):
        raise InvalidPose(
            "The keypoints of the pose are named, and names are not read; write them as numbers in "
            "OpenPose's order."
        )
    if isinstance(item, dict) and "x" in item and "y" in item:
        given = [item[key] for key in _CONFIDENCE_KEYS if key in item]
        return _point(item["x"], item["y"], given[0], sure) if given else _pair(item["x"], item["y"])
    if isinstance(item, list) and len(item) == 3:
        return _point(item[0], item[1], item[2], sure)
    if isinstance(item, list) and len(item) == 2:
        return _pair(item[0], item[1])
    raise InvalidPose("A keypoint of the pose is neither x and y, nor x, y and confidence.")


def _point(x: Any, y: Any, confidence: Any, sure: float) -> Point | None:
    if x is None and y is None:
        return None
    point, certainty = (_number(x), _number(y)), _number(confidence)
    return point if certainty > 0 and certainty >= sure else None


def _pair(x: Any, y: Any) -> Point | None:
    if x is None and y is None:
        return None
    point = (_number(x), _number(y))
    return None if point in _ABSENT else point


def _number(value: Any) -> float:
    # In Python a bool is an int; here it is invalid.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidPose("The keypoints of a pose hold numbers only.")
    # Compare before converting: an int may be too large for a float. NaN fails the comparison too.
    if not -MAX_COORDINATE <= value <= MAX_COORDINATE:
        raise InvalidPose(
            f"A number in the pose's keypoints is outside of -{MAX_COORDINATE:.0f}..{MAX_COORDINATE:.0f}."
        )
    return float(value)
