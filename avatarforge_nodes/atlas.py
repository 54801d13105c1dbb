"""A node that writes pictures as one texture for a game engine."""

from __future__ import annotations

import torch
from comfy_api.latest import io, ui

from ..forge.export.image_atlas import FILES, write_image_atlas
from ..forge.spec.views import VIEW_NAMES
from ..host.comfy import output_folder
from .choices import CATEGORY
from .tensors import to_picture

#: The folder in ComfyUI's output folder.
FOLDER = "avatarforge_atlases"
MOST_HEIGHT = 4096


class ExportAtlas(io.ComfyNode):
    """Puts figures into frames of one size and writes them as a texture with the files of an engine."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeExportAtlas",
            display_name="Export Atlas (AvatarForge)",
            category=CATEGORY,
            description=(
                "Writes pictures as one texture for a game engine, with the files that describe its frames. "
                "All frames have one size, and the feet at one point. The pictures may differ in size."
            ),
            search_aliases=["avatar", "atlas", "sprite sheet", "texture", "godot", "unity", "phaser", "pixi"],
            inputs=[
                io.Image.Input(
                    "images", optional=True, tooltip="Frames as a batch; a fourth channel is their alpha."
                ),
                *(
                    io.Image.Input(view, optional=True, tooltip=f"The {view.replace('_', ' ')} view.")
                    for view in VIEW_NAMES
                ),
                io.String.Input("name", default="atlas", tooltip="The name of the files."),
                io.String.Input(
                    "names",
                    default="",
                    tooltip="The names of the frames in images, with commas; frame_1 and so on if empty.",
                ),
                io.Combo.Input(
                    "format",
                    options=list(FILES),
                    default="atlas",
                    tooltip="atlas: TexturePacker's JSON, for PixiJS, Phaser and others.",
                ),
                io.Int.Input(
                    "height",
                    default=0,
                    min=0,
                    max=MOST_HEIGHT,
                    tooltip="Pixels of a frame's height at most; 0: as the pictures are.",
                ),
            ],
            outputs=[
                io.String.Output(
                    display_name="folder", tooltip="Where the files are, in ComfyUI's output folder."
                )
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        name: str,
        names: str,
        format: str,
        height: int,
        images: torch.Tensor | None = None,
        **views: torch.Tensor | None,
    ) -> io.NodeOutput:
        given = ((view, views.get(view)) for view in VIEW_NAMES)
        pictures = [(view.replace("_", "-"), to_picture(row[0])) for view, row in given if row is not None]
        if images is not None:
            pictures += [
                (frame, to_picture(row))
                for frame, row in zip(_frame_names(names, len(images)), images, strict=True)
            ]
        parent = output_folder().with_name(FOLDER)
        folder, drawn = write_image_atlas(parent, name, pictures, format, height or None)
        place = f"{FOLDER}/{folder.name}"
        shown = ui.SavedImages([ui.SavedResult(drawn.image, place, io.FolderType.output)])
        return io.NodeOutput(place, ui=shown)


def _frame_names(names: str, number: int) -> list[str]:
    """Raises ValueError if there are names, but not as many as frames."""
    given = [name.strip() for name in names.split(",") if name.strip()]
    if given and len(given) != number:
        raise ValueError(f"There are {len(given)} names for {number} frames: give each one, or none.")
    return given or [f"frame_{index + 1}" for index in range(number)]
