"""Models that are put together when they are first needed: ComfyUI does not wait for them when it starts."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict


class LazyModel(BaseModel):
    """pydantic takes milliseconds for each model, and there are dozens."""

    model_config = ConfigDict(defer_build=True)


def build_lazy_models(models: Iterable[type[BaseModel]]) -> None:
    """Put them together now, before a request needs them. Blocks."""
    for model in models:
        model.model_rebuild()
