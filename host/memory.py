"""Estimates whether a batch fits into GPU memory, with ComfyUI's formula and without loading the model."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from comfy import model_management

from ..forge.families import MODEL_FAMILIES
from ..forge.families.family import LatentShape
from ..forge.model_identity import families_of_class
from .gguf_files import GGUF, read_gguf
from .model_files import Header, UnusableModelError, read_header
from .model_kinds import DetectedModel, detect_model

CONDITIONED_AND_NOT = 2  # classifier-free guidance runs positive and negative in one batch
_ONE_BYTE = ("F8_E4M3", "F8_E5M2", "I8", "U8")  # packed weights stay packed in memory


def batch_fits(model: Path, width: int, height: int, count: int) -> bool:
    """Whether `count` pictures of width x height pixels can be sampled in one batch.

    `model` is a checkpoint or a diffusion model, as safetensors or GGUF. Uses `BaseModel.memory_required`
    (comfy/model_base.py) of a model object without its weights. True for a file that cannot be read: the
    loader will report what is wrong. Blocks: call it in a thread.
    """
    try:
        file = model.stat()
        needed = _needed(model, (file.st_size, file.st_mtime_ns), width, height, count)
    except (OSError, UnusableModelError):
        return True  # not cached: the next request may be able to read it
    total = model_management.get_total_memory(model_management.get_torch_device())
    return needed is None or bool(needed <= total)


@lru_cache(maxsize=64)
def _needed(path: Path, signature: tuple[int, int], width: int, height: int, count: int) -> float | None:
    """Needed memory in bytes; None if ComfyUI cannot estimate it. Cached, because reading a header is slow.
    Raises what `read_header` raises."""
    is_gguf = path.suffix.lower() == GGUF
    header = read_gguf(path) if is_gguf else read_header(path)
    try:
        return _estimate(header, signature[0] if is_gguf else None, width, height, count)
    except Exception:  # noqa: BLE001 - ComfyUI's detection assumes certain tensors, and raises anything
        return None


def _estimate(header: Header, weights: int | None, width: int, height: int, count: int) -> float | None:
    """`weights` is their size in bytes; None: as the header says."""
    model = detect_model(header.tensors)
    if model is None:
        return None
    config: Any = model.config
    dtype = model_management.unet_dtype(supported_dtypes=config.supported_inference_dtypes)
    config.unet_config["disable_unet_model_creation"] = True
    config.set_inference_dtype(dtype, dtype)
    # The marks of a prediction are not handed over: they may be numbers, which a header does not have.
    base = config.get_model({}, "")
    shape = _latent_shape(_latent(model), CONDITIONED_AND_NOT * count, width, height)
    if weights is None:
        weights = _weights(model, dtype)
    needed: float = base.memory_required(shape) + weights + model_management.minimum_inference_memory()
    return needed


def _latent(model: DetectedModel) -> LatentShape:
    families = families_of_class(model.comfy_class, model.tensors)
    return MODEL_FAMILIES[families[0]].latent if families else LatentShape(4)


def _latent_shape(latent: LatentShape, rows: int, width: int, height: int) -> tuple[int, ...]:
    """(rows, channels, frames if it has them, height, width) in cells."""
    frames = (1,) if latent.video else ()
    return rows, latent.channels, *frames, height // latent.cell, width // latent.cell


def _weights(model: DetectedModel, dtype: torch.dtype) -> int:
    size = model_management.dtype_size(dtype)
    return sum(
        math.prod(tensor.shape) * (1 if tensor.dtype in _ONE_BYTE else size)
        for tensor in model.tensors.values()
    )
