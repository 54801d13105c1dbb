"""Ways to apply a pose to a picture: a ControlNet, a patch of the model, or a reference picture."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import UnavailableError, UnprocessableError
from ..families import MODEL_FAMILIES
from ..families.catalogue import download_for
from ..families.family import Family
from ..model_names import find_model, hints_of, names_openpose, names_other_hints
from ..ports import ControlKind, InstalledModels, ModelFile
from ..settings import Settings
from .method import Method, best, lacking, list_some

CONTROLNET, PATCH, PICTURE, KEYPOINTS = "controlnet", "patch", "picture", "keypoints"

_THICK_BONES = re.compile(r"xinsir", re.IGNORECASE)
# Best first. An adapter is a tenth of a ControlNet's size and controls the pose less strictly.
_KINDS: tuple[ControlKind, ...] = ("ControlNet", "Control-LoRA", "T2I adapter")


def pose_methods(installed: InstalledModels, settings: Settings, family: Family) -> tuple[Method, ...]:
    """The methods of the family, best first."""
    return tuple(_METHODS[name](installed, settings, family) for name in family.pose)


def choose_pose_method(
    installed: InstalledModels, settings: Settings, family: Family
) -> tuple[str, ModelFile | None]:
    """The best method that works, and the ControlNet or patch that it uses.

    Raises UnprocessableError if the family has no method, UnavailableError if no model for it is installed.
    """
    methods = pose_methods(installed, settings, family)
    method = best(methods)
    if method is not None:
        models = installed.model_patches if method.name == PATCH else installed.controlnets
        return method.name, next((model for model in models if model.name == method.model), None)
    missing = missing_pose(methods, family)
    if methods:
        raise UnavailableError(missing, code="pose_controlnet_missing", parameters={"family": family.label})
    raise UnprocessableError(
        missing,
        ("body", "pose_file_id"),
        code="not_supported_by_family",
        parameters={"field": "pose_file_id", "family": family.label},
    )


def pose_controlnet(installed: InstalledModels, settings: Settings, family: Family) -> Method:
    """The pose ControlNet for this family: the one that POSE_CONTROLNET names, unless it is for another
    family, where it would break the sampler; else the best one installed."""
    wanted = settings.pose_controlnet
    if wanted:
        found = find_model(installed.controlnets, wanted)
        if found is None or found.problem:
            it = f", where it {found.problem}" if found else ""
            return lacking(
                CONTROLNET, f"the ControlNet {wanted!r} that POSE_CONTROLNET names, in models/controlnet{it}"
            )
        if found.family in (family.name, None):
            return _by_model(CONTROLNET, found)
    found = _best_pose_model(installed.controlnets, family)
    if found is not None:
        return _by_model(CONTROLNET, found)
    return lacking(
        CONTROLNET,
        f"a ControlNet with 'openpose' in its name for {family.label} (.safetensors) in models/controlnet"
        f"{_such_as(family)}{_unusable_controlnets(installed, family)}",
    )


def _pose_patch(installed: InstalledModels, _settings: Settings, family: Family) -> Method:
    found = _best_pose_model(installed.model_patches, family)
    if found is not None:
        return _by_model(PATCH, found)
    return lacking(
        PATCH,
        f"a pose or union control patch for {family.label} (.safetensors) in models/model_patches"
        f"{_such_as(family)}",
    )


def _pose_picture(_installed: InstalledModels, _settings: Settings, _family: Family) -> Method:
    return Method(PICTURE, True, None, None)


def _pose_keypoints(_installed: InstalledModels, _settings: Settings, _family: Family) -> Method:
    return Method(KEYPOINTS, True, None, None)


_METHODS = {
    CONTROLNET: pose_controlnet,
    PATCH: _pose_patch,
    PICTURE: _pose_picture,
    KEYPOINTS: _pose_keypoints,
}


def needs_union_type(model: ModelFile, family: Family) -> bool:
    """Whether the graph must select its pose mode with SetUnionControlNetType."""
    return model.union and family.union_type is not None


def bones_for(model: ModelFile | None, family: Family) -> str:
    """The bone thickness that the pose model expects: a value of `pictures.skeleton.BoneStyle`."""
    if model is None:
        return "standard"
    if _THICK_BONES.search(model.name):
        return "xinsir"
    return family.union_bones if needs_union_type(model, family) else "standard"


def missing_pose(methods: tuple[Method, ...], family: Family) -> str:
    """A sentence on why no method of the family works."""
    if not methods:
        return f"No way is known to apply a pose to a picture of {family.label}."
    what = "pose ControlNet" if len(methods) == 1 and methods[0].name == CONTROLNET else "pose model"
    needed = ", or ".join(str(method.missing) for method in methods)
    return f"No {what} for {family.label} is installed, so a pose cannot be applied. It needs {needed}."


def _best_pose_model(models: Sequence[ModelFile], family: Family) -> ModelFile | None:
    usable = [
        model
        for model in models
        if model.family == family.name and not model.problem and hints_of(model) == "pose"
    ]
    return max(usable, key=_pose_rank, default=None)


def _such_as(family: Family) -> str:
    """A file that is known to work, and where it is."""
    download = download_for(family.name, "pose")
    return f", such as {download.name} from {download.page}" if download else ""


def _by_model(name: str, model: ModelFile) -> Method:
    return Method(name, True, model.name, None, model.guessed)


def _pose_rank(model: ModelFile) -> tuple[int, bool, bool, bool]:
    """Higher is better: first what the file is, then what its name says; general before special."""
    kind = -_KINDS.index(model.kind) if model.kind in _KINDS else -len(_KINDS)
    return (
        kind,
        not model.guessed,
        names_openpose(model.name),
        not names_other_hints(model.name),
    )


def _unusable_controlnets(installed: InstalledModels, family: Family) -> str:
    """Installed models that could be taken for pose ControlNets, and why they are not."""
    reasons = [
        f"{model.name!r}, which {reason}"
        for model in installed.controlnets
        if (reason := _why_no_pose_controlnet(model, family)) is not None
    ]
    return list_some(". Installed, but of no use for it: ", reasons)


def _why_no_pose_controlnet(model: ModelFile, family: Family) -> str | None:
    """None for a model that is clearly meant for something else."""
    hints = hints_of(model)
    if hints == "other":
        return None
    if model.problem:
        return model.problem
    if model.family is None:
        return f"is a {model.kind} of a family that AvatarForge does not know"
    if model.family != family.name:
        return f"is a {model.kind} for {MODEL_FAMILIES[model.family].label}"
    if hints == "not people":
        return "is not for the skeletons of people"
    return "has nothing in its name that says that it is for poses"
