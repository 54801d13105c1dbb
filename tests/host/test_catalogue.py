"""The files that are named for what is missing are those of ComfyUI's own workflow templates."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from avatarforge.forge.families import ENCODER_KINDS, MODEL_FAMILIES, VAE_KINDS
from avatarforge.forge.families.catalogue import Download, all_downloads, download_for
from lab.host import ComfyUI

#: From their publishers' pages, because no template names them.
NOT_IN_TEMPLATES = {
    "control_v11p_sd15_openpose_fp16.safetensors",
    "OpenPoseXL2.safetensors",
    "sdxl_lightning_8step_lora.safetensors",
    "diffusion_pytorch_model.safetensors",
}


def entries(value: Any) -> Iterator[tuple[str, str, str]]:
    """(name, folder, address) of each model that a workflow names."""
    if isinstance(value, dict):
        for model in value.get("models") or ():
            if isinstance(model, dict) and {"name", "directory", "url"} <= model.keys():
                yield model["name"], model["directory"], model["url"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from entries(item)


@pytest.fixture(scope="module")
def named(comfyui: ComfyUI) -> set[tuple[str, str, str]]:
    """(name, folder, address) of every model of every template."""
    found = set()
    for path in comfyui.python.parents[1].glob("**/comfyui_workflow_templates*/**/*.json"):
        for name, folder, url in entries(json.loads(path.read_text(encoding="utf-8"))):
            found.add((name, folder, url.partition("?")[0]))
    if not found:
        pytest.skip("this ComfyUI has no workflow templates")
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="the environment has another layout")
def test_every_file_is_in_a_template_with_its_folder_and_address(named: set[tuple[str, str, str]]) -> None:
    missing = {file.name for file in all_downloads() if (file.name, file.folder, file.url) not in named}
    assert missing == NOT_IN_TEMPLATES


def test_every_part_of_every_family_of_models_has_a_file() -> None:
    for name, family in MODEL_FAMILIES.items():
        for variant in family.variants:
            assert isinstance(download_for(name, "model", variant.name), Download)
            parts = family.variant(variant.name).parts
            for kind in (*parts.encoders, parts.vae) if parts else ():
                assert download_for(name, kind) is not None
        if {"controlnet", "patch"} & set(family.pose):
            assert download_for(name, "pose") is not None or name == "anima"
    assert {kind for kind in (*ENCODER_KINDS, *VAE_KINDS) if download_for(None, kind) is None} == {"clip_g"}


def test_a_file_is_said_with_its_place_and_size() -> None:
    file = download_for("qwen_edit", "model", "2511")
    assert file is not None
    assert file.place == "models/diffusion_models/qwen_image_edit_2511_fp8mixed.safetensors"
    assert file.page == "https://huggingface.co/Comfy-Org/Qwen-Image-Edit_ComfyUI"
    assert download_for("qwen_edit", "model") != file
    assert download_for("qwen_edit", "nothing") is None
