"""Model families: how to recognise each, its defaults, and its graph. A new family is a module here, and its
row in `MODEL_FAMILIES`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from .anima import ANIMA
from .doll import DOLL
from .family import EncoderKind, Family, VaeKind
from .flux import CHROMA, FLUX
from .flux2 import FLUX2
from .krea2 import KREA2
from .qwen import QWEN_EDIT, QWEN_IMAGE
from .stable_diffusion import SD15, SDXL
from .z_image import Z_IMAGE

UNNAMED_FAMILY = "sd15"  # for names that match no family: most pickles are from its time

#: Those of model files, by name. A family that its name tells from a sibling comes before it.
MODEL_FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (SD15, SDXL, QWEN_EDIT, FLUX2, Z_IMAGE, ANIMA, QWEN_IMAGE, FLUX, KREA2, CHROMA)
}
#: All that a request can name, by name. The drawn one comes last: it is used only when asked for.
FAMILIES: dict[str, Family] = {**MODEL_FAMILIES, DOLL.name: DOLL}

#: Distillation -> pattern on the words of a model's or LoRA's name. What it changes is in `Family.distilled`.
DISTILLATIONS: Mapping[str, str] = {
    "lightning": r"\blightning\b",
    "dmd2": r"\bdmd ?2?\b",
    "lcm": r"\b(sdxl)?lcm\b",
    "hyper": r"\bhyper\b",
    "flash": r"\bflash\b",
    "turbo": r"\b(sdxl)?turbo\b",
}

ENCODER_KINDS: tuple[EncoderKind, ...] = get_args(EncoderKind)
VAE_KINDS: tuple[VaeKind, ...] = get_args(VaeKind)

#: The model families, and the variants with words of their own, as AvatarForgePrompt names them.
PROMPT_KINDS: dict[str, Family] = {
    **MODEL_FAMILIES,
    **{
        f"{family.name}/{variant.name}": family.variant(variant.name)
        for family in MODEL_FAMILIES.values()
        for variant in family.variants
        if "words" in variant.changes
    },
}


def prompt_kind(family: str, variant: str | None) -> str:
    """The key in `PROMPT_KINDS` of a family and a variant."""
    kind = f"{family}/{variant}"
    return kind if kind in PROMPT_KINDS else family
