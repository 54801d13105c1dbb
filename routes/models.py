"""Pydantic models that are built on first use, so that they do not delay ComfyUI's start."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict


class LazyModel(BaseModel):
    """pydantic takes milliseconds for each model, and there are dozens."""

    model_config = ConfigDict(defer_build=True)


def build_lazy_models(models: Iterable[type[BaseModel]]) -> None:
    """Build the models now, before a request needs them. Blocks."""
    for model in models:
        model.model_rebuild()
