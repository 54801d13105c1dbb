"""Model families: how to recognise each, and its defaults. A new family is a row here, and a module in
`graphs` if its graph differs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """A family's defaults and how to recognise its files.

    `width` and `height` are in pixels: the size that the family was trained at, in portrait format for a
    whole figure. `realistic` and `anime` are the (positive, negative) quality tags, which come first in a
    prompt.

    Checkpoints are recognised by `comfy_class`, a class of ComfyUI's detection or its base class; ControlNets
    by `context_width`, the channels of the text that cross-attention reads, or by `label_width`, the channels
    of the other conditions (None if there are none); T2I adapters by `adapter_widths`, the channels of their
    first convolution (comfy/controlnet.py: `load_t2i_adapter`). Files that cannot be inspected are recognised
    by patterns on the words of their name (`model_names.words_of`): `file_names` match names of the family,
    `likely_names` those of well-known models; a name that matches neither counts as DEFAULT_FAMILY.

    `union_types`: whether a union ControlNet of the family needs to be told the type of its hint.
    `ipadapters`: what ComfyUI_IPAdapter_plus looks for, best first, as (preset of its unified loader, pattern
    of the file in models/ipadapter, usual name of the file); from that pack's README and utils.py.
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

DEFAULT_FAMILY = "sd15"  # for names that match no family: most pickles are from its time

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
            # 8 x 8 pixels, in one or three colours.
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
            # 16 x 16 pixels, in one or three colours.
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
