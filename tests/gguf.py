"""Writes GGUF files with a header but no data."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headers import Shapes

F16 = 1


def text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def entry(name: str, value: Any) -> bytes:
    """A key and its value: a text, a whole number, a list of texts, or a list of whole numbers."""
    if isinstance(value, str):
        return text(name) + struct.pack("<I", 8) + text(value)
    if isinstance(value, int):
        return text(name) + struct.pack("<II", 4, value)
    kind = 8 if value and isinstance(value[0], str) else 5
    items = b"".join(text(one) if kind == 8 else struct.pack("<i", one) for one in value)
    return text(name) + struct.pack("<IIQ", 9, kind, len(value)) + items


def tensor(name: str, shape: tuple[int, ...], offset: int) -> bytes:
    sizes = b"".join(struct.pack("<Q", size) for size in reversed(shape))
    return text(name) + struct.pack("<I", len(shape)) + sizes + struct.pack("<IQ", F16, offset)


def write_gguf(path: Path, metadata: Mapping[str, Any], shapes: Shapes, *, cut: int = 0) -> Path:
    """Write a sparse file of float16 tensors, `cut` bytes shorter than its header says."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(metadata))
    head += b"".join(entry(name, value) for name, value in metadata.items())
    offset = 0
    for name, shape in shapes.items():
        head += tensor(name, shape, offset)
        offset += -(-2 * math.prod(shape) // 32) * 32
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(head)
        file.truncate(-(-len(head) // 32) * 32 + offset - cut)
    return path
