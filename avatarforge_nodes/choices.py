"""Choices and limits that several nodes share."""

from __future__ import annotations

from dataclasses import dataclass

from comfy_api.latest import io

from ..forge.pictures.skeleton import BoneStyle
from ..forge.spec.views import ALL_FOUR, ANY_VIEW, VIEW_NAMES

CATEGORY = "AvatarForge"
LARGEST = 16384  # pixels; ComfyUI's own maximum
BONES = [style.value for style in BoneStyle]
VIEW_CHOICES = [*VIEW_NAMES, ALL_FOUR, ANY_VIEW]


@dataclass(frozen=True)
class LatentShape:
    """Latents of a family: channels, pixels per side of a cell, and whether they have frames."""

    channels: int
    cell: int
    video: bool


_SD = LatentShape(4, 8, False)
_FLUX = LatentShape(16, 8, False)
_WAN = LatentShape(16, 8, True)
LATENTS = {
    "sd15": _SD,
    "sdxl": _SD,
    "flux": _FLUX,
    "flux2": LatentShape(128, 16, False),
    "qwen_image": _WAN,
    "qwen_edit": _WAN,
    "z_image": _FLUX,
    "anima": _WAN,
    "krea2": _WAN,
    "chroma": _FLUX,
}


def cell_of(channels: int) -> int:
    """Pixels per side of a latent cell. Samplers do not pass it on; the number of channels tells it."""
    return next((shape.cell for shape in LATENTS.values() if shape.channels == channels), _SD.cell)


def views_of(choice: str) -> tuple[str | None, ...]:
    """The views of a choice, one per row; None is no particular view."""
    if choice == ALL_FOUR:
        return VIEW_NAMES
    return (None,) if choice == ANY_VIEW else (choice,)


def bones_input(tooltip: str) -> io.Combo.Input:
    """An input for the bone style; optional, so that older graphs still run."""
    return io.Combo.Input("bones", options=BONES, default=BONES[0], optional=True, tooltip=tooltip)
