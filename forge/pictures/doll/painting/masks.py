"""Areas of a drawing as masks: pictures in mode 1, or L where edges are soft, painted from outlines.

The same drawing has the same bytes in Pillow 11.2 and later. Therefore outlines are rounded to whole pixels
here, and all pictures of the doll use only these operations, which compute with whole numbers or have not
changed their rounding: polygons (lines are polygons too, as the ends of wide lines differ between versions),
`paste`, `crop`, `point` with a table, `reduce`, `resize`, `blend` and the operations of ImageChops. Up to
Pillow 11.1, polygons have a pixel more at some sharp corners: single pixels of a picture differ by a few
levels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageChops, ImageDraw

from .geometry import Outline, across, add, ellipse, unit_vector
from .layers import Layer

Box = tuple[int, int, int, int]
Edges = Literal["hard", "smooth", "coarse"]
#: Joins sharper than this (the cosine of half the turn) are drawn as a disc instead of a mitre.
_SHARP = 0.86
#: A pixel whose coverage matters is computed from so many rows and columns. If coarse, it is set from a share
#: on.
_FINE = 4
_HALF = [255 if value >= 110 else 0 for value in range(256)]
_THIN = [255 if value >= 96 else 0 for value in range(256)]


@dataclass(frozen=True)
class View:
    """What a canvas of `size` pixels shows of a drawing: from (`left`, `top`) in pixels of the drawing, each
    of which is `scale` pixels of the canvas wide. `edges` says how areas end: hard ones are in mode 1; smooth
    ones in mode L; coarse ones in mode 1 for a canvas of so few pixels that it matters how much of a pixel
    they cover."""

    size: tuple[int, int]
    scale: float = 1.0
    left: float = 0.0
    top: float = 0.0
    edges: Edges = "hard"

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
    """Where something is on a canvas: a mask of the size of its box."""

    box: Box
    mask: Image.Image

    def only(self, mask: Image.Image) -> Image.Image:
        """The mask, limited to this area."""
        if mask.mode == self.mask.mode:
            return ImageChops.darker(self.mask, mask)
        return ImageChops.darker(self.mask.convert("L"), mask.convert("L"))

    def within(self, outlines: Sequence[Outline], view: View, margin: float = 1.0) -> Area | None:
        """The part of this area within the outlines, in a box with this margin."""
        inner = view.box(outlines, margin)
        if inner is None:
            return None
        left, top, right, bottom = self.box
        box = (max(inner[0], left), max(inner[1], top), min(inner[2], right), min(inner[3], bottom))
        if box[0] >= box[2] or box[1] >= box[3]:
            return None
        return Area(box, ImageChops.darker(filled(outlines, view, box), self.cropped(self.mask, box)))

    def cropped(self, mask: Image.Image, box: Box) -> Image.Image:
        """What a mask of this area's box has in a box within it."""
        left, top = self.box[:2]
        return mask.crop((box[0] - left, box[1] - top, box[2] - left, box[3] - top))


def area_of(layer: Layer, view: View, margin: float) -> Area | None:
    """The area of a layer in a box with this margin; None if it is outside of the canvas."""
    outlines = [shape.outline for shape in layer.shapes]
    box = view.box(outlines, margin)
    if box is None:
        return None
    mask = filled(outlines, view, box, thin=not layer.lined)
    if layer.cut is not None:
        mask = without(mask, filled([layer.cut], view, box))
    if layer.clip is not None:
        mask = ImageChops.darker(mask, filled([layer.clip], view, box))
    return Area(box, mask)


def filled(outlines: Iterable[Outline], view: View, box: Box, *, thin: bool = False) -> Image.Image:
    """The areas within the outlines. `thin` ones show on a coarse canvas although they cover little of it."""
    if view.edges != "hard":
        coverage = _coverage(outlines, view, box)
        return coverage if view.edges == "smooth" else coverage.point(_THIN if thin else _HALF, "1")
    mask = Image.new("1", (box[2] - box[0], box[3] - box[1]))
    draw = ImageDraw.Draw(mask)
    for outline in outlines:
        draw.polygon(view.pixels(outline, box), fill=255)
    return mask


