"""Combines what a model file's header says with its name, into what the rest of the product works with.

A header tells most families, and some variants. Where it cannot distinguish siblings, the words of the name
decide, by the patterns that the families declare.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from .families import DISTILLATIONS, MODEL_FAMILIES
from .families.family import Shaped
from .model_names import words_of
from .ports import ControlKind, ModelFile, ToldBy

#: "v" is a mark in the file; ComfyUI reads it.
Prediction = Literal["eps", "v"]
_V_PREDICTION = re.compile(r"\bv ?pred(iction)?\b")


@dataclass(frozen=True)
class ModelFacts:
    """What a file's header says about it, or its name if it has no header (`guessed`).

    `families` are those that it can be of, the likeliest first; none for an unknown one. `variants` are those
    that it can be; empty for all. `part` is the kind of a text encoder or a VAE. `sdpose`: a checkpoint with
    SDPose's heatmap head. The others are as in `ports.ModelFile`.
    """

    families: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    prediction: Prediction = "eps"
    precision: str | None = None
    guessed: bool = False
    special: bool = False
    union: bool = False
    kind: ControlKind = "ControlNet"
    uses_clip: bool = False
    part: str | None = None
    sdpose: bool = False
    problem: str | None = None

    @property
    def family(self) -> str | None:
        """The likeliest family."""
        return self.families[0] if self.families else None


def families_of_class(comfy_class: str, tensors: Mapping[str, Shaped]) -> tuple[str, ...]:
    """The families with this class of ComfyUI's detection, narrowed down by the header as far as possible.
    `tensors` are those of the diffusion model, with or without the prefix."""
    siblings = [family for family in MODEL_FAMILIES.values() if comfy_class in family.comfy_classes]
    for family in siblings:
        if family.is_family is not None and family.is_family(tensors):
            return (family.name,)
    return tuple(family.name for family in reversed(siblings))


def siblings_of(family: str) -> tuple[str, ...]:
    """The family, and those that ComfyUI loads as the same model: LoRAs fit all of them."""
    classes = MODEL_FAMILIES[family].comfy_classes
    others = (
        one.name for one in MODEL_FAMILIES.values() if one.comfy_classes == classes and one.name != family
    )
    return (family, *others)


def lora_fits(lora: ModelFile, family: str, variant: str | None) -> bool:
    """Whether a LoRA has an effect on a model of this family and variant. Families that ComfyUI loads as the
    same model share their LoRAs; variants of different sizes do not, which have other text encoders."""
    if lora.family is None or lora.family not in siblings_of(family):
        return False
    if lora.family != family or lora.variant is None:
        return True
    own = MODEL_FAMILIES[family]
    return own.variant(lora.variant).parts == own.variant(variant).parts


def variants_of_header(family: str, tensors: Mapping[str, Shaped]) -> tuple[str, ...]:
    """The variants that the header allows; empty for all."""
    allowed = MODEL_FAMILIES[family].header_variants
    return allowed(tensors) if allowed is not None else ()


def identify(folder: str, name: str, facts: ModelFacts, size: int) -> ModelFile:
    """The model in this file. `folder` is ComfyUI's name of its folder, `size` is in bytes."""
    family, told_by = _family(facts, name)
    variant, variant_told_by = choose_variant(family, name, facts.variants)
    return ModelFile(
        name=name,
        family=family,
        union=facts.union,
        guessed=facts.guessed,
        special=facts.special,
        kind=facts.kind,
        problem=facts.problem,
        folder=folder,
        variant=variant,
        distillation=named_distillation(family, name),
        prediction="v" if facts.prediction == "v" else named_prediction(family, name),
        precision=facts.precision,
        told_by=told_by,
        variant_told_by=variant_told_by,
        size=size,
        uses_clip=facts.uses_clip,
    )


def choose_variant(family: str | None, name: str, allowed: Sequence[str] = ()) -> tuple[str | None, ToldBy]:
    """The variant of the family that the header allows and the name fits best, and which of the two decided.
    Without a hint it is the first."""
    variants = MODEL_FAMILIES[family].variants if family in MODEL_FAMILIES else ()
    possible = [variant for variant in variants if not allowed or variant.name in allowed]
    if len(possible) < 2:
        told_by: ToldBy = "header" if len(variants) > 1 else "name"
        return (possible[0].name if possible else None), told_by
    words = words_of(name)
    named = (one for one in possible if one.names and _compiled(one.names).search(words))
    return next(named, possible[0]).name, "name"


def named_distillation(family: str | None, name: str) -> str | None:
    """The distillation that the name says; None for a variant of the same name, as Z-Image's turbo."""
    if family not in MODEL_FAMILIES:
        return None
    words, variants = words_of(name), {variant.name for variant in MODEL_FAMILIES[family].variants}
    return next(
        (
            distillation
            for distillation, pattern in DISTILLATIONS.items()
            if distillation not in variants and _compiled(pattern).search(words)
        ),
        None,
    )


def named_prediction(family: str | None, name: str) -> Literal["eps", "v_unmarked"]:
    predicts_v = family is not None and MODEL_FAMILIES[family].predicts_v
    return "v_unmarked" if predicts_v and _V_PREDICTION.search(words_of(name)) else "eps"


def _family(facts: ModelFacts, name: str) -> tuple[str | None, ToldBy]:
    if not facts.families:
        return None, "name" if facts.guessed else "header"
    if len(facts.families) == 1:
        return facts.families[0], "name" if facts.guessed else "header"
    words = words_of(name)
    families = [MODEL_FAMILIES[family] for family in facts.families]
    for patterns in ([one.siblings for one in families], [one.lora_names for one in families]):
        for family, pattern in zip(facts.families, patterns, strict=True):
            if pattern and _compiled(pattern).search(words):
                return family, "name"
    return facts.families[0], "name"


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
