"""Parts of the graph that several families share: loading files, encoding words and pictures, control,
sampling."""

from __future__ import annotations

from collections.abc import Sequence

from ..spec.avatar import AvatarSpec
from ..spec.reference import ReferenceUse
from ..spec.views import node_views
from .builder import Link, PromptBuilder
from .family import Canvas, Encoded, Loaded, Picture, Posed, PoseHint
from .prompt_text import Words

START, END = 0.0, 1.0  # every input works from the first sampling step to the last
GGUF = ".gguf"


def load_files(build: PromptBuilder, spec: AvatarSpec, clip_type: str = "") -> Loaded:
    """Load a whole checkpoint, or a model, its text encoders and its VAE from separate files. `clip_type` is
    the type for CLIPLoader or DualCLIPLoader."""
    if spec.model_folder == "checkpoints":
        loader = build.add("CheckpointLoaderSimple", "Checkpoint", ckpt_name=spec.checkpoint)
        return Loaded(loader.out(0), loader.out(1), loader.out(2))
    if spec.checkpoint.lower().endswith(GGUF):
        model = build.add("UnetLoaderGGUF", "Model", unet_name=spec.checkpoint)
    else:
        model = build.add("UNETLoader", "Model", unet_name=spec.checkpoint, weight_dtype="default")
    vae = build.add("VAELoader", "VAE", vae_name=spec.vae)
    return Loaded(model.out(), _load_encoders(build, spec.text_encoders, clip_type), vae.out())


def _load_encoders(build: PromptBuilder, encoders: Sequence[str], clip_type: str) -> Link:
    # The loaders of the GGUF pack take files of both formats.
    suffix = "GGUF" if any(name.lower().endswith(GGUF) for name in encoders) else ""
    if len(encoders) == 1:
        names = {"clip_name": encoders[0]}
    else:
        names = {f"clip_name{number}": name for number, name in enumerate(encoders, 1)}
    kind = ("CLIPLoader", "DualCLIPLoader")[len(encoders) - 1] + suffix
    device = {} if suffix else {"device": "default"}
    return build.add(kind, "Text encoder", **names, type=clip_type, **device).out()


def shift_model(build: PromptBuilder, spec: AvatarSpec, loaded: Loaded) -> Loaded:
    """Set the shift of the noise schedule of a flow model."""
    shifted = build.add("ModelSamplingAuraFlow", "Shift", model=loaded.model, shift=spec.shift)
    return Loaded(shifted.out(), loaded.clip, loaded.vae)


def encode_words(
    build: PromptBuilder,
    _spec: AvatarSpec,
    loaded: Loaded,
    words: Words,
    _pictures: Sequence[Picture] = (),
    *,
    with_model: bool = False,
) -> Encoded:
    """Encode the words of each view with the text encoder alone. `with_model`: the model adapts each text
    before texts become the rows of a batch."""
    parts = words.parts
    model = {"model": loaded.model} if with_model else {}
    encoded = build.add(
        "AvatarForgePrompt",
        f"Words{words.label}",
        clip=loaded.clip,
        prompt=parts.prompt,
        clothing=parts.clothing,
        style=parts.style,
        realism=parts.realism,
        negative_prompt=parts.negative_prompt,
        family=words.kind,
        # Every widget is listed: the editor fills in missing ones, and must queue the same prompt.
        pictures=parts.pictures,
        character=parts.character,
        expression=parts.expression,
        elevation=parts.elevation,
        **node_views(words.views),
        **model,
    )
    return Encoded(encoded.out(0), encoded.out(1))


def add_guidance(build: PromptBuilder, spec: AvatarSpec, encoded: Encoded, label: str) -> Encoded:
    """Tell a model with distilled guidance how strongly to follow the words."""
    if spec.guidance is None:
        return encoded
    guided = build.add(
        "FluxGuidance", f"Guidance{label}", conditioning=encoded.positive, guidance=spec.guidance
    )
    return Encoded(guided.out(), encoded.negative, encoded.nodes)


