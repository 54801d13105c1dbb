"""Which methods work with the installed models, and which files the others lack.

`GET /capabilities`, `/health`, every refusal and every choice of a model use this table. To add a method, add
a function that returns a `Method`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..families import FAMILIES
from ..model_names import find_model, hints_of, names_openpose, names_other_hints
from ..ports import ControlKind, InstalledModels, ModelFile, SkippedFile
from ..settings import Settings

CONTROLNET, ATTENTION, IPADAPTER, DWPOSE, SDPOSE = "controlnet", "attention", "ipadapter", "dwpose", "sdpose"
FAMILY_LABELS = " or ".join(family.label for family in FAMILIES.values())

_THICK_BONES = re.compile(r"xinsir", re.IGNORECASE)

_WEIGHTS = r"(safetensors|bin)$"
_CLIP_VISION = re.compile(r"(vit.h.14.*s32b.b79k|ipadapter.*sd15|sd1.?5.*model)\." + _WEIGHTS, re.IGNORECASE)
_CLIP_VISION_NAME = "CLIP-ViT-H-14-laion2B-s32B-b79K.safetensors"
_SDPOSE_NAME = "sdpose_wholebody_fp16.safetensors"
_SDPOSE = re.compile(r"sd.?pose", re.IGNORECASE)

# Best first. An adapter is a tenth of a ControlNet's size and controls the pose less strictly.
_KINDS: tuple[ControlKind, ...] = ("ControlNet", "Control-LoRA", "T2I adapter")
_NAMED_AT_MOST = 5  # files in a sentence
SKIPPED_AT_MOST = 100  # files in a response


@dataclass(frozen=True)
class Method:
    """One way to apply an input. `model` is the file that it uses, None if it needs none or brings its own.
    `missing` is None if it works, else the missing files and folders, phrased to follow "needs".
    `family_is_guess`: only the model's name says that it fits."""

    name: str
    works: bool
    model: str | None
    missing: str | None
    family_is_guess: bool = False


@dataclass(frozen=True)
class CheckpointCapabilities:
    """`family` is None unless the file is a checkpoint of a supported family. `family_is_guess`: only its
    name says so. `problem`: why the file cannot be used, phrased to follow "it"; None if it can."""

    name: str
    family: str | None
    family_label: str | None
    supported: bool
    pose: tuple[Method, ...]
    reference: tuple[Method, ...]
    family_is_guess: bool = False
    problem: str | None = None


@dataclass(frozen=True)
class Capabilities:
    """`reasons` are sentences on what is impossible with these models; empty when nothing is missing.
    `samplers` and `schedulers` are those of this ComfyUI. `skipped_files` are the first SKIPPED_AT_MOST of
    `skipped_total` unusable files."""

    checkpoints: tuple[CheckpointCapabilities, ...]
    pose_extractors: tuple[Method, ...]
    reasons: tuple[str, ...]
    samplers: tuple[str, ...]
    schedulers: tuple[str, ...]
    skipped_files: tuple[SkippedFile, ...] = ()
    skipped_total: int = 0


@dataclass(frozen=True)
class IpAdapterChoice:
    """A `preset` of IPAdapterUnifiedLoader, and the files that it loads."""

    preset: str
    model: str
    clip_vision: str


def capabilities_of(installed: InstalledModels, settings: Settings) -> Capabilities:
    checkpoints = tuple(
        CheckpointCapabilities(
            name=model.name,
            family=model.family,
            family_label=FAMILIES[model.family].label if model.family else None,
            supported=model.family is not None,
            pose=(pose_controlnet(installed, settings, model.family),) if model.family else (),
            reference=reference_methods(installed, model.family) if model.family else (),
            family_is_guess=model.guessed,
            problem=model.problem,
        )
        for model in installed.checkpoints
    )
    extractors = pose_extractors(installed)
    reasons = [] if any(model.supported for model in checkpoints) else [missing_checkpoint(installed)]
    for family in FAMILIES:
        if any(model.family == family for model in checkpoints):
            method = pose_controlnet(installed, settings, family)
            reasons += [] if method.works else [missing_pose_controlnet(method, family)]
    if not best(extractors):
        reasons.append(missing_extractor(extractors))
    return Capabilities(
        checkpoints,
        extractors,
        tuple(reasons),
        installed.samplers,
        installed.schedulers,
        installed.skipped[:SKIPPED_AT_MOST],
        len(installed.skipped),
    )


