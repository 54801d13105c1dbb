"""Responses about what works with the installed models."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..models import LazyModel


class Method(LazyModel):
    """One way to apply an input."""

    name: Literal["controlnet", "ipadapter", "attention", "dwpose", "sdpose"]
    works: bool = Field(description="With what is installed now.")
    model: str | None = Field(
        description="The file that does it; null: none is needed, or it brings its own."
    )
    missing: str | None = Field(description="The file and folder that it lacks; null where it works.")
    family_is_guess: bool = Field(
        False, description="That the model fits is a guess from its name: the file cannot be looked into."
    )


class CheckpointMethods(LazyModel):
    """What works with one installed checkpoint."""

    name: str
    family: str | None = Field(description="null: not of a family that AvatarForge knows.")
    family_label: str | None
    supported: bool
    pose: list[Method] = Field(description="Ways to apply a pose, best first.")
    reference: list[Method] = Field(description="Ways to apply a reference, best first.")
    family_is_guess: bool = Field(
        False, description="`family` is a guess from the name: the file cannot be looked into."
    )
    problem: str | None = Field(
        None,
        description='Why the file cannot be used, as words that follow "it": `is empty`; null: none known.',
    )


class SkippedFile(LazyModel):
    """A model file that cannot be used. The others are not affected."""

    folder: str = Field(description="Under `models`, such as `checkpoints`.")
    name: str | None = Field(description="In that folder; null: the whole folder cannot be listed.")
    reason: str = Field(description='As words that follow "it": `is empty`.')


class CapabilitiesAnswer(LazyModel):
    checkpoints: list[CheckpointMethods]
    pose_extractors: list[Method] = Field(description="What reads the pose of a photo, best first.")
    reasons: list[str] = Field(description="What cannot be done now, and what to install; [] when all can.")
    samplers: list[str] = Field(description="Those of this ComfyUI, as `sampler` takes them.")
    schedulers: list[str] = Field(description="Those of this ComfyUI, as `scheduler` takes them.")
    skipped_files: list[SkippedFile] = Field(
        default_factory=list, description="Files that cannot be used, and why; the first 100."
    )
    skipped_total: int = Field(0, description="How many files cannot be used.")


class FamilySummary(LazyModel):
    pose: list[str] = Field(description="Methods that work, best first.")
    reference: list[str] = Field(description="Methods that work, best first.")


class CapabilitiesSummary(LazyModel):
    families: dict[str, FamilySummary] = Field(default_factory=dict, description="Those with a checkpoint.")
    pose_extractors: list[str] = Field(default_factory=list, description="Those that work, best first.")
    missing: list[str] = Field(default_factory=list, description="The `reasons` of GET /capabilities.")
