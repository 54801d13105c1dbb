"""Sparse safetensors files with a header but no data, so that gigabytes take no disk space."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path

# The first bytes that torch.save writes: a zip file since 1.6, a pickle of protocol 2 before.
ZIPPED = b"PK\x03\x04" + b"\0" * 26 + b"archive/data.pkl" + b"\0" * 64 + b"PK\x05\x06" + b"\0" * 18
PICKLED = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."

Shapes = Mapping[str, tuple[int, ...]]
BYTES = {"F8_E4M3": 1, "I8": 1, "U8": 1, "F16": 2, "BF16": 2, "F32": 4}


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors in a safetensors file."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}


def write_header(path: Path, shapes: Shapes, *, cut: int = 0, types: Mapping[str, str] | None = None) -> Path:
    """Write a file of tensors of these shapes, `cut` bytes shorter than its header says. `types` are those of
    tensors that are not float16."""
    header: dict[str, object] = {}
    offset = 0
    for name, shape in shapes.items():
        dtype = (types or {}).get(name, "F16")
        end = offset + BYTES[dtype] * math.prod(shape)
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    encoded = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(encoded)) + encoded)
        file.truncate(8 + len(encoded) + offset - cut)
    return path
