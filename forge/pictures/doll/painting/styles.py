"""The styles: which canvas paints which, in what size, pass by pass."""

from __future__ import annotations

import math
from collections.abc import Mapping

from PIL import Image

from ..character.description import StyleName
from .masks import View
from .render import Canvas
from .scene import Look, Scene
from .sketch import sketch
from .style_flat import FlatCanvas
from .style_ink import InkCanvas
from .style_lowpoly import LowPolyCanvas
from .style_pixels import PixelCanvas, pixel_grid
from .style_watercolour import WatercolourCanvas

#: Pixels of a canvas, and of the preview of a pass. Larger pictures are painted in bands; one with a wide rim
#: has more pixels, so that not most of it is rim.
MAX_PIXELS = 8_000_000
PREVIEW_PIXELS = 120_000
#: Pictures of up to so many pixels are painted enlarged by each factor.
_ENLARGED = ((1_000_000, 3), (20_000_000, 2))
CANVASES: Mapping[StyleName, type[Canvas]] = {
    "clean": Canvas,
    "flat": FlatCanvas,
    "ink": InkCanvas,
    "watercolour": WatercolourCanvas,
    "pixel art": PixelCanvas,
    "low poly": LowPolyCanvas,
}


def paint(scene: Scene, done: int) -> Image.Image:
    """The picture after `done` passes."""
    width, height = scene.size
    if scene.style == "pixel art":
        grid, factor = pixel_grid(scene)
        return enlarged(_painted(scene, grid, 1, done), grid, factor, scene)
    factor = next((factor for limit, factor in _ENLARGED if width * height <= limit), 1)
    return _painted(scene, View(scene.size, edges=CANVASES[scene.style].edges(scene)), factor, done)


def preview(scene: Scene, done: int) -> Image.Image:
    """A small picture after `done` passes, painted quickly."""
    if scene.style == "pixel art":
        return paint(scene, done)
    width, height = scene.size
    share = min(1.0, math.sqrt(PREVIEW_PIXELS / (width * height)))
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return _painted(scene, View(size, share, edges=CANVASES[scene.style].edges(scene)), 2, done)


def enlarged(small: Image.Image, grid: View, factor: int, scene: Scene) -> Image.Image:
    """A picture of a coarse grid in the size of the drawing. What is left at its edges is background."""
    width, height = small.size
    large = small.resize((width * factor, height * factor), Image.Resampling.NEAREST)
    if large.size == scene.size:
        return large
    picture = Image.new(small.mode, scene.size, scene.background if small.mode == "RGB" else 0)
    picture.paste(large, (int(grid.left), int(grid.top)))
    return picture


def _painted(scene: Scene, view: View, factor: int, done: int) -> Image.Image:
    """What the view shows, painted `factor` times larger if edges are hard, in bands from top to bottom."""
    kind = CANVASES[scene.style]
    factor = factor if view.edges == "hard" else 1
    look = Look(shade=done > 2, line=done > 3, soft=scene.realism)
    width, height = view.size
    # Around every band is a rim of its own, so that shade and noise do not end at its edges.
    rim = math.ceil(kind(scene, View((1, 1), view.scale), look).rim())
    rows = max(1, 2 * rim, MAX_PIXELS // (factor * factor * (width + 2 * rim)) - 2 * rim)
    picture = Image.new("RGB", view.size)
    for top in range(0, height, rows):
        band = min(rows, height - top)
        canvas = kind(
            scene,
            View(
                ((width + 2 * rim) * factor, (band + 2 * rim) * factor),
                view.scale * factor,
                view.left - rim / view.scale,
                view.top + (top - rim) / view.scale,
                view.edges,
            ),
            look,
        )
        if done > 1:
            for layer in scene.layers:
                canvas.paint(layer)
        else:
            sketch(canvas)
        picture.paste(canvas.finished(factor).crop((rim, rim, rim + width, rim + band)), (0, top))
    return picture