def best(methods: Sequence[Method]) -> Method | None:
    """The first method that works; methods are listed best first."""
    return next((method for method in methods if method.works), None)


def pose_controlnet(installed: InstalledModels, settings: Settings, family: str) -> Method:
    """The pose ControlNet for this family: the one that POSE_CONTROLNET names, unless it is for another
    family, where it would break the sampler; else the best one installed."""
    wanted = settings.pose_controlnet
    if wanted:
        found = find_model(installed.controlnets, wanted)
        if found is None or found.problem:
            it = f", where it {found.problem}" if found else ""
            return _lacking(
                CONTROLNET, f"the ControlNet {wanted!r} that POSE_CONTROLNET names, in models/controlnet{it}"
            )
        if found.family in (family, None):
            return _by_controlnet(found)
    usable = [
        model
        for model in installed.controlnets
        if model.family == family and not model.problem and hints_of(model) == "pose"
    ]
    if usable:
        return _by_controlnet(max(usable, key=_pose_rank))
    return _lacking(
        CONTROLNET,
        f"a ControlNet with 'openpose' in its name for {FAMILIES[family].label} (.safetensors) in "
        f"models/controlnet{_unusable_controlnets(installed, family)}",
    )


def _by_controlnet(model: ModelFile) -> Method:
    return Method(CONTROLNET, True, model.name, None, model.guessed)


def _pose_rank(model: ModelFile) -> tuple[int, bool, bool, bool]:
    """Higher is better: first what the file is, then what its name says; general before special."""
    return (
        -_KINDS.index(model.kind),
        not model.guessed,
        names_openpose(model.name),
        not names_other_hints(model.name),
    )


def _unusable_controlnets(installed: InstalledModels, family: str) -> str:
    """Installed models that could be taken for pose ControlNets, and why they are not."""
    reasons = [
        f"{model.name!r}, which {reason}"
        for model in installed.controlnets
        if (reason := _why_no_pose_controlnet(model, family)) is not None
    ]
    return _listed(". Installed, but of no use for it: ", reasons)


def _why_no_pose_controlnet(model: ModelFile, family: str) -> str | None:
    """None for a model that is clearly meant for something else."""
    hints = hints_of(model)
    if hints == "other":
        return None
    if model.problem:
        return model.problem
    if model.family is None:
        return f"is a {model.kind} of a family that AvatarForge does not know"
    if model.family != family:
        return f"is a {model.kind} for {FAMILIES[model.family].label}"
    if hints == "not people":
        return "is not for the skeletons of people"
    return "has nothing in its name that says that it is for poses"


def reference_methods(installed: InstalledModels, family: str) -> tuple[Method, ...]:
    """Ways to apply a reference picture. Attention is AvatarForge's own node and needs no model."""
    return (_ipadapter(installed, family), Method(ATTENTION, True, None, None))


def pose_extractors(installed: InstalledModels) -> tuple[Method, ...]:
    """Ways to turn a photo into a skeleton."""
    if "DWPreprocessor" in installed.nodes:
        dwpose = Method(DWPOSE, True, None, None)  # downloads its models itself
    else:
        dwpose = _lacking(
            DWPOSE, "the node pack comfyui_controlnet_aux (its node DWPreprocessor) in custom_nodes"
        )
    if "SDPoseKeypointExtractor" not in installed.nodes:
        sdpose = _lacking(SDPOSE, "a ComfyUI that has the node SDPoseKeypointExtractor: update ComfyUI")
    elif not installed.sdpose:
        skipped = _skipped_file(installed, "checkpoints", _SDPOSE)
        sdpose = _lacking(SDPOSE, f"the SDPose checkpoint {_SDPOSE_NAME} in models/checkpoints{skipped}")
    else:
        sdpose = Method(SDPOSE, True, installed.sdpose[0], None)
    return (dwpose, sdpose)


