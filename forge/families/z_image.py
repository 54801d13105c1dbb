"""Z-Image: turbo and base.

Graph and defaults: ComfyUI's workflow templates image_z_image*. The pose is applied by the Fun union control
patch, which works from the first sampling step to the last.
"""

from __future__ import annotations

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
    Posed,
    PoseHint,
    Sampling,
    Variant,
)
from .prompt_text import GUIDED_SENTENCES, SENTENCES
from .steps import encode_words, load_files, sample_with_ksampler, shift_model

PARTS = Parts(("qwen3_4b",), "lumina2", "flux")


def load(build: PromptBuilder, spec: AvatarSpec) -> Loaded:
    return shift_model(build, spec, load_files(build, spec, PARTS.clip_type))


def pose(build: PromptBuilder, spec: AvatarSpec, loaded: Loaded, encoded: Encoded, hint: PoseHint) -> Posed:
    patch = build.add_shared("ModelPatchLoader", "Pose patch", name=spec.controlnet)
    applied = build.add(
        "ZImageFunControlnet",
        f"Apply pose{hint.label}",
        model=loaded.model,
        model_patch=patch.out(),
        vae=loaded.vae,
        strength=hint.strength,
        image=hint.image,
    )
    return Posed(applied.out(), encoded, applied.id)


Z_IMAGE = Family(
    name="z_image",
    label="Z-Image",
    comfy_classes=("ZImage",),
    sampling=Sampling(832, 1216, 8, 1.0, "res_multistep", "simple", shift=3.0),
    words=SENTENCES,
    latent=LatentShape(16, patch=2),
    parts=PARTS,
    graph=GraphFunctions(load, encode_words, sample_with_ksampler, pose),
    pose=("patch",),
    references={"attention": BY_ATTENTION},
    anchor="attention",
    batch=False,
    rank=6,
    variants=(
        Variant("turbo", "turbo", r"\bturbo\b"),
        Variant(
            "base",
            "base",
            r"z ?image(?!.*\bturbo\b)",
            {
                "sampling": Sampling(832, 1216, 25, 4.0, "res_multistep", "simple", shift=3.0),
                "words": GUIDED_SENTENCES,
            },
        ),
    ),
    settings=frozenset({"shift"}),
    pose_strength=0.8,
)
