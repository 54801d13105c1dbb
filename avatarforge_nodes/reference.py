"""The nodes that let a picture start from a reference, or look at one all the while."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ..host.attention_sources import Reference, add_source
from ..host.conditioning import encode
from .choices import CATEGORY, LARGEST


class ReferenceLatent(io.ComfyNode):
    """A latent of the reference, cut to a frame: the start of a sampler, or what Apply Reference takes."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeReferenceLatent",
            display_name="Reference Latent (AvatarForge)",
            category=CATEGORY,
            description=(
                "Encodes a reference picture, cut to a frame: for Apply Reference, or as the start of a "
                "sampler whose denoise is below 1."
            ),
            search_aliases=["avatar", "reference", "img2img", "vae encode", "latent", "character"],
            inputs=[
                io.Vae.Input("vae"),
                io.Image.Input("image"),
                io.Int.Input("width", default=512, min=16, max=LARGEST, step=8, tooltip="Pixels."),
                io.Int.Input("height", default=768, min=16, max=LARGEST, step=8, tooltip="Pixels."),
            ],
            outputs=[io.Latent.Output()],
        )

    @classmethod
    def execute(cls, vae: Any, image: torch.Tensor, width: int, height: int) -> io.NodeOutput:
        return io.NodeOutput(encode(vae, image, width, height))


class ApplyReference(io.ComfyNode):
    """The model with a reference's tokens in its self-attention."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeApplyReference",
            display_name="Apply Reference (AvatarForge)",
            category=CATEGORY,
            description=(
                "Makes the picture keep the look of a reference, with no model but the checkpoint (SD1.5 or "
                "SDXL): self-attention also sees the reference's tokens. Each step costs one more run of the "
                "model, on the reference. Strength 0 is the same as leaving the node out."
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
                    tooltip="The encoded picture, of any size. Of a batch, all pictures count.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="Weight of the reference's tokens beside the picture's own.",
                ),
                io.Float.Input(
                    "start_percent",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=0.001,
                    tooltip="Share of the sampling after which it begins.",
                ),
                io.Float.Input(
                    "end_percent",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.001,
                    tooltip="Share of the sampling after which it ends.",
                ),
            ],
            outputs=[io.Model.Output()],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        reference: dict[str, Any],
        strength: float,
        start_percent: float,
        end_percent: float,
    ) -> io.NodeOutput:
        if strength == 0:
            return io.NodeOutput(model)
        if start_percent >= end_percent:
            raise ValueError("end_percent has to be above start_percent, or the reference is never seen.")
        samples = reference["samples"]
        wanted = model.get_model_object("latent_format").latent_channels
        if samples.ndim != 4 or samples.shape[1] != wanted:
            raise ValueError(
                f"The reference has the shape {tuple(samples.shape)}, and the model wants {wanted} channels: "
                "encode it with the VAE of the same checkpoint."
            )
        return io.NodeOutput(add_source(model, Reference(samples, strength, start_percent, end_percent)))