def ipadapter_choice(installed: InstalledModels, family: str) -> IpAdapterChoice | None:
    """What IPAdapterUnifiedLoader loads for this family; None if a file or the node pack is missing."""
    encoder = next((name for name in installed.clip_visions if _CLIP_VISION.search(name)), None)
    if encoder is None or not _has_ipadapter_nodes(installed):
        return None
    for preset, pattern, _ in FAMILIES[family].ipadapters:
        model = _matching(installed.ipadapters, pattern)
        if model is not None:
            return IpAdapterChoice(preset, model, encoder)
    return None


def needs_union_type(model: ModelFile) -> bool:
    """Whether the graph must select its "openpose" mode with SetUnionControlNetType."""
    return model.union and model.family is not None and FAMILIES[model.family].union_types


def bones_for(model: ModelFile) -> str:
    """The bone thickness that this ControlNet expects: a value of `pictures.skeleton.BoneStyle`."""
    return "xinsir" if needs_union_type(model) or _THICK_BONES.search(model.name) else "standard"


def missing_checkpoint(installed: InstalledModels) -> str:
    unusable = [f"{model.name!r}, which {model.problem}" for model in installed.checkpoints if model.problem]
    return (
        f"No {FAMILY_LABELS} checkpoint is installed: put one (a .safetensors file) into models/checkpoints"
        f"{_listed('. Installed, but of no use: ', unusable)}."
    )


def missing_pose_controlnet(method: Method, family: str) -> str:
    return (
        f"No pose ControlNet for {FAMILIES[family].label} is installed, so a pose cannot be applied. "
        f"It needs {method.missing}."
    )


def missing_extractor(extractors: Sequence[Method]) -> str:
    ways = ", or ".join(str(method.missing) for method in extractors)
    return f"No pose extractor is installed, so the pose of a photo cannot be read. It needs {ways}."


def _ipadapter(installed: InstalledModels, family: str) -> Method:
    choice = ipadapter_choice(installed, family)
    if choice is not None:
        return Method(IPADAPTER, True, choice.model, None)
    wanted = FAMILIES[family].ipadapters
    if not wanted:
        return _lacking(IPADAPTER, f"an IPAdapter for {FAMILIES[family].label}, which does not exist")
    lacking = []
    if not _has_ipadapter_nodes(installed):
        lacking.append("the node pack ComfyUI_IPAdapter_plus in custom_nodes")
    if not any(_matching(installed.ipadapters, pattern) for _, pattern, _ in wanted):
        names = " or ".join(name for _, _, name in wanted)
        patterns = re.compile("|".join(pattern for _, pattern, _ in wanted), re.IGNORECASE)
        skipped = _skipped_file(installed, "ipadapter", patterns)
        lacking.append(f"{names} for {FAMILIES[family].label} in models/ipadapter{skipped}")
    if not any(_CLIP_VISION.search(name) for name in installed.clip_visions):
        skipped = _skipped_file(installed, "clip_vision", _CLIP_VISION)
        lacking.append(f"the CLIP vision model {_CLIP_VISION_NAME} in models/clip_vision{skipped}")
    return _lacking(IPADAPTER, ", and ".join(lacking))


def _has_ipadapter_nodes(installed: InstalledModels) -> bool:
    return {"IPAdapterUnifiedLoader", "IPAdapterAdvanced"} <= installed.nodes


def _matching(names: Sequence[str], pattern: str) -> str | None:
    return next((name for name in names if re.search(pattern + _WEIGHTS, name, re.IGNORECASE)), None)


def _skipped_file(installed: InstalledModels, folder: str, pattern: re.Pattern[str]) -> str:
    """A file of that name that was skipped, and why."""
    for file in installed.skipped:
        if file.folder == folder and file.name is not None and pattern.search(file.name):
            return f" ({file.name!r} {file.reason})"
    return ""


def _listed(start: str, items: list[str]) -> str:
    if not items:
        return ""
    more = f"; and {len(items) - _NAMED_AT_MOST} more" if len(items) > _NAMED_AT_MOST else ""
    return start + "; ".join(items[:_NAMED_AT_MOST]) + more


def _lacking(name: str, missing: str) -> Method:
    return Method(name, False, None, missing)
