"""Which models are installed, and of which family, read from safetensors headers alone.

ComfyUI's own detection does the reading, on tensors that have a shape and no data. Loading a
checkpoint to look at it would take seconds and gigabytes.
"""

from __future__ import annotations

import json
import re
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import folder_paths
import nodes
import torch
from comfy import model_detection, samplers

from ..forge.families import FAMILIES
from ..forge.ports import OPTIONAL_NODES, InstalledModels, ModelFile

HEADER_LIMIT = 100 * 1024 * 1024  # what the safetensors format allows, bytes
SAFETENSORS = (".safetensors", ".sft")
# Kinds of a family that take other inputs than its plain models.
_OTHER_INPUTS = "instructpix2pix"
# What a checkpoint has beside its UNet; without them it loads as a UNet alone, and no words reach it.
_TEXT_ENCODERS = ("cond_stage_model.", "conditioner.", "text_encoders.")
_VAES = ("first_stage_model.", "vae.")
_HEATMAP_HEAD = "heatmap_head.conv_layers.0.weight"
# Cross-attention's keys: as SD and diffusers name them, and in a Control-LoRA.
_CROSS_ATTENTION = (".attn2.to_k.weight", ".attn2.to_k.down")
_OTHER_FAMILIES = re.compile(
    r"(?<![a-z])(flux|sd[-_ ]?[23]|stable[-_ ]?diffusion[-_ ]?[23]|wan|qwen|hunyuan|z[-_ ]?image|lumina"
    r"|chroma|cascade)|refiner|^v2[-_.][01]|768-v|512-base",
    re.IGNORECASE,
)
_UNION = re.compile(r"union|promax", re.IGNORECASE)
_Signature = tuple[int, int]


@dataclass(frozen=True)
class _Facts:
    """What a file's header, or its name where it has none, says of it."""

    family: str | None = None
    union: bool = False
    sdpose: bool = False


_Reading = Callable[[Mapping[str, torch.Tensor]], _Facts]


class ModelShelf:
    """Answers from a cache keyed by path, size and time of change. Blocking: call it in a thread."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Path], tuple[_Signature, _Facts]] = {}
        self._lock = threading.Lock()

    def installed(self) -> InstalledModels:
        with self._lock:
            checkpoints = self._list("checkpoints", _checkpoint)
            controlnets = self._list("controlnet", _controlnet)
            return InstalledModels(
                checkpoints=tuple(
                    ModelFile(name, facts.family) for name, facts in checkpoints if not facts.sdpose
                ),
                controlnets=tuple(ModelFile(name, facts.family, facts.union) for name, facts in controlnets),
                samplers=tuple(samplers.KSampler.SAMPLERS),
                schedulers=tuple(samplers.KSampler.SCHEDULERS),
                nodes=OPTIONAL_NODES & nodes.NODE_CLASS_MAPPINGS.keys(),
                ipadapters=_names("ipadapter"),
                clip_visions=_names("clip_vision"),
                sdpose=tuple(name for name, facts in checkpoints if facts.sdpose),
                embeddings=_embeddings(),
            )

    def _list(self, folder: str, read: _Reading) -> list[tuple[str, _Facts]]:
        found = []
        for name in _names(folder):
            path = folder_paths.get_full_path(folder, name)
            if path is not None:
                found.append((name, self._facts(folder, Path(path), read)))
        return found

    def _facts(self, folder: str, path: Path, read: _Reading) -> _Facts:
        try:
            stat = path.stat()
        except OSError:
            return _Facts()
        signature = (stat.st_size, stat.st_mtime_ns)
        known = self._known.get((folder, path))
        if known is None or known[0] != signature:
            known = (signature, _look(path, read))
            self._known[(folder, path)] = known
        return known[1]


def _names(folder: str) -> tuple[str, ...]:
    # "ipadapter" is a folder that only its pack makes known.
    if folder not in folder_paths.folder_names_and_paths:
        return ()
    return tuple(folder_paths.get_filename_list(folder))


def _embeddings() -> tuple[str, ...] | None:
    try:
        return _names("embeddings")
    except OSError:
        return None  # a folder that cannot be read says nothing about what is in there


def _look(path: Path, read: _Reading) -> _Facts:
    if path.suffix.lower() not in SAFETENSORS:
        # A pickle cannot be looked at without loading it: only its name is left.
        return _Facts(_family_by_name(path.name), bool(_UNION.search(path.name)))
    shapes = read_shapes(path)
    return read(shapes) if shapes else _Facts()


def read_shapes(path: Path) -> dict[str, torch.Tensor] | None:
    """The tensors of a safetensors file as `meta` tensors (shape and type, no data).

    The format: 8 bytes little-endian header length, then JSON (huggingface/safetensors README).
    None when the file is not of that format, or shorter than its header says.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > HEADER_LIMIT:
                return None
            header: Mapping[str, Any] = json.loads(file.read(length))
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        data = max((entry["data_offsets"][1] for entry in entries.values()), default=0)
        if path.stat().st_size < 8 + length + data:
            return None  # a download that broke off
        return {name: torch.empty(entry["shape"], device="meta") for name, entry in entries.items()}
    except (OSError, struct.error, ValueError, LookupError, TypeError, AttributeError, RuntimeError):
        return None


def _checkpoint(shapes: Mapping[str, torch.Tensor]) -> _Facts:
    if any(name.endswith(_HEATMAP_HEAD) for name in shapes):
        return _Facts(sdpose=True)
    if not (_has(shapes, _TEXT_ENCODERS) and _has(shapes, _VAES)):
        return _Facts()
    try:
        prefix = model_detection.unet_prefix_from_state_dict(shapes)
        config = model_detection.model_config_from_unet(shapes, prefix)
    except (KeyError, IndexError, RuntimeError, ValueError, TypeError, NotImplementedError):
        return _Facts()  # a file that the detection trips over is one that ComfyUI cannot load either
    kinds = [kind.__name__ for kind in type(config).__mro__]
    if _OTHER_INPUTS in kinds[0]:
        return _Facts()
    return _Facts(next((row.name for row in FAMILIES.values() if row.comfy_class in kinds), None))


def _has(shapes: Mapping[str, torch.Tensor], prefixes: tuple[str, ...]) -> bool:
    return any(name.startswith(prefixes) for name in shapes)


def _controlnet(shapes: Mapping[str, torch.Tensor]) -> _Facts:
    """By the width of the text that the cross-attention reads. Only a union ControlNet has an embedding
    of its task."""
    widths = {tensor.shape[-1] for name, tensor in shapes.items() if name.endswith(_CROSS_ATTENTION)}
    family = next((row.name for row in FAMILIES.values() if {row.context_width} == widths), None)
    return _Facts(family, any(name.split(".")[-1] == "task_embedding" for name in shapes))


def _family_by_name(name: str) -> str | None:
    if _OTHER_FAMILIES.search(name):
        return None
    named = [row for row in FAMILIES.values() if row.file_names and re.search(row.file_names, name, re.I)]
    return (named or [row for row in FAMILIES.values() if not row.file_names])[0].name
