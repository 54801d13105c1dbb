"""Nodes that use a reference: as the start of a picture, or in its self-attention."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ..host.attention_sources import Reference, add_source
from ..host.conditioning import FITS, Fit, encode
from .choices import CATEGORY, LARGEST


class ReferenceLatent(io.ComfyNode):
    """Encodes a reference, fitted to a frame, for Apply Reference or as the start of a sampler."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeReferenceLatent",
            display_name="Reference Latent (AvatarForge)",
            category=CATEGORY,
            description=(
                "Encodes a reference picture, fitted to a frame, for Apply Reference, or as the start of a "
                "sampler whose denoise is below 1."
            ),
            search_aliases=["avatar", "reference", "img2img", "vae encode", "latent", "character"],
            inputs=[
                io.Vae.Input("vae"),
                io.Image.Input("image"),
                io.Int.Input("width", default=512, min=16, max=LARGEST, step=8, tooltip="Pixels."),
                io.Int.Input("height", default=768, min=16, max=LARGEST, step=8, tooltip="Pixels."),
                io.Combo.Input(
                    "fit",
                    options=list(FITS),
                    default="crop",
                    optional=True,
                    tooltip="crop: fills the frame, without what is outside. inside: all of the picture, as "
                    "large as the frame allows.",
                ),
            ],
            outputs=[io.Latent.Output()],
        )

    @classmethod
    def execute(
        cls, vae: Any, image: torch.Tensor | None, width: int, height: int, fit: Fit = "crop"
    ) -> io.NodeOutput:
        if image is None:  # a character without such a picture
            return io.NodeOutput(None)
        return io.NodeOutput(encode(vae, image, width, height, fit))


class ApplyReference(io.ComfyNode):
    """Adds a reference's tokens to the self-attention of a model."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeApplyReference",
            display_name="Apply Reference (AvatarForge)",
            category=CATEGORY,
            description=(
                "Keeps the look of a reference without any extra model: self-attention also sees the "
                "reference's tokens. Each step runs the model once more, on the reference. For SD1.5, SDXL, "
                "Flux.1, FLUX.2, Chroma, Qwen-Image, Krea 2, Z-Image and Anima. Strength 0 has the same "
                "effect as removing the node."
            ),
            search_aliases=[
                "avatar",
                "reference only",
                "reference",
                "identity",
                "style",
                "ipadapter",
                "character",
            ],
            inputs=[
                io.Model.Input("model"),
                io.Latent.Input(
                    "reference",
                    tooltip="The encoded picture, of any size. In a batch, every picture counts.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="Weight of the reference's tokens relative to the picture's own.",
                ),
                io.Float.Input(
                    "start_percent",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=0.001,
                    tooltip="Fraction of the sampling after which it starts.",
                ),
                io.Float.Input(
                    "end_percent",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.001,
                    tooltip="Fraction of the sampling after which it ends.",
                ),
            ],
            outputs=[io.Model.Output()],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        reference: dict[str, Any] | None,
        strength: float,
        start_percent: float,
        end_percent: float,
    ) -> io.NodeOutput:
        if strength == 0 or reference is None:
            return io.NodeOutput(model)
        if start_percent >= end_percent:
            raise ValueError("end_percent has to be above start_percent, or the reference is never seen.")
        samples = reference["samples"]
        latent_format = model.get_model_object("latent_format")
        channels, video = latent_format.latent_channels, latent_format.latent_dimensions == 3
        if samples.ndim != (5 if video else 4) or samples.shape[1] != channels:
            raise ValueError(
                f"The reference has the shape {tuple(samples.shape)}, and the model wants {channels} channels"
                f"{' and one frame' if video else ''}: encode it with the VAE of the same model."
            )
        if video and samples.shape[2] != 1:
            raise ValueError(
                f"The reference is a video of {samples.shape[2]} latent frames: this model's VAE reads a "
                "batch of pictures as one. Encode each picture alone and join them, as Reference Latent does."
            )
        return io.NodeOutput(add_source(model, Reference(samples, strength, start_percent, end_percent)))
