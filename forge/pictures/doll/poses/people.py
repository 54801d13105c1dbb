"""Turns poses into people in the pixels of a picture, and into the keypoints that ComfyUI's nodes exchange.

Pixels are rounded to six decimals, so that people stay exactly the same from one node to the next.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ...openpose_json import PoseDocument, parse_pose
from ...pose_details import FACE_COUNTS, HAND_COUNT, NO_DETAILS, Details
from ...skeleton import KEYPOINT_NAMES, Keypoint, Skeleton
from .person import Person, Point

_DECIMALS = 6
# POSE_KEYPOINT has lists of full length also for a hand or face that is not there.
_NO_HAND: tuple[None, ...] = (None,) * HAND_COUNT
_NO_FACE: tuple[None, ...] = (None,) * FACE_COUNTS[-1]


@dataclass(frozen=True)
class KeypointFrame:
    """The people of one frame in pixels, and the frame's size in pixels."""

    people: tuple[Person, ...]
    width: int
    height: int


@dataclass(frozen=True)
class _Placement:
    """Where a canvas lies in a picture, in pixels."""

    left: float
    top: float
    width: float
    height: float

    def pixels(self, point: Keypoint) -> Point:
        return (
            round(self.left + point.x * self.width, _DECIMALS),
            round(self.top + point.y * self.height, _DECIMALS),
        )

    def all_pixels(self, points: Sequence[Keypoint | None] | None) -> tuple[Point | None, ...] | None:
        if points is None:
            return None
        return tuple(None if point is None else self.pixels(point) for point in points)


def people_in(document: PoseDocument, width: int, height: int) -> tuple[Person, ...]:
    """The people of a pose in a picture of `width` by `height` pixels, at the places where
    `openpose_json.draw_pose` draws them: the canvas is fitted into the centre without distortion.

    Raises ValueError for a size below one pixel.
    """
    details = document.details or (NO_DETAILS,) * len(document.people)
    return tuple(
        _person(skeleton, detail, _fit(skeleton.aspect, width, height, vertical=0.5))
        for skeleton, detail in zip(document.people, details, strict=True)
    )


def person_of(skeleton: Skeleton, width: int, height: int) -> Person:
    """The person of a built-in skeleton, at the place where `skeleton.draw_skeleton` draws it: centred, at
    the bottom edge.

    Raises ValueError for a size below one pixel.
    """
    return _person(skeleton, NO_DETAILS, _fit(skeleton.aspect, width, height, vertical=1.0))


def to_keypoints(people: Iterable[Person], width: int, height: int) -> dict[str, Any]:
    """One frame of a POSE_KEYPOINT: `people`, `canvas_width` and `canvas_height`. Coordinates are in pixels
    and confidences are 1, or 0 for keypoints that are not there."""
    return {
        "people": [
            {
                "pose_keypoints_2d": _flat(person.body.get(name) for name in KEYPOINT_NAMES),
                "face_keypoints_2d": _flat(person.face or _NO_FACE),
                "hand_left_keypoints_2d": _flat(person.left_hand or _NO_HAND),
                "hand_right_keypoints_2d": _flat(person.right_hand or _NO_HAND),
            }
            for person in people
        ],
        "canvas_width": width,
        "canvas_height": height,
    }


def people_from_keypoints(frame: Any) -> KeypointFrame:
    """The people of one frame of a POSE_KEYPOINT, or of a list of frames the first that shows somebody.

    Raises InvalidPose and NobodyVisible as `openpose_json.parse_pose` does.
    """
    document = parse_pose(json.dumps(frame).encode())
    return KeypointFrame(
        people_in(document, document.width, document.height), document.width, document.height
    )


def _fit(aspect: float, width: int, height: int, vertical: float) -> _Placement:
    if width < 1 or height < 1:
        raise ValueError(f"A picture is at least 1x1 pixels, not {width}x{height}.")
    fitted = min(height, width / aspect)
    return _Placement((width - fitted * aspect) / 2, (height - fitted) * vertical, fitted * aspect, fitted)


def _person(skeleton: Skeleton, details: Details, place: _Placement) -> Person:
    return Person(
        {
            name: place.pixels(point)
            for name, point in zip(KEYPOINT_NAMES, skeleton.keypoints, strict=True)
            if point is not None
        },
        place.all_pixels(details.left_hand),
        place.all_pixels(details.right_hand),
        place.all_pixels(details.face),
    )


def _flat(points: Iterable[Point | None]) -> list[float]:
    numbers: list[float] = []
    for point in points:
        numbers += (0.0, 0.0, 0.0) if point is None else (point[0], point[1], 1.0)
    return numbers
