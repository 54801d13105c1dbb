"""Shapes of the tensors of ComfyUI's own classes, built on the meta device."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .files import Shapes


def shapes_of(module: Any, prefix: str = "") -> Shapes:
    """Shapes of a module's tensors by name, with ``prefix`` added to each name."""
    return {prefix + name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def linear_layers(module: Any) -> set[str]:
    """Names of a module's linear layers."""
    import torch

    return {name for name, layer in module.named_modules() if isinstance(layer, torch.nn.Linear)}


def on_meta(make: Callable[..., Any], **options: Any) -> Any:
    """A transformer without values, of one of ComfyUI's classes that take ``operations``."""
    import comfy.ops
    import torch

    return make(device="meta", dtype=torch.float16, operations=comfy.ops.disable_weight_init, **options)


def holes(pattern: str) -> Callable[[str], bool]:
    """An ``is_hole`` that is true for the names in which ``pattern`` is found."""
    compiled = re.compile(pattern)
    return lambda name: compiled.search(name) is not None
