"""Synthetic models, which ComfyUI loads like real ones but which generate noise. Made once per user."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .cache import being_made, cache_root, key
from .host import ComfyUI
from .progress import run_step

MAKER = Path(__file__).with_name("make_models.py")

#: Kind -> folder under ``models/``. File names contain the kind, so that ComfyUI's menus show it.
FOLDERS = {
    "sd15": "checkpoints",
    "sd15-openpose": "controlnet",
    "sd15-deep": "checkpoints",
    "sd15-t2i-openpose": "controlnet",
    "sd15-control-lora-openpose": "controlnet",
    "sdxl": "checkpoints",
    "sdxl-openpose": "controlnet",
}

#: Settings of the pack that speed up requests without a size, such as those in the seed document.
SMALL_PICTURES = {
    "AVATARFORGE_DEFAULT_WIDTH": "64",
    "AVATARFORGE_DEFAULT_HEIGHT": "64",
    "AVATARFORGE_DEFAULT_STEPS": "1",
}

NOISE_NOTE = (
    "These pictures are noise: they come from a synthetic model that only proves that everything works."
)


def file_name(kind: str) -> str:
    return f"avatarforge-synthetic-{kind}.safetensors"


def model_name(kind: str) -> str:
    """Path under ``models/``, such as ``checkpoints/avatarforge-synthetic-sd15.safetensors``."""
    return f"{FOLDERS[kind]}/{file_name(kind)}"


def make(comfyui: ComfyUI, kind: str) -> Path:
    """The synthetic model of this kind, from the cache or generated with ``comfyui``'s own classes."""
    made_from = {"kind": kind, "comfyui": comfyui.version(), "recipe": key(MAKER.read_text(encoding="utf-8"))}
    folder = cache_root() / "models" / f"{kind}-{key(*made_from.values())}"
    with being_made(folder, made_from) as needed:
        if needed:
            run_step(
                f"Generating the synthetic model {kind}",
                [comfyui.python, MAKER, comfyui.root, kind, folder / file_name(kind)],
                hint="Is there room on the disk (1 GB)? Is this ComfyUI complete?",
            )
    return folder / file_name(kind)


def models(comfyui: ComfyUI, kinds: Iterable[str]) -> dict[str, Path]:
    """The ``models`` argument of ComfyServer for these kinds."""
    return {model_name(kind): make(comfyui, kind) for kind in kinds}
