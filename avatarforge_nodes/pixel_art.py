"""A node that reduces finished pictures to large pixels in few colours."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from ..forge.pictures.pixel_art import cells_palette, draw_cells, palette_of, read_cells, reduce_levels
from ..forge.spec.settings import PIXEL_COLORS
from .choices import CATEGORY
from .tensors import to_levels, to_picture, to_tensor

#: As the fields of a request.
LEAST_HEIGHT, MOST_HEIGHT = 16, 512
LEAST_COLORS, MOST_COLORS = 2, 256


class PixelArt(io.ComfyNode):
    """Reduces pictures, and the masks of their parts in step."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgePixelArt",
            display_name="Pixel Art (AvatarForge)",
            category=CATEGORY,
            description=(
                "Reduces pictures to large square pixels in few colours, and keeps outlines and the size. "
                "All pictures of a batch share the palette of the first, or that of another picture."
            ),
            search_aliases=["avatar", "pixel art", "pixelate", "palette", "quantize", "sprite", "retro"],
            inputs=[
                io.Image.Input("images"),
                io.Int.Input(
                    "pixel_height",
                    default=128,
                    min=LEAST_HEIGHT,
                    max=MOST_HEIGHT,
                    tooltip="At most so many large pixels from top to bottom.",
                ),
                io.Int.Input(
                    "colors",
                    default=PIXEL_COLORS,
                    min=LEAST_COLORS,
                    max=MOST_COLORS,
                    tooltip="Colours of the palette.",
                ),
                io.Image.Input(
                    "palette_from",
                    optional=True,
                    tooltip="A picture whose palette is used, such as the front of the character.",
                ),
                io.Mask.Input(
                    "parts", optional=True, tooltip="The parts that Paper Doll drew, one for each picture."
                ),
            ],
            outputs=[
                io.Image.Output(display_name="pictures"),
                io.Mask.Output(display_name="parts", tooltip="Reduced in step; empty without parts."),
            ],
        )

    @classmethod
    def execute(
        cls,
        images: torch.Tensor,
        pixel_height: int,
        colors: int,
        palette_from: torch.Tensor | None = None,
        parts: torch.Tensor | None = None,
    ) -> io.NodeOutput:
        if parts is not None and parts.shape != images.shape[:3]:
            raise ValueError(
                f"There are parts of the shape {tuple(parts.shape)} for pictures of the shape "
                f"{tuple(images.shape[:3])}: each picture needs those of its size."
            )
        palette = None
        if palette_from is not None:
            palette = palette_of(to_picture(palette_from[0]), pixel_height, colors)
        pictures, levels = [], []
        for number, image in enumerate(images):
            cells = read_cells(to_picture(image), pixel_height)
            if palette is None:
                palette = cells_palette(cells, colors)
            pictures.append(to_tensor(draw_cells(cells, palette)))
            if parts is not None:
                levels.append(to_tensor(reduce_levels(cells, to_levels(parts[number]))))
        return io.NodeOutput(
            torch.cat(pictures), torch.cat(levels) if levels else images.new_zeros(images.shape[:3])
        )
