"""Chooses the models of a request: the requested, else the configured, else the best installed one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import UnavailableError, UnprocessableError
from ..families import FAMILIES, Family
from ..model_names import find_model, is_special_checkpoint, takes_few_steps, words_of
from ..ports import InstalledModels, ModelFile, Prompt
from ..settings import Settings
from .capabilities import FAMILY_LABELS, missing_checkpoint, missing_pose_controlnet, pose_controlnet

__all__ = ["FAMILY_LABELS", "choose_checkpoint", "choose_pose_controlnet", "require_models"]

# Searched in the words of a name. Names often run words together, so some patterns match the start of a word.
_REALISTIC = re.compile(
    r"\b(real|photo|vision|absolute|juggernaut|epic|cyber|natural|analog|lyriel|majic|icbinp)"
    r"|(?<!un)(?<!sur)realis(tic|m)"
)
_ANIME = re.compile(
    r"anime|\b(anything|counterfeit|meina|pony|illustrious|noob|animagine|toon|cartoon|manga|waifu|niji|aom"
    r"|orange|abyss|pastel|hassaku|mistoon)"
)
# Loader node of AvatarForge's graphs -> its input with the model's name.
_LOADERS = {"CheckpointLoaderSimple": "ckpt_name", "ControlNetLoader": "control_net_name"}


def choose_checkpoint(
    installed: InstalledModels, settings: Settings, *, realism: bool, requested: str | None
) -> tuple[str, Family]:
    """The name and family of the checkpoint for a request.

    Raises UnprocessableError if the requested one cannot be used, UnavailableError if none is available.
    """
    if requested is not None:
        found = find_model(installed.checkpoints, requested)
        if found is None:
            raise UnprocessableError(
                f"The checkpoint {requested!r} is not installed. Installed: {_names(installed.checkpoints)}.",
                ("body", "checkpoint"),
                code="checkpoint_not_found",
                parameters={"checkpoint": requested},
            )
        if found.problem:
            raise UnprocessableError(
                f"The checkpoint {found.name!r} cannot be used: it {found.problem}.",
                ("body", "checkpoint"),
                code="checkpoint_unusable",
                parameters={"checkpoint": found.name},
            )
        if found.family is None:
            raise UnprocessableError(
                f"The checkpoint {requested!r} is not of a family that AvatarForge knows ({FAMILY_LABELS}).",
                ("body", "checkpoint"),
                code="checkpoint_unsupported",
                parameters={"checkpoint": requested, "families": FAMILY_LABELS},
            )
        return found.name, FAMILIES[found.family]
    variable = "CHECKPOINT_REALISTIC" if realism else "CHECKPOINT_ANIME"
    wanted = settings.checkpoint_realistic if realism else settings.checkpoint_anime
    if wanted:
        found = find_model(installed.checkpoints, wanted)
        if found is not None and found.problem:
            raise UnavailableError(
                f"The checkpoint {wanted!r} that {variable} names cannot be used: it {found.problem}. Put a "
                f"whole one into models/checkpoints, or set {variable} to another.",
                code="configured_checkpoint_unusable",
                parameters={"checkpoint": wanted, "setting": variable},
            )
        if found is None or found.family is None:
            raise UnavailableError(
                f"The checkpoint {wanted!r} that {variable} names is not in models/checkpoints, or is not "
                f"{FAMILY_LABELS}. Put it there, or set {variable} to one that is.",
                code="configured_checkpoint_unusable",
                parameters={"checkpoint": wanted, "setting": variable},
            )
        return found.name, FAMILIES[found.family]
    usable = [model for model in installed.checkpoints if model.family is not None]
    if not usable:
        raise UnavailableError(
            missing_checkpoint(installed),
            code="checkpoint_missing",
            parameters={"families": FAMILY_LABELS},
        )
    best = max(usable, key=lambda model: _rank(model, realism=realism))
    return best.name, FAMILIES[best.family or ""]


def _rank(model: ModelFile, *, realism: bool) -> tuple[bool, ...]:
    """Higher is better: general before special, then by style, then by how certain the family is."""
    words = words_of(model.name)
    wanted, unwanted = (_REALISTIC, _ANIME) if realism else (_ANIME, _REALISTIC)
    return (
        not is_special_checkpoint(model),
        bool(wanted.search(words)),
        not unwanted.search(words),
        not model.guessed,
        not takes_few_steps(model.name),
    )


def choose_pose_controlnet(installed: InstalledModels, settings: Settings, family: str) -> ModelFile:
    """The pose ControlNet for this family. Raises UnavailableError."""
    method = pose_controlnet(installed, settings, family)
    if method.model is None:
        raise UnavailableError(
            missing_pose_controlnet(method, family),
            code="pose_controlnet_missing",
            parameters={"family": FAMILIES[family].label},
        )
    return next(model for model in installed.controlnets if model.name == method.model)


def require_models(installed: InstalledModels, checkpoint: str, controlnet: str | None) -> None:
    """Raises UnavailableError, naming file and folder, if a model that was chosen earlier is missing."""
    for name, models, folder in (
        (checkpoint, installed.checkpoints, "checkpoints"),
        (controlnet, installed.controlnets, "controlnet"),
    ):
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


def with_installed_names(prompt: Prompt, installed: InstalledModels) -> Prompt:
    """The prompt with its models named as this ComfyUI names them.

    A prompt stored on Windows names "sdxl\\base.safetensors", which ComfyUI on Linux lists as
    "sdxl/base.safetensors". A model that is not installed keeps its name, and ComfyUI refuses it.
    """
    models: dict[str, Sequence[ModelFile]] = {
        "CheckpointLoaderSimple": [
            *installed.checkpoints,
            *(ModelFile(name, None) for name in installed.sdpose),
        ],
        "ControlNetLoader": installed.controlnets,
    }
    renamed: Prompt = {}
    for node_id, node in prompt.items():
        field = _LOADERS.get(str(node.get("class_type")))
        name = node["inputs"].get(field) if field else None
        found = find_model(models[node["class_type"]], name) if isinstance(name, str) else None
        if found is not None and found.name != name:
            node = {**node, "inputs": {**node["inputs"], field: found.name}}
        renamed[node_id] = node
    return renamed


def _names(models: Sequence[ModelFile]) -> str:
    return ", ".join(model.name for model in models) or "none"
