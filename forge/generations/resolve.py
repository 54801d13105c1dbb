"""Turns a request into a spec: makes every choice that the request leaves open."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from ...db.records import FileRecord
from ..errors import UnavailableError, UnprocessableError
from ..graphs.capabilities import (
    bones_for,
    ipadapter_choice,
    needs_union_type,
    pose_controlnet,
    pose_extractors,
)
from ..graphs.models import choose_checkpoint, choose_pose_controlnet
from ..graphs.poses import plan_pose, pose_warnings
from ..graphs.prompt_syntax import prompt_warnings
from ..pictures.skeleton import BoneStyle
from ..ports import InstalledModels, ModelFile
from ..settings import Settings
from ..spec.avatar import AvatarSpec, ReferenceUse
from ..spec.pose import PoseFile, PoseMode, PoseUse
from ..spec.request import POSE_STRENGTH, REFERENCE_STRENGTH, REQUEST_FIELDS, AvatarRequest
from ..spec.settings import SETTINGS
from ..spec.warning import GenerationWarning, make_warning

Value = TypeVar("Value")


@dataclass(frozen=True)
class GivenPose:
    """The pose image of a request: its row, its detected kind, and the skeletons that were extracted from it
    earlier (bone style -> file id)."""

    record: FileRecord
    kind: str
    skeletons: Mapping[str, str]


@dataclass(frozen=True)
class ResolvedRequest:
    """A spec and its warnings. `spare_controlnet` is the pose ControlNet that other requests of the family
    use, if this one uses none."""

    spec: AvatarSpec
    warnings: tuple[GenerationWarning, ...]
    spare_controlnet: str | None = None


def resolve_request(
    request: AvatarRequest,
    views: tuple[str, ...] | None,
    pose: GivenPose | None,
    reference: FileRecord | None,
    installed: InstalledModels,
    settings: Settings,
) -> ResolvedRequest:
    """Make a spec. If `views` is None, it has one picture: the view of the pose image, or the front.

    Raises UnprocessableError for an invalid combination of fields or an unknown option, UnavailableError if a
    needed model is not installed.
    """
    _reject_ignored_fields(request, views, pose)
    checkpoint, family = choose_checkpoint(
        installed, settings, realism=request.realism, requested=request.checkpoint
    )
    _check_supported("sampler", request.sampler, installed.samplers)
    _check_supported("scheduler", request.scheduler, installed.schedulers)
    strength = _default(request.pose_strength, POSE_STRENGTH)
    steered = pose is not None and strength > 0
    # The strength applies to the pose image if there is one, otherwise to the built-in skeletons.
    skeleton_strength = POSE_STRENGTH if pose is not None else strength
    controlnet, warnings = _controlnet(
        installed,
        settings,
        family.name,
        needed=steered,
        wanted=steered or (views is not None and skeleton_strength > 0),
    )
    bones = bones_for(controlnet) if controlnet else BoneStyle.STANDARD.value
    chosen_views: tuple[str | None, ...] = views if views else ((None,) if steered else ("front",))
    defaults = {
        "width": settings.default_width or family.width,
        "height": settings.default_height or family.height,
        "steps": settings.default_steps or family.steps,
        "cfg": family.cfg,
        "sampler": family.sampler,
        "scheduler": family.scheduler,
        # 53 bits, because a JavaScript client could not send a larger seed back unchanged.
        "seed": secrets.randbits(53),
    }
    chosen = {name: getattr(request, name) for name in SETTINGS}
    spec = AvatarSpec(
        **{
            **{name: _default(value, SETTINGS[name].default) for name, value in chosen.items()},
            **{name: value for name, value in defaults.items() if chosen[name] is None},
            "checkpoint": checkpoint,
        },
        views=chosen_views,
        pose=_use_pose(pose, request, strength, installed, bones),
        reference=_use_reference(reference, request.reference_strength, installed, family.name),
        family=family.name,
        controlnet=controlnet.name if controlnet else None,
        controlnet_is_union=controlnet is not None and needs_union_type(controlnet),
        bones=bones,
        skeleton_strength=skeleton_strength,
        turnaround="sequential" if request.turnaround == "sequential" else "batch",
    )
    spare = None if controlnet else pose_controlnet(installed, settings, family.name).model
    warnings += prompt_warnings(spec.texts, installed.embeddings)
    if spec.pose is not None:
        warnings += pose_warnings(spec.pose, pose_extractors(installed))
    return ResolvedRequest(spec, warnings, spare)


def _reject_ignored_fields(
    request: AvatarRequest, views: tuple[str, ...] | None, pose: GivenPose | None
) -> None:
    is_single_view = views is None or len(views) == 1
    for name, field in REQUEST_FIELDS.items():
        if getattr(request, name) is None:
            continue
        if field.applies == "several_views" and is_single_view:
            reason = f"{name} is about several views: it belongs to generate_all_poses."
        elif field.applies == "pose" and pose is None:
            reason = f"{name} is about a pose image, and none was given."
        else:
            continue
        raise UnprocessableError(
            reason, ("body", name), code="field_not_applicable", parameters={"field": name}
        )


def _controlnet(
    installed: InstalledModels, settings: Settings, family: str, *, needed: bool, wanted: bool
) -> tuple[ModelFile | None, tuple[GenerationWarning, ...]]:
    """The pose ControlNet, or None if it is not `wanted`. If none is installed, this is an error if it is
    `needed`, and otherwise a warning."""
    if not wanted:
        return None, ()
    try:
        return choose_pose_controlnet(installed, settings, family), ()
    except UnavailableError as error:
        if needed:
            raise
        detail = f"The view rests on words alone. {error.detail}"
        return None, (make_warning("no_pose_controlnet", detail, missing=error.detail),)


def _use_pose(
    pose: GivenPose | None,
    request: AvatarRequest,
    strength: float,
    installed: InstalledModels,
    bones: str,
) -> PoseUse | None:
    if pose is None:
        return None
    record = pose.record
    mode: PoseMode = _default(request.pose_mode, "auto")
    skeleton = pose.skeletons.get(bones)
    file = PoseFile(record.id, record.content_hash, record.width, record.height, pose.kind, skeleton)
    return PoseUse(file, plan_pose(file, mode, pose_extractors(installed)), mode, strength)


def _use_reference(
    record: FileRecord | None, strength: float | None, installed: InstalledModels, family: str
) -> ReferenceUse | None:
    if record is None:
        return None
    weight = _default(strength, REFERENCE_STRENGTH)
    adapter = ipadapter_choice(installed, family)
    if adapter is None:
        return ReferenceUse(record.id, record.content_hash, weight, "attention")
    return ReferenceUse(record.id, record.content_hash, weight, "ipadapter", adapter.preset, adapter.model)


def _default(value: Value | None, default: Value) -> Value:
    return default if value is None else value


def _check_supported(field: str, value: str | None, supported: tuple[str, ...]) -> None:
    if value is not None and value not in supported:
        raise UnprocessableError(
            f"This ComfyUI has no {field} {value!r}. It has: {', '.join(supported)}.",
            ("body", field),
            code="unknown_option",
            parameters={"field": field, "value": value},
        )
