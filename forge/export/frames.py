"""Puts figures into frames of one size: one scale, and the same point between the feet in each. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from ..pictures.figure_box import FigureBox

Size = tuple[int, int]
#: Transparent, of no colour that could show at an edge.
CLEAR = (0, 0, 0, 0)


@dataclass(frozen=True)
class Placement:
    """Where a picture is in its frame: its `size` there and its corner (left, top), in pixels of the frame.
    `fill` is what surrounds it."""

    size: Size
    corner: tuple[int, int]
    fill: tuple[int, int, int, int] = CLEAR


@dataclass(frozen=True)
class FrameSet:
    """Frames of `width` x `height` pixels, one for each picture. `pivot` (x, y) is the point between the feet
    in every frame, in its pixels."""

    width: int
    height: int
    pivot: tuple[int, int]
    placements: tuple[Placement, ...]

    @property
    def pivot_share(self) -> tuple[float, float]:
        """The pivot as shares of width and height, from the upper left corner."""
        return round(self.pivot[0] / self.width, 6), round(self.pivot[1] / self.height, 6)


def frame_figures(
    sizes: Sequence[Size], figures: Sequence[FigureBox], most_height: int | None = None
) -> FrameSet:
    """Frames that are just large enough for the figure of each picture of these sizes: the box around all of
    them when their feet are on one point.

    Pictures of different heights are brought to the tallest one's, as they were made from frames of different
    resolution; a figure keeps its size in its picture. Nothing is enlarged by `most_height`, which limits the
    height of a frame.
    """
    tallest = max(height for _, height in sizes)
    scales = [tallest / height for _, height in sizes]
    left, top, right, bottom = _union(figures, scales)
    shrink = min(1.0, most_height / (bottom - top)) if most_height is not None else 1.0
    if shrink < 1.0:
        scales = [scale * shrink for scale in scales]
        left, top, right, bottom = _union(figures, scales)
        # Rounding outwards can add a row on either side.
        top = max(top, bottom - (most_height or 0))
    pivot = -left, -top
    return FrameSet(
        right - left,
        bottom - top,
        pivot,
        tuple(
            _place(size, figure, scale, pivot)
            for size, figure, scale in zip(sizes, figures, scales, strict=True)
        ),
    )


def _union(figures: Sequence[FigureBox], scales: Sequence[float]) -> tuple[int, int, int, int]:
    """The box around all figures, seen from the point between their feet."""
    boxes = []
    for figure, scale in zip(figures, scales, strict=True):
        x, y = _snapped(figure, scale)
        left, top, right, bottom = (side * scale for side in figure.box)
        boxes.append((math.floor(left) - x, math.floor(top) - y, math.ceil(right) - x, math.ceil(bottom) - y))
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(max(rights), min(lefts) + 1), max(max(bottoms), min(tops) + 1)


def _snapped(figure: FigureBox, scale: float) -> tuple[int, int]:
    """The feet on a whole pixel, so that a picture that keeps its size keeps its pixels."""
    return math.floor(figure.feet[0] * scale), math.ceil(figure.feet[1] * scale)


def _place(size: Size, figure: FigureBox, scale: float, pivot: tuple[int, int]) -> Placement:
    x, y = _snapped(figure, scale)
    width, height = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    fill = (*figure.background, 255) if figure.background is not None else CLEAR
    return Placement((width, height), (pivot[0] - x, pivot[1] - y), fill)


def draw_frame(image: Image.Image, placement: Placement, size: Size) -> Image.Image:
    """A frame of that size, in RGBA."""
    frame = Image.new("RGBA", size, placement.fill)
    left, top = placement.corner
    width, height = placement.size
    # Only what the frame shows is scaled.
    shown = max(0, left), max(0, top), min(size[0], left + width), min(size[1], top + height)
    if shown[0] >= shown[2] or shown[1] >= shown[3]:
        return frame
    box = shown[0] - left, shown[1] - top, shown[2] - left, shown[3] - top
    picture = image.convert("RGBA")
    if (width, height) == picture.size:
        frame.paste(picture.crop(box), shown[:2])
        return frame
    across, down = picture.width / width, picture.height / height
    region = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
    part = (shown[2] - shown[0], shown[3] - shown[1])
    # Pillow weighs the colours of RGBA by their alpha, so what is transparent does not bleed into the edges.
    frame.paste(picture.resize(part, Image.Resampling.LANCZOS, region), shown[:2])
    return frame
