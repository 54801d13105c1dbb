"""Finds the figure of a person in a picture: its box and its mask."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]

# Difference to the background's colour (0..255, of the largest channel) up to which a pixel is background,
# and from which it is entirely figure; in between the edge is soft.
NEAR_BACKGROUND = 18
CLEAR_OF_BACKGROUND = 48
# Share of the picture's border that must be background for it to count as plain.
MIN_PLAIN_BORDER = 0.7
# Mask value from which a pixel counts for the figure's box.
SOLID = 128
# A figure smaller than this share of the picture is ignored.
MIN_AREA = 0.005
# Long side, in pixels, of the copy in which the inside of the figure is filled.
FILL_SIDE = 192


@dataclass(frozen=True)
class Figure:
    """A figure in a picture: its box (left, top, right, bottom; pixels), its soft mask (mode L, of the
    picture's size), and the colour of the plain background if the mask was derived from it.
    """

    box: Box
    mask: Image.Image
    background: Colour | None


def find_figure(image: Image.Image, mask: Image.Image | None = None) -> Figure | None:
    """Find the figure by `mask` (bright is figure), else by the picture's alpha, else by a plain background.

    Returns None if the picture has no plain background, or nothing but background.
    """
    if mask is not None:
        mask = mask.convert("L")
        if mask.size != image.size:
            mask = mask.resize(image.size, Image.Resampling.BILINEAR)
        figure = _boxed(mask, None)
        if figure is not None:
            return figure
    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
        figure = _boxed(alpha, None)
        if figure is not None and any(alpha.histogram()[:SOLID]):
            return figure
    return _against_background(image.convert("RGB"))


def _boxed(mask: Image.Image, background: Colour | None) -> Figure | None:
    solid = mask.point([255 if value >= SOLID else 0 for value in range(256)])
    # The filter keeps specks of noise from enlarging the box.
    box = solid.filter(ImageFilter.MedianFilter(5)).getbbox()
    if box is None or solid.histogram()[255] < MIN_AREA * mask.width * mask.height:
        return None
    return Figure(box, mask, background)


def _against_background(image: Image.Image) -> Figure | None:
    background, share = _border_colour(image)
    if share < MIN_PLAIN_BORDER:
        return None
    difference = _distance(image, background)
    span = CLEAR_OF_BACKGROUND - NEAR_BACKGROUND
    edges = difference.point(
        [min(255, max(0, (value - NEAR_BACKGROUND) * 255 // span)) for value in range(256)]
    )
    return _boxed(ImageChops.lighter(edges, _inside(edges)), background)


def _border_colour(image: Image.Image) -> tuple[Colour, float]:
    """(median colour of the outermost pixels, share of them that are near it)."""
    right, bottom = image.width - 1, image.height - 1
    strips = [
        image.crop(box).tobytes()
        for box in (
            (0, 0, image.width, 1),
            (0, bottom, image.width, bottom + 1),
            (0, 0, 1, image.height),
            (right, 0, right + 1, image.height),
        )
    ]
    border = b"".join(strips)
    red, green, blue = (int(statistics.median_low(border[channel::3])) for channel in range(3))
    near = sum(
        max(abs(border[at] - red), abs(border[at + 1] - green), abs(border[at + 2] - blue)) <= NEAR_BACKGROUND
        for at in range(0, len(border), 3)
    )
    return (red, green, blue), near / (len(border) // 3)


def _distance(image: Image.Image, colour: Colour) -> Image.Image:
    """Per pixel, the largest difference of a channel to that colour (mode L)."""
    red, green, blue = ImageChops.difference(image, Image.new("RGB", image.size, colour)).split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def _inside(edges: Image.Image) -> Image.Image:
    """The area that no path through background connects to the border, so that a white shirt in front of a
    white wall belongs to the figure.

    It is found in a small copy and shrunk by one of its pixels, so that it never extends past the sharp
    edges.
    """
    shrink = min(1.0, FILL_SIDE / max(edges.size))
    small_size = (max(1, round(edges.width * shrink)), max(1, round(edges.height * shrink)))
    small = edges.resize(small_size, Image.Resampling.BOX).point(
        [255 if value >= 64 else 0 for value in range(256)]
    )
    # A frame of one background pixel connects all of the outside.
    framed = Image.new("L", (small.width + 2, small.height + 2))
    framed.paste(small, (1, 1))
    ImageDraw.floodfill(framed, (0, 0), 128)
    inside = framed.point([0 if value == 128 else 255 for value in range(256)]).filter(
        ImageFilter.MinFilter(3)
    )
    return inside.crop((1, 1, small.width + 1, small.height + 1)).resize(
        edges.size, Image.Resampling.BILINEAR
    )
