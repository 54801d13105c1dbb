"""What header and name say together about a model file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from avatarforge.forge.families import DISTILLATIONS, MODEL_FAMILIES
from avatarforge.forge.model_identity import ModelFacts, identify, lora_fits, named_distillation, siblings_of
from avatarforge.forge.ports import ModelFile


def lora(family: str | None, variant: str | None = None) -> ModelFile:
    return ModelFile("a.safetensors", family, folder="loras", variant=variant)


@pytest.mark.parametrize(
    ("family", "variant", "model", "model_variant", "fits"),
    [
        ("sdxl", "base", "sdxl", "illustrious", True),
        ("sdxl", "base", "sd15", None, False),
        (None, None, "sdxl", "base", False),
        ("qwen_image", "base", "qwen_edit", "2511", True),
        ("qwen_edit", "2509", "qwen_image", "base", True),
        ("flux", "dev", "flux", "kontext", True),
        ("flux", "dev", "flux2", "klein_4b", False),
        ("flux2", "klein_4b", "flux2", "klein_base_4b", True),
        ("flux2", "klein_4b", "flux2", "klein_9b", False),
        ("flux2", "klein_base_9b", "flux2", "klein_9b", True),
        ("flux2", "dev", "flux2", "klein_9b", False),
        ("z_image", "turbo", "z_image", "base", True),
    ],
)
def test_a_lora_fits_what_comfyui_loads_as_the_same_model(
    family: str | None, variant: str | None, model: str, model_variant: str | None, fits: bool
) -> None:
    assert lora_fits(lora(family, variant), model, model_variant) is fits


def test_only_the_qwen_families_are_siblings() -> None:
    several = {name for name in MODEL_FAMILIES if len(siblings_of(name)) > 1}
    assert several == {"qwen_image", "qwen_edit"}


@pytest.mark.parametrize("distillation", DISTILLATIONS)
def test_distillations_are_told_by_the_name(distillation: str) -> None:
    assert named_distillation("sdxl", f"dreamXL_{distillation}.safetensors") == distillation
    assert named_distillation("sdxl", f"dreamXL{distillation.capitalize()}_v2.safetensors") == distillation
    assert named_distillation("sdxl", f"x{distillation}x.safetensors") is None
    assert named_distillation(None, f"{distillation}.safetensors") is None


def test_a_file_without_a_header_is_told_by_its_name() -> None:
    found = identify("checkpoints", "ponyDiffusionV6XL.ckpt", ModelFacts(("sdxl",), guessed=True), 5)
    assert (found.family, found.variant, found.told_by, found.variant_told_by) == (
        "sdxl",
        "pony",
        "name",
        "name",
    )
    assert (found.guessed, found.size, found.folder) == (True, 5, "checkpoints")


def test_a_header_that_allows_several_variants_leaves_it_to_the_name() -> None:
    facts = ModelFacts(("flux2",), ("klein_9b", "klein_base_9b"))
    base = identify("diffusion_models", "klein-base.safetensors", facts, 0)
    other = identify("diffusion_models", "mine.safetensors", facts, 0)
    assert [(one.variant, one.variant_told_by) for one in (base, other)] == [
        ("klein_base_9b", "name"),
        ("klein_9b", "name"),
    ]
    certain = identify("diffusion_models", "klein-base.safetensors", replace(facts, variants=("dev",)), 0)
    assert (certain.variant, certain.variant_told_by) == ("dev", "header")
