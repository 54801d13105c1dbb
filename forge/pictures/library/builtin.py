"""The built-in poses by name and id, and their documents."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from functools import cache

from ..doll.poses.people import people_in, to_keypoints
from ..openpose_json import PoseDocument
from .action import ACTION_POSES
from .everyday import GESTURES, RESTING_POSES, STANDING_POSES
from .posed import LibraryPose
from .projection import frame_of, project, turn_of_view, written_frame

BUILT_IN_POSES: tuple[LibraryPose, ...] = (*STANDING_POSES, *RESTING_POSES, *GESTURES, *ACTION_POSES)
_BY_NAME = {pose.name: pose for pose in BUILT_IN_POSES}
_BY_ID = {pose.id: pose for pose in BUILT_IN_POSES}
_DECIMALS = 2  # of a pixel


def builtin_pose(reference: str) -> LibraryPose | None:
    """The built-in pose with this id or name. Capitals, and spaces or hyphens for underscores, make no
    difference."""
    return _BY_ID.get(reference.strip().lower()) or _BY_NAME.get(_plain(reference))


def _plain(name: str) -> str:
    text = unicodedata.normalize("NFKC", name).casefold().strip()
    return text.replace(" ", "_").replace("-", "_")


def written_pose(pose: LibraryPose, view: str | None = None, *, mirrored: bool = False) -> PoseDocument:
    """A view of a built-in pose in a frame of its own."""
    body = pose.body(mirrored=mirrored)
    return project(body, turn_of_view(view), written_frame(body, view))


def poses_in_frames(
    pose: LibraryPose,
    views: Sequence[str | None],
    sheet: Sequence[str | None],
    size: tuple[int, int],
    *,
    mirrored: bool,
) -> tuple[PoseDocument, ...]:
    """These views of a built-in pose in pictures of `size` (width, height) pixels, at a scale that suits all
    views of the `sheet`, too."""
    body = pose.body(mirrored=mirrored)
    frame = frame_of(body, *size, (*views, *sheet))
    return tuple(project(body, turn_of_view(view), frame) for view in views)


def openpose_json(document: PoseDocument) -> dict[str, object]:
    """One frame in OpenPose's format, in pixels of its canvas."""
    frame = to_keypoints(
        people_in(document, document.width, document.height), document.width, document.height
    )
    people = [
        {name: [round(number, _DECIMALS) for number in numbers] for name, numbers in person.items()}
        for person in frame["people"]
    ]
    return {**frame, "people": people}


@cache
def canonical_json(name: str) -> bytes:
    """What a built-in pose is, in the same bytes everywhere: its front as OpenPose JSON."""
    text = json.dumps(openpose_json(written_pose(_BY_NAME[name])), separators=(",", ":"))
    return text.encode()
