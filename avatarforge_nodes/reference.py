"""The node that lets a picture start from a reference."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ..host.conditioning import encode
from .load import CATEGORY, LARGEST


class ReferenceLatent(io.ComfyNode):
    """A latent of the reference, cut to the frame, for a sampler with denoise below 1."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeReferenceLatent",
            display_name="Start From Reference (AvatarForge)",
            category=CATEGORY,
            description="Encodes a reference picture as the start of a sampler whose denoise is below 1.",
            search_aliases=["avatar", "reference", "img2img", "latent", "character"],
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
