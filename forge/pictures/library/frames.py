"""A pose of the library, built in or a user's, in the frames of several views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...spec.views import NARROW, VIEWS
from ..openpose_json import PoseDocument
from ..pose_details import Details, Keypoints
from ..skeleton import Keypoint
from .builtin import poses_in_frames
from .lifting import mirror_pose, turn_pose
from .posed import LibraryPose
from .projection import turn_of_view

Pose = LibraryPose | PoseDocument


def pose_views(
    pose: Pose,
    views: Sequence[str | None],
    size: tuple[int, int],
    *,
    mirrored: bool = False,
    sheet: Sequence[str | None] = (),
) -> tuple[PoseDocument, ...]:
    """The pose in these views, each on a canvas of `size` (width, height) pixels. A built-in pose has the
    same scale in all of them and in those of the `sheet`. A user's pose is taken as the front, and keeps its
    place on its canvas, which is fitted in.
    """
    if isinstance(pose, LibraryPose):
        return poses_in_frames(pose, views, sheet, size, mirrored=mirrored)
    return tuple(_fitted(turned_pose(pose, view, mirrored=mirrored), size, view) for view in views)


def turned_pose(pose: PoseDocument, view: str | None, *, mirrored: bool) -> PoseDocument:
    """A user's pose in a view, on its own canvas; exactly as it is if nothing turns it."""
    return turn_pose(mirror_pose(pose) if mirrored else pose, turn_of_view(view))


def _fitted(document: PoseDocument, size: tuple[int, int], view: str | None) -> PoseDocument:
    """The document on a canvas of that size, its own canvas fitted into the middle; for a narrow view into
    what is cut out of it."""
    width, height = size
    narrow = view is not None and VIEWS[view].narrow
    room = min(width, height * NARROW) if narrow else width
    scale = min(room / document.width, height / document.height)
    left, top = (width - document.width * scale) / 2, (height - document.height * scale) / 2

    def moved(point: Keypoint | None) -> Keypoint | None:
        if point is None:
            return None
        return Keypoint(
            (left + point.x * document.width * scale) / width,
            (top + point.y * document.height * scale) / height,
        )

    def all_of(points: Keypoints | None) -> Keypoints | None:
        return None if points is None else tuple(map(moved, points))

    return replace(
        document,
        people=tuple(
            replace(skeleton, keypoints=tuple(map(moved, skeleton.keypoints)), aspect=width / height)
            for skeleton in document.people
        ),
        width=width,
        height=height,
        details=tuple(
            Details(all_of(item.left_hand), all_of(item.right_hand), all_of(item.face))
            for item in document.details
        ),
    )
