"""Turns a request into a spec: makes every choice that the request leaves open."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ...db.records import FileRecord
from ..errors import UnavailableError, UnprocessableError
from ..families import FAMILIES
from ..families.family import Family, Sampling
from ..graphs.capabilities import pose_extractors
from ..graphs.loras import choose_loras
from ..graphs.models import ChosenModel, NamedBy, choose_model
from ..graphs.pose_methods import (
    CONTROLNET,
    KEYPOINTS,
    PICTURE,
    bones_for,
    choose_pose_method,
    needs_union_type,
    pose_controlnet,
)
from ..graphs.poses import plan_pose, pose_warnings
from ..graphs.prompt_syntax import prompt_warnings
from ..ports import InstalledModels, ModelFile
from ..settings import Settings
from ..spec.avatar import AvatarSpec
from ..spec.character import CharacterUse
from ..spec.pose import PoseFile, PoseMode, PoseUse
from ..spec.request import POSE_STRENGTH, AvatarRequest
from ..spec.settings import PIXEL_COLORS, SETTINGS
from ..spec.warning import GenerationWarning, make_warning
from .applicability import (
    GivenInputs,
    check_applicable,
    check_pose_shown,
    check_size,
    family_warnings,
    unknown_option,
)
from .references import GivenReference, add_references

Value = TypeVar("Value")
Views = tuple[str, ...] | None


@dataclass(frozen=True)
class NamedPose:
    """A pose of the library: its id, its name, and the pose as a spec stores it."""

    id: str
    name: str
    file: PoseFile


@dataclass(frozen=True)
class GivenPose:
    """The pose of a request: its row, its detected kind, and the skeletons that were extracted from it
    earlier (bone style -> file id). `named` is set for a pose of the library; if that is built in, there is
    no row."""

    record: FileRecord | None
    kind: str
    skeletons: Mapping[str, str]
    named: NamedPose | None = None


@dataclass(frozen=True)
class ResolvedRequest:
    """A spec and its warnings. `spare_controlnet` is the pose ControlNet that other requests of the family
    use, if this one uses none."""

    spec: AvatarSpec
    warnings: tuple[GenerationWarning, ...]
    spare_controlnet: str | None = None


@dataclass(frozen=True)
class PoseChoice:
    """How views and a given pose are applied. `model` is a ControlNet or a patch, None for the methods
    "picture" and "keypoints" and if nothing applies them."""

    method: str
    model: ModelFile | None
    warnings: tuple[GenerationWarning, ...] = ()


def resolve_request(
    request: AvatarRequest,
    views: Views,
    pose: GivenPose | None,
    references: Sequence[GivenReference],
    installed: InstalledModels,
    settings: Settings,
    *,
    character: CharacterUse | None = None,
    expression_words: str = "",
) -> ResolvedRequest:
    """Make a spec. If `views` is None, it has one picture: the view of the pose image, or the front.

    Raises UnprocessableError for an invalid combination of fields or an unknown option, UnavailableError if a
    needed model is not installed.
    """
    several_views = views is not None and len(views) > 1
    given = GivenInputs(several_views, pose is not None, bool(references))
    check_applicable(request, given)
    chosen = _choose_model(request, installed, settings)
    family = chosen.family
    check_applicable(request, given, family)
    _check_supported("sampler", request.sampler, installed.samplers)
    own_scheduler = filter(None, [family.sampling.scheduler])
    _check_supported("scheduler", request.scheduler, (*installed.schedulers, *own_scheduler))
    strength = _default(request.pose_strength, family.pose_strength if family.pose else POSE_STRENGTH)
    steered = pose is not None and strength > 0
    # The strength applies to the pose image if there is one, otherwise to the built-in skeletons.
    skeleton_strength = family.pose_strength if pose is not None else strength
    posed = _choose_pose(
        installed,
        settings,
        family,
        needed=steered,
        wanted=steered or (views is not None and skeleton_strength > 0),
    )
    bones = bones_for(posed.model, family)
    used_pose = use_pose(
        pose, request, strength, installed, bones, needs_keypoints=steered and posed.method == KEYPOINTS
    )
    chosen_views: tuple[str | None, ...] = views if views else ((None,) if steered else ("front",))
    loras = choose_loras(
        installed,
        family,
        chosen.file.variant,
        request.loras or (),
        views=views is not None,
        pose=steered,
    )
    values = _settings(request, chosen, settings, loras.distillation)
    check_size(family, values["width"], values["height"])
    spec = AvatarSpec(
        **values,
        views=chosen_views,
        pose=used_pose,
        reference=None,
        family=family.name,
        variant=chosen.file.variant,
        prediction=chosen.file.prediction,
        model_folder=chosen.file.folder,
        text_encoders=chosen.parts.text_encoders,
        vae=chosen.parts.vae,
        loras=loras.uses,
        pose_method=posed.method,
        controlnet=posed.model.name if posed.model else None,
        controlnet_is_union=posed.model is not None and needs_union_type(posed.model, family),
        bones=bones,
        skeleton_strength=skeleton_strength,
        character=character,
        expression_words=expression_words,
        count=_default(request.count, 1),
        turnaround="sequential" if request.turnaround == "sequential" or not family.batch else "batch",
    )
    check_pose_shown(spec)
    spec, left_out = add_references(spec, references, request, installed)
    spare = spare_controlnet(spec, installed, settings)
    warnings = posed.warnings + left_out + family_warnings(request, spec, family)
    if not family.drawn:
        warnings += prompt_warnings(spec.texts, installed.embeddings)
    if spec.pose is not None:
        warnings += pose_warnings(spec.pose, pose_extractors(installed))
    return ResolvedRequest(spec, warnings, spare)


def spare_controlnet(spec: AvatarSpec, installed: InstalledModels, settings: Settings) -> str | None:
    """The pose ControlNet that other requests of the family use, if this spec uses none."""
    family = FAMILIES.get(spec.family)
    if spec.template is not None or family is None or spec.controlnet is not None:
        return None
    if CONTROLNET not in family.pose:
        return None
    asked = ("pose_controlnet", family.name, settings.pose_controlnet)
    return installed.remember(asked, lambda: pose_controlnet(installed, settings, family)).model


def _choose_model(request: AvatarRequest, installed: InstalledModels, settings: Settings) -> ChosenModel:
    if request.model is not None and request.checkpoint not in (None, request.model):
        raise UnprocessableError(
            "model and checkpoint name two different models: send one of them.",
            ("body", "checkpoint"),
            code="field_not_applicable",
            parameters={"field": "checkpoint"},
        )
    realism, family = bool(request.realism), request.family
    requested = request.model if request.model is not None else request.checkpoint
    named_by: NamedBy = "model" if request.model is not None else "checkpoint"

    def choose() -> ChosenModel:
        return choose_model(
            installed, settings, realism=realism, requested=requested, named_by=named_by, family=family
        )

    own = (settings.default_family, settings.checkpoint_realistic, settings.checkpoint_anime)
    return installed.remember(("model", realism, requested, named_by, family, own), choose)


def _settings(
    request: AvatarRequest, chosen: ChosenModel, settings: Settings, distillation: str | None
) -> dict[str, Any]:
    """The settings of the spec: the request's, else those of the pack, else those of the family."""
    family = chosen.family
    sampling = family.sampling_of(distillation or chosen.file.distillation)
    defaults = {
        "width": _in_steps(settings.default_width, family) or sampling.width,
        "height": _in_steps(settings.default_height, family) or sampling.height,
        "steps": _default_steps(settings, family, sampling),
        "cfg": sampling.cfg,
        "sampler": sampling.sampler,
        "scheduler": sampling.scheduler,
        "guidance": sampling.guidance,
        "shift": sampling.shift,
        "clip_skip": sampling.clip_skip,
        "consistency": family.consistency,
        "pixel_colors": default_colors(request.pixel_height),
        # 53 bits, because a JavaScript client could not send a larger seed back unchanged.
        "seed": secrets.randbits(53),
    }
    values = {name: getattr(request, name) for name in SETTINGS}
    if family.anchor is None:
        values["consistency"] = 0.0
    return {
        **{name: _default(value, SETTINGS[name].default) for name, value in values.items()},
        **{name: value for name, value in defaults.items() if values[name] is None},
        "checkpoint": chosen.file.name,
    }


