"""Which installed model serves a request: the one asked for, else the one set, else by name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import UnavailableError, UnprocessableError
from ..families import FAMILIES, Family
from ..ports import InstalledModels, ModelFile
from ..settings import Settings
from .capabilities import FAMILY_LABELS, missing_checkpoint, missing_pose_controlnet, pose_controlnet

__all__ = ["FAMILY_LABELS", "choose_checkpoint", "choose_pose_controlnet", "require_models"]

_REALISTIC = re.compile(
    r"real|photo|vision|absolute|juggernaut|epic|cyber|natural|analog|lyriel", re.IGNORECASE
)
_ANIME = re.compile(
    r"anime|anything|counterfeit|meina|pony|illustrious|noob|animagine|toon|manga|waifu|niji|aom|orange|abyss"
    r"|pastel|hassaku|mistoon",
    re.IGNORECASE,
)


def choose_checkpoint(
    installed: InstalledModels, settings: Settings, *, realism: bool, requested: str | None
) -> tuple[str, Family]:
    """The checkpoint for a request: its name and its family.

    Raises UnprocessableError when the one asked for cannot be used, UnavailableError when none can.
    """
    if requested is not None:
        found = _named(installed.checkpoints, requested)
        if found is None:
            raise UnprocessableError(
                f"The checkpoint {requested!r} is not installed. Installed: {_names(installed.checkpoints)}.",
                ("body", "checkpoint"),
            )
        if found.family is None:
            raise UnprocessableError(
                f"The checkpoint {requested!r} is not of a family that AvatarForge knows ({FAMILY_LABELS}).",
                ("body", "checkpoint"),
            )
        return found.name, FAMILIES[found.family]
    variable = "CHECKPOINT_REALISTIC" if realism else "CHECKPOINT_ANIME"
    wanted = settings.checkpoint_realistic if realism else settings.checkpoint_anime
    if wanted:
        found = _named(installed.checkpoints, wanted)
        if found is None or found.family is None:
            raise UnavailableError(
                f"The checkpoint {wanted!r} that {variable} names is not in models/checkpoints, or is not "
                f"{FAMILY_LABELS}. Put it there, or set {variable} to one that is."
            )
        return found.name, FAMILIES[found.family]
    usable = [(model.name, model.family) for model in installed.checkpoints if model.family is not None]
    if not usable:
        raise UnavailableError(missing_checkpoint())
    like, unlike = (_REALISTIC, _ANIME) if realism else (_ANIME, _REALISTIC)
    name, family = max(usable, key=lambda model: (bool(like.search(model[0])), not unlike.search(model[0])))
    return name, FAMILIES[family]


def choose_pose_controlnet(installed: InstalledModels, settings: Settings, family: str) -> ModelFile:
    """The ControlNet that makes a figure take a pose. Raises UnavailableError."""
    method = pose_controlnet(installed, settings, family)
    if method.model is None:
        raise UnavailableError(missing_pose_controlnet(method, family))
    return next(model for model in installed.controlnets if model.name == method.model)


def require_models(installed: InstalledModels, checkpoint: str, controlnet: str | None) -> None:
    """Raises UnavailableError, with file and folder, when a model that was chosen before is gone."""
    for name, models, folder in (
        (checkpoint, installed.checkpoints, "checkpoints"),
        (controlnet, installed.controlnets, "controlnet"),
    ):
        if name is not None and _named(models, name) is None:
            raise UnavailableError(
                f"The model {name!r} is not installed any more: put it into models/{folder}."
            )


def _named(models: Sequence[ModelFile], name: str) -> ModelFile | None:
    return next((model for model in models if model.name == name), None)


def _names(models: Sequence[ModelFile]) -> str:
    return ", ".join(model.name for model in models) or "none"
