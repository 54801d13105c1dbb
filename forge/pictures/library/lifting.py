"""Turns a pose that is known in two dimensions only: its depth is estimated from the lengths of bones.

Taylor, "Reconstruction of Articulated Objects from Point Correspondences in a Single Uncalibrated Image",
Computer Vision and Image Understanding 80 (2000): in a picture without perspective, a bone that looks shorter
than it is points out of the picture by the root of what the squares of both lengths differ by. Whether it
comes forward or goes back is decided by how joints bend: thighs come forward and shanks go back, forearms
come forward, and an upper arm goes back unless most of its length is hidden. In profile, limbs point to their
own side.

Shoulders, hips and head have the depth of the standing body at the turn that the keypoints show.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..body import FACING, VISIBLE_WITHIN
from ..doll.poses.facing import turn_of
from ..doll.poses.people import people_in
from ..doll.poses.person import Person, Point
from ..doll.poses.proportions import STANDING, as_complex, length, stature_of
from ..openpose_json import PoseDocument, seen_from_behind
from ..pose_details import NO_DETAILS, Details, Keypoints
from ..skeleton import KEYPOINT_NAMES, Keypoint, Skeleton
from .face import FACE_SWAP
from .projection import other_side

# A bone counts as this much longer than it looks: below 5 % the difference is that of people, not of depth.
_TOLERANCE = 1.05
# An upper arm of which less than this share is visible points to the viewer, not away.
_HIDDEN = 0.5
# Below this cosine a person is seen from the side.
_PROFILE = 0.35
_SEGMENTS = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))


def mirror_pose(document: PoseDocument) -> PoseDocument:
    """The mirror image: what the left side did, the right side does."""
    return replace(
        document,
        people=tuple(_mirrored_skeleton(skeleton) for skeleton in document.people),
        details=tuple(
            Details(_flipped(item.right_hand), _flipped(item.left_hand), _mirrored_face(item.face))
            for item in document.details
        ),
    )


def turn_pose(document: PoseDocument, turn: float) -> PoseDocument:
    """The people after a turn by `turn` degrees about the middle of the canvas, as in `body.seen_from`, where
    the pose itself is the front. The canvas becomes wider if they would leave it.

    A turn by 0 changes nothing, and one by 180 gives what `seen_from_behind` does. Faces are lost in any
    other turn, since their depth is not known.
    """
    angle = (turn + 180.0) % 360.0 - 180.0
    if angle == 0.0:
        return document
    if abs(angle) == 180.0:
        return seen_from_behind(document)
    width, height = document.width, document.height
    middle = width / 2
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))

    def moved(point: Point, depth: float) -> Point:
        return (middle + (point[0] - middle) * cosine - depth * sine, point[1])

    people = []
    for person in people_in(document, width, height):
        facing = turn_of(person)
        depths = _depths(person, facing)
        body = {
            name: moved(point, depths.get(name, 0.0))
            for name, point in person.body.items()
            if name not in FACING or _is_visible(name, facing + angle)
        }
        hands = (
            _moved_hand(person.left_hand, depths.get("left_wrist", 0.0), moved),
            _moved_hand(person.right_hand, depths.get("right_wrist", 0.0), moved),
        )
        people.append(Person(body, *hands))
    return _on_canvas(people, width, height)


def _depths(person: Person, facing: float) -> dict[str, float]:
    """The depth of each joint in pixels, towards the viewer; that of the neck is 0."""
    points = as_complex(person.body)
    scale = stature_of(points, wide=abs(math.cos(math.radians(facing))) > _PROFILE) or stature_of(points)
    if scale is None:
        return {}
    cosine, sine = math.cos(math.radians(facing)), math.sin(math.radians(facing))
    depths = {
        name: (STANDING[name][0] * sine + STANDING[name][2] * cosine) * scale
        for name in points
        if name in FACING or name.endswith(("shoulder", "hip"))
    }
    for side, out in (("right", -1.0), ("left", 1.0)):
        for upper, lower in _SEGMENTS:
            first, second = f"{side}_{upper}", f"{side}_{lower}"
            if first not in points or second not in points:
                continue
            bone = length(first, second) * scale
            seen = abs(points[second] - points[first]) * _TOLERANCE
            out_of_picture = math.sqrt(max(0.0, bone * bone - seen * seen))
            sign = _forward(lower, seen / bone) * math.copysign(1.0, cosine)
            if abs(cosine) < _PROFILE:
                sign = out * math.copysign(1.0, sine)
            depths[second] = depths.get(first, 0.0) + sign * out_of_picture
    return depths


def _forward(joint: str, visible: float) -> float:
    """1 if the bone that ends in this joint comes forward, else -1."""
    if joint == "elbow":
        return 1.0 if visible < _HIDDEN else -1.0
    return -1.0 if joint == "ankle" else 1.0


def _is_visible(name: str, turn: float) -> bool:
    return abs((FACING[name] - turn + 180.0) % 360.0 - 180.0) <= VISIBLE_WITHIN


def _moved_hand(
    hand: Sequence[Point | None] | None, depth: float, moved: Callable[[Point, float], Point]
) -> tuple[Point | None, ...] | None:
    if hand is None:
        return None
    return tuple(None if point is None else moved(point, depth) for point in hand)


def _on_canvas(people: Sequence[Person], width: int, height: int) -> PoseDocument:
    """The people as a document, on a canvas that is wide enough for them."""
    every = [x for person in people for x, _ in _points(person)]
    wide = math.ceil(max(width, *(2 * abs(x - width / 2) for x in every))) if every else width
    shift = (wide - width) / 2

    def fraction(point: Point | None) -> Keypoint | None:
        return None if point is None else Keypoint((point[0] + shift) / wide, point[1] / height)

    def all_of(points: Sequence[Point | None] | None) -> Keypoints | None:
        return None if points is None else tuple(map(fraction, points))

    skeletons = tuple(
        Skeleton(tuple(fraction(person.body.get(name)) for name in KEYPOINT_NAMES), wide / height)
        for person in people
    )
    details = tuple(Details(all_of(person.left_hand), all_of(person.right_hand)) for person in people)
    return PoseDocument(skeletons, wide, height, details if any(d != NO_DETAILS for d in details) else ())


def _points(person: Person) -> list[Point]:
    hands = [*(person.left_hand or ()), *(person.right_hand or ())]
    return [*person.body.values(), *(point for point in hands if point is not None)]


def _mirrored_skeleton(skeleton: Skeleton) -> Skeleton:
    named: Mapping[str, Keypoint | None] = dict(zip(KEYPOINT_NAMES, skeleton.keypoints, strict=True))
    return replace(skeleton, keypoints=tuple(_flip(named[other_side(name)]) for name in KEYPOINT_NAMES))


def _flip(point: Keypoint | None) -> Keypoint | None:
    return None if point is None else Keypoint(1.0 - point.x, point.y)


def _flipped(points: Keypoints | None) -> Keypoints | None:
    return None if points is None else tuple(map(_flip, points))


def _mirrored_face(points: Keypoints | None) -> Keypoints | None:
    """The face, whose points on either side change places; 68 points lack the pupils."""
    if points is None:
        return None
    return tuple(_flip(points[number]) for number in FACE_SWAP if number < len(points))
