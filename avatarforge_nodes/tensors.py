"""Pictures to ComfyUI's IMAGE tensors and back."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image


def to_tensor(picture: Image.Image) -> torch.Tensor:
    """RGB or L picture -> (1, height, width, channels) or (1, height, width), float32 in 0..1."""
    return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255.0).unsqueeze(0)


def to_picture(image: torch.Tensor) -> Image.Image:
    """(height, width, 3) in 0..1 -> RGB picture, cut to 256 levels as ComfyUI's Save Image does."""
    return Image.fromarray((image.cpu().float().numpy() * 255.0).clip(0, 255).astype(np.uint8))


def flatten(picture: Image.Image, alpha: Image.Image | None, background: int) -> Image.Image:
    """The picture over a plain background where it is transparent."""
    if alpha is None:
        return picture
    ground = Image.new("RGB", picture.size, (background, background, background))
    ground.paste(picture, mask=alpha)
    return ground


def fit(picture: Image.Image, width: int, height: int) -> Image.Image:
    """The whole picture inside width x height pixels, undistorted, on black: a pose must lose no limb."""
    scale = min(width / picture.width, height / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    canvas = Image.new("RGB", (width, height))
    canvas.paste(
        picture.resize(size, Image.Resampling.LANCZOS),
        ((width - size[0]) // 2, (height - size[1]) // 2),
    )
    return canvas
