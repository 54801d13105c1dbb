"""Model families: what each needs to give a good picture. A new family is one row here, and one
module where its graph differs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """`width` and `height` in pixels: what the family was trained at, upright for a whole figure.
    Quality words come first in the prompt; `realistic` and `anime` are (positive, negative)."""

    name: str
    label: str
    width: int
    height: int
    steps: int
    cfg: float
    sampler: str
    scheduler: str
    realistic: tuple[str, str]
    anime: tuple[str, str]


_REALISTIC = (
    "photorealistic, realistic skin texture, highly detailed, sharp focus, natural light",
    "anime, cartoon, drawing, illustration, 3d render",
)
_COMMON_FLAWS = (
    "lowres, blurry, bad anatomy, bad hands, extra limbs, missing limbs, watermark, text, signature"
)

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            name="sd15",
            label="Stable Diffusion 1.5",
            width=512,
            height=768,
            steps=25,
            cfg=7.0,
            sampler="dpmpp_2m",
            scheduler="karras",
            realistic=(f"RAW photo, {_REALISTIC[0]}", f"{_REALISTIC[1]}, worst quality, {_COMMON_FLAWS}"),
            anime=("masterpiece, best quality, anime", f"photo, worst quality, low quality, {_COMMON_FLAWS}"),
        ),
        Family(
            name="sdxl",
            label="Stable Diffusion XL",
            width=832,
            height=1216,
            steps=28,
            cfg=6.0,
            sampler="dpmpp_2m",
            scheduler="karras",
            realistic=(f"photograph, {_REALISTIC[0]}", f"{_REALISTIC[1]}, {_COMMON_FLAWS}"),
            anime=("masterpiece, best quality, anime artwork", f"photo, worst quality, {_COMMON_FLAWS}"),
        ),
    )
}
