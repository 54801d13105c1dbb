"""The pose pictures of the views: the given pose where it applies, built-in skeletons elsewhere. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..families.builder import Link, Node, PromptBuilder
from ..spec.avatar import AvatarSpec
from ..spec.pose import PoseUse
from ..spec.views import node_views
from ..spec.warning import GenerationWarning, make_warning
from .links import LIBRARY_POSE
from .poses import add_pose_image

FRONT_AND_BACK = ("front", "back")


@dataclass(frozen=True)
class PoseInput:
    """The poses of some views. `pose` applies to the views in `posed`; the others get built-in skeletons."""

    views: tuple[str | None, ...]
    pose: PoseUse | None
    posed: tuple[str | None, ...]
    strength: float

    @property
    def skips_pose(self) -> bool:
        """Whether a given pose applies to none of these views."""
        return self.pose is not None and not self.posed

    def pose_of(self, view: str | None) -> PoseUse | None:
        """The given pose, if it applies to this view."""
        return self.pose if view in self.posed else None


def pose_input(spec: AvatarSpec, views: Sequence[str | None]) -> PoseInput:
    """Decide which of these views get the given pose: a single requested view; of a whole sheet the front,
    and also the back if the keypoints of the pose are known and can be turned around; every view if it is of
    the library."""
    pose = spec.pose if spec.pose and spec.pose.strength > 0 else None
    posed: tuple[str | None, ...] = ()
    if pose is not None:
        wanted = posed_views(spec)
        posed = tuple(view for view in views if view in wanted)
    strength = pose.strength if pose and posed else spec.skeleton_strength
    return PoseInput(tuple(views), pose, posed, strength)


def posed_views(spec: AvatarSpec) -> tuple[str | None, ...]:
    """The views of the whole generation to which its given pose applies."""
    if spec.pose is None or spec.pose.of_library or not spec.has_several_views:
        return spec.views
    # A drawn family reads the keypoints of every pose.
    turns = spec.is_drawn or spec.pose.plan.treatment == "json"
    shown = FRONT_AND_BACK if turns else FRONT_AND_BACK[:1]
    return tuple(view for view in spec.views if view in shown)


def is_applied(spec: AvatarSpec, poses: PoseInput) -> bool:
    """Whether a model applies these poses."""
    return (spec.controlnet is not None or spec.pose_method == "picture") and bool(poses.strength)


def decides_some_views(spec: AvatarSpec, poses: PoseInput) -> bool:
    """Whether the given pose decides some views of a sheet only, so that its user should know which."""
    if poses.pose is None or poses.pose.of_library:
        return False
    return "front" in poses.posed and spec.has_several_views


def posed_views_warning(spec: AvatarSpec) -> GenerationWarning:
    """Says which views of a sheet the given pose decides."""
    views = tuple(str(view) for view in posed_views(spec))
    detail = (
        f"The pose shows one view: it was applied to {' and '.join(views)}; the others follow the built-in "
        "skeletons."
    )
    return make_warning("pose_on_some_views", detail, views=views)


def add_pose_input(
    build: PromptBuilder, spec: AvatarSpec, poses: PoseInput, size: tuple[int, int], label: str
) -> Link:
    """Add the pose pictures, one row per view, of `size` (width, height) in pixels."""
    views, pose = poses.views, poses.pose
    if pose is not None and pose.of_library and poses.posed:
        return _from_library(build, spec, poses, size, label)
    if pose and len(views) == 1 and poses.posed:
        return _given(build, spec, pose, size, views[0])
    extra = {view: _given(build, spec, pose, size, view) for view in poses.posed if pose and view}
    return build.add(
        "AvatarForgePoseSkeleton",
        f"Skeleton{label}",
        width=size[0],
        height=size[1],
        bones=spec.bones,
        **node_views(views),
        **extra,
    ).out()


def add_library_pose(
    build: PromptBuilder,
    spec: AvatarSpec,
    pose: PoseUse,
    views: Sequence[str | None],
    size: tuple[int, int],
) -> Node:
    """Add the node that turns a pose of the library to these views, in pictures of `size` (width, height) in
    pixels. All views of the generation have the same scale."""
    sheet = ", ".join(view for view in spec.views if view) if spec.has_several_views else ""
    # A user's pose goes by its file, which outlives its entry in the library.
    return build.add_shared(
        LIBRARY_POSE,
        f"Pose {pose.name}" if pose.name else "Pose",
        pose=pose.file.file_id or pose.pose_id,
        width=size[0],
        height=size[1],
        bones=spec.bones,
        mirrored=pose.mirrored,
        sheet=sheet,
        **node_views(views),
    )


def _from_library(
    build: PromptBuilder, spec: AvatarSpec, poses: PoseInput, size: tuple[int, int], label: str
) -> Link:
    if poses.pose is None:
        raise ValueError("There is no pose.")
    # Drawn in the whole frame, as in a batch, so that a narrow view has the same scale.
    whole = add_library_pose(build, spec, poses.pose, poses.views, (spec.width, spec.height)).out()
    if size[0] == spec.width:
        return whole
    title = f"Narrow pose{label}"
    return build.add("AvatarForgeTakePicture", title, images=whole, view=0, width=size[0]).out()


def _given(
    build: PromptBuilder, spec: AvatarSpec, pose: PoseUse, size: tuple[int, int], view: str | None
) -> Link:
    behind = is_from_behind(spec, view)
    return add_pose_image(build, pose.plan, pose.file, size[0], size[1], spec.bones, from_behind=behind).image


def is_from_behind(spec: AvatarSpec, view: str | None) -> bool:
    """Whether a view shows the given pose from behind: the pose of a whole sheet is that of the front."""
    return view == "back" and spec.has_several_views
