"""The keypoints of a finished picture, placed in it as they were when it was made. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ..families.builder import Link, PromptBuilder
from ..spec.avatar import AvatarSpec
from ..spec.pose import PoseFile, PosePlan, PoseUse
from ..spec.redraw import RedrawUse
from ..spec.views import node_views
from .pose_input import PoseInput, add_library_pose, is_applied, is_from_behind, pose_input
from .poses import add_keypoints

# Outputs of the nodes for poses of the library and for built-in skeletons.
_KEYPOINTS = 1
#: The view of a drawn picture that has neither a view nor a pose.
_DRAWN = "front"


@dataclass(frozen=True)
class FrameKeypoints:
    """A link to a POSE_KEYPOINT; None if there is none. `frame_width` is the width in pixels of the frame
    from whose middle the picture was cut; 0: it was not cut."""

    link: Link | None
    frame_width: int = 0


def was_posed(spec: AvatarSpec, view: str | None) -> bool:
    """Whether a picture of this view was made with keypoints that are known."""
    poses = pose_input(spec, (view,))
    if spec.is_drawn:
        return True
    if not is_applied(spec, poses):
        return False
    given = poses.pose_of(view)
    return given.plan.treatment != "raw" if given is not None else view is not None


def add_frame_keypoints(build: PromptBuilder, spec: AvatarSpec, view: str | None) -> FrameKeypoints:
    """Add the nodes that give the keypoints of the picture of `spec.redraw`. The views of `spec` are those of
    the generation that made it."""
    redraw = spec.redraw
    if redraw is None:
        raise ValueError("Nothing is redrawn.")
    if redraw.reads_picture:
        return FrameKeypoints(add_keypoints(build, _plan_of(redraw), _file_of(redraw), spec.bones))
    return add_keypoints_of(build, spec, view)


def add_keypoints_of(build: PromptBuilder, spec: AvatarSpec, view: str | None) -> FrameKeypoints:
    """Add the nodes that give the keypoints with which a picture of this view is made, if `was_posed`."""
    poses = pose_input(spec, (view,))
    given = poses.pose_of(view)
    if given is None:
        return _built_in(build, spec, view)
    if given.of_library:
        return _of_library(build, spec, poses, given)
    behind = is_from_behind(spec, view)
    return FrameKeypoints(add_keypoints(build, given.plan, given.file, spec.bones, from_behind=behind))


def _of_library(build: PromptBuilder, spec: AvatarSpec, poses: PoseInput, given: PoseUse) -> FrameKeypoints:
    node = add_library_pose(build, spec, given, poses.views, (spec.width, spec.height))
    return FrameKeypoints(node.out(_KEYPOINTS), spec.width)


def _built_in(build: PromptBuilder, spec: AvatarSpec, view: str | None) -> FrameKeypoints:
    """A skeleton of the whole frame: a narrow view is cut out of it, or has the same scale."""
    node = build.add_shared(
        "AvatarForgePoseSkeleton",
        "Skeleton of the picture",
        width=spec.width,
        height=spec.height,
        bones=spec.bones,
        **node_views((view or _DRAWN,)),
    )
    return FrameKeypoints(node.out(_KEYPOINTS), spec.width)


def _plan_of(redraw: RedrawUse) -> PosePlan:
    if redraw.kept_file_id is not None:
        return PosePlan("photo", "kept")
    return PosePlan("photo", "extract", redraw.extractor, redraw.extractor_model)


def _file_of(redraw: RedrawUse) -> PoseFile:
    return PoseFile(
        redraw.file_id, redraw.content_hash, redraw.width, redraw.height, "photo", redraw.kept_file_id
    )
