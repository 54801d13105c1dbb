"""What our nodes ask of ComfyUI's models: pose ControlNets and latents of pictures."""

from __future__ import annotations

from typing import Any

import comfy.utils
import nodes
import torch


def apply_controlnet(
    positive: Any,
    negative: Any,
    control_net: Any,
    vae: Any,
    image: torch.Tensor,
    strength: float,
    start_percent: float,
    end_percent: float,
) -> tuple[Any, Any]:
    """ComfyUI's own application of a ControlNet; image is (batch, height, width, 3) in 0..1."""
    applied: tuple[Any, Any] = nodes.ControlNetApplyAdvanced().apply_controlnet(
        positive, negative, control_net, image, strength, start_percent, end_percent, vae=vae
    )
    return applied


def encode(vae: Any, image: torch.Tensor, width: int, height: int) -> dict[str, torch.Tensor]:
    """The latent of a picture that is scaled to cover width x height pixels and cut to it."""
    scaled = comfy.utils.common_upscale(image.movedim(-1, 1), width, height, "lanczos", "center")
    return {"samples": vae.encode(scaled.movedim(1, -1)[:, :, :, :3])}
