"""The pose pictures of the views: the given pose where it applies, built-in skeletons elsewhere. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..families.builder import Link, PromptBuilder
from ..spec.avatar import AvatarSpec
from ..spec.pose import PoseUse
from ..spec.views import node_views
from ..spec.warning import GenerationWarning, make_warning
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
    and also the back if the keypoints of the pose are known and can be turned around."""
    pose = spec.pose if spec.pose and spec.pose.strength > 0 else None
    posed: tuple[str | None, ...] = ()
    if pose is not None:
        wanted = posed_views(spec)
        posed = tuple(view for view in views if view in wanted)
    strength = pose.strength if pose and posed else spec.skeleton_strength
    return PoseInput(tuple(views), pose, posed, strength)


def posed_views(spec: AvatarSpec) -> tuple[str | None, ...]:
    """The views of the whole generation to which its given pose applies."""
    if spec.pose is None or not spec.has_several_views:
        return spec.views
    # A drawn family reads the keypoints of every pose.
    turns = spec.is_drawn or spec.pose.plan.treatment == "json"
    shown = FRONT_AND_BACK if turns else FRONT_AND_BACK[:1]
    return tuple(view for view in spec.views if view in shown)


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


def _given(
    build: PromptBuilder, spec: AvatarSpec, pose: PoseUse, size: tuple[int, int], view: str | None
) -> Link:
    behind = is_from_behind(spec, view)
    return add_pose_image(build, pose.plan, pose.file, size[0], size[1], spec.bones, from_behind=behind).image


def is_from_behind(spec: AvatarSpec, view: str | None) -> bool:
    """Whether a view shows the given pose from behind: the pose of a whole sheet is that of the front."""
    return view == "back" and spec.has_several_views
