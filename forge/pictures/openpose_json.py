"""Reads poses in JSON: OpenPose's own format, and the variants of pose editors and extractors for ControlNet.

A document is a frame or a list of frames. A frame has `people` as OpenPose writes them (doc/02_output.md), or
`keypoints` as the OpenPose editors of Automatic1111 and ComfyUI do: the points of all people, in one list or
one list per person. Coordinates are in pixels or fractions of the canvas. docs/api.md lists the supported
formats. Hands and faces are read for the paper doll; skeletons are drawn without them. Feet and animals are
ignored.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from ..strict_json import InvalidJson, read_json
from .pose_canvas import MAX_CANVAS_SIDE, Size, read_canvas
from .pose_details import MAX_OUTSIDE, NO_DETAILS, Details, read_details
from .pose_details import seen_from_behind as details_from_behind
from .pose_points import Body, InvalidPose, Point, read_body, read_person
from .skeleton import KEYPOINT_NAMES, BoneStyle, Keypoint, Skeleton, draw_skeletons

__all__ = [
    "MAX_BYTES",
    "MAX_PEOPLE",
    "InvalidPose",
    "NobodyVisible",
    "PoseDocument",
    "draw_pose",
    "parse_pose",
    "seen_from_behind",
]

MAX_BYTES = 1_000_000
MAX_PEOPLE = 20
MAX_ENTRIES = 1_000
"""People in one frame, including empty entries."""
MAX_FRAMES = 1_000
MAX_DEPTH = 32
# Fractions exceed 1 where a limb leaves the picture; no pose in pixels fits into two pixels.
MAX_FRACTION = 2.0
# OpenPose can also write coordinates from -1 to 1, with 0 in the middle of the picture. Read as fractions,
# such a pose would be drawn at twice its size in the wrong place.
MIN_FRACTION = -0.25

FACE = ("nose", "right_eye", "left_eye")


class NobodyVisible(InvalidPose):
    """The document is valid, but has no visible person."""


@dataclass(frozen=True)
class PoseDocument:
    """The people of one frame, with coordinates relative to the canvas, and the size of the canvas in
    pixels.

    `details` are the people's hands and faces in the same order, or empty if nobody has any. `left_out` has a
    sentence for each hand or face that cannot be read.
    """

    people: tuple[Skeleton, ...]
    width: int
    height: int
    details: tuple[Details, ...] = ()
    left_out: tuple[str, ...] = ()


def parse_pose(data: bytes, canvas: Size | None = None, *, sure: float = 0.0) -> PoseDocument:
    """Read a pose in JSON.

    `canvas` is the size of the picture that the pose was extracted from, in pixels, for documents without
    one. If both lack it, pixel coordinates get a canvas with the same margin on the right and below as on the
    left and above. Keypoints with a confidence below `sure` are ignored. Of several frames, the first one
    with a visible person is used. A hand or face that cannot be read is left out.

    Raises InvalidPose for a document that is too large, not JSON, or not in a supported format, for too many
    people, for numbers that are not finite, for fractions without any canvas, and for a canvas that
    contradicts itself or the people. Raises NobodyVisible if there is no visible person.
    """
    frame, found = _first_visible(_load(data), sure)
    bodies = [body for body, _ in found]
    points = [point for body in bodies for point in body if point is not None]
    size = read_canvas(frame) or canvas
    if _in_fractions(bodies):
        if size is None:
            raise InvalidPose(
                "The pose's coordinates are fractions, so it needs canvas_width and canvas_height in pixels."
            )
        scale_x, scale_y = 1.0, 1.0
    else:
        size = size or (_extent([x for x, _ in points]), _extent([y for _, y in points]))
        scale_x, scale_y = 1.0 / size[0], 1.0 / size[1]
    scaled = [(x * scale_x, y * scale_y) for x, y in points]
    if max(size) > MAX_CANVAS_SIDE or any(max(abs(x), abs(y)) > MAX_OUTSIDE for x, y in scaled):
        raise InvalidPose("The pose has keypoints far outside of its canvas.")
    if not any(0 <= x <= 1 and 0 <= y <= 1 for x, y in scaled):
        raise InvalidPose(f"The pose has no keypoint on its canvas of {size[0]}x{size[1]} pixels.")
    people = tuple(
        Skeleton(
            tuple(
                None if point is None else Keypoint(point[0] * scale_x, point[1] * scale_y) for point in body
            ),
            size[0] / size[1],
        )
        for body in bodies
    )
    details, left_out = _details([source for _, source in found], size, sure)
    return PoseDocument(people, *size, details, left_out)


def draw_pose(
    document: PoseDocument, width: int, height: int, style: BoneStyle = BoneStyle.STANDARD
) -> Image.Image:
    """Draw all people as an RGB picture on black, with the canvas fitted into its centre without distortion.

    Raises ValueError for a size below one pixel.
    """
    return draw_skeletons(document.people, width, height, style)


def seen_from_behind(document: PoseDocument) -> PoseDocument:
    """The same people from behind: mirrored, with each limb and hand keeping its name, and without nose, eyes
    and the keypoints of the face, which are not visible from there. The ears stay."""

    def turn(skeleton: Skeleton) -> Skeleton:
        named = zip(KEYPOINT_NAMES, skeleton.keypoints, strict=True)
        return replace(
            skeleton,
            keypoints=tuple(
                None if point is None or name in FACE else Keypoint(1.0 - point.x, point.y)
                for name, point in named
            ),
        )

    return replace(
        document,
        people=tuple(turn(skeleton) for skeleton in document.people),
        details=tuple(details_from_behind(details) for details in document.details),
    )


def _load(data: bytes) -> Any:
    if len(data) > MAX_BYTES:
        raise InvalidPose(f"The pose has {len(data)} bytes; at most {MAX_BYTES} are read.")
    try:
        return read_json(data, max_depth=MAX_DEPTH, max_values=MAX_BYTES)
    except InvalidJson as error:
        raise InvalidPose(f"The pose is not a valid JSON document. {error}") from error


def _first_visible(document: Any, sure: float) -> tuple[dict[str, Any], list[tuple[Body, Any]]]:
    """(first frame with a visible person, its visible people with what each was read from). A document that
    is no list is a single frame."""
    frames = document if isinstance(document, list) else [document]
    if len(frames) > MAX_FRAMES:
        raise InvalidPose(f"The pose has {len(frames)} frames; at most {MAX_FRAMES} are read.")
    valid = [_valid(frame) for frame in frames if frame is not None]
    if document is None or not frames:
        raise _unknown_format()
    for frame in valid:
        found = [(body, source) for body, source in _bodies(frame, sure) if any(body)]
        if len(found) > MAX_PEOPLE:
            raise InvalidPose(f"The pose has {len(found)} people; at most {MAX_PEOPLE} are drawn.")
        if found:
            return frame, found
    if any(frame.get("animals") for frame in valid):
        raise NobodyVisible("The pose shows animals only, and only people are drawn.")
    raise NobodyVisible("The pose shows nobody: no person in it has a keypoint with a confidence above 0.")


def _valid(frame: Any) -> dict[str, Any]:
    if not isinstance(frame, dict):
        raise _unknown_format()
    given = [frame[key] for key in ("people", "keypoints", "animals") if key in frame]
    if not given or not all(value is None or isinstance(value, list) for value in given):
        raise _unknown_format()
    if frame.get("people") and frame.get("keypoints"):
        raise InvalidPose('The pose has both "people" and "keypoints"; which of them counts is not clear.')
    return frame


def _unknown_format() -> InvalidPose:
    return InvalidPose(
        'The pose is not in OpenPose format: an object with a list "people" or "keypoints", or a list of '
        "these."
    )


def _bodies(frame: dict[str, Any], sure: float) -> Iterator[tuple[Body, Any]]:
    """All people in the frame, including invisible ones, each with what it was read from."""
    people, points = frame.get("people") or [], frame.get("keypoints") or []
    groups = _by_person(points)
    if len(people) + len(groups) > MAX_ENTRIES:
        count = len(people) + len(groups)
        raise InvalidPose(
            f"The pose lists {count} people; at most {MAX_ENTRIES} are read, empty ones included."
        )
    yield from ((read_person(person, sure), person) for person in people)
    yield from ((read_body(group, sure), group) for group in groups)


def _details(sources: list[Any], size: Size, sure: float) -> tuple[tuple[Details, ...], tuple[str, ...]]:
    """(hands and faces of the people or nothing, sentences about those that cannot be read)."""
    found = [read_details(source, size, sure, MAX_FRACTION) for source in sources]
    details = tuple(read for read, _ in found)
    left_out = tuple(
        f"Person {number}: {sentence}" for number, (_, said) in enumerate(found, 1) for sentence in said
    )
    return (details if any(read != NO_DETAILS for read in details) else ()), left_out


def _by_person(points: list[Any]) -> list[Any]:
    """The list "keypoints" of an editor, as one list per person."""
    if not any(points):
        return []  # empty, or null for each keypoint
    if any(isinstance(point, int | float | str) for point in points):
        return [points]  # the numbers of one person
    if any(isinstance(item, list) and (len(item) > 3 or _has_lists(item)) for item in points):
        return points
    if len(points) % len(KEYPOINT_NAMES):
        return [points]  # one person with 25 keypoints, or an invalid number that is refused later
    step = len(KEYPOINT_NAMES)
    return [points[at : at + step] for at in range(0, len(points), step)]


def _has_lists(item: list[Any]) -> bool:
    return any(isinstance(inner, list | dict) for inner in item)


def _in_fractions(bodies: list[Body]) -> bool:
    """Whether all coordinates are fractions of the canvas, not pixels. Raises InvalidPose for a mix of
    both."""
    kinds = {_is_fractions([point for point in body if point is not None]) for body in bodies}
    if len(kinds) > 1:
        raise InvalidPose("The pose has people in pixels and people in fractions; write all in one of them.")
    points = [point for body in bodies for point in body if point is not None]
    fractions = kinds.pop()
    numbers = [number for point in points for number in point]
    if fractions and min(numbers) < MIN_FRACTION and max(numbers) <= 1.0:
        raise InvalidPose(
            "The pose's coordinates run from -1 to 1; write them in pixels, or as fractions from 0 to 1."
        )
    return fractions


def _is_fractions(points: list[Point]) -> bool:
    return all(max(abs(x), abs(y)) <= MAX_FRACTION for x, y in points)


def _extent(values: list[float]) -> int:
    """A canvas side in pixels for these values, with the margin before the smallest also after the
    largest."""
    return max(1, math.ceil(max(values) + max(min(values), 0.0)))
