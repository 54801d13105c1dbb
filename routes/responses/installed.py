"""Responses about the installed model files."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..models import LazyModel

ToldBy = Literal["header", "name", "override"]


class StoredOverride(LazyModel):
    """What the user says about a file; null: left to its header and name."""

    family: str | None
    variant: str | None
    distillation: str | None
    prediction: str | None


class InstalledModel(LazyModel):
    """A file that has a family."""

    folder: str = Field(description="ComfyUI's name of the folder, such as `diffusion_models`.")
    name: str = Field(description="As ComfyUI's loader nodes name it.")
    family: str | None = Field(description="null: not of a family that AvatarForge knows.")
    family_label: str | None
    variant: str | None = Field(description="null: the family has none.")
    told_by: ToldBy = Field(description="What decided the family.")
    variant_told_by: ToldBy = Field(description="What decided the variant.")
    distillation: str | None = Field(description="Such as `lightning`, by the name; null: not distilled.")
    prediction: Literal["eps", "v", "v_unmarked"] = Field(
        description="`v`: the file has the mark that ComfyUI reads. `v_unmarked`: only the name says so."
    )
    precision: str | None = Field(
        description="How the weights are packed, such as `fp8_scaled` or `gguf`; null: they are not."
    )
    size: int = Field(description="In bytes; 0 if the file cannot be read.")
    special: bool = Field(description="It needs more than text, as one for inpainting.")
    union: bool = Field(description="A ControlNet that must be told the kind of hint.")
    uses_clip: bool = Field(description="A LoRA that changes text encoders too.")
    guessed: bool = Field(description="The file cannot be looked into: all is a guess from its name.")
    problem: str | None = Field(description='Why it cannot be used, as words that follow "it"; null: it can.')
    override: StoredOverride | None = Field(description="null: none is stored.")


#: The fields that are not those of `ports.ModelFile`.
_OWN_FIELDS = ("family_label", "override")
MODEL_FIELDS = tuple(name for name in InstalledModel.model_fields if name not in _OWN_FIELDS)


class InstalledPart(LazyModel):
    """A text encoder or a VAE."""

    folder: str
    name: str
    kind: str | None = Field(description="Such as `qwen3_4b` or `flux2`; null: of no family that is known.")
    precision: str | None
    problem: str | None


class VariantChoice(LazyModel):
    name: str
    label: str


class FamilyChoice(LazyModel):
    name: str
    label: str
    variants: list[VariantChoice]


class ModelsAnswer(LazyModel):
    models: list[InstalledModel] = Field(
        description="Checkpoints, diffusion models, ControlNets, model patches and LoRAs."
    )
    parts: list[InstalledPart] = Field(description="Text encoders and VAEs.")
    families: list[FamilyChoice] = Field(description="What an override can say.")
    distillations: list[str] = Field(description="What an override can say.")
