"""The response with the models to start with."""

from __future__ import annotations

from pydantic import Field

from ..models import LazyModel


class GuideGpu(LazyModel):
    name: str
    memory: float = Field(description="Gigabytes (2^30 bytes).")


class GuideFile(LazyModel):
    use: str = Field(description="model, encoder, vae or pose.")
    name: str
    folder: str = Field(description="Under `models`, such as `checkpoints`.")
    size: float | None = Field(description="Gigabytes (10^9 bytes), rounded; null: not stated.")
    page: str = Field(description="The page of its publisher, with its licence.")


class GuideChoice(LazyModel):
    """A model to start with, and everything that it needs."""

    family: str
    label: str
    memory: int = Field(
        description="Gigabytes of GPU memory with which it runs well. With less, ComfyUI moves parts of it, "
        "and a picture takes longer."
    )
    fits: bool | None = Field(description="Whether the GPU has as much; null: not known.")
    files: list[GuideFile]


class ModelGuideAnswer(LazyModel):
    gpu: GuideGpu | None = Field(description="The first of ComfyUI; null: none, or not known.")
    choices: list[GuideChoice] = Field(description="The smallest first.")
