"""The LoRAs of a generation: those of the request, and those that the family uses by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import UnprocessableError
from ..families import MODEL_FAMILIES
from ..families.family import Family
from ..model_identity import lora_fits, named_distillation
from ..model_names import find_model, words_of
from ..ports import InstalledModels, ModelFile
from ..spec.lora import LoraUse


@dataclass(frozen=True)
class ChosenLoras:
    """`distillation` is that of a LoRA for few steps, if there is one."""

    uses: tuple[LoraUse, ...]
    distillation: str | None


def choose_loras(
    installed: InstalledModels,
    family: Family,
    variant: str | None,
    requested: Sequence[LoraUse],
    *,
    views: bool,
    pose: bool,
) -> ChosenLoras:
    """Check the requested LoRAs, and add the helpers of the family. `views`: the request asks for certain
    views. `pose`: it has a pose.

    Raises UnprocessableError for a LoRA that is not installed, cannot be used, or is of another family, where
    ComfyUI would run it without effect.
    """
    uses: list[LoraUse] = []
    distillation = None
    for position, lora in enumerate(requested):
        found = _find(installed, family, variant, lora, position)
        if any(use.name == found.name for use in uses):
            raise UnprocessableError(
                f"The LoRA {found.name!r} is named twice: add its strengths.",
                ("body", "loras", position, "name"),
                code="field_not_applicable",
                parameters={"field": "loras"},
            )
        if lora.clip_strength is not None and not family.lora_on_clip:
            raise UnprocessableError(
                f"LoRAs of {family.label} do not change the text encoder: leave clip_strength out.",
                ("body", "loras", position, "clip_strength"),
                code="not_supported_by_family",
                parameters={"field": "clip_strength", "family": family.label},
            )
        uses.append(replace(lora, name=found.name))
        if lora.strength > 0:
            distillation = distillation or named_distillation(family.name, found.name)
    needed = {"views": views, "pose": pose}
    for helper in family.helper_loras:
        match = next(
            (lora for lora in installed.loras if _matches(lora, family, variant, helper.names)), None
        )
        if needed[helper.helps] and match is not None and not any(use.name == match.name for use in uses):
            uses.append(LoraUse(match.name, helper.strength, helps=helper.helps))
    return ChosenLoras(tuple(uses), distillation)


def _find(
    installed: InstalledModels, family: Family, variant: str | None, lora: LoraUse, position: int
) -> ModelFile:
    place = ("body", "loras", position, "name")
    found = find_model(installed.loras, lora.name)
    if found is None:
        raise UnprocessableError(
            f"The LoRA {lora.name!r} is not in models/loras.",
            place,
            code="lora_not_found",
            parameters={"lora": lora.name},
        )
    if found.problem:
        raise UnprocessableError(
            f"The LoRA {found.name!r} cannot be used: it {found.problem}.",
            place,
            code="lora_unusable",
            parameters={"lora": found.name},
        )
    if not lora_fits(found, family.name, variant):
        its = _describe_family(found)
        raise UnprocessableError(
            f"The LoRA {found.name!r} is for {its}: with {family.label} it would have no effect.",
            place,
            code="lora_of_other_family",
            parameters={"lora": found.name, "family": family.label},
        )
    return found


def _matches(lora: ModelFile, family: Family, variant: str | None, names: str) -> bool:
    return (
        lora_fits(lora, family.name, variant)
        and not lora.problem
        and bool(re.search(names, words_of(lora.name)))
    )


def _describe_family(lora: ModelFile) -> str:
    if lora.family is None:
        return "no family that AvatarForge knows"
    family = MODEL_FAMILIES[lora.family]
    label = next((each.label for each in family.variants if each.name == lora.variant), "")
    return f"{family.label} {label}".strip()
