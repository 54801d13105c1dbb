"""Responses about what works with the installed models."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ...forge.spec.reference import ReferenceMethod, ReferenceRole
from ..models import LazyModel


class Method(LazyModel):
    """One way to apply an input."""

    name: Literal[
        "controlnet",
        "patch",
        "picture",
        "keypoints",
        "redux",
        "ipadapter",
        "attention",
        "palette",
        "dwpose",
        "sdpose",
    ]
    works: bool = Field(description="With what is installed now.")
    model: str | None = Field(
        description="The file that does it; null: none is needed, or it brings its own."
    )
    missing: str | None = Field(description="The file and folder that it lacks; null where it works.")
    family_is_guess: bool = Field(
        False, description="That the model fits is a guess from its name: the file cannot be looked into."
    )


class ReferenceSupport(LazyModel):
    """How many reference pictures a method takes for one view, and for what."""

    method: ReferenceMethod
    most: int = Field(
        description="Of the method `picture`, the skeleton and the front that a view looks at count, too."
    )
    each: int | None = Field(description="At most so many of one role; null: as many as fit.")
    roles: list[ReferenceRole] = Field(description="Those that work with what is installed now.")


class MissingFile(LazyModel):
    """A text encoder or VAE that a model needs and that is not installed."""

    kind: str
    folder: str = Field(description="Under `models`, such as `text_encoders`.")
    name: str | None = Field(description="The usual name of the file.")
    size: float | None = Field(description="Gigabytes, rounded.")
    page: str | None = Field(description="The page of its publisher.")


class ModelDefaults(LazyModel):
    """What is used for a field that a request leaves out; null: the family does not have the setting."""

    width: int
    height: int
    steps: int
    cfg: float | None
    sampler: str | None
    scheduler: str | None
    guidance: float | None
    shift: float | None
    clip_skip: int | None


class ModelMethods(LazyModel):
    """What works with one installed model, or with a family that needs none."""

    name: str
    family: str | None = Field(description="null: not of a family that AvatarForge knows.")
    family_label: str | None
    supported: bool
    pose: list[Method] = Field(description="Ways to apply a pose, best first.")
    reference: list[Method] = Field(description="Ways to apply a reference, best first.")
    references: list[ReferenceSupport] = Field(
        [], description="How many references each of these ways takes, and in which roles."
    )
    family_is_guess: bool = Field(
        False, description="`family` is a guess from the name: the file cannot be looked into."
    )
    problem: str | None = Field(
        None,
        description='Why the file cannot be used, as words that follow "it": `is empty`; null: none known.',
    )
    folder: str = Field(
        description="ComfyUI's name of its folder, such as `diffusion_models`; empty: there is no file."
    )
    variant: str | None
    variant_label: str | None
    distillation: str | None = Field(description="How it was distilled to a few steps, such as `lightning`.")
    precision: str | None = Field(description="Of packed weights, such as `fp8_scaled` or `gguf`.")
    told_by: Literal["header", "name", "override"] = Field(description="What decided the family.")
    variant_told_by: Literal["header", "name", "override"] = Field(description="What decided the variant.")
    settings: list[str] = Field(description="Request fields that only some families have, this one included.")
    lacks: list[str] = Field([], description="Request fields that most families have, but not this one.")
    turnarounds: list[Literal["batch", "sequential"]]
    defaults: ModelDefaults | None
    missing: list[MissingFile] = Field(description="It cannot be used before these are installed.")
    drawn: bool = Field(
        False, description="No model: the pictures are drawn, and only when a request asks for it."
    )


class FamilyModels(LazyModel):
    """A supported model family."""

    name: str
    label: str
    variants: list[str]
    installed: int = Field(description="How many usable models of it are installed; 1 if it needs none.")
    drawn: bool = Field(
        False, description="No model: the pictures are drawn, and only when a request asks for it."
    )


class LoraFile(LazyModel):
    name: str
    family: str | None = Field(description="null: of no family that AvatarForge knows.")
    problem: str | None


class SkippedFile(LazyModel):
    """A model file that cannot be used. The others are not affected."""

    folder: str = Field(description="Under `models`, such as `checkpoints`.")
    name: str | None = Field(description="In that folder; null: the whole folder cannot be listed.")
    reason: str = Field(description='As words that follow "it": `is empty`.')


class Reason(LazyModel):
    """Why something cannot be done now."""

    code: str = Field(description="That of the error with which such a request is refused.")
    detail: str = Field(description="The same sentence as in `reasons`.")
    parameters: dict[str, str] = Field(description="Values for a sentence of a client's own.")


class CapabilitiesAnswer(LazyModel):
    checkpoints: list[ModelMethods] = Field(description="The models in `models/checkpoints`.")
    models: list[ModelMethods] = Field(
        description="The models of all folders, as `model` takes them; last, what is drawn without one."
    )
    families: list[FamilyModels] = Field(description="The supported families, as `family` takes them.")
    default_family: str | None = Field(
        None, description="`DEFAULT_FAMILY`, for requests that name neither a family nor a model."
    )
    loras: list[LoraFile] = Field(description="As `loras` takes them; at most 1000.")
    pose_extractors: list[Method] = Field(description="What reads the pose of a photo, best first.")
    reasons: list[str] = Field(description="What cannot be done now, and what to install; [] when all can.")
    reason_details: list[Reason] = Field(
        default_factory=list, description="The `reasons` with their codes, for clients in other languages."
    )
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
