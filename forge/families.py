"""Model families: how each is recognised, and what it needs to give a good picture. A new family is one
row here, and one module in `graphs` where its graph differs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """`width` and `height` in pixels: what the family was trained at, upright for a whole figure.
    Quality words come first in the prompt; `realistic` and `anime` are (positive, negative).

    Checkpoints are recognised by `comfy_class`, the class of ComfyUI's detection (or one that extends it);
    ControlNets by `context_width`, the channels of the text that cross-attention reads; files that cannot
    be looked into by `file_names`, a pattern (the row without one takes the rest). `union_types`: whether
    a union ControlNet of the family has to be told its kind of hint. `ipadapters`: what
    ComfyUI_IPAdapter_plus looks for, best first, as (preset of its unified loader, pattern of the file in
    models/ipadapter, the file's usual name); facts of that pack's README and utils.py.
    """

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
    comfy_class: str
    context_width: int
    file_names: str
    union_types: bool
    ipadapters: tuple[tuple[str, str, str], ...]


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
            comfy_class="SD15",
            context_width=768,
            file_names="",
            union_types=False,
            ipadapters=(
                ("PLUS (high strength)", r"ip.adapter.plus.sd15\.", "ip-adapter-plus_sd15.safetensors"),
                ("STANDARD (medium strength)", r"ip.adapter.sd15\.", "ip-adapter_sd15.safetensors"),
            ),
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
            comfy_class="SDXL",
            context_width=2048,
            file_names="xl|pony|illustrious|noob",
            union_types=True,
            ipadapters=(
                ("PLUS (high strength)", r"plus.sdxl.vit.h\.", "ip-adapter-plus_sdxl_vit-h.safetensors"),
                (
                    "STANDARD (medium strength)",
                    r"ip.adapter.sdxl.vit.h\.",
                    "ip-adapter_sdxl_vit-h.safetensors",
                ),
            ),
        ),
    )
}
