"""One person's keypoints in the pixels of a picture, which decide where every joint is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Point = tuple[float, float]
#: 21 keypoints in OpenPose's order (doc/02_output.md): the wrist, then four per finger from the thumb on.
Hand = tuple[Point | None, ...]
#: 68 or 70 keypoints in OpenPose's order: the outline, brows, nose, eyes, mouth, pupils.
Face = tuple[Point | None, ...]


@dataclass(frozen=True)
class Person:
    """`body` has the visible joints by their name (`skeleton.KEYPOINT_NAMES`), in pixels: x to the right, y
    down. Hands and face are None where the pose does not have them."""

    body: Mapping[str, Point]
    left_hand: Hand | None = None
    right_hand: Hand | None = None
    face: Face | None = field(default=None)
