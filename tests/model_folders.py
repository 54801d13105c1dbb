"""Model folders with one good file each, and what a scan of them found and skipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headers import ZIPPED, Shapes, write_header

FOLDERS = (
    "checkpoints",
    "diffusion_models",
    "text_encoders",
    "vae",
    "loras",
    "controlnet",
    "model_patches",
    "style_models",
    "clip_vision",
    "ipadapter",
)
#: Folders that the GGUF pack registers over others.
GGUF_FOLDERS = {"unet_gguf": "diffusion_models", "clip_gguf": "text_encoders"}
#: Folder -> a tensor that a good file in it has.
GOOD = {
    "diffusion_models": "a.weight",
    "text_encoders": "a.weight",
    "vae": "a.weight",
    "loras": "lora_unet_a.lora_down.weight",
    "model_patches": "lllite_conditioning1.conv1.weight",
    "style_models": "a.weight",
}


def put_good(folders: Path, sd15: Shapes) -> None:
    write_header(folders / "checkpoints" / "good.safetensors", sd15)
    write_header(folders / "controlnet" / "good.safetensors", {"a.attn2.to_k.weight": (320, 768)})
    for folder, name in GOOD.items():
        write_header(folders / folder / "good.safetensors", {name: (8, 8)})
    (folders / "ipadapter" / "good.bin").write_bytes(ZIPPED)
    write_header(folders / "clip_vision" / "good.safetensors", {"a": ()})


def require_good(found: Any) -> None:
    assert [one.name for one in found.checkpoints if one.family == "sd15"] == ["good.safetensors"]
    assert [one.name for one in found.controlnets if one.family == "sd15"] == ["good.safetensors"]
    for files in (found.diffusion_models, found.text_encoders, found.vaes, found.loras, found.model_patches):
        assert [one.name for one in files if one.problem is None] == ["good.safetensors"]
    assert found.style_models == ("good.safetensors",)
    assert (found.ipadapters, found.clip_visions) == (("good.bin",), ("good.safetensors",))


def reasons(found: Any, name: str) -> dict[str, str]:
    return {one.folder: one.reason for one in found.skipped if one.name == name}
