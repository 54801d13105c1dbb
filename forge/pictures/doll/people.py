"""Stand-in until the poses are merged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..openpose_json import PoseDocument
from ..skeleton import KEYPOINT_NAMES, Skeleton
from .person import Person


def people_in(document: PoseDocument, width: int, height: int) -> tuple[Person, ...]:
    return tuple(_person(skeleton, width, height, 0.5) for skeleton in document.people)


def person_of(skeleton: Skeleton, width: int, height: int) -> Person:
    return _person(skeleton, width, height, 1.0)


def to_keypoints(people: Iterable[Person], width: int, height: int) -> dict[str, Any]:
    return {
        "people": [
            {
                "pose_keypoints_2d": [
                    number
                    for name in KEYPOINT_NAMES
                    for number in ((*person.body[name], 1.0) if name in person.body else (0.0, 0.0, 0.0))
                ]
            }
            for person in people
        ],
        "canvas_width": width,
        "canvas_height": height,
    }


def _person(skeleton: Skeleton, width: int, height: int, vertical: float) -> Person:
    fitted = min(height, width / skeleton.aspect)
    left, top = (width - fitted * skeleton.aspect) / 2, (height - fitted) * vertical
    return Person(
        {
            name: (round(left + point.x * fitted * skeleton.aspect, 6), round(top + point.y * fitted, 6))
            for name, point in zip(KEYPOINT_NAMES, skeleton.keypoints, strict=True)
            if point is not None
        }
    )
