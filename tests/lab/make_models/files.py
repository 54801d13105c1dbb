"""Synthetic model files: names, shapes and seeded values of their tensors, and how they are written."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Shapes = dict[str, tuple[int, ...]]

F16, F32, FP8 = "F16", "F32", "F8_E4M3"
BYTES = {F16: 2, F32: 4, FP8: 1}
#: ComfyUI's older format of scaled fp8: a mark for the file, and the scale of each layer beside its weight.
SCALED_FILE, SCALE = "scaled_fp8", ".scale_weight"
#: One-dimensional tensors that are zeros; all other ones are ones.
ZEROS = ("bias", "running_mean")
#: Norm weights that have more than one dimension.
NORMS = (".gamma",)


def nothing(_name: str) -> bool:
    return False


@dataclass(frozen=True)
class Model:
    """What one file contains.

    Attributes:
        shapes: shape of each tensor by name.
        is_hole: whether a tensor is all zeros, which a file system can store as a hole.
        dtypes: the tensors that are not float16, as ``F32`` or ``FP8``.
        scalars: values of the tensors that are not noise.
        metadata: additional entries of the header's ``__metadata__``.
    """

    shapes: Shapes
    is_hole: Callable[[str], bool] = nothing
    dtypes: Mapping[str, str] = field(default_factory=dict)
    scalars: Mapping[str, float] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


def in_fp8(shapes: Shapes) -> dict[str, str]:
    """The ``dtypes`` of a file whose tensors are all fp8, with no scales."""
    return dict.fromkeys(shapes, FP8)


def scaled_fp8(shapes: Shapes, layers: set[str]) -> Model:
    """A model whose ``layers`` (names without ``.weight``) are scaled fp8, and everything else float16.

    ComfyUI keeps such layers in fp8 also on a CPU, where each use of one of 50 million weights then takes
    most of a second: only for small models.
    """
    shapes = {**shapes, SCALED_FILE: (2,)}
    dtypes = {SCALED_FILE: FP8}
    scalars = {SCALED_FILE: 0.0}
    for layer in layers:
        weight = f"{layer}.weight"
        shapes[layer + SCALE] = ()
        dtypes |= {weight: FP8, layer + SCALE: F32}
        scalars[layer + SCALE] = math.prod(shapes[weight][1:]) ** -0.5
    return Model(shapes, dtypes=dtypes, scalars=scalars)


def values(name: str, shape: tuple[int, ...], dtype: str = F16, scaled: bool = False) -> bytes:
    """Little-endian values for a tensor. They are always the same, because its name is the seed.

    Norm weights are ones and biases zeros; all others are normally distributed with variance 1 / fan-in,
    which keeps activations near 1 through any number of layers. ``scaled`` values have variance 1.
    """
    import torch

    if len(shape) < 2 or name.endswith(NORMS):
        return _bytes(torch.full(shape, 0.0 if name.endswith(ZEROS) else 1.0), dtype)
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big")
    drawn = torch.empty(shape).normal_(generator=torch.Generator().manual_seed(seed))
    fan_in = 1 if scaled else drawn[0].numel()
    return _bytes(drawn * fan_in**-0.5, dtype)


def _bytes(tensor: Any, dtype: str) -> bytes:
    import torch

    if dtype == FP8:
        return bytes(tensor.to(torch.float8_e4m3fn).view(torch.uint8).numpy().tobytes())
    return bytes(tensor.to(torch.float16 if dtype == F16 else torch.float32).numpy().tobytes())


def write(path: Path, model: Model, note: str) -> None:
    """Write a sparse safetensors file (format: https://github.com/huggingface/safetensors#format)."""
    import torch

    header: dict[str, Any] = {"__metadata__": {"format": "pt", "avatarforge": note, **model.metadata}}
    offset = 0
    for name, shape in model.shapes.items():
        dtype = model.dtypes.get(name, F16)
        end = offset + BYTES[dtype] * math.prod(shape)
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(encoded)))
        file.write(encoded)
        for name, shape in model.shapes.items():
            dtype = model.dtypes.get(name, F16)
            if name in model.scalars:
                file.write(_bytes(torch.full(shape, model.scalars[name]), dtype))
            elif model.is_hole(name):
                file.seek(BYTES[dtype] * math.prod(shape), 1)
            else:
                scaled = name.removesuffix(".weight") + SCALE in model.shapes
                file.write(values(name, shape, dtype, scaled))
        file.truncate(8 + len(encoded) + offset)
