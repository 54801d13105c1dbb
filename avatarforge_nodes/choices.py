"""What several nodes let a user choose from."""

from __future__ import annotations

from comfy_api.latest import io

from ..forge.pictures.skeleton import BoneStyle
from ..forge.spec.views import ALL_FOUR, ANY_VIEW, VIEW_NAMES

CATEGORY = "AvatarForge"
LARGEST = 16384  # pixels; ComfyUI's own largest
BONES = [style.value for style in BoneStyle]
VIEW_CHOICES = [*VIEW_NAMES, ALL_FOUR, ANY_VIEW]


def views_of(choice: str) -> tuple[str | None, ...]:
    """The rows that a choice stands for; None is a row of no particular view."""
    if choice == ALL_FOUR:
        return VIEW_NAMES
    return (None,) if choice == ANY_VIEW else (choice,)


def bones_input(tooltip: str) -> io.Combo.Input:
    """The choice of a bone style; optional, so that graphs made before it still run."""
    return io.Combo.Input("bones", options=BONES, default=BONES[0], optional=True, tooltip=tooltip)
