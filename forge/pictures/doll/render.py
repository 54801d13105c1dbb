"""Paints layers into a picture and its masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .colours import light_of, line_of, shade_of
from .description import Colour
from .geometry import Outline
from .layers import Layer, Patch, Stroke

#: Pixels of the enlarged picture, at most: memory and time stay bounded for large pictures.
MAX_PIXELS = 12_000_000
MAX_SCALE = 3
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Look:
    """How layers are painted. `line` is the width of outlines relative to the usual one, 0 for none. `soft`:
    shade fades out. `line_colour` is that of every line; None derives it from the layer's colour."""

    line: float = 1.0
    shade: bool = True
    soft: bool = False
    fills: bool = True
    line_colour: Colour | None = None


def scale_for(width: int, height: int) -> int:
    """How many times larger the picture is painted, so that edges are smooth."""
    fitting = int(math.sqrt(MAX_PIXELS / (width * height)))
    return max(1, min(MAX_SCALE, fitting))


class Canvas:
    """A picture of `size` (width, height) pixels, painted `scale` times larger. `line_width` is that of
    outlines, in pixels of the picture."""

    def __init__(self, size: tuple[int, int], background: Colour, scale: int, line_width: float) -> None:
        self.scale = scale
        self._line_width = line_width
        self.image = Image.new("RGB", (size[0] * scale, size[1] * scale), background)

    def picture(self) -> Image.Image:
        """The picture in its own size."""
        return self.image.reduce(self.scale) if self.scale > 1 else self.image

    def paint(self, layer: Layer, look: Look) -> None:
        outlines = [shape.outline for shape in layer.shapes]
        line = look.line * self._line_width if layer.lined else 0.0
        box = _box(outlines, self.scale, line + 2, self.image.size)
        if box is None:
            return
        mask = _mask(layer, outlines, box, self.scale)
        line_colour = look.line_colour or line_of(layer.colour)
        if line > 0:
            edge = self._edge(mask, outlines, box, line, traced=layer.cut is None and layer.clip is None)
            self.image.paste(line_colour, box, edge)
        if not look.fills:
            self.image.paste((255, 255, 255), box, mask)
            return
        self.image.paste(layer.colour, box, mask)
        for patch in layer.patches:
            if patch.colour is not None:
                self._patch(patch, patch.colour, box, mask, look)
        if look.shade:
            self._shade(layer, box, mask, look)
        for stroke in layer.strokes:
            if look.line > 0 or stroke.shade:
                self._stroke(stroke, layer.colour, line_colour, box, mask)

    def _edge(
        self, mask: Image.Image, outlines: Sequence[Outline], box: Box, line: float, *, traced: bool
    ) -> Image.Image:
        """The area of the layer with its outline."""
        width = max(1, round(line * self.scale))
        if traced:
            edge = mask.copy()
            draw = ImageDraw.Draw(edge)
            for outline in outlines:
                points = _scaled(outline, self.scale, box)
                draw.line([*points, points[0], points[1]], fill=255, width=width)
            return edge
        return _grown(mask, max(1, width // 2))

    def _patch(self, patch: Patch, colour: Colour, box: Box, mask: Image.Image, look: Look) -> None:
        area = Image.new("L", mask.size)
        points = _scaled(patch.outline, self.scale, box)
        ImageDraw.Draw(area).polygon(points, fill=255)
        if patch.lined and look.line > 0:
            edge = area.copy()
            width = max(1, round(look.line * self._line_width * 0.8 * self.scale))
            ImageDraw.Draw(edge).line([*points, points[0], points[1]], fill=255, width=width)
            self.image.paste(look.line_colour or line_of(colour), box, ImageChops.darker(edge, mask))
        self.image.paste(colour, box, ImageChops.darker(area, mask))

    def _shade(self, layer: Layer, box: Box, mask: Image.Image, look: Look) -> None:
        shade = Image.new("L", mask.size)
        reach = layer.depth * self.scale
        if reach >= 1:
            moved = ImageChops.offset(_padded(mask, round(reach)), -round(reach), -round(reach * 0.45))
            shade = ImageChops.subtract(mask, moved.crop((0, 0, *mask.size)))
        draw = ImageDraw.Draw(shade)
        for patch in layer.patches:
            if patch.colour is None:
                draw.polygon(_scaled(patch.outline, self.scale, box), fill=255)
        shade = ImageChops.darker(shade, mask)
        if look.soft and reach >= 1:
            shade = ImageChops.darker(shade.filter(ImageFilter.GaussianBlur(reach * 0.6)), mask)
        dark = ImageChops.multiply(
            self.image.crop(box), Image.new("RGB", mask.size, shade_of((255, 255, 255)))
        )
        self.image.paste(dark, box, shade)
        if layer.material in ("metal", "silk", "leather") and reach >= 1:
            self._shine(layer, box, mask, round(reach), look)

    def _shine(self, layer: Layer, box: Box, mask: Image.Image, reach: int, look: Look) -> None:
        """A bright band along the lit edge."""
        far, near = (
            round(reach * share) for share in ((1.5, 0.75) if layer.material == "metal" else (0.9, 0.55))
        )
        padded = _padded(mask, far)
        outer = ImageChops.offset(padded, near, round(near * 0.45)).crop((0, 0, *mask.size))
        inner = ImageChops.offset(padded, far, round(far * 0.45)).crop((0, 0, *mask.size))
        band = ImageChops.darker(ImageChops.subtract(outer, inner), mask)
        if look.soft:
            band = band.filter(ImageFilter.GaussianBlur(reach * 0.3))
        self.image.paste(light_of(layer.colour), box, band)

    def _stroke(
        self, stroke: Stroke, colour: Colour, line_colour: Colour, box: Box, mask: Image.Image
    ) -> None:
        area = Image.new("L", mask.size)
        width = max(1, round(stroke.width * self.scale))
        ImageDraw.Draw(area).line(_scaled(stroke.points, self.scale, box), fill=255, width=width)
        ink = stroke.colour or (shade_of(colour) if stroke.shade else line_colour)
        self.image.paste(ink, box, ImageChops.darker(area, mask))


class Masks:
    """Two masks of the size of the picture: which part and which limb each pixel shows."""

    def __init__(self, size: tuple[int, int], parts: Sequence[str], limbs: Sequence[str]) -> None:
        self.parts, self.limbs = Image.new("L", size), Image.new("L", size)
        self._part_values = {name: value for value, name in enumerate(parts)}
        self._limb_values = {name: value for value, name in enumerate(limbs)}

    def paint(self, layer: Layer) -> None:
        outlines = [shape.outline for shape in layer.shapes]
        box = _box(outlines, 1, 1, self.parts.size)
        if box is None:
            return
        mask = _mask(layer, outlines, box, 1)
        self.parts.paste(self._part_values[layer.part], box, mask)
        for shape in layer.shapes:
            value = self._limb_values[shape.limb]
            area = Image.new("L", mask.size)
            ImageDraw.Draw(area).polygon(_scaled(shape.outline, 1, box), fill=255)
            self.limbs.paste(value, box, ImageChops.darker(area, mask))
        for patch in layer.patches:
            if patch.part is not None:
                area = Image.new("L", mask.size)
                ImageDraw.Draw(area).polygon(_scaled(patch.outline, 1, box), fill=255)
                self.parts.paste(self._part_values[patch.part], box, ImageChops.darker(area, mask))


def _mask(layer: Layer, outlines: Sequence[Outline], box: Box, scale: int) -> Image.Image:
    mask = Image.new("L", (box[2] - box[0], box[3] - box[1]))
    draw = ImageDraw.Draw(mask)
    for outline in outlines:
        draw.polygon(_scaled(outline, scale, box), fill=255)
    if layer.cut is not None:
        draw.polygon(_scaled(layer.cut, scale, box), fill=0)
    if layer.clip is not None:
        limit = Image.new("L", mask.size)
        ImageDraw.Draw(limit).polygon(_scaled(layer.clip, scale, box), fill=255)
        mask = ImageChops.darker(mask, limit)
    return mask


def _box(outlines: Sequence[Outline], scale: int, margin: float, size: tuple[int, int]) -> Box | None:
    """The part of the picture that the outlines can touch; None if they are outside of it."""
    points = [point for outline in outlines for point in outline]
    if not points:
        return None
    left = math.floor((min(x for x, _ in points) - margin) * scale)
    top = math.floor((min(y for _, y in points) - margin) * scale)
    right = math.ceil((max(x for x, _ in points) + margin) * scale)
    bottom = math.ceil((max(y for _, y in points) + margin) * scale)
    box = (max(0, left), max(0, top), min(size[0], right), min(size[1], bottom))
    return box if box[0] < box[2] and box[1] < box[3] else None


def _scaled(outline: Outline, scale: int, box: Box) -> list[tuple[int, int]]:
    """Whole pixels: how fractions are rounded differs between versions of Pillow."""
    return [(round(x * scale) - box[0], round(y * scale) - box[1]) for x, y in outline]


def _padded(mask: Image.Image, margin: int) -> Image.Image:
    """With a black margin on the right and below, which ImageChops.offset moves to the other side."""
    padded = Image.new("L", (mask.width + margin, mask.height + margin))
    padded.paste(mask, (0, 0))
    return padded


def _grown(mask: Image.Image, radius: int) -> Image.Image:
    """The mask with all pixels within about `radius` of it."""
    diagonal = round(radius * 0.7)
    grown = mask.copy()
    for x, y in ((radius, 0), (0, radius), (diagonal, diagonal), (diagonal, -diagonal)):
        for sign in (1, -1):
            moved = Image.new("L", mask.size)
            moved.paste(mask, (x * sign, y * sign))
            grown = ImageChops.lighter(grown, moved)
    return grown
