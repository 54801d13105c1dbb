"""spec -> the API prompt that ComfyUI runs. Pure: the same spec gives the same prompt."""

from __future__ import annotations

from dataclasses import dataclass

from ..generations.spec import AvatarSpec
from ..ports import Prompt
from ..views import VIEWS
from .builder import Link, PromptBuilder
from .words import compose

LATENT_STEP = 8  # pixels per latent cell, for every family here
NARROW = 5 / 8  # share of the height that a profile of a standing figure needs at most
OUTPUT_NAME = "avatarforge_{:05d}.png"

# At full strength a little noise stays: with none the sampler would give the reference back.
REFERENCE_REACH = 0.9


@dataclass(frozen=True)
class PlannedOutput:
    """One picture to come: its place in the answer, its file name, its view, and its saving node."""

    position: int
    filename: str
    view: str | None
    node_id: str


@dataclass(frozen=True)
class AppliedInput:
    """One line of the receipt: a given picture, and the node and model that apply it."""

    role: str
    file_id: str
    content_hash: str
    view: str | None
    node: str
    model: str | None
    strength: float


@dataclass(frozen=True)
class CompiledPrompt:
    prompt: Prompt
    outputs: tuple[PlannedOutput, ...]
    inputs: tuple[AppliedInput, ...]


def view_size(spec: AvatarSpec, view_name: str | None) -> tuple[int, int]:
    """(width, height) in pixels; a narrow view keeps the height."""
    if view_name is None or not VIEWS[view_name].narrow:
        return spec.width, spec.height
    widest = int(spec.height * NARROW) // LATENT_STEP * LATENT_STEP
    return min(spec.width, max(widest, LATENT_STEP)), spec.height


def compile_prompt(spec: AvatarSpec, generation_id: str) -> CompiledPrompt:
    """Build the prompt: one sampler and one saving node per view, the models loaded once.

    An image of strength 0 is left out altogether, so that 0 is the same as absent.
    """
    build = PromptBuilder()
    loader = build.add("CheckpointLoaderSimple", "Checkpoint", ckpt_name=spec.checkpoint)
    model, clip, vae = loader.out(0), loader.out(1), loader.out(2)
    pose = spec.pose if spec.pose and spec.pose.strength > 0 else None
    reference = spec.reference if spec.reference and spec.reference.strength > 0 else None
    controlnet = None
    if pose:
        controlnet = build.add("ControlNetLoader", "Pose ControlNet", control_net_name=spec.controlnet)
    reference_image = None
    if reference:
        reference_image = build.add("AvatarForgeLoadReference", "Reference", file_id=reference.file_id)

    outputs: list[PlannedOutput] = []
    inputs: list[AppliedInput] = []
    for position, view in enumerate(spec.views):
        label = f" ({view})" if view else ""
        width, height = view_size(spec, view)
        words, unwanted = compose(spec, view)
        positive = build.add("CLIPTextEncode", f"Words{label}", text=words, clip=clip).out()
        negative = build.add("CLIPTextEncode", f"Unwanted{label}", text=unwanted, clip=clip).out()
        if pose and controlnet:
            picture = build.add(
                "AvatarForgeLoadPose", f"Pose{label}", file_id=pose.file_id, width=width, height=height
            )
            applied = build.add(
                "AvatarForgeApplyPose",
                f"Apply pose{label}",
                positive=positive,
                negative=negative,
                control_net=controlnet.out(),
                vae=vae,
                image=picture.out(),
                strength=pose.strength,
                start_percent=0.0,
                end_percent=1.0,
            )
            positive, negative = applied.out(0), applied.out(1)
            inputs.append(
                AppliedInput(
                    "pose", pose.file_id, pose.content_hash, view, applied.id, spec.controlnet, pose.strength
                )
            )
        denoise = 1.0
        latent: Link
        if reference and reference_image:
            start = build.add(
                "AvatarForgeReferenceLatent",
                f"Start from reference{label}",
                vae=vae,
                image=reference_image.out(),
                width=width,
                height=height,
            )
            latent = start.out()
            denoise = round(1.0 - REFERENCE_REACH * reference.strength, 4)
            inputs.append(
                AppliedInput(
                    "reference",
                    reference.file_id,
                    reference.content_hash,
                    view,
                    start.id,
                    spec.checkpoint,
                    reference.strength,
                )
            )
        else:
            empty = build.add("EmptyLatentImage", f"Canvas{label}", width=width, height=height, batch_size=1)
            latent = empty.out()
        sampled = build.add(
            "KSampler",
            f"Sampler{label}",
            model=model,
            positive=positive,
            negative=negative,
            latent_image=latent,
            seed=spec.seed,
            steps=spec.steps,
            cfg=spec.cfg,
            sampler_name=spec.sampler,
            scheduler=spec.scheduler,
            denoise=denoise,
        )
        decoded = build.add("VAEDecode", f"Decode{label}", samples=sampled.out(), vae=vae)
        filename = OUTPUT_NAME.format(position + 1)
        saved = build.add(
            "AvatarForgeSave",
            f"Save{label}",
            images=decoded.out(),
            generation_id=generation_id,
            position=position + 1,
        )
        outputs.append(PlannedOutput(position, filename, view, saved.id))
    return CompiledPrompt(build.prompt, tuple(outputs), tuple(inputs))
