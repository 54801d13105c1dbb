"""Finds the wrists in pictures of annotators that draw hands.

The first keypoint of a hand is a disc in the colour of the left knee exactly over that of the wrist. What is
left to see is the forearm, whose end it covers.
"""

from __future__ import annotations

import math

from .skeleton import KEYPOINT_NAMES, LIMBS
from .skeleton_discs import Disc
from .skeleton_ink import FIRST_DISC, FIRST_LIMB, Blob, Ink, connected

_HAND = FIRST_DISC + KEYPOINT_NAMES.index("left_knee")
_FOREARMS = tuple(
    (LIMBS.index(pair), *pair)
    for pair in (
        (KEYPOINT_NAMES.index(f"{side}_elbow"), KEYPOINT_NAMES.index(f"{side}_wrist"))
        for side in ("right", "left")
    )
)
# How many pixels of a forearm must be visible, in discs' areas.
_MIN_VISIBLE = 0.5
# Runs of pixels of one forearm's colour that are looked at.
_MAX_RUNS = 20_000


def add_wrists_below_hands(joints: dict[int, Disc], ink: Ink, radius: float) -> None:
    """Add the missing wrists of a person whose hands cover them. Accurate to about half of the radius of a
    disc, in pixels; their `visible` is 0."""
    for limb, elbow, wrist in _FOREARMS:
        if elbow in joints and wrist not in joints:
            end = _covered_end(ink, limb, joints[elbow], radius)
            if end is not None:
                joints[wrist] = end


def _covered_end(ink: Ink, limb: int, start: Disc, radius: float) -> Disc | None:
    """Where the limb that begins at a disc ends, if a hand begins there."""
    found = ink.runs(FIRST_LIMB + limb, FIRST_LIMB + limb, _MAX_RUNS)
    runs = [] if found is None else [run for _, run in found]
    for blob in sorted(connected(runs), key=lambda blob: -blob.area):
        if blob.area < _MIN_VISIBLE * math.pi * radius**2:
            return None
        if _distance(blob, start) <= radius + 3.0:
            x, y = blob.centre()
            length = math.hypot(x - start.x, y - start.y)
            if length <= radius:
                return None
            along_x, along_y = (x - start.x) / length, (y - start.y) / length
            reach = max(
                (column - start.x) * along_x + (row - start.y) * along_y
                for row, left, right in blob.runs
                for column in (left, right - 1)
            )
            end = Disc(start.x + along_x * (reach + radius), start.y + along_y * (reach + radius), 0.0)
            return end if _shows_hand(ink, end, radius) else None
    return None


def _distance(blob: Blob, disc: Disc) -> float:
    return min(
        math.hypot(min(max(disc.x, left), right - 1) - disc.x, row - disc.y) for row, left, right in blob.runs
    )


def _shows_hand(ink: Ink, end: Disc, radius: float) -> bool:
    """Whether most of the disc has the colour of hands' keypoints."""
    reach = math.ceil(radius)
    kinds = [
        ink.at(end.x + x, end.y + y)
        for x in range(-reach, reach + 1)
        for y in range(-reach, reach + 1)
        if x * x + y * y <= radius * radius
    ]
    return kinds.count(_HAND) >= len(kinds) / 3
