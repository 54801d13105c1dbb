"""FLUX.2: klein 4B and 9B, distilled and base, and dev.

Graph and defaults: ComfyUI's workflow templates image_flux2_*. The pictures of a pose and a person are
reference latents, which the words call "image 1", "image 2".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..spec.avatar import AvatarSpec
from ..spec.reference import REFERENCE_ROLES
from .builder import Link, PromptBuilder
from .family import (
    BY_ATTENTION,
    Canvas,
    Encoded,
    Family,
    GraphFunctions,
    LatentShape,
    Loaded,
    Parts,
    Picture,
    ReferenceLimits,
    Sampling,
    Shaped,
    Variant,
)
from .prompt_text import GUIDED_SENTENCES, SENTENCES, Words
from .steps import add_guidance, add_reference_latents, encode_words, load_files

#: The scheduler whose noise levels depend on the size of the picture: the node Flux2Scheduler.
OWN_SCHEDULER = "flux2"
_CLIP_TYPE = "flux2"


def load(build: PromptBuilder, spec: AvatarSpec) -> Loaded:
    return load_files(build, spec, _CLIP_TYPE)


def encode(
    build: PromptBuilder, spec: AvatarSpec, loaded: Loaded, words: Words, pictures: Sequence[Picture]
) -> Encoded:
    encoded = add_guidance(build, spec, encode_words(build, spec, loaded, words), words.label)
    return add_reference_latents(build, spec, loaded, encoded, pictures)


def sample(build: PromptBuilder, spec: AvatarSpec, model: Link, encoded: Encoded, canvas: Canvas) -> Link:
    guider = build.add(
        "CFGGuider",
        f"Guider{canvas.label}",
        model=model,
        positive=encoded.positive,
        negative=encoded.negative,
        cfg=spec.cfg,
    )
    if spec.scheduler == OWN_SCHEDULER:
        sigmas = _own_noise_levels(build, spec, canvas)
    else:
        sigmas = build.add(
            "BasicScheduler",
            f"Noise levels{canvas.label}",
            model=model,
            scheduler=spec.scheduler,
            steps=spec.steps,
            denoise=canvas.denoise,
        ).out()
    sampler = build.add(
        "SamplerCustomAdvanced",
        f"Sampler{canvas.label}",
        noise=build.add("RandomNoise", f"Noise{canvas.label}", noise_seed=canvas.seed).out(),
        guider=guider.out(),
        sampler=build.add_shared("KSamplerSelect", "Sampler", sampler_name=spec.sampler).out(),
        sigmas=sigmas,
        latent_image=canvas.latent,
    )
    return sampler.out()


def _own_noise_levels(build: PromptBuilder, spec: AvatarSpec, canvas: Canvas) -> Link:
    """The noise levels of the node Flux2Scheduler, which knows no `denoise`: as ComfyUI's other samplers do,
    the last levels of a longer schedule."""
    total = int(spec.steps / canvas.denoise)
    levels = build.add(
        "Flux2Scheduler",
        f"Noise levels{canvas.label}",
        steps=total,
        width=canvas.size[0],
        height=canvas.size[1],
    )
    if total == spec.steps:
        return levels.out()
    last = build.add(
        "SplitSigmas", f"Last noise levels{canvas.label}", sigmas=levels.out(), step=total - spec.steps
    )
    return last.out(1)


_KLEIN_4B, _KLEIN_9B, _DEV = ("klein_4b", "klein_base_4b"), ("klein_9b", "klein_base_9b"), ("dev",)
#: Rows of `img_in`, and columns of `txt_in`, which is as wide as the outputs of the text encoder. Packed
#: weights have fewer columns than the layer.
_BY_ROWS = {3072: _KLEIN_4B, 4096: _KLEIN_9B, 6144: _DEV}
_BY_COLUMNS = {7680: _KLEIN_4B, 12288: _KLEIN_9B, 15360: _DEV}


def variants_of(shapes: Mapping[str, Shaped]) -> tuple[str, ...]:
    rows = _side(shapes, "img_in.weight", 0)
    return _BY_ROWS.get(rows) or _BY_COLUMNS.get(_side(shapes, "txt_in.weight", 1), ())


def _side(shapes: Mapping[str, Shaped], name: str, axis: int) -> int:
    found = next((tensor.shape for key, tensor in shapes.items() if key.endswith(name)), ())
    return int(found[axis]) if len(found) > axis else 0


def _parts(encoder: str) -> Parts:
    return Parts((encoder,), _CLIP_TYPE, "flux2")  # type: ignore[arg-type]


_DISTILLED = Sampling(832, 1216, 4, 1.0, "euler", OWN_SCHEDULER)
_BASE = Sampling(832, 1216, 20, 5.0, "euler", OWN_SCHEDULER)

FLUX2 = Family(
    name="flux2",
    label="FLUX.2",
    comfy_classes=("Flux2",),
    sampling=_DISTILLED,
    words=SENTENCES,
    latent=LatentShape(128, cell=16),
    parts=_parts("qwen3_4b"),
    graph=GraphFunctions(load, encode, sample),
    pose=("picture",),
    # The words have to tell the pictures apart: more than a few of each are mixed up.
    references={"picture": ReferenceLimits(6, REFERENCE_ROLES), "attention": BY_ATTENTION},
    anchor="picture",
    batch=True,
    lora_names=r"\bflux ?2\b|\bklein\b",
    rank=7,
    variants=(
        Variant("klein_4b", "klein 4B"),
        Variant(
            "klein_base_4b",
            "klein base 4B",
            r"\bbase\b",
            {"sampling": _BASE, "words": GUIDED_SENTENCES},
        ),
        Variant("klein_9b", "klein 9B", None, {"parts": _parts("qwen3_8b")}),
        Variant(
            "klein_base_9b",
            "klein base 9B",
            r"\bbase\b",
            {"sampling": _BASE, "words": GUIDED_SENTENCES, "parts": _parts("qwen3_8b")},
        ),
        Variant(
            "dev",
            "dev",
            r"\bdev\b",
            {
                "sampling": Sampling(832, 1216, 20, 1.0, "euler", OWN_SCHEDULER, guidance=4.0),
                "parts": _parts("mistral_24b"),
                "settings": frozenset({"guidance"}),
            },
        ),
    ),
    distilled={"turbo": {"steps": 8}},
    header_variants=variants_of,
)
