"""The part of a picture in which a face is redrawn: a disc around the head, found by its keypoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .doll.figure.skull import CHIN, TOP
from .doll.poses.person import Person
from .doll.poses.proportions import HEAD, as_complex, length, mean, stature_of, up_of

#: What shows that the face is not turned away.
_FACE = ("nose", "right_eye", "left_eye")
_EARS = ("right_ear", "left_ear")
#: Radius of a head, in statures: half of its height, for a head that is not enlarged.
_RADIUS = (TOP - CHIN) / 2
#: Pairs of keypoints so far apart that rounding to pixels matters little; the eyes are not.
_WIDE_PAIRS = (("right_ear", "left_ear"), ("nose", "right_ear"), ("nose", "left_ear"))
# Share of the way from the only visible ear to the nose at which the middle of the head is: none of it in
# profile, a third in a three-quarter view.
_FROM_EAR = 0.15


@dataclass(frozen=True)
class FaceRegion:
    """A disc in pixels: x to the right, y down."""

    x: float
    y: float
    radius: float


def find_face(people: Sequence[Person], margin: float) -> FaceRegion | None:
    """The region of the largest head that shows its face; None if there is none. `margin` is added on all
    sides, as a share of the head's radius."""
    found = [region for person in people if (region := _head_of(person)) is not None]
    largest = max(found, key=lambda region: region.radius, default=None)
    if largest is None:
        return None
    return FaceRegion(largest.x, largest.y, largest.radius * (1.0 + margin))


def region_mask(region: FaceRegion, width: int, height: int, feather: float) -> NDArray[np.float32]:
    """(height, width) from 0 outside of the region and on its border to 1. It rises inwards over `feather`,
    a share of the radius; 0 is a hard edge."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    # The middle of a pixel is half a pixel from its edge.
    distance = np.hypot(columns + 0.5 - region.x, rows + 0.5 - region.y)
    inside = region.radius - distance
    ramp = feather * region.radius
    rising = np.clip(inside / ramp, 0.0, 1.0) if ramp > 0 else (inside > 0).astype(np.float64)
    smooth: NDArray[np.float32] = (rising * rising * (3.0 - 2.0 * rising)).astype(np.float32)
    return smooth


def put_face(
    original: NDArray[np.float32], redrawn: NDArray[np.float32], mask: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(..., height, width, channels): the redrawn picture where the mask (..., height, width) is above 0, by
    its share, and exactly the original elsewhere."""
    share = mask[..., None]
    # Not by a share of 0, which could change the last digit of what must stay.
    return np.where(share > 0, original + (redrawn - original) * share, original)


def _head_of(person: Person) -> FaceRegion | None:
    points = as_complex(person.body)
    if not any(name in points for name in _FACE):
        return None
    stature = _stature(points)
    if stature is None:
        return None
    centre = _centre(points, stature)
    return FaceRegion(centre.real, centre.imag, _RADIUS * stature)


def _stature(points: Mapping[str, complex]) -> float | None:
    """Pixels per stature. The head decides if it is larger than that of the standing body, as it is in
    stylised figures: a distance never looks longer than it is."""
    by_head = [
        abs(points[first] - points[second]) / length(first, second)
        for first, second in _WIDE_PAIRS
        if first in points and second in points
    ]
    return max([*by_head, *filter(None, [stature_of(points)])], default=None)


def _centre(points: Mapping[str, complex], stature: float) -> complex:
    """The middle of the head, which is between the ears and near their height."""
    ears = [points[name] for name in _EARS if name in points]
    eyes = [points[name] for name in _FACE[1:] if name in points]
    if len(ears) == 2:
        return (ears[0] + ears[1]) / 2
    if ears and "nose" in points:
        return ears[0] + (points["nose"] - ears[0]) * _FROM_EAR
    seen = mean(eyes) or mean(points[name] for name in HEAD if name in points)
    if seen is None:
        raise ValueError("There is no keypoint of a face.")
    # The nose is a little below the middle of the head.
    return seen if eyes else seen + up_of(points) * 0.02 * stature
