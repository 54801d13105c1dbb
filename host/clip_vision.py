"""Compares pictures with a CLIP-Vision or DINOv2 model that ComfyUI's own node has loaded."""

from __future__ import annotations

from typing import Any

import torch


def embedding_of(clip_vision: Any, image: torch.Tensor) -> tuple[float, ...]:
    """The numbers by which a picture (1, height, width, 3; in 0..1) is compared. The middle square of it is
    seen, as with ComfyUI's node CLIPVisionEncode."""
    output = clip_vision.encode_image(image)
    vector = output["image_embeds"]
    if vector is None:
        vector = output["last_hidden_state"][:, 0]
    return tuple(vector.reshape(-1).float().cpu().tolist())
