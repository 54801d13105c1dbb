"""Chooses the models of a request: the requested, else the configured, else the best installed one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import UnavailableError, UnprocessableError
from ..families import FAMILIES
from ..families.family import Family
from ..model_names import find_model, is_special_checkpoint, takes_few_steps, words_of
from ..ports import InstalledModels, ModelFile, Prompt
from ..settings import Settings
from ..spec.avatar import NO_FOLDER, AvatarSpec
from .capabilities import FAMILY_LABELS, family_of, missing_model
from .missing_files import describe_missing, missing_files
from .parts import ModelParts, find_parts

# Searched in the words of a name. Names often run words together, so some patterns match the start of a word.
_REALISTIC = re.compile(
    r"\b(real|photo|vision|absolute|juggernaut|epic|cyber|natural|analog|lyriel|majic|icbinp)"
    r"|(?<!un)(?<!sur)realis(tic|m)"
)
_ANIME = re.compile(
    r"anime|\banima\b|\b(anything|counterfeit|meina|pony|illustrious|noob|animagine|toon|cartoon|manga|waifu|niji|aom"
    r"|orange|abyss|pastel|hassaku|mistoon)"
)
# Loader node of AvatarForge's graphs -> its inputs with the names of models.
_LOADERS = {
    "CheckpointLoaderSimple": ("ckpt_name",),
    "ControlNetLoader": ("control_net_name",),
    "UNETLoader": ("unet_name",),
    "UnetLoaderGGUF": ("unet_name",),
    "CLIPLoader": ("clip_name",),
    "CLIPLoaderGGUF": ("clip_name",),
    "DualCLIPLoader": ("clip_name1", "clip_name2"),
    "DualCLIPLoaderGGUF": ("clip_name1", "clip_name2"),
    "VAELoader": ("vae_name",),
    "LoraLoader": ("lora_name",),
    "LoraLoaderModelOnly": ("lora_name",),
    "ModelPatchLoader": ("name",),
}

#: The request field that names a model.
NamedBy = Literal["model", "checkpoint"]


@dataclass(frozen=True)
class ChosenModel:
    """The model of a request, its family with the changes of its variant, and its other files. The file of
    a drawn family stands for the family itself, in NO_FOLDER."""

    file: ModelFile
    family: Family
    parts: ModelParts


def choose_model(
    installed: InstalledModels,
    settings: Settings,
    *,
    realism: bool,
    requested: str | None = None,
    named_by: NamedBy = "model",
    family: str | None = None,
) -> ChosenModel:
    """Choose the model: the requested one; else of the requested family, or of the one that DEFAULT_FAMILY
    names, or of any, the configured one or the best installed one. A drawn family is never chosen by itself.

    Raises UnprocessableError if the requested one cannot be used, UnavailableError if none is available.
    """
    if family is not None and family not in FAMILIES:
        raise UnprocessableError(
            f"There is no model family {family!r}. AvatarForge knows: {', '.join(FAMILIES)}.",
            ("body", "family"),
            code="unknown_option",
            parameters={"field": "family", "value": family},
        )
    if requested is None and family is None:
        family = settings.default_family or None
    if requested is not None:
        found = _drawn_model(requested) or _requested(installed, requested, named_by)
        if family is not None and found.family != family:
            raise UnprocessableError(
                f"The model {found.name!r} is of the family {found.family}, not {family}.",
                ("body", "family"),
                code="family_mismatch",
                parameters={"model": found.name, "family": family},
            )
        return _with_parts(installed, found)
    if family is not None and FAMILIES[family].drawn:
        return _with_parts(installed, _stand_in(FAMILIES[family]))
    configured = _configured(installed, settings, realism=realism)
    if configured is not None and family in (None, configured.family):
        return _with_parts(installed, configured)
    supported = [
        model
        for model in installed.models
        if model.family is not None and not model.problem and family in (None, model.family)
    ]
    ready = [model for model in supported if _is_complete(installed, model)]
    if ready:
        return _with_parts(installed, max(ready, key=lambda model: _rank(model, realism=realism)))
    if supported:
        return _with_parts(installed, supported[0])  # raises, and says what is missing
    if family is not None:
        label = FAMILIES[family].label
        chosen = ", which DEFAULT_FAMILY names," if family == settings.default_family else ""
        raise UnavailableError(
            f"No usable model of {label}{chosen} is installed.",
            code="checkpoint_missing",
            parameters={"families": label},
        )
    raise UnavailableError(
        missing_model(installed), code="checkpoint_missing", parameters={"families": FAMILY_LABELS}
    )


def require_models(installed: InstalledModels, spec: AvatarSpec) -> None:
    """Raises UnavailableError, naming file and folder, if a model that was chosen earlier is missing."""
    if spec.is_drawn:
        return
    models = installed.diffusion_models if spec.model_folder != "checkpoints" else installed.checkpoints
    folder = {"unet_gguf": "diffusion_models"}.get(spec.model_folder, spec.model_folder)
    _require(models, (spec.checkpoint,), folder)
    if spec.pose_method == "patch":
        _require(installed.model_patches, (spec.controlnet,), "model_patches")
    else:
        _require(installed.controlnets, (spec.controlnet,), "controlnet")
    _require(installed.loras, [lora.name for lora in spec.loras if lora.has_effect], "loras")
    _require(_as_models(part.name for part in installed.text_encoders), spec.text_encoders, "text_encoders")
    _require(_as_models(part.name for part in installed.vaes), (spec.vae,), "vae")


def with_installed_names(prompt: Prompt, installed: InstalledModels) -> Prompt:
    """The prompt with its models named as this ComfyUI names them.

    A prompt stored on Windows names "sdxl\\base.safetensors", which ComfyUI on Linux lists as
    "sdxl/base.safetensors". A model that is not installed keeps its name, and ComfyUI refuses it.
    """
    encoders = _as_models(part.name for part in installed.text_encoders)
    models: dict[str, Sequence[ModelFile]] = {
        "ckpt_name": [*installed.checkpoints, *_as_models(installed.sdpose)],
        "control_net_name": installed.controlnets,
        "unet_name": installed.diffusion_models,
        "clip_name": encoders,
        "clip_name1": encoders,
        "clip_name2": encoders,
        "vae_name": _as_models(part.name for part in installed.vaes),
        "lora_name": installed.loras,
        "name": installed.model_patches,
    }
    renamed: Prompt = {}
    for node_id, node in prompt.items():
        changes = {}
        for field in _LOADERS.get(str(node.get("class_type")), ()):
            name = node["inputs"].get(field)
            found = find_model(models[field], name) if isinstance(name, str) else None
            if found is not None and found.name != name:
                changes[field] = found.name
        renamed[node_id] = {**node, "inputs": {**node["inputs"], **changes}} if changes else node
    return renamed


def _drawn_model(name: str) -> ModelFile | None:
    """The drawn family that a request asks for by its name as a model."""
    wanted = name.casefold()
    drawn = (family for family in FAMILIES.values() if family.model and family.model.casefold() == wanted)
    return next((_stand_in(family) for family in drawn), None)


def _stand_in(family: Family) -> ModelFile:
    return ModelFile(family.model or family.label, family.name, folder=NO_FOLDER)


def _requested(installed: InstalledModels, name: str, named_by: NamedBy) -> ModelFile:
    found = find_model(installed.models, name)
    if found is None:
        raise UnprocessableError(
            f"The {named_by} {name!r} is not installed. Installed: {_names(installed.models)}.",
            ("body", named_by),
            code="checkpoint_not_found",
            parameters={"checkpoint": name},
        )
    if found.problem:
        raise UnprocessableError(
            f"The {named_by} {found.name!r} cannot be used: it {found.problem}.",
            ("body", named_by),
            code="checkpoint_unusable",
            parameters={"checkpoint": found.name},
        )
    if found.family is None:
        raise UnprocessableError(
            f"The {named_by} {name!r} is not of a family that AvatarForge knows ({FAMILY_LABELS}).",
            ("body", named_by),
            code="checkpoint_unsupported",
            parameters={"checkpoint": name, "families": FAMILY_LABELS},
        )
    return found


def _configured(installed: InstalledModels, settings: Settings, *, realism: bool) -> ModelFile | None:
    variable = "CHECKPOINT_REALISTIC" if realism else "CHECKPOINT_ANIME"
    wanted = settings.checkpoint_realistic if realism else settings.checkpoint_anime
    if not wanted:
        return None
    found = find_model(installed.models, wanted)
    if found is not None and found.problem:
        raise UnavailableError(
            f"The checkpoint {wanted!r} that {variable} names cannot be used: it {found.problem}. Put a "
            f"whole one into models/{found.folder}, or set {variable} to another.",
            code="configured_checkpoint_unusable",
            parameters={"checkpoint": wanted, "setting": variable},
        )
    if found is None or found.family is None:
        raise UnavailableError(
            f"The checkpoint {wanted!r} that {variable} names is not in models/checkpoints or "
            f"models/diffusion_models, or is not of a known family ({FAMILY_LABELS}). Put it there, or set "
            f"{variable} to one that is.",
            code="configured_checkpoint_unusable",
            parameters={"checkpoint": wanted, "setting": variable},
        )
    return found


def _with_parts(installed: InstalledModels, model: ModelFile) -> ChosenModel:
    """Raises UnavailableError if a text encoder or VAE is missing."""
    family = family_of(model)
    if family is None:
        raise ValueError(f"The model {model.name} has no family.")
    parts, missing = find_parts(installed, model, family)
    if missing:
        needed = describe_missing(missing_files(missing))
        raise UnavailableError(
            f"The model {model.name!r} ({family.label}) needs more files: {needed}.",
            code="model_parts_missing",
            parameters={"model": model.name, "missing": needed},
        )
    return ChosenModel(model, family, parts)


def _is_complete(installed: InstalledModels, model: ModelFile) -> bool:
    family = family_of(model)
    return family is not None and not find_parts(installed, model, family)[1]


def _rank(model: ModelFile, *, realism: bool) -> tuple[bool | int, ...]:
    """Higher is better: general before special, then by style, then by how certain the family is, then by
    what the family can do."""
    words = words_of(model.name)
    wanted, unwanted = (_REALISTIC, _ANIME) if realism else (_ANIME, _REALISTIC)
    return (
        not is_special_checkpoint(model),
        bool(wanted.search(words)),
        not unwanted.search(words),
        not model.guessed,
        FAMILIES[model.family].rank if model.family else 0,
        not takes_few_steps(model.name),
    )


def _require(models: Sequence[ModelFile], names: Iterable[str | None], folder: str) -> None:
    for name in names:
        if name is None:
            continue
        found = find_model(models, name)
        if found is None:
            raise UnavailableError(
                f"The model {name!r} is not installed any more: put it into models/{folder}.",
                code="model_unavailable",
                parameters={"model": name, "folder": f"models/{folder}"},
            )
        if found.problem:
            raise UnavailableError(
                f"The model {found.name!r} cannot be used: it {found.problem}. Put a whole one into "
                f"models/{folder}.",
                code="model_unavailable",
                parameters={"model": found.name, "folder": f"models/{folder}"},
            )


def _as_models(names: Iterable[str]) -> list[ModelFile]:
    return [ModelFile(name, None) for name in names]


def _names(models: Sequence[ModelFile]) -> str:
    return ", ".join(model.name for model in models) or "none"