def default_colors(pixel_height: int | None) -> int | None:
    """Colours of a palette that the request does not choose; None for a picture that is not reduced."""
    return PIXEL_COLORS if pixel_height is not None else None


def _in_steps(size: int | None, family: Family) -> int | None:
    """A size of the settings, in pixels, which holds for every family."""
    return size and size // family.latent.step * family.latent.step


def _default_steps(settings: Settings, family: Family, sampling: Sampling) -> int:
    """DEFAULT_STEPS holds for every family, also for one with fewer steps."""
    steps = settings.default_steps or sampling.steps
    return steps if family.most_steps is None else min(steps, family.most_steps)


def _choose_pose(
    installed: InstalledModels, settings: Settings, family: Family, *, needed: bool, wanted: bool
) -> PoseChoice:
    """How to apply poses, if that is `wanted`. If nothing installed can, this is an error if it is `needed`,
    and otherwise a warning."""
    first = family.pose[0] if family.pose else "none"
    if not wanted:
        return PoseChoice(first if first != PICTURE else "none", None)
    asked = ("pose", family.name, settings.pose_controlnet)
    try:
        found = installed.remember(asked, lambda: choose_pose_method(installed, settings, family))
        return PoseChoice(*found)
    except (UnavailableError, UnprocessableError) as error:
        if needed:
            raise
        detail = f"The view rests on words alone. {error.detail}"
        return PoseChoice(first, None, (make_warning("no_pose_controlnet", detail, missing=error.detail),))


def use_pose(
    pose: GivenPose | None,
    request: AvatarRequest,
    strength: float,
    installed: InstalledModels,
    bones: str,
    *,
    needs_keypoints: bool = False,
) -> PoseUse | None:
    """The given pose as a spec stores it, with the plan for its kind. Raises what `plan_pose` raises."""
    if pose is None:
        return None
    mode: PoseMode = _default(request.pose_mode, "auto")
    if pose.named is not None:
        plan = plan_pose(pose.named.file, mode, ())
        named = pose.named
        return PoseUse(named.file, plan, mode, strength, named.id, named.name, bool(request.pose_mirrored))
    record = pose.record
    if record is None:
        raise ValueError("Only a pose of the library can be without a file.")
    skeleton = pose.skeletons.get(bones)
    file = PoseFile(record.id, record.content_hash, record.width, record.height, pose.kind, skeleton)
    plan = plan_pose(file, mode, pose_extractors(installed), needs_keypoints=needs_keypoints)
    return PoseUse(file, plan, mode, strength)


def _default(value: Value | None, default: Value) -> Value:
    return default if value is None else value


def _check_supported(field: str, value: str | None, supported: tuple[str, ...]) -> None:
    if value is not None and value not in supported:
        raise unknown_option(field, value, supported)
