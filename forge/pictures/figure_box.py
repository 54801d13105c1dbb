"""Where a figure stands in a picture: its box, its feet and its colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from .figure import SOLID, Box, Colour, Figure, find_figure
from .palette import Palette, make_palette, nearest_of

#: What the box was found by. "picture": by nothing, so it is the whole picture.
FoundBy = Literal["alpha", "background", "skeleton", "picture"]
Point = tuple[float, float]

#: The lowest share of a figure that counts as its feet.
FEET_SHARE = 1 / 16
#: Long side, in pixels, of the copy in which colours are counted, and bits of a channel that tell them apart.
COLOUR_SIDE, COLOUR_BITS = 96, 5
#: Around the keypoints of a skeleton, as shares of the height that they span: hair, soles, hands.
ABOVE, BELOW, BESIDE = 0.1, 0.06, 0.08


@dataclass(frozen=True)
class FigureBox:
    """A figure's box (left, top, right, bottom) and the point between its feet (x, y), both in pixels.

    `background` is the plain colour behind it, None if there is none. `colours` are its (colour, cells), each
    colour the mean of those that are almost alike, in a copy of at most COLOUR_SIDE pixels.
    """

    box: Box
    feet: Point
    found_by: FoundBy
    background: Colour | None = None
    colours: tuple[tuple[Colour, int], ...] = ()

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1]


def measure_figure(image: Image.Image, joints: Sequence[Point] | None = None) -> FigureBox:
    """Find the figure by the picture's alpha, else by a plain background, else by `joints`: the visible
    keypoints of the skeleton that the picture was made with, in pixels. Without any of these, it is the whole
    picture, with the feet in the middle of the lower edge."""
    figure = find_figure(image)
    if figure is not None:
        found_by: FoundBy = "background" if figure.background is not None else "alpha"
        return FigureBox(
            figure.box, _feet(figure), found_by, figure.background, _colours(image, figure.box, figure.mask)
        )
    box = _box_of_joints(joints, image.size) if joints else None
    if joints and box is not None:
        lowest = max(y for _, y in joints)
        standing = [x for x, y in joints if y >= lowest - (box[3] - box[1]) * FEET_SHARE]
        feet = ((min(standing) + max(standing)) / 2, float(box[3]))
        return FigureBox(box, feet, "skeleton", None, _colours(image, box))
    whole = (0, 0, *image.size)
    feet = (image.width / 2, float(image.height))
    return FigureBox(whole, feet, "picture", None, _colours(image, whole))


def main_colours(figures: Sequence[FigureBox], most: int) -> Palette:
    """At most `most` colours for all these figures; those of the most cells come first."""
    cells: dict[Colour, int] = {}
    for figure in figures:
        for colour, count in figure.colours:
            cells[colour] = cells.get(colour, 0) + count
    if not cells:
        return ()
    distinct = np.array(sorted(cells), np.int64)
    counts = np.array([cells[(int(red), int(green), int(blue))] for red, green, blue in distinct], np.int64)
    palette = np.array(make_palette(distinct, counts, most), np.int64)
    weights = np.bincount(nearest_of(distinct, palette), counts, len(palette))
    order = sorted(range(len(palette)), key=lambda index: (-weights[index], index))
    return tuple((int(palette[at][0]), int(palette[at][1]), int(palette[at][2])) for at in order)


def _feet(figure: Figure) -> Point:
    """Between the outermost pixels of the lowest part: a leg to the side or a held sword does not move it."""
    left, top, right, bottom = figure.box
    part = max(1, round((bottom - top) * FEET_SHARE))
    lowest = figure.mask.crop((left, bottom - part, right, bottom))
    found = lowest.point([255 if value >= SOLID else 0 for value in range(256)]).getbbox()
    if found is None:
        return (left + right) / 2, float(bottom)
    return left + (found[0] + found[2]) / 2, float(bottom)


def _box_of_joints(joints: Sequence[Point], size: tuple[int, int]) -> Box | None:
    xs, ys = [x for x, _ in joints], [y for _, y in joints]
    span = max(ys) - min(ys)
    left, right = int(min(xs) - BESIDE * span), int(max(xs) + BESIDE * span) + 1
    top, bottom = int(min(ys) - ABOVE * span), int(max(ys) + BELOW * span) + 1
    box = max(0, left), max(0, top), min(size[0], right), min(size[1], bottom)
    return box if box[0] < box[2] and box[1] < box[3] else None


def _colours(image: Image.Image, box: Box, mask: Image.Image | None = None) -> tuple[tuple[Colour, int], ...]:
    shrink = min(1.0, COLOUR_SIDE / max(box[2] - box[0], box[3] - box[1]))
    size = max(1, round((box[2] - box[0]) * shrink)), max(1, round((box[3] - box[1]) * shrink))
    # The nearest pixel, since a mean of several is a colour that the figure does not have.
    small = image.convert("RGBA").convert("RGB").resize(size, Image.Resampling.NEAREST, box)
    pixels = np.asarray(small, np.int64).reshape(-1, 3)
    if mask is not None:
        solid = np.asarray(mask.resize(size, Image.Resampling.NEAREST, box)).reshape(-1) >= SOLID
        pixels = pixels[solid]
    if not len(pixels):
        return ()
    shift = 8 - COLOUR_BITS
    bins = pixels >> shift
    keys = (bins[:, 0] << 2 * COLOUR_BITS) | (bins[:, 1] << COLOUR_BITS) | bins[:, 2]
    _, members = np.unique(keys, return_inverse=True)
    counts = np.bincount(members)
    sums = [np.bincount(members, pixels[:, channel]).astype(np.int64) for channel in range(3)]
    means = [(2 * total + counts) // (2 * counts) for total in sums]
    return tuple(
        ((int(red), int(green), int(blue)), int(count))
        for red, green, blue, count in zip(*means, counts, strict=True)
    )
