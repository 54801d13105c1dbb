"""Calls of ComfyUI's models for AvatarForge's nodes: encode texts and pictures, apply a ControlNet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import comfy.utils
import nodes
import torch

from .text_rows import stack_texts

Conditioning = list[list[Any]]
Fit = Literal["crop", "inside"]
FITS: tuple[Fit, ...] = get_args(Fit)


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
    """Apply a ControlNet with ComfyUI's own node; `image` is (batch, height, width, 3) in 0..1."""
    applied: tuple[Any, Any] = nodes.ControlNetApplyAdvanced().apply_controlnet(
        positive, negative, control_net, image, strength, start_percent, end_percent, vae=vae
    )
    return applied


def encode_texts(clip: Any, texts: Sequence[str], model: Any = None) -> Conditioning:
    """Encode one text per picture of a batch into a single conditioning; row k belongs to picture k.

    `model` is the model patcher that will draw; only Anima's texts need it. Raises ValueError for a
    checkpoint without a text encoder, and for texts that cannot be rows of one batch (`stack_texts`).
    """
    if clip is None:
        raise ValueError("The checkpoint holds no text encoder. Load one and connect it as clip.")
    if len(texts) == 1:
        single: Conditioning = clip.encode_from_tokens_scheduled(clip.tokenize(texts[0]))
        return single
    return [stack_texts(clip, texts, model)]


def encode(
    vae: Any, image: torch.Tensor, width: int, height: int, fit: Fit = "crop"
) -> dict[str, torch.Tensor]:
    """The latents of pictures, one row each; with one frame (5 dimensions) if the VAE is one for video.

    "crop" scales them to cover width x height pixels and cuts off what is outside, the same on both sides.
    "inside" scales them to fit into that frame, with sides in steps of the VAE's latent cells.
    """
    if fit == "inside":
        width, height = _inside(image.shape[2], image.shape[1], width, height, _cell(vae))
    scaled = comfy.utils.common_upscale(image.movedim(-1, 1), width, height, "lanczos", "center")
    pictures = scaled.movedim(1, -1)[:, :, :, :3]
    if getattr(vae, "latent_dim", 2) == 3 and not getattr(vae, "not_video", False):
        # Such a VAE would take a batch for the frames of one video.
        return {"samples": torch.cat([vae.encode(picture[None]) for picture in pictures])}
    return {"samples": vae.encode(pictures)}


def _cell(vae: Any) -> int:
    return int(vae.spacial_compression_encode())


def _inside(width: int, height: int, most_width: int, most_height: int, step: int) -> tuple[int, int]:
    """The largest size of about this format in the frame, in steps, and of one step at least."""
    scale = min(most_width / width, most_height / height)
    sides = ((width, most_width), (height, most_height))
    fitted = [min(round(side * scale / step), most // step) * step for side, most in sides]
    return max(fitted[0], step), max(fitted[1], step)
