"""Qwen-Image and Qwen-Image-Edit with its relatives.

Graph and defaults: ComfyUI's workflow templates image_qwen_image*. The edit node would scale every picture to
a megapixel if it had the VAE, so it gets none, and the reference latents are added by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..spec.avatar import AvatarSpec
from ..spec.reference import REFERENCE_ROLES
from .builder import PromptBuilder
from .family import (
    BY_ATTENTION,
    Encoded,
    Family,
    GraphFunctions,
    HelperLora,
    LatentShape,
    Loaded,
    Parts,
    Picture,
    Posed,
    PoseHint,
    ReferenceLimits,
    Sampling,
    Shaped,
    Variant,
)
from .prompt_text import GUIDED_SENTENCES, Words, compose_prompt
from .steps import (
    add_reference_latents,
    apply_controlnet,
    encode_words,
    load_files,
    sample_with_ksampler,
    shift_model,
)

PARTS = Parts(("qwen25_vl_7b",), "qwen_image", "wan", vae_names=r"qwen")
_NORM_STRENGTH = 1.0
#: TextEncodeQwenImageEditPlus has inputs for so many.
_PICTURES = 3
#: What LoRAs for several angles were trained on: ComfyUI's template "1 click multiple character angles".
_CAMERA = {
    "quarter": "Rotate the camera 45 degrees to the right",
    "side": "Rotate the camera 90 degrees to the right",
    "back": "Rotate the camera 180 degrees",
    "left": "Rotate the camera 90 degrees to the right",
    "right": "Rotate the camera 90 degrees to the left",
    "quarter_left": "Rotate the camera 45 degrees to the right",
    "quarter_right": "Rotate the camera 45 degrees to the left",
    "back_left": "Rotate the camera 135 degrees to the right",
    "back_right": "Rotate the camera 135 degrees to the left",
}
_LIGHTNING = {"steps": 4, "cfg": 1.0}


def load(build: PromptBuilder, spec: AvatarSpec) -> Loaded:
    return shift_model(build, spec, load_files(build, spec, PARTS.clip_type))


def load_edit(build: PromptBuilder, spec: AvatarSpec) -> Loaded:
    loaded = load(build, spec)
    normed = build.add("CFGNorm", "Norm of guidance", model=loaded.model, strength=_NORM_STRENGTH)
    return Loaded(normed.out(), loaded.clip, loaded.vae)


def encode_edit(
    build: PromptBuilder, spec: AvatarSpec, loaded: Loaded, words: Words, pictures: Sequence[Picture]
) -> Encoded:
    if not pictures:
        return encode_words(build, spec, loaded, words)
    view = words.views[0]
    images = {f"image{number}": picture.image for number, picture in enumerate(pictures, 1)}
    links = [
        build.add(
            "TextEncodeQwenImageEditPlus",
            f"{title}{words.label}",
            clip=loaded.clip,
            prompt=text,
            **images,
        ).out()
        for title, text in zip(
            ("Words", "Negative words"), compose_prompt(words.parts, view, words.quality), strict=True
        )
    ]
    method = "index_timestep_zero" if spec.variant == "2511" else None
    return add_reference_latents(build, spec, loaded, Encoded(links[0], links[1]), pictures, method=method)


def pose(build: PromptBuilder, spec: AvatarSpec, loaded: Loaded, encoded: Encoded, hint: PoseHint) -> Posed:
    return apply_controlnet(build, spec, loaded, encoded, hint)


def is_edit(shapes: Mapping[str, Shaped]) -> bool:
    """Only the edit model of November 2025 has a mark in its header."""
    return any(name.endswith("__index_timestep_zero__") for name in shapes)


def edit_variants_of(shapes: Mapping[str, Shaped]) -> tuple[str, ...]:
    return ("2511",) if is_edit(shapes) else ()


QWEN_EDIT = Family(
    name="qwen_edit",
    label="Qwen-Image-Edit",
    comfy_classes=("QwenImage",),
    siblings=r"\bedit\b|fire ?red",
    is_family=is_edit,
    sampling=Sampling(832, 1216, 30, 4.0, "euler", "simple", shift=3.1),
    words=GUIDED_SENTENCES,
    latent=LatentShape(16, video=True, patch=2),
    parts=PARTS,
    graph=GraphFunctions(load_edit, encode_edit, sample_with_ksampler),
    pose=("picture",),
    references={"picture": ReferenceLimits(_PICTURES, REFERENCE_ROLES), "attention": BY_ATTENTION},
    anchor="picture",
    batch=False,
    rank=8,
    variants=(Variant("2509", "2509"), Variant("2511", "2511", r"\b2511\b")),
    settings=frozenset({"shift"}),
    distilled={"lightning": _LIGHTNING, "turbo": _LIGHTNING},
    header_variants=edit_variants_of,
    picture_noun="Picture",
    helper_loras=(
        HelperLora(r"multiple ?angles?|multi ?angles?", "views", words=_CAMERA),
        HelperLora(r"any ?pose|pose ?studio", "pose"),
    ),
)

QWEN_IMAGE = Family(
    name="qwen_image",
    label="Qwen-Image",
    comfy_classes=("QwenImage",),
    sampling=Sampling(1056, 1584, 30, 4.0, "euler", "simple", shift=3.1),
    words=GUIDED_SENTENCES,
    latent=LatentShape(16, video=True, patch=2),
    parts=PARTS,
    graph=GraphFunctions(load, encode_words, sample_with_ksampler, pose),
    pose=("controlnet",),
    references={"attention": BY_ATTENTION},
    anchor="attention",
    batch=False,
    lora_names=r"\bqwen\b",
    rank=3,
    variants=(Variant("base", "base"), Variant("2512", "2512", r"\b2512\b")),
    settings=frozenset({"shift"}),
    distilled={"lightning": _LIGHTNING, "turbo": _LIGHTNING},
)
