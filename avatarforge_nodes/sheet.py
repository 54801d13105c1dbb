"""A node that combines the views of a character into one sheet."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from ..forge.pictures.figure import Colour
from ..forge.pictures.sheet import character_sheet
from ..forge.spec.views import VIEW_NAMES
from .choices import CATEGORY
from .tensors import to_picture, to_tensor

BACKGROUNDS: dict[str, Colour | None] = {
    "auto": None,
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "grey": (128, 128, 128),
}
SMALLEST_FIGURE, LARGEST_FIGURE = 64, 4096


class CharacterSheet(io.ComfyNode):
    """Draws views at one scale, on one baseline, each above its label."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeCharacterSheet",
            display_name="Character Sheet (AvatarForge)",
            category=CATEGORY,
            description=(
                "Combines the views of a character into one sheet: all figures the same height, on one "
                "baseline, each above its label. The pictures may differ in size."
            ),
            search_aliases=[
                "avatar",
                "character sheet",
                "turnaround",
                "model sheet",
                "contact sheet",
                "views",
            ],
            inputs=[
                *(
                    io.Image.Input(view, optional=True, tooltip=f"The {view.replace('_', ' ')} view.")
                    for view in VIEW_NAMES
                ),
                io.String.Input("title", default="", tooltip="A caption below the figures; may be empty."),
                io.Combo.Input(
                    "background",
                    options=list(BACKGROUNDS),
                    default="auto",
                    tooltip="auto: the plain background that the pictures share, otherwise white.",
                ),
                io.Int.Input(
                    "figure_height",
                    default=896,
                    min=SMALLEST_FIGURE,
                    max=LARGEST_FIGURE,
                    tooltip="Pixels from head to feet. A sheet larger than 8192 pixels is scaled down.",
                ),
            ],
            outputs=[io.Image.Output(display_name="sheet")],
        )

    @classmethod
    def execute(
        cls,
        title: str,
        background: str,
        figure_height: int,
        **pictures: torch.Tensor | None,
    ) -> io.NodeOutput:
        given = ((name, pictures.get(name)) for name in VIEW_NAMES)
        views = [
            (name.replace("_", " "), to_picture(image[0]), None) for name, image in given if image is not None
        ]
        if not views:
            raise ValueError("A character sheet needs at least one view: connect a picture.")
        sheet = character_sheet(
            views, figure_height=figure_height, background=BACKGROUNDS[background], caption=title or None
        )
        return io.NodeOutput(to_tensor(sheet))
