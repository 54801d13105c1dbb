"""Counts model files read and weights loaded, by wrapping ComfyUI's own functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import comfy.model_patcher
import comfy.utils

counts = {"files": 0, "weights": 0}


def _counting(kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        counts[kind] += 1
        return function(*args, **kwargs)

    return wrapper


def count_loads() -> None:
    comfy.utils.load_torch_file = _counting("files", comfy.utils.load_torch_file)
    for patcher in (comfy.model_patcher.ModelPatcher, comfy.model_patcher.ModelPatcherDynamic):
        if "load" in vars(patcher):
            patcher.load = _counting("weights", patcher.load)
