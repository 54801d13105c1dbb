"""Flux.1: dev, schnell, Krea and Kontext; and Chroma, which was made from schnell.

Defaults: ComfyUI's workflow templates and the model cards. A union ControlNet of Flux.1 numbers its modes
differently from that of SDXL: its pose is number 4, which SetUnionControlNetType calls "normal"
(comfy/cldm/control_types.py, and the model card of FLUX.1-dev-ControlNet-Union-Pro).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..spec.avatar import AvatarSpec
from ..spec.reference import REFERENCE_ROLES
from .builder import Link, PromptBuilder
from .family import (
    BY_ATTENTION,
    Encoded,
    Family,
    GraphFunctions,
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
from .prompt_text import SENTENCES, QualityWords, Words
from .steps import (
    add_guidance,
    add_reference_latents,
    apply_controlnet,
    encode_words,
    load_files,
    sample_with_ksampler,
    shift_model,
)

PARTS = Parts(("clip_l", "t5xxl"), "flux", "flux")


def load(build: PromptBuilder, spec: AvatarSpec) -> Loaded:
    return load_files(build, spec, PARTS.clip_type)


def encode(
    build: PromptBuilder, spec: AvatarSpec, loaded: Loaded, words: Words, pictures: Sequence[Picture]
) -> Encoded:
    encoded = add_guidance(build, spec, encode_words(build, spec, loaded, words), words.label)
    styled = [picture for picture in pictures if picture.method == "redux"]
    if styled:
        return _apply_redux(build, spec, encoded, styled)
    method = "index" if len(pictures) > 1 else None
    return add_reference_latents(build, spec, loaded, encoded, pictures, method=method)


def _apply_redux(
    build: PromptBuilder, spec: AvatarSpec, encoded: Encoded, pictures: Sequence[Picture]
) -> Encoded:
    """Add the tokens that Flux Redux makes of each picture to the positive conditioning."""
    use = next(use for use in spec.references if use.method == "redux" and use.model)
    model = build.add_shared("StyleModelLoader", "Redux", style_model_name=use.model)
    vision = build.add_shared("CLIPVisionLoader", "CLIP vision", clip_name=use.clip_vision)
    positive: Link = encoded.positive
    nodes = []
    for picture in pictures:
        seen = build.add_shared(
            "CLIPVisionEncode",
            "See the reference",
            clip_vision=vision.out(),
            image=picture.image,
            crop="center",
        )
        applied = build.add(
            "StyleModelApply",
            "Apply reference",
            conditioning=positive,
            style_model=model.out(),
            clip_vision_output=seen.out(),
            strength=picture.strength,
            strength_type="multiply",
        )
        positive = applied.out()
        nodes.append(applied.id)
    return Encoded(positive, encoded.negative, tuple(nodes))


def pose(build: PromptBuilder, spec: AvatarSpec, loaded: Loaded, encoded: Encoded, hint: PoseHint) -> Posed:
    return apply_controlnet(build, spec, loaded, encoded, hint, union_type="normal")


def variants_of(shapes: Mapping[str, Shaped]) -> tuple[str, ...]:
    """Only schnell was distilled without a guidance embedding."""
    guided = any("guidance_in." in name for name in shapes)
    return ("dev", "krea", "kontext") if guided else ("schnell",)


_GUIDED = Sampling(832, 1216, 20, 1.0, "euler", "simple", guidance=3.5)

FLUX = Family(
    name="flux",
    label="Flux.1",
    comfy_classes=("Flux", "FluxSchnell"),
    sampling=_GUIDED,
    words=SENTENCES,
    latent=LatentShape(16, patch=2),
    parts=PARTS,
    graph=GraphFunctions(load, encode, sample_with_ksampler, pose),
    pose=("controlnet",),
    # Redux reads content and manner together, so that it has no other role.
    references={"redux": ReferenceLimits(4), "attention": BY_ATTENTION},
    anchor="attention",
    batch=True,
    lora_names=r"\bflux( 1|1)?( dev| d)?\b(?! ?2)",
    rank=4,
    variants=(
        Variant("dev", "dev"),
        Variant(
            "schnell",
            "schnell",
            r"\bschnell\b",
            {"sampling": Sampling(832, 1216, 4, 1.0, "euler", "simple"), "settings": frozenset()},
        ),
        Variant("krea", "Krea", r"\bkrea\b"),
        Variant(
            "kontext",
            "Kontext",
            r"\bkontext\b",
            {
                "sampling": Sampling(832, 1216, 20, 1.0, "euler", "simple", guidance=2.5),
                "references": {
                    "picture": ReferenceLimits(3, REFERENCE_ROLES),
                    "attention": BY_ATTENTION,
                },
                "anchor": "picture",
            },
        ),
    ),
    settings=frozenset({"guidance"}),
    distilled={
        "hyper": {"steps": 8},
        "turbo": {"steps": 8},
        "lightning": {"steps": 8},
    },
    header_variants=variants_of,
    union_type="normal",
    pose_strength=0.7,
    lora_on_clip=True,
)


def load_chroma(build: PromptBuilder, spec: AvatarSpec) -> Loaded:
    return shift_model(build, spec, load_files(build, spec, "chroma"))


CHROMA = Family(
    name="chroma",
    label="Chroma",
    comfy_classes=("Chroma",),
    sampling=Sampling(832, 1216, 26, 3.5, "euler", "beta", shift=1.0),
    words=QualityWords(
        realistic=(SENTENCES.realistic[0], "anime, cartoon, drawing, low quality, blurry"),
        anime=(SENTENCES.anime[0], "photo, low quality, blurry"),
        any_medium=("", "low quality, blurry"),
        sentences=True,
    ),
    latent=LatentShape(16, patch=2),
    parts=Parts(("t5xxl",), "chroma", "flux"),
    graph=GraphFunctions(load_chroma, encode_words, sample_with_ksampler),
    pose=(),
    references={},
    anchor=None,
    batch=False,
    lora_names=r"\bchroma\b",
    rank=1,
    settings=frozenset({"shift"}),
    distilled={"flash": {"steps": 8, "cfg": 1.0}, "turbo": {"steps": 8, "cfg": 1.0}},
)
