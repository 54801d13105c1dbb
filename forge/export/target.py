"""The keypoints that a picture was made to show, in its own pixels. Pure."""

from __future__ import annotations

from ..graphs.face_keypoints import was_posed
from ..graphs.pose_input import pose_input
from ..pictures.library.builtin import builtin_pose, poses_in_frames
from ..pictures.skeleton import Skeleton, view_skeleton
from ..spec.avatar import AvatarSpec

Joints = tuple[tuple[float, float], ...]


def joints_in(spec: AvatarSpec, view: str | None, width: int, height: int) -> Joints | None:
    """The visible keypoints of a picture of `width` x `height` pixels, which may be larger than its spec
    says, or cut from the middle of its frame. None if only a file or a template knows them."""
    if spec.redraw is not None or not was_posed(spec, view):
        return None
    given = pose_input(spec, (view,)).pose_of(view)
    if given is None:
        skeleton, vertical = view_skeleton(view or "front"), 1.0
    else:
        built_in = builtin_pose(given.pose_id) if given.of_library and given.pose_id is not None else None
        if built_in is None:
            return None
        size = (spec.width, spec.height)
        document = poses_in_frames(built_in, (view,), spec.views, size, mirrored=given.mirrored)[0]
        skeleton, vertical = document.people[0], 0.5
    scale = height / spec.height
    return _placed(skeleton, spec.width * scale, float(height), width, vertical)


def _placed(
    skeleton: Skeleton, frame_width: float, frame_height: float, width: int, vertical: float
) -> Joints:
    """As `draw_skeletons` fits a skeleton into a frame, whose middle `width` pixels are the picture."""
    tall = min(frame_height, frame_width / skeleton.aspect)
    wide = tall * skeleton.aspect
    left, top = (width - wide) / 2, (frame_height - tall) * vertical
    return tuple((left + point.x * wide, top + point.y * tall) for point in skeleton.keypoints if point)