def _coverage(outlines: Iterable[Outline], view: View, box: Box) -> Image.Image:
    fine = View((view.size[0] * _FINE, view.size[1] * _FINE), view.scale * _FINE, view.left, view.top)
    left, top, right, bottom = box
    mask = filled(outlines, fine, (left * _FINE, top * _FINE, right * _FINE, bottom * _FINE))
    return mask.convert("L").reduce(_FINE)


def line_pieces(points: Outline, widths: Sequence[float]) -> list[Outline]:
    """An open line as outlines: one per segment, and discs at sharp joins. Neighbours share their corners, so
    that nothing shows between them. `widths` are one per point."""
    return list(_pieces(points, [width / 2 for width in widths]))


def _pieces(points: Outline, halves: Sequence[float]) -> Iterable[Outline]:
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
    moved = Image.new(mask.mode, mask.size)
    moved.paste(mask, (x, y))
    return moved


def without(mask: Image.Image, other: Image.Image) -> Image.Image:
    """The mask where the other one is not."""
    return ImageChops.darker(mask, ImageChops.invert(other))


def grown(mask: Image.Image, radius: float) -> Image.Image:
    """The mask with all that is within the radius of it, in whole pixels of the diameter. The box must have
    room for it, and parts of the mask that are thinner than the radius must not stand alone."""
    width = max(1, round(radius * 2))
    # The mask is drawn along the four directions of an octagon's sides, one after the other.
    slant = round(width * 0.293)
    straight = width - 2 * slant
    result = shifted(mask, -(width // 2), slant - width // 2)
    for x, y in ((straight, 0), (0, straight), (slant, slant), (slant, -slant)):
        if x or y:
            result = ImageChops.lighter(result, shifted(result, x, y))
    return result


def softened(mask: Image.Image, radius: float) -> Image.Image:
    """The mask in mode L with its edges blurred over about `radius` pixels on both sides."""
    small, step = softened_small(mask, radius)
    if step == 1:
        return small
    # Enlarged smoothly to half the size only, if that cannot be seen, because it takes long.
    half = 2 if step >= 6 else 1
    whole = (small.width * step // half, small.height * step // half)
    result = small.resize(whole, Image.Resampling.BILINEAR)
    if half > 1:
        result = result.resize((whole[0] * half, whole[1] * half), Image.Resampling.NEAREST)
    return result.crop((0, 0, *mask.size))


def softened_small(mask: Image.Image, radius: float) -> tuple[Image.Image, int]:
    """The same, reduced by the factor that is returned too."""
    step = max(1, int(radius / 2))
    if step >= 6:
        step -= step % 2
    small = mask.convert("L")
    if step > 1:
        small = small.reduce(step)
    return _blurred(small), step


def _blurred(mask: Image.Image) -> Image.Image:
    """Blurred over about two pixels, by the weights 1, 2, 1 three times in each direction."""
    for x, y in ((1, 0), (0, 1)):
        for _ in range(3):
            sides = ImageChops.add(shifted(mask, x, y), shifted(mask, -x, -y), 2.0)
            mask = ImageChops.add(mask, sides, 2.0)
    return mask


def scaled(mask: Image.Image, share: float) -> Image.Image:
    """The mask in mode L with all of its values multiplied."""
    return mask.convert("L").point([min(255, round(value * share)) for value in range(256)])


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
            inner = area.within([shape.outline], self._view)
            if inner is not None:
                self.limbs.paste(self._limb_values[shape.limb], inner.box, inner.mask)
        for patch in layer.patches:
            inner = area.within([patch.outline], self._view) if patch.part is not None else None
            if inner is not None and patch.part is not None:
                self.parts.paste(self._part_values[patch.part], inner.box, inner.mask)
