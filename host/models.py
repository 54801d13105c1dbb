"""Which models are installed, and of which family, read from safetensors headers alone.

ComfyUI's own detection does the reading, on tensors that have a shape and no data. Loading a
checkpoint to look at it would take seconds and gigabytes.
"""

from __future__ import annotations

import json
import struct
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import folder_paths
import torch
from comfy import model_detection, samplers, supported_models

from ..forge.ports import InstalledModels, ModelFile

HEADER_LIMIT = 100 * 1024 * 1024  # what the safetensors format allows, bytes
_CONTEXT_FAMILIES = {768: "sd15", 2048: "sdxl"}
_Signature = tuple[int, int]


class ModelShelf:
    """Answers from a cache keyed by path, size and time of change. Blocking: call it in a thread."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[_Signature, str | None]] = {}
        self._lock = threading.Lock()

    def installed(self) -> InstalledModels:
        with self._lock:
            return InstalledModels(
                checkpoints=self._list("checkpoints", _checkpoint_family),
                controlnets=self._list("controlnet", _controlnet_family),
                samplers=tuple(samplers.KSampler.SAMPLERS),
                schedulers=tuple(samplers.KSampler.SCHEDULERS),
            )

    def _list(self, folder: str, family_of: Any) -> tuple[ModelFile, ...]:
        found = []
        for name in folder_paths.get_filename_list(folder):
            path = folder_paths.get_full_path(folder, name)
            if path is not None:
                found.append(ModelFile(name, self._family(Path(path), family_of)))
        return tuple(found)

    def _family(self, path: Path, family_of: Any) -> str | None:
        try:
            stat = path.stat()
        except OSError:
            return None
        signature = (stat.st_size, stat.st_mtime_ns)
        known = self._known.get(path)
        if known is None or known[0] != signature:
            shapes = read_shapes(path) if path.suffix.lower() == ".safetensors" else None
            known = (signature, family_of(shapes) if shapes else _family_by_name(path.name))
            self._known[path] = known
        return known[1]


def read_shapes(path: Path) -> dict[str, torch.Tensor] | None:
    """The tensors of a safetensors file as `meta` tensors (shape and type, no data).

    The format: 8 bytes little-endian header length, then JSON (huggingface/safetensors README).
    None when the file is not of that format.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > HEADER_LIMIT:
                return None
            header: Mapping[str, Any] = json.loads(file.read(length))
        return {
            name: torch.empty(entry["shape"], device="meta")
            for name, entry in header.items()
            if name != "__metadata__"
        }
    except (OSError, struct.error, ValueError, KeyError, TypeError, RuntimeError):
        return None


def _checkpoint_family(shapes: dict[str, torch.Tensor]) -> str | None:
    prefix = model_detection.unet_prefix_from_state_dict(shapes)
    try:
        config = model_detection.model_config_from_unet(shapes, prefix)
    except (KeyError, IndexError, RuntimeError, ValueError, TypeError, NotImplementedError):
        return None  # a file that the detection trips over is one that ComfyUI cannot load either
    if isinstance(config, supported_models.SDXL):
        return "sdxl"
    return "sd15" if type(config) is supported_models.SD15 else None


def _controlnet_family(shapes: dict[str, torch.Tensor]) -> str | None:
    """By the width of the text that the cross-attention reads: 768 for SD1.5, 2048 for SDXL."""
    widths = {tensor.shape[-1] for name, tensor in shapes.items() if name.endswith("attn2.to_k.weight")}
    return _CONTEXT_FAMILIES.get(widths.pop()) if len(widths) == 1 else None


def _family_by_name(name: str) -> str | None:
    return "sdxl" if "xl" in name.lower() else "sd15"
