"""Anima, which understands tags and sentences.

Graph and defaults: ComfyUI's workflow templates image_anima_*, and the model card. The pose is applied by an
LLLite patch for poses.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..spec.avatar import AvatarSpec
from .builder import PromptBuilder
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
    Sampling,
    Variant,
)
from .prompt_text import QualityWords, Words
from .steps import END, START, encode_words, load_files, sample_with_ksampler, shift_model

PARTS = Parts(("qwen3_06b",), "stable_diffusion", "wan", vae_names=r"qwen")
_GOOD, _BAD = "masterpiece, best quality, score_7, safe", "worst quality, low quality, score_1, score_2"


def load(build: PromptBuilder, spec: AvatarSpec) -> Loaded:
    loaded = load_files(build, spec, PARTS.clip_type)
    return loaded if spec.shift is None else shift_model(build, spec, loaded)


def encode(
    build: PromptBuilder, spec: AvatarSpec, loaded: Loaded, words: Words, _pictures: Sequence[Picture]
) -> Encoded:
    # Its model adapts each text to another length, so texts become rows of a batch only after that.
    return encode_words(build, spec, loaded, words, with_model=len(words.views) > 1)


def pose(build: PromptBuilder, spec: AvatarSpec, loaded: Loaded, encoded: Encoded, hint: PoseHint) -> Posed:
    patch = build.add_shared("ModelPatchLoader", "Pose patch", name=spec.controlnet)
    applied = build.add(
        "AnimaLLLiteApply",
        f"Apply pose{hint.label}",
        model=loaded.model,
        model_patch=patch.out(),
        image=hint.image,
        strength=hint.strength,
        start_percent=START,
        end_percent=END,
    )
    return Posed(applied.out(), encoded, applied.id)


ANIMA = Family(
    name="anima",
    label="Anima",
    comfy_classes=("Anima",),
    sampling=Sampling(896, 1344, 30, 4.0, "er_sde", "simple"),
    words=QualityWords(
        realistic=(f"{_GOOD}, photorealistic", f"{_BAD}, anime, cartoon"),
        anime=(f"{_GOOD}, anime", f"{_BAD}, photo"),
        any_medium=(_GOOD, _BAD),
    ),
    latent=LatentShape(16, video=True, patch=2),
    parts=PARTS,
    graph=GraphFunctions(load, encode, sample_with_ksampler, pose),
    pose=("patch",),
    references={"attention": BY_ATTENTION},
    anchor="attention",
    batch=True,
    rank=5,
    variants=(Variant("base", "base"),),
    settings=frozenset({"shift"}),
    distilled={"turbo": {"steps": 8, "cfg": 1.0, "sampler": "euler"}},
    lora_on_clip=True,
)