def add_reference_latents(
    build: PromptBuilder,
    spec: AvatarSpec,
    loaded: Loaded,
    encoded: Encoded,
    pictures: Sequence[Picture],
    *,
    method: str | None = None,
) -> Encoded:
    """Put the latent of each picture into both conditionings, in their order. `method` is for
    FluxKontextMultiReferenceLatentMethod, which numbers the pictures for the model."""
    links, nodes = [encoded.positive, encoded.negative], []
    for number, picture in enumerate(pictures, 1):
        latent = build.add_shared(
            "AvatarForgeReferenceLatent",
            f"Picture {number} latent",
            vae=loaded.vae,
            image=picture.image,
            width=spec.width,
            height=spec.height,
            # A pose has the size of the frame; a person must not lose head or feet.
            fit="crop" if picture.shows == "pose" else "inside",
        )
        added = [
            build.add("ReferenceLatent", f"Picture {number}", conditioning=link, latent=latent.out())
            for link in links
        ]
        links = [node.out() for node in added]
        nodes.append(added[0].id)
    if method is not None and pictures:
        links = [
            build.add(
                "FluxKontextMultiReferenceLatentMethod",
                "Number the pictures",
                conditioning=link,
                reference_latents_method=method,
            ).out()
            for link in links
        ]
    return Encoded(links[0], links[1], tuple(nodes))


def apply_ipadapter(
    build: PromptBuilder, model: Link, use: ReferenceUse, image: Link, loaded: dict[str, Link]
) -> Link:
    """Use ComfyUI_IPAdapter_plus, whose unified loader finds the files of the preset; returns the model.

    `loaded` has the adapter of each preset that is loaded already, and gets this one. Loaders that are not
    chained would load everything twice (NODES.md of that pack).
    """
    preset = str(use.preset)
    if preset not in loaded:
        chained = {"ipadapter": list(loaded.values())[-1]} if loaded else {}
        loader = build.add("IPAdapterUnifiedLoader", "IPAdapter", model=model, preset=preset, **chained)
        model, loaded[preset] = loader.out(0), loader.out(1)
    return build.add(
        "IPAdapterAdvanced",
        "Apply reference",
        model=model,
        ipadapter=loaded[preset],
        image=image,
        weight=use.strength,
        weight_type="style transfer" if use.role == "style" else "linear",
        combine_embeds="concat",
        start_at=START,
        end_at=END,
        embeds_scaling="V only",
    ).out()


def apply_controlnet(
    build: PromptBuilder,
    spec: AvatarSpec,
    loaded: Loaded,
    encoded: Encoded,
    hint: PoseHint,
    *,
    union_type: str | None = None,
) -> Posed:
    """Apply the pose with the ControlNet of the spec; `union_type` selects the pose mode of a union
    ControlNet."""
    control = build.add_shared("ControlNetLoader", "Pose ControlNet", control_net_name=spec.controlnet)
    if spec.controlnet_is_union and union_type is not None:
        control = build.add_shared(
            "SetUnionControlNetType", "Pose of the union", control_net=control.out(), type=union_type
        )
    applied = build.add(
        "AvatarForgeApplyPose",
        f"Apply pose{hint.label}",
        positive=encoded.positive,
        negative=encoded.negative,
        control_net=control.out(),
        vae=loaded.vae,
        image=hint.image,
        strength=hint.strength,
        start_percent=START,
        end_percent=END,
    )
    posed = Encoded(applied.out(0), applied.out(1), encoded.nodes)
    return Posed(loaded.model, posed, applied.id)


def sample_with_ksampler(
    build: PromptBuilder, spec: AvatarSpec, model: Link, encoded: Encoded, canvas: Canvas
) -> Link:
    """Sample with ComfyUI's KSampler."""
    sampler = build.add(
        "KSampler",
        f"Sampler{canvas.label}",
        model=model,
        positive=encoded.positive,
        negative=encoded.negative,
        latent_image=canvas.latent,
        seed=canvas.seed,
        steps=spec.steps,
        cfg=spec.cfg,
        sampler_name=spec.sampler,
        scheduler=spec.scheduler,
        denoise=canvas.denoise,
    )
    return sampler.out()
