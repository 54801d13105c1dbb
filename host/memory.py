"""Estimates whether a batch fits into GPU memory, with ComfyUI's formula and without loading the model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import torch
from comfy import model_detection, model_management

from .model_files import UnusableModelError, read_shapes

CONDITIONED_AND_NOT = 2  # classifier-free guidance runs positive and negative in one batch
LATENT_CHANNELS = 4
LATENT_STEP = 8


def batch_fits(checkpoint: Path, width: int, height: int, count: int) -> bool:
    """Whether `count` pictures of width x height pixels can be sampled in one batch.

    Uses `BaseModel.memory_required` (comfy/model_base.py) of a model object without its UNet. True for a
    checkpoint that cannot be read: the loader will report what is wrong. Blocks: call it in a thread.
    """
    try:
        file = checkpoint.stat()
        needed = _needed(checkpoint, (file.st_size, file.st_mtime_ns), width, height, count)
    except (OSError, UnusableModelError):
        return True  # not cached: the next request may be able to read it
    total = model_management.get_total_memory(model_management.get_torch_device())
    return needed is None or bool(needed <= total)


@lru_cache(maxsize=64)
def _needed(
    checkpoint: Path, _signature: tuple[int, int], width: int, height: int, count: int
) -> float | None:
    """Needed memory in bytes; None if ComfyUI cannot estimate it. Cached, because reading a header is slow.
    Raises what `read_shapes` raises."""
    shapes = read_shapes(checkpoint)
    try:
        return _estimate(shapes, width, height, count)
    except Exception:  # noqa: BLE001 - ComfyUI's detection assumes certain tensors, and raises anything
        return None


def _estimate(shapes: Mapping[str, torch.Tensor], width: int, height: int, count: int) -> float | None:
    prefix = model_detection.unet_prefix_from_state_dict(shapes)
    config = model_detection.model_config_from_unet(shapes, prefix)
    if config is None:
        return None
    dtype = model_management.unet_dtype(supported_dtypes=config.supported_inference_dtypes)
    config.unet_config["disable_unet_model_creation"] = True
    config.set_inference_dtype(dtype, dtype)
    model = config.get_model(shapes, prefix)
    area = (CONDITIONED_AND_NOT * count, LATENT_CHANNELS, height // LATENT_STEP, width // LATENT_STEP)
    weights = sum(
        tensor.numel() * model_management.dtype_size(dtype)
        for name, tensor in shapes.items()
        if name.startswith(prefix)
    )
    needed: float = model.memory_required(area) + weights + model_management.minimum_inference_memory()
    return needed
