"""Calls of ComfyUI's models for AvatarForge's nodes: encode texts and pictures, apply a ControlNet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import comfy.utils
import nodes
import torch

Conditioning = list[list[Any]]


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


def encode_texts(clip: Any, texts: Sequence[str]) -> Conditioning:
    """Encode one text per picture of a batch into a single conditioning; row k belongs to picture k.

    Conditionings of different lengths are repeated to a common length. Cross-attention stays the same, since
    every token then occurs equally often (comfy/conds.py joins two prompts the same way). Raises ValueError
    for a checkpoint without a text encoder.
    """
    if clip is None:
        raise ValueError("The checkpoint holds no text encoder. Load one and connect it as clip.")
    encoded = [clip.encode_from_tokens_scheduled(clip.tokenize(text)) for text in texts]
    if len(encoded) == 1:
        single: Conditioning = encoded[0]
        return single
    rows = [conditioning[0][0] for conditioning in encoded]
    length = math.lcm(*(row.shape[1] for row in rows))
    options = dict(encoded[0][0][1])
    pooled = [conditioning[0][1].get("pooled_output") for conditioning in encoded]
    if all(output is not None for output in pooled):
        options["pooled_output"] = torch.cat(pooled)
    stacked = torch.cat([row.repeat(1, length // row.shape[1], 1) for row in rows])
    return [[stacked, options]]


def encode(vae: Any, image: torch.Tensor, width: int, height: int) -> dict[str, torch.Tensor]:
    """The latent of a picture, scaled to cover width x height pixels and centre-cropped."""
    scaled = comfy.utils.common_upscale(image.movedim(-1, 1), width, height, "lanczos", "center")
    return {"samples": vae.encode(scaled.movedim(1, -1)[:, :, :, :3])}
