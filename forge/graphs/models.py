"""Which installed model serves a request: the one asked for, else the one set, else by name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import UnavailableError, UnprocessableError
from ..ports import InstalledModels, ModelFile
from ..settings import Settings
from .families import FAMILIES, Family

_REALISTIC = re.compile(
    r"real|photo|vision|absolute|juggernaut|epic|cyber|natural|analog|lyriel", re.IGNORECASE
)
_ANIME = re.compile(
    r"anime|anything|counterfeit|meina|pony|illustrious|noob|animagine|toon|manga|waifu|niji|aom|orange|abyss"
    r"|pastel|hassaku|mistoon",
    re.IGNORECASE,
)
_POSE = re.compile(r"open[-_ ]?pose|dw[-_ ]?pose|union|promax|(?<![a-z])pose(?![a-z])", re.IGNORECASE)
_POSE_ONLY = re.compile(r"open[-_ ]?pose|dw[-_ ]?pose", re.IGNORECASE)
FAMILY_LABELS = " or ".join(family.label for family in FAMILIES.values())


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
        raise UnavailableError(
            f"No checkpoint is installed. Put a {FAMILY_LABELS} checkpoint (a .safetensors file) into "
            "models/checkpoints."
        )
    like, unlike = (_REALISTIC, _ANIME) if realism else (_ANIME, _REALISTIC)
    name, family = max(usable, key=lambda model: (bool(like.search(model[0])), not unlike.search(model[0])))
    return name, FAMILIES[family]


def choose_pose_controlnet(installed: InstalledModels, settings: Settings, family: str) -> ModelFile:
    """The ControlNet that makes a figure take a pose. Raises UnavailableError."""
    if settings.pose_controlnet:
        found = _named(installed.controlnets, settings.pose_controlnet)
        if found is None:
            raise UnavailableError(
                f"The ControlNet {settings.pose_controlnet!r} that POSE_CONTROLNET names is not in "
                "models/controlnet."
            )
        return found
    fitting = [
        model for model in installed.controlnets if model.family == family and _POSE.search(model.name)
    ]
    if not fitting:
        raise UnavailableError(
            f"No pose ControlNet for {FAMILIES[family].label} is installed, so the pose image cannot be "
            "applied. Put one (a .safetensors file with 'openpose' in its name) into models/controlnet."
        )
    return max(fitting, key=lambda model: bool(_POSE_ONLY.search(model.name)))


def _named(models: Sequence[ModelFile], name: str) -> ModelFile | None:
    return next((model for model in models if model.name == name), None)


def _names(models: Sequence[ModelFile]) -> str:
    return ", ".join(model.name for model in models) or "none"
