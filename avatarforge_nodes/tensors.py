"""Converts pictures to ComfyUI's IMAGE tensors and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image


def to_tensor(picture: Image.Image) -> torch.Tensor:
    """RGB or L picture -> (1, height, width, channels) or (1, height, width), float32 in 0..1."""
    return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255.0).unsqueeze(0)


def to_picture(image: torch.Tensor) -> Image.Image:
    """(height, width, 3) in 0..1 -> RGB picture, truncated to 256 levels like ComfyUI's Save Image."""
    return Image.fromarray((image.cpu().float().numpy() * 255.0).clip(0, 255).astype(np.uint8))


def to_levels(mask: torch.Tensor) -> Image.Image:
    """(height, width) in 0..1 -> L picture, rounded to 256 levels: the values are numbers."""
    return Image.fromarray((mask.cpu().float().numpy() * 255.0).round().clip(0, 255).astype(np.uint8))


def flatten(picture: Image.Image, alpha: Image.Image | None, background: int) -> Image.Image:
    """The picture on a background of this grey level, 0..255, where it is transparent."""
    if alpha is None:
        return picture
    canvas = Image.new("RGB", picture.size, (background, background, background))
    canvas.paste(picture, mask=alpha)
    return canvas


def plain_numbers(value: Any) -> Any:
    """Numbers of numpy and torch as Python's, for json."""
    return value.tolist()


def fit(picture: Image.Image, width: int, height: int) -> Image.Image:
    """Fit the whole picture into width x height pixels, on black: cropping could cut off limbs of a pose."""
    scale = min(width / picture.width, height / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    canvas = Image.new("RGB", (width, height))
    canvas.paste(
        picture.resize(size, Image.Resampling.LANCZOS),
        ((width - size[0]) // 2, (height - size[1]) // 2),
    )
    return canvas
