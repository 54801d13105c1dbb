"""Model families: how each is recognised, and what it needs to give a good picture. A new family is one
row here, and one module in `graphs` where its graph differs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """`width` and `height` in pixels: what the family was trained at, upright for a whole figure.
    Quality words come first in the prompt; `realistic` and `anime` are (positive, negative).

    Checkpoints are recognised by `comfy_class`, the class of ComfyUI's detection (or one that extends it);
    ControlNets by `context_width`, the channels of the text that cross-attention reads, or by
    `label_width`, the channels of the other conditions (None: it has none); T2I adapters by
    `adapter_widths`, the channels of their first convolution (comfy/controlnet.py: `load_t2i_adapter`).
    Files that cannot be looked into are recognised by patterns over the words of their name
    (`model_names.words_of`): `file_names` says the family outright, `likely_names` are those of
    well-known models; a name that has none of either is of DEFAULT_FAMILY. `union_types`: whether
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
    label_width: int | None
    adapter_widths: frozenset[int]
    file_names: str
    likely_names: str | None
    union_types: bool
    ipadapters: tuple[tuple[str, str, str], ...]


_REALISTIC = (
    "photorealistic, realistic skin texture, highly detailed, sharp focus, natural light",
    "anime, cartoon, drawing, illustration, 3d render",
)
_COMMON_FLAWS = (
    "lowres, blurry, bad anatomy, bad hands, extra limbs, missing limbs, watermark, text, signature"
)

DEFAULT_FAMILY = "sd15"  # of a file whose name says nothing: most pickles are from its time

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
            label_width=None,
            # Pixels of 8 x 8, in one or three colours.
            adapter_widths=frozenset({64, 192}),
            file_names=r"\b(sd|stable ?diffusion)( v)? (1|14|15)\b|^v 1 [1-5]\b|^(1 5|15|1 4)$",
            likely_names=None,
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
            label_width=2816,
            # Pixels of 16 x 16.
            adapter_widths=frozenset({256, 768}),
            file_names=r"\bsdxl|xlv?\b",
            likely_names=r"\bpony\b|\bpony(diffusion|realism)|illustrious|\bnoob(ai)?\b|animagine",
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
