"""Synthetic LoRA files."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

#: Square layers of the synthetic SD1.5 model's UNet, and their width.
SD15_LAYERS = tuple(
    f"lora_unet_input_blocks_1_1_transformer_blocks_0_{part}"
    for part in ("attn1_to_q", "attn1_to_v", "attn2_to_q")
)
SD15_WIDTH = 320
RANK = 4


def write_sd15_lora(path: Path, seed: int, scale: float = 0.5) -> Path:
    """Write a LoRA for the synthetic SD1.5 model whose numbers follow from ``seed``, and return its path."""
    numbers = random.Random(seed)  # noqa: S311 - no secret
    header: dict[str, object] = {}
    content = bytearray()
    for layer in SD15_LAYERS:
        for name, shape in (("down", (RANK, SD15_WIDTH)), ("up", (SD15_WIDTH, RANK))):
            values = [numbers.uniform(-scale, scale) for _ in range(shape[0] * shape[1])]
            begin = len(content)
            content += struct.pack(f"<{len(values)}f", *values)
            header[f"{layer}.lora_{name}.weight"] = {
                "dtype": "F32",
                "shape": shape,
                "data_offsets": [begin, len(content)],
            }
    encoded = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + bytes(content))
    return path
