"""Gives each row of a batch the noise of a seed of its own. ComfyUI's samplers have one seed for a batch.

The noise of a row is that which comfy/sample.py makes for a batch of one with its seed, so the row becomes
the same picture, up to rounding. Samplers that add noise while they run draw that for all rows together, so
with them it is another picture than alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from comfy.patcher_extension import WrappersMP

from .view_previews import preview_views

KEY = "avatarforge_row_seeds"


def seed_rows(model: Any, seeds: Sequence[int]) -> Any:
    """A clone of the model that samples each row of a batch with its own seed, and shows a preview of each.
    Sampling raises ValueError for another number of rows."""
    model = preview_views(model)
    model.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, KEY, partial(_sample, tuple(seeds)))
    return model


def row_noise(noise: torch.Tensor, seeds: Sequence[int]) -> torch.Tensor:
    """Noise of the shape, type and device of `noise`, (rows, ...), with one seed for each row."""
    rows = []
    for seed in seeds:
        generator = torch.Generator("cpu").manual_seed(seed)
        rows.append(torch.randn((1, *noise.shape[1:]), generator=generator, dtype=torch.float32))
    return torch.cat(rows).to(noise.dtype).to(noise.device)


def _sample(seeds: tuple[int, ...], executor: Any, noise: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
    """Wraps `CFGGuider.outer_sample`."""
    if len(noise) != len(seeds):
        raise ValueError(f"There are {len(seeds)} seeds for a batch of {len(noise)}: give one for each row.")
    # A sampler that continues another one adds no noise.
    return executor(row_noise(noise, seeds) if noise.any() else noise, *args, **kwargs)
