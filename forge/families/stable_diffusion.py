"""Stable Diffusion 1.5 and XL, with the dialects and distilled models of XL.

Defaults: ComfyUI's workflow templates, krita-ai-diffusion's styles and the model cards, as of August 2026.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..spec.avatar import AvatarSpec
from ..spec.reference import ReferenceMethod
from .builder import PromptBuilder
from .family import (
    BY_ATTENTION,
    ControlFiles,
    Encoded,
    Family,
    GraphFunctions,
    LatentShape,
    Loaded,
    Posed,
    PoseHint,
    ReferenceLimits,
    Sampling,
    Variant,
)
from .prompt_text import QualityWords
from .steps import apply_controlnet, encode_words, load_files, sample_with_ksampler

RESCALE = 0.7  # of the guidance of v-prediction models, which would be too contrasty (Lin et al. 2023, 3.4)

_REALISTIC = (
    "photorealistic, realistic skin texture, highly detailed, sharp focus, natural light",
    "anime, cartoon, drawing, illustration, 3d render",
)
_COMMON_FLAWS = (
    "lowres, blurry, bad anatomy, bad hands, extra limbs, missing limbs, watermark, text, signature"
)


def load(build: PromptBuilder, spec: AvatarSpec) -> Loaded:
    loaded = load_files(build, spec)
    model, clip = loaded.model, loaded.clip
    if spec.prediction == "v_unmarked":
        model = build.add(
            "ModelSamplingDiscrete", "v-prediction", model=model, sampling="v_prediction", zsnr=True
        ).out()
    if spec.prediction != "eps":
        model = build.add("RescaleCFG", "Rescale guidance", model=model, multiplier=RESCALE).out()
    if spec.clip_skip:
        clip = build.add("CLIPSetLastLayer", "Clip skip", clip=clip, stop_at_clip_layer=-spec.clip_skip).out()
    return Loaded(model, clip, loaded.vae)


def pose(build: PromptBuilder, spec: AvatarSpec, loaded: Loaded, encoded: Encoded, hint: PoseHint) -> Posed:
    return apply_controlnet(build, spec, loaded, encoded, hint, union_type="openpose")


_REFERENCES: Mapping[ReferenceMethod, ReferenceLimits] = {
    "ipadapter": ReferenceLimits(4, ("identity", "face", "style")),
    "attention": BY_ATTENTION,
}
_GRAPH = GraphFunctions(load, encode_words, sample_with_ksampler, pose)

SD15 = Family(
    name="sd15",
    label="Stable Diffusion 1.5",
    comfy_classes=("SD15",),
    sampling=Sampling(512, 768, 25, 7.0, "dpmpp_2m", "karras"),
    words=QualityWords(
        realistic=(f"RAW photo, {_REALISTIC[0]}", f"{_REALISTIC[1]}, worst quality, {_COMMON_FLAWS}"),
        anime=("masterpiece, best quality, anime", f"photo, worst quality, low quality, {_COMMON_FLAWS}"),
        any_medium=("masterpiece, best quality", f"worst quality, low quality, {_COMMON_FLAWS}"),
    ),
    latent=LatentShape(4),
    parts=None,
    graph=_GRAPH,
    pose=("controlnet",),
    references=_REFERENCES,
    anchor="attention",
    batch=True,
    lora_names=r"\b(sd|stable ?diffusion)( v)? ?(1|14|15)\b",
    settings=frozenset({"clip_skip"}),
    distilled={
        "lcm": {"steps": 8, "cfg": 1.5, "sampler": "lcm", "scheduler": "sgm_uniform"},
        "hyper": {"steps": 8, "cfg": 1.0, "sampler": "euler", "scheduler": "sgm_uniform"},
    },
    file_names=r"\b(sd|stable ?diffusion)( v)? (1|14|15)\b|^v 1 [1-5]\b|^(1 5|15|1 4)$",
    # Adapters read 8 x 8 pixels, in one or three colours.
    control=ControlFiles(context_width=768, label_width=None, adapter_widths=frozenset({64, 192})),
    ipadapters=(
        ("PLUS (high strength)", r"ip.adapter.plus.sd15\.", "ip-adapter-plus_sd15.safetensors"),
        ("STANDARD (medium strength)", r"ip.adapter.sd15\.", "ip-adapter_sd15.safetensors"),
    ),
    face_ipadapters=(
        ("PLUS FACE (portraits)", r"plus.face.sd15\.", "ip-adapter-plus-face_sd15.safetensors"),
    ),
    lora_on_clip=True,
)


def _dialect(good: str, bad: str) -> QualityWords:
    return QualityWords(
        realistic=(f"{good}, photorealistic", f"{bad}, anime, cartoon, {_COMMON_FLAWS}"),
        anime=(f"{good}, anime", f"{bad}, photo, {_COMMON_FLAWS}"),
        any_medium=(good, f"{bad}, {_COMMON_FLAWS}"),
    )


_EULER_A = Sampling(832, 1216, 26, 5.0, "euler_ancestral", "normal")

SDXL = Family(
    name="sdxl",
    label="Stable Diffusion XL",
    comfy_classes=("SDXL", "SSD1B", "Segmind_Vega", "KOALA_700M", "KOALA_1B"),
    sampling=Sampling(832, 1216, 28, 6.0, "dpmpp_2m", "karras"),
    words=QualityWords(
        realistic=(f"photograph, {_REALISTIC[0]}", f"{_REALISTIC[1]}, {_COMMON_FLAWS}"),
        anime=("masterpiece, best quality, anime artwork", f"photo, worst quality, {_COMMON_FLAWS}"),
        any_medium=("masterpiece, best quality", f"worst quality, {_COMMON_FLAWS}"),
    ),
    latent=LatentShape(4),
    parts=None,
    graph=_GRAPH,
    pose=("controlnet",),
    references=_REFERENCES,
    anchor="attention",
    batch=True,
    lora_names=r"\bsdxl|xlv?\b|\bpony\b|illustrious|\bnoob(ai)?\b|animagine",
    variants=(
        Variant("base", "base"),
        Variant(
            "illustrious",
            "Illustrious",
            r"illustrious|\bilxl|\bwai ?(nsfw|illustrious|ani)",
            {
                "sampling": _EULER_A,
                "words": _dialect("masterpiece, best quality, newest, absurdres", "worst quality, oldest"),
            },
        ),
        Variant(
            "noobai",
            "NoobAI",
            r"\bnoob",
            {
                "sampling": _EULER_A,
                "words": _dialect(
                    "masterpiece, best quality, newest, absurdres, very awa", "worst quality, oldest"
                ),
            },
        ),
        Variant(
            "pony",
            "Pony",
            r"\bpony\b|\bpony(diffusion|realism|xl)",
            {
                "sampling": Sampling(832, 1216, 25, 7.0, "euler_ancestral", "normal", clip_skip=2),
                "words": _dialect("score_9, score_8_up, score_7_up", "score_6, score_5, score_4"),
            },
        ),
        Variant(
            "animagine",
            "Animagine",
            r"animagine",
            {
                "sampling": _EULER_A,
                "words": _dialect(
                    "masterpiece, high score, great score, absurdres", "worst quality, low score"
                ),
            },
        ),
    ),
    settings=frozenset({"clip_skip"}),
    distilled={
        "lightning": {"steps": 8, "cfg": 1.0, "sampler": "euler", "scheduler": "sgm_uniform"},
        "turbo": {"steps": 6, "cfg": 1.0, "sampler": "euler_ancestral", "scheduler": "sgm_uniform"},
        "hyper": {"steps": 8, "cfg": 1.0, "sampler": "euler", "scheduler": "sgm_uniform"},
        "lcm": {"steps": 8, "cfg": 1.5, "sampler": "lcm", "scheduler": "sgm_uniform"},
        "dmd2": {"steps": 6, "cfg": 1.0, "sampler": "lcm", "scheduler": "sgm_uniform"},
    },
    file_names=r"\bsdxl|xlv?\b",
    likely_names=r"\bpony\b|\bpony(diffusion|realism)|illustrious|\bnoob(ai)?\b|animagine",
    # Adapters read 16 x 16 pixels, in one or three colours.
    control=ControlFiles(context_width=2048, label_width=2816, adapter_widths=frozenset({256, 768})),
    union_type="openpose",
    union_bones="xinsir",  # its best known union ControlNet is xinsir's
    predicts_v=True,
    rank=9,
    ipadapters=(
        ("PLUS (high strength)", r"plus.sdxl.vit.h\.", "ip-adapter-plus_sdxl_vit-h.safetensors"),
        ("STANDARD (medium strength)", r"ip.adapter.sdxl.vit.h\.", "ip-adapter_sdxl_vit-h.safetensors"),
    ),
    face_ipadapters=(
        ("PLUS FACE (portraits)", r"plus.face.sdxl.vit.h\.", "ip-adapter-plus-face_sdxl_vit-h.safetensors"),
    ),
    lora_on_clip=True,
)
