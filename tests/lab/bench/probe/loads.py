"""Counts what ComfyUI reads and moves of models, by wrapping ComfyUI's own functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import comfy.model_patcher
import comfy.utils

counted = {"files": 0, "weights": 0}


def _counting(kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def counting(*args: Any, **kwargs: Any) -> Any:
        counted[kind] += 1
        return function(*args, **kwargs)

    return counting


def count_loads() -> None:
    comfy.utils.load_torch_file = _counting("files", comfy.utils.load_torch_file)
    for kind in (comfy.model_patcher.ModelPatcher, comfy.model_patcher.ModelPatcherDynamic):
        if "load" in vars(kind):
            kind.load = _counting("weights", kind.load)
