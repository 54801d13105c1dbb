"""Hands and face of one person in a pose, beside the 18 keypoints of the body."""

from __future__ import annotations

from dataclasses import dataclass

from .skeleton import Keypoint

HAND_COUNT = 21
FACE_COUNTS = (68, 70)

Keypoints = tuple[Keypoint | None, ...]


@dataclass(frozen=True)
class Details:
    """Hands of 21 keypoints and a face of 68 or 70, in OpenPose's order (doc/02_output.md), as fractions of
    the canvas; None for a hand or face of which nothing is visible."""

    left_hand: Keypoints | None = None
    right_hand: Keypoints | None = None
    face: Keypoints | None = None


NO_DETAILS = Details()
