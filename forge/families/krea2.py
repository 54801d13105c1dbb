"""Krea 2: turbo and raw. Its references and poses need LoRAs of third parties, so only words and shared
attention decide the picture. Defaults: ComfyUI's workflow template image_krea2_turbo_t2i."""

from __future__ import annotations

from ..spec.avatar import AvatarSpec
from .builder import PromptBuilder
from .family import BY_ATTENTION, Family, GraphFunctions, LatentShape, Loaded, Parts, Sampling, Variant
from .prompt_text import SENTENCES
from .steps import encode_words, load_files, sample_with_ksampler

PARTS = Parts(("qwen3_vl_4b",), "krea2", "wan", vae_names=r"qwen")


def load(build: PromptBuilder, spec: AvatarSpec) -> Loaded:
    return load_files(build, spec, PARTS.clip_type)


KREA2 = Family(
    name="krea2",
    label="Krea 2",
    comfy_classes=("Krea2",),
    sampling=Sampling(832, 1216, 8, 1.0, "euler", "simple"),
    words=SENTENCES,
    latent=LatentShape(16, video=True, patch=2),
    parts=PARTS,
    graph=GraphFunctions(load, encode_words, sample_with_ksampler),
    pose=(),
    references={"attention": BY_ATTENTION},
    anchor="attention",
    batch=False,
    lora_names=r"\bkrea ?2\b",
    rank=2,
    variants=(
        Variant("turbo", "turbo"),
        Variant(
            "raw",
            "raw",
            r"\braw\b",
            {"sampling": Sampling(832, 1216, 28, 4.0, "euler", "simple")},
        ),
    ),
)
