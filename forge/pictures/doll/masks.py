"""Areas of a drawing as masks: pictures in mode L, painted from outlines.

The same outlines give the same bytes in every version of Pillow that the pack supports. Therefore outlines are
rounded to whole pixels here, and only these operations are used: polygons with whole coordinates (lines are
polygons too, because how wide lines end and join differs between versions), `paste`, `crop`, `point` with a
table, `reduce` by whole factors, the operations of ImageChops, all of them in whole numbers; for soft edges
the box blur and bilinear `resize`, whose fixed-point arithmetic has not changed since Pillow 7.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .geometry import Outline, add, across, ellipse, unit_vector
from .layers import Layer
from .person import Point

Box = tuple[int, int, int, int]
#: Joins sharper than this (the cosine of half the turn) are drawn as a disc instead of a mitre.
_SHARP = 0.86
#: A pixel of a coarse canvas is computed from so many rows and columns, and set from a share on.
_FINE = 4
_HALF = [255 if value >= 110 else 0 for value in range(256)]
_THIN = [255 if value >= 70 else 0 for value in range(256)]


@dataclass(frozen=True)
class View:
    """What a canvas of `size` pixels shows of a drawing: from (`left`, `top`) in pixels of the drawing, each
    of which is `scale` pixels of the canvas wide. `coarse`: so few pixels that a pixel is set by how much of
    it an area covers, and not by whether it touches it."""

    size: tuple[int, int]
    scale: float = 1.0
    left: float = 0.0
    top: float = 0.0
    coarse: bool = False

    def pixels(self, outline: Outline, box: Box) -> list[tuple[int, int]]:
        """Whole pixels in the box: how fractions are rounded differs between versions of Pillow."""
        scale, x0, y0 = self.scale, self.left * self.scale + box[0], self.top * self.scale + box[1]
        return [(round(x * scale - x0), round(y * scale - y0)) for x, y in outline]

    def box(self, outlines: Iterable[Outline], margin: float) -> Box | None:
        """The part of the canvas that the outlines can touch, with a margin in pixels of the canvas; None if
        they are outside of it."""
        points = [point for outline in outlines for point in outline]
        if not points:
            return None
        xs, ys = [x for x, _ in points], [y for _, y in points]
        left, top = (min(xs) - self.left) * self.scale, (min(ys) - self.top) * self.scale
        right, bottom = (max(xs) - self.left) * self.scale, (max(ys) - self.top) * self.scale
        box = (
            max(0, math.floor(left - margin)),
            max(0, math.floor(top - margin)),
            min(self.size[0], math.ceil(right + margin) + 1),
            min(self.size[1], math.ceil(bottom + margin) + 1),
        )
        return box if box[0] < box[2] and box[1] < box[3] else None


@dataclass(frozen=True)
class Area:
    """Where a layer is on a canvas: a mask of the size of its box."""

    box: Box
    mask: Image.Image

    def only(self, mask: Image.Image) -> Image.Image:
        """The mask, limited to this area."""
        return ImageChops.darker(self.mask, mask)


def area_of(layer: Layer, view: View, margin: float) -> Area | None:
    """The area of a layer in a box with this margin; None if it is outside of the canvas."""
    outlines = [shape.outline for shape in layer.shapes]
    box = view.box(outlines, margin)
    if box is None:
        return None
    mask = filled(outlines, view, box, thin=not layer.lined)
    if layer.cut is not None:
        mask = ImageChops.subtract(mask, filled([layer.cut], view, box))
    if layer.clip is not None:
        mask = ImageChops.darker(mask, filled([layer.clip], view, box))
    return Area(box, mask)


def filled(outlines: Iterable[Outline], view: View, box: Box, *, thin: bool = False) -> Image.Image:
    """The areas within the outlines. `thin` ones show on a coarse canvas although they cover little of it."""
    if view.coarse:
        return _covered(outlines, view, box, _THIN if thin else _HALF)
    mask = Image.new("L", (box[2] - box[0], box[3] - box[1]))
    draw = ImageDraw.Draw(mask)
    for outline in outlines:
        draw.polygon(view.pixels(outline, box), fill=255)
    return mask


def _covered(outlines: Iterable[Outline], view: View, box: Box, table: Sequence[int]) -> Image.Image:
    fine = View((view.size[0] * _FINE, view.size[1] * _FINE), view.scale * _FINE, view.left, view.top)
    left, top, right, bottom = box
    return (
        filled(outlines, fine, (left * _FINE, top * _FINE, right * _FINE, bottom * _FINE))
        .reduce(_FINE)
        .point(table)
    )


def lined(points: Outline, widths: Sequence[float], view: View, box: Box) -> Image.Image:
    """An open line. `widths` are in pixels of the drawing, one per point. It is at least a pixel of the canvas
    wide."""
    return filled(_pieces(points, [width / 2 for width in widths]), view, box, thin=True)


def _pieces(points: Outline, halves: Sequence[float]) -> Iterable[Outline]:
    """A line as polygons: one per segment, and discs at sharp joins. Neighbours share their corners, so that
    nothing shows between them."""
    count = len(points)
    sides = [across(unit_vector(points[at], points[at + 1])) for at in range(count - 1)]
    for at in range(count - 1):
        corners = []
        for end, neighbour in ((at, at - 1), (at + 1, at + 1)):
            side, half = sides[at], halves[end]
            if 0 <= neighbour < count - 1 and neighbour != at:
                both = (side[0] + sides[neighbour][0], side[1] + sides[neighbour][1])
                cosine = math.hypot(*both) / 2
                if cosine > _SHARP:
                    side, half = (both[0] / (2 * cosine), both[1] / (2 * cosine)), half / cosine
                elif end == at:
                    yield ellipse(points[end], half, half, count=12)
            corners.append((add(points[end], side, half), add(points[end], side, -half)))
        (one, other), (next_one, next_other) = corners
        yield (one, next_one, next_other, other)


def shifted(mask: Image.Image, x: int, y: int) -> Image.Image:
    """The mask, moved within its box."""
    moved = Image.new("L", mask.size)
    moved.paste(mask, (x, y))
    return moved


def grown(mask: Image.Image, radius: float) -> Image.Image:
    """The mask with all pixels within about `radius` of it, to half a pixel: on opposite sides it may grow by
    one pixel more or less. Thinner parts of it than the radius must not stand alone."""
    twice = max(1, round(radius * 2))
    near, far = twice // 2, twice - twice // 2
    slant_near, slant_far = round(near * 0.7071), round(far * 0.7071)
    result = mask
    for x, y in (
        (far, 0),
        (-near, 0),
        (0, far),
        (0, -near),
        (slant_far, slant_far),
        (-slant_near, slant_far),
        (slant_far, -slant_near),
        (-slant_near, -slant_near),
    ):
        if x or y:
            result = ImageChops.lighter(result, shifted(mask, x, y))
    return result


def softened(mask: Image.Image, radius: float) -> Image.Image:
    """The mask with its edges blurred over about `radius` pixels on both sides. Computed in a smaller size."""
    step = max(1, int(radius / 3))
    small = mask.reduce(step) if step > 1 else mask
    blur = ImageFilter.BoxBlur(max(1, round(radius / step / 2)))
    small = small.filter(blur).filter(blur)
    if step == 1:
        return small
    whole = (small.width * step, small.height * step)
    return small.resize(whole, Image.Resampling.BILINEAR).crop((0, 0, *mask.size))


def scaled(mask: Image.Image, share: float) -> Image.Image:
    """The mask with all of its values multiplied."""
    return mask.point([min(255, round(value * share)) for value in range(256)])


class Masks:
    """Two masks of a drawing: which part and which limb each of its pixels shows."""

    def __init__(self, view: View, parts: Sequence[str], limbs: Sequence[str]) -> None:
        self._view = view
        self.parts, self.limbs = Image.new("L", view.size), Image.new("L", view.size)
        self._part_values = {name: value for value, name in enumerate(parts)}
        self._limb_values = {name: value for value, name in enumerate(limbs)}

    def paint(self, layer: Layer) -> None:
        area = area_of(layer, self._view, 1)
        if area is None:
            return
        self.parts.paste(self._part_values[layer.part], area.box, area.mask)
        for shape in layer.shapes:
            self._paste(self.limbs, self._limb_values[shape.limb], shape.outline, area)
        for patch in layer.patches:
            if patch.part is not None:
                self._paste(self.parts, self._part_values[patch.part], patch.outline, area)

    def _paste(self, mask: Image.Image, value: int, outline: Outline, area: Area) -> None:
        inside = self._view.box([outline], 1)
        if inside is None:
            return
        box = (
            max(inside[0], area.box[0]),
            max(inside[1], area.box[1]),
            min(inside[2], area.box[2]),
            min(inside[3], area.box[3]),
        )
        if box[0] >= box[2] or box[1] >= box[3]:
            return
        left, top = area.box[:2]
        limit = area.mask.crop((box[0] - left, box[1] - top, box[2] - left, box[3] - top))
        mask.paste(value, box, ImageChops.darker(filled([outline], self._view, box), limit))


