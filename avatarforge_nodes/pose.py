"""A node that applies a pose with a ControlNet."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ..host.conditioning import apply_controlnet
from .choices import CATEGORY


class ApplyPose(io.ComfyNode):
    """Applies a pose picture with a pose ControlNet."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeApplyPose",
            display_name="Apply Pose ControlNet (AvatarForge)",
            category=CATEGORY,
            description=(
                "Applies the pose to the figure. Strength 0 has the same effect as removing the node."
            ),
            search_aliases=["avatar", "pose", "controlnet", "openpose", "character"],
            inputs=[
                io.Conditioning.Input("positive"),
                io.Conditioning.Input("negative"),
                io.ControlNet.Input("control_net"),
                io.Image.Input("image", tooltip="An OpenPose skeleton, or what the ControlNet expects."),
                io.Float.Input("strength", default=1.0, min=0.0, max=2.0, step=0.01),
                io.Float.Input("start_percent", default=0.0, min=0.0, max=1.0, step=0.001),
                io.Float.Input("end_percent", default=1.0, min=0.0, max=1.0, step=0.001),
                io.Vae.Input("vae", optional=True, tooltip="Only some ControlNets need it."),
            ],
            outputs=[
                io.Conditioning.Output(display_name="positive"),
                io.Conditioning.Output(display_name="negative"),
            ],
        )

    @classmethod
    def execute(
        cls,
        positive: Any,
        negative: Any,
        control_net: Any,
        image: torch.Tensor,
        strength: float,
        start_percent: float,
        end_percent: float,
        vae: Any = None,
    ) -> io.NodeOutput:
        return io.NodeOutput(
            *apply_controlnet(
                positive, negative, control_net, vae, image, strength, start_percent, end_percent
            )
        )
