"""From a body in three dimensions to a pose in two: turned, mirrored, and fitted into a frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ...spec.views import NARROW, VIEWS
from ..body import FACING, VISIBLE_WITHIN, Vector
from ..openpose_json import PoseDocument
from ..pose_details import Details
from ..skeleton import ABOVE_HEAD, BELOW_FEET, BESIDE_BODY, KEYPOINT_NAMES, Keypoint, Skeleton
from .face import FACE_POINTS
from .rig import Body
from .vectors import add, dot, scaled

# Beside the crown of the head, for hair.
BESIDE_CROWN = 0.06
# Beside the outermost point of a hand.
BESIDE_HAND = 0.03
#: A frame is at least so many statures high, so that somebody who lies is not drawn like a giant.
LOWEST_FRAME = 0.9
# Share of the room that a figure leaves in a tall frame which is above it.
ROOM_ABOVE = 0.7
# Pixels that the cut to a narrow view may be narrower than its share of the height: sizes are in steps.
_NARROW_STEP = 16
#: Height of the frame, in pixels, in which a pose is written down.
WRITTEN_HEIGHT = 768


def mirror_body(body: Body) -> Body:
    """The mirror image: what the left side did, the right side does."""
    left, up, forward = (_flipped(axis) for axis in body.head_axes)
    return Body(
        {other_side(name): _flipped(point) for name, point in body.joints.items()},
        {other_side(name): tuple(map(_flipped, points)) for name, points in body.hands.items()},
        _flipped(body.crown),
        (scaled(left, -1.0), up, forward),
        _flipped(body.head_origin),
    )


def other_side(name: str) -> str:
    """The name of the same part on the other side of the body."""
    side, _, part = name.partition("_")
    rest = f"_{part}" if part else ""
    return {"left": "right", "right": "left"}.get(side, side) + rest


def _flipped(vector: Vector) -> Vector:
    return (-vector[0], vector[1], vector[2])


@dataclass(frozen=True)
class Frame:
    """Where a body is in a picture: `scale` is in pixels per stature, the ground at the row `ground`."""

    width: int
    height: int
    scale: float
    ground: float


def frame_of(body: Body, width: int, height: int, views: Sequence[str | None]) -> Frame:
    """The frame of these views of a body in pictures of `width` x `height` pixels: all have the same scale,
    and the whole body is in each of them, also in what is cut out for a narrow view."""
    narrow = min(width, max(1.0, height * NARROW - _NARROW_STEP))
    tall = _frame_height(body)
    scale = height / tall
    for view in views:
        room = narrow if view is not None and VIEWS[view].narrow else width
        scale = min(scale, room / (2 * _breadth(body, turn_of_view(view))))
    spare = height - tall * scale
    return Frame(width, height, scale, height - BELOW_FEET * scale - spare * (1 - ROOM_ABOVE))


def written_frame(body: Body, view: str | None) -> Frame:
    """The frame in which a view is written down: without room beside the body."""
    scale = WRITTEN_HEIGHT / _frame_height(body)
    width = math.ceil(2 * _breadth(body, turn_of_view(view)) * scale)
    return Frame(width, WRITTEN_HEIGHT, scale, WRITTEN_HEIGHT - BELOW_FEET * scale)


def turn_of_view(view: str | None) -> float:
    """The turn of a view in degrees; that of the front for no particular view."""
    return VIEWS[view].turn if view is not None else 0.0


def project(body: Body, turn: float, frame: Frame) -> PoseDocument:
    """The body seen after a turn by `turn` degrees, as in `body.seen_from`: with hands, and with what is
    visible of the face."""
    cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    towards: Vector = (sine, 0.0, cosine)  # the viewer, in the body frame

    def place(point: Vector) -> Keypoint:
        across = point[0] * cosine - point[2] * sine
        return Keypoint(
            0.5 + across * frame.scale / frame.width,
            (frame.ground - point[1] * frame.scale) / frame.height,
        )

    keypoints = tuple(
        place(body.joints[name]) if name not in FACING or _faces(body, FACING[name], towards) else None
        for name in KEYPOINT_NAMES
    )
    details = Details(
        tuple(map(place, body.hands["left"])),
        tuple(map(place, body.hands["right"])),
        _face(body, towards, place) if _faces(body, 0.0, towards) else None,
    )
    skeleton = Skeleton(keypoints, frame.width / frame.height)
    return PoseDocument((skeleton,), frame.width, frame.height, (details,))


def _faces(body: Body, direction: float, towards: Vector) -> bool:
    """Whether a part of the head that points to `direction` degrees, to the person's left of straight ahead,
    is visible."""
    left, _, forward = body.head_axes
    angle = math.radians(direction)
    axis = add(scaled(left, math.sin(angle)), scaled(forward, math.cos(angle)))
    return dot(axis, towards) >= math.cos(math.radians(VISIBLE_WITHIN)) - 1e-9


def _face(body: Body, towards: Vector, place: Callable[[Vector], Keypoint]) -> tuple[Keypoint | None, ...]:
    """The points of the face, without those on the far side of the head."""
    left, up, forward = body.head_axes
    points: list[Keypoint | None] = []
    for x, y, z in FACE_POINTS:
        at = add(body.head_origin, add(scaled(left, x), add(scaled(up, y), scaled(forward, z))))
        visible = _faces(body, math.degrees(math.atan2(x, z)), towards)
        points.append(place(at) if visible else None)
    return tuple(points)


def _breadth(body: Body, turn: float) -> float:
    """How far the body extends to either side of its vertical axis, with what surrounds its joints."""
    cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return max(margin + abs(point[0] * cosine - point[2] * sine) for point, margin in _points(body))


def _frame_height(body: Body) -> float:
    top = max(body.crown[1] + ABOVE_HEAD, *(point[1] + margin for point, margin in _points(body)))
    return max(LOWEST_FRAME, top + BELOW_FEET)


def _points(body: Body) -> Iterator[tuple[Vector, float]]:
    yield body.crown, BESIDE_CROWN
    for point in body.joints.values():
        yield point, BESIDE_BODY
    for points in body.hands.values():
        for point in points:
            yield point, BESIDE_HAND
