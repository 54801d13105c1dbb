"""Choices and limits that several nodes share."""

from __future__ import annotations

from comfy_api.latest import io

from ..forge.families import MODEL_FAMILIES
from ..forge.pictures.skeleton import BoneStyle
from ..forge.spec.views import ALL_EIGHT, ALL_FOUR, ANY_VIEW, VIEW_NAMES

CATEGORY = "AvatarForge"
LARGEST = 16384  # pixels; ComfyUI's own maximum
MOST_VIEWS = 16  # in a batch
STEP = 8  # pixels, of sizes; the latent cell of most families
BONES = [style.value for style in BoneStyle]
SKELETON_VIEWS = [*VIEW_NAMES, ALL_FOUR, ALL_EIGHT]
VIEW_CHOICES = [*SKELETON_VIEWS, ANY_VIEW]


def cell_of(channels: int) -> int:
    """Pixels per side of a latent cell. Samplers do not pass it on; the number of channels tells it."""
    shapes = (family.latent for family in MODEL_FAMILIES.values())
    return next((shape.cell for shape in shapes if shape.channels == channels), STEP)


def views_input() -> io.String.Input:
    """An input for several views; optional, so that older graphs still run. Read by `views_of_node`."""
    return io.String.Input(
        "views",
        default="",
        optional=True,
        tooltip="Several views for a batch, separated by commas: front, left, back. Empty: the one above.",
    )


def bones_input(tooltip: str) -> io.Combo.Input:
    """An input for the bone style; optional, so that older graphs still run."""
    return io.Combo.Input("bones", options=BONES, default=BONES[0], optional=True, tooltip=tooltip)


def row_inputs() -> list[io.Int.Input]:
    """The inputs of nodes that take one view out of a batch, and can crop its sides."""
    return [
        io.Int.Input("view", default=0, min=0, max=MOST_VIEWS - 1, tooltip="Number of the view, from 0."),
        io.Int.Input(
            "width",
            default=0,
            min=0,
            max=LARGEST,
            step=STEP,
            tooltip="Pixels to keep around the middle; 0 keeps all.",
        ),
    ]
