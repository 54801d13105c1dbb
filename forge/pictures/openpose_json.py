"""Poses as OpenPose and the pose editors for ControlNet write them in JSON.

Format: OpenPose, doc/02_output.md. `people[].pose_keypoints_2d` holds x, y, confidence for each of 18
(COCO) or 25 (BODY_25) keypoints, in pixels or as fractions of the picture. Editors add `canvas_width` and
`canvas_height`, and some wrap the document in a list of frames, of which the first with a person counts.
Hands, faces and animals are read over.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from ..strict_json import InvalidJson, read_json
from .skeleton import KEYPOINT_NAMES, BoneStyle, Keypoint, Skeleton, draw_skeletons

MAX_BYTES = 1_000_000
MAX_PEOPLE = 20
MAX_FRAMES = 1_000
MAX_DEPTH = 32
MAX_CANVAS_SIDE = 16_384
# Keypoints may lie outside of the canvas, but a number beyond this is an accident or an attack.
MAX_COORDINATE = 1_000_000.0
# A keypoint outside of the canvas by more canvases than this is no part of the picture.
MAX_OUTSIDE = 10.0
# Fractions may leave 0..1 where a limb leaves the picture; no pose in pixels fits into two pixels.
MAX_FRACTION = 2.0

# Where each of the 18 keypoints stands in a list of that many triples. BODY_25 has the middle of the hips as
# number 8, and the feet after number 18.
LAYOUTS: dict[int, tuple[int, ...]] = {
    18: tuple(range(18)),
    25: (*range(8), *range(9, 19)),
}

FACE = ("nose", "right_eye", "left_eye")

Point = tuple[float, float]


class InvalidPose(ValueError):
    """The document is not a pose that can be drawn; the message is a sentence for its author."""


@dataclass(frozen=True)
class PoseDocument:
    """The people of one frame, each in the frame of the whole canvas, and the canvas in pixels."""

    people: tuple[Skeleton, ...]
    width: int
    height: int


def parse_pose(data: bytes, canvas: tuple[int, int] | None = None) -> PoseDocument:
    """Read an OpenPose JSON document.

    `canvas` is the width and height of the picture that the pose was taken from, in pixels, for documents
    that do not say it themselves. With neither, pixel coordinates get a canvas with the same margin on the
    right and below as on the left and above.

    Raises InvalidPose when it is too large, not JSON, not of this format, has no visible person, too many
    people, numbers that are not finite, or fractions without any canvas.
    """
    frame = _first_frame(_load(data))
    bodies = [body for person in _people(frame) if any(body := _body(person))]
    if not bodies:
        raise InvalidPose("The pose shows nobody: no person in it has a keypoint with a confidence above 0.")
    points = [point for body in bodies for point in body if point is not None]
    size = _canvas(frame) or canvas
    if all(max(abs(x), abs(y)) <= MAX_FRACTION for x, y in points):
        if size is None:
            raise InvalidPose(
                "The pose's coordinates are fractions, so it needs canvas_width and canvas_height in pixels."
            )
        scale_x, scale_y = 1.0, 1.0
    else:
        size = size or (_extent([x for x, _ in points]), _extent([y for _, y in points]))
        scale_x, scale_y = 1.0 / size[0], 1.0 / size[1]
    if max(size) > MAX_CANVAS_SIDE or any(
        abs(x * scale_x) > MAX_OUTSIDE or abs(y * scale_y) > MAX_OUTSIDE for x, y in points
    ):
        raise InvalidPose("The pose has keypoints far outside of its canvas.")
    people = tuple(
        Skeleton(
            tuple(
                None if point is None else Keypoint(point[0] * scale_x, point[1] * scale_y) for point in body
            ),
            size[0] / size[1],
        )
        for body in bodies
    )
    return PoseDocument(people, *size)


def draw_pose(
    document: PoseDocument, width: int, height: int, style: BoneStyle = BoneStyle.STANDARD
) -> Image.Image:
    """Draw all people as an RGB picture on black; the canvas is fitted in undistorted, in the middle.

    Raises ValueError for a size below one pixel.
    """
    return draw_skeletons(document.people, width, height, style)


def seen_from_behind(document: PoseDocument) -> PoseDocument:
    """The same people from the other side: mirrored, every limb still the same person's, and without
    nose and eyes, which cannot be seen from there. The ears stay."""

    def turn(skeleton: Skeleton) -> Skeleton:
        named = zip(KEYPOINT_NAMES, skeleton.keypoints, strict=True)
        return replace(
            skeleton,
            keypoints=tuple(
                None if point is None or name in FACE else Keypoint(1.0 - point.x, point.y)
                for name, point in named
            ),
        )

    return replace(document, people=tuple(turn(skeleton) for skeleton in document.people))


def _load(data: bytes) -> Any:
    if len(data) > MAX_BYTES:
        raise InvalidPose(f"The pose has {len(data)} bytes; at most {MAX_BYTES} are read.")
    try:
        return read_json(data, max_depth=MAX_DEPTH, max_values=MAX_BYTES)
    except InvalidJson as error:
        raise InvalidPose(f"The pose is not a valid JSON document. {error}") from error


def _first_frame(document: Any) -> dict[str, Any]:
    """The document itself, or the first of its frames that has people."""
    frames = document if isinstance(document, list) else [document]
    if len(frames) > MAX_FRAMES:
        raise InvalidPose(f"The pose has {len(frames)} frames; at most {MAX_FRAMES} are read.")
    valid: list[dict[str, Any]] = [
        frame for frame in frames if isinstance(frame, dict) and isinstance(frame.get("people"), list)
    ]
    if not valid or len(valid) < len(frames):
        raise InvalidPose(
            'The pose is not in OpenPose format: an object with a list "people", or a list of these.'
        )
    return next((frame for frame in valid if frame["people"]), valid[0])


def _people(frame: dict[str, Any]) -> Iterator[dict[str, Any]]:
    people = frame["people"]
    if len(people) > MAX_PEOPLE:
        raise InvalidPose(f"The pose has {len(people)} people; at most {MAX_PEOPLE} are drawn.")
    for person in people:
        if not isinstance(person, dict):
            raise InvalidPose('Each of the "people" of a pose is an object with "pose_keypoints_2d".')
        yield person


def _body(person: dict[str, Any]) -> tuple[Point | None, ...]:
    """The 18 points as written; none where the person has hands or a face only."""
    # OpenPose before 1.1 wrote `pose_keypoints`.
    numbers = person.get("pose_keypoints_2d", person.get("pose_keypoints"))
    if numbers is None or numbers == []:
        return (None,) * len(KEYPOINT_NAMES)
    if not isinstance(numbers, list) or len(numbers) not in {3 * count for count in LAYOUTS}:
        raise InvalidPose(
            '"pose_keypoints_2d" is a list of x, y, confidence for 18 (COCO) or 25 (BODY_25) keypoints: '
            "54 or 75 numbers."
        )
    values = [_number(value) for value in numbers]
    triples = list(zip(values[0::3], values[1::3], values[2::3], strict=True))
    return tuple(
        (triples[index][0], triples[index][1]) if triples[index][2] > 0 else None
        for index in LAYOUTS[len(triples)]
    )


def _number(value: Any) -> float:
    # A bool is an int to Python, but not to the format.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidPose('"pose_keypoints_2d" holds numbers only.')
    # Compared before the conversion: an int may be too large for a float. Not a number fails it too.
    if not -MAX_COORDINATE <= value <= MAX_COORDINATE:
        raise InvalidPose(
            f'A number in "pose_keypoints_2d" is outside of -{MAX_COORDINATE:.0f}..{MAX_COORDINATE:.0f}.'
        )
    return float(value)


def _canvas(frame: dict[str, Any]) -> tuple[int, int] | None:
    sides = (frame.get("canvas_width"), frame.get("canvas_height"))
    if sides == (None, None):
        return None
    whole: list[int] = []
    for side in sides:
        if isinstance(side, bool) or not isinstance(side, int | float) or not 1 <= side <= MAX_CANVAS_SIDE:
            raise InvalidPose(f'"canvas_width" and "canvas_height" are numbers from 1 to {MAX_CANVAS_SIDE}.')
        whole.append(round(side))
    return (whole[0], whole[1])


def _extent(values: list[float]) -> int:
    """A canvas side in pixels that holds all values, with the smallest one's margin on the far side too."""
    return max(1, math.ceil(max(values) + max(min(values), 0.0)))
