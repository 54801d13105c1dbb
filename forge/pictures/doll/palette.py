"""The colours of a picture by part of the body: from a doll's part mask, or found in any picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PIL import Image, ImageFilter

from ..figure import Figure, find_figure
from .description import Colour
from .drawing import PARTS

#: A part with fewer pixels is left out.
MIN_PIXELS = 24
#: Side of the filter that takes the outline off a part: 3 takes one pixel off each side.
EDGE = 3
#: Long side, in pixels, to which a picture is shrunk before colours are counted.
SIDE = 512
#: Colours are counted in cubes of this many values per channel.
CUBE = 24
#: Sum of the channels' differences (0..765) from which two colours are different ones.
DIFFERENT = 70
#: The same for clothes and skin: a white shirt is near pale skin.
NOT_SKIN = 36
#: Share of a region that has to be other than skin for its clothes to be looked for in that alone.
MIN_CLOTHES = 0.3
#: Half the width of head, torso and legs, in heights of the figure.
HALF_WIDTH = 0.14
#: From where to where regions reach, in heights of the figure from its top.
HEAD, HAIR, FACE, HANDS = (0.0, 0.16), (0.0, 0.05), (0.07, 0.13), (0.3, 0.65)
CLOTHES: Mapping[str, tuple[float, float]] = {"top": (0.2, 0.46), "bottom": (0.54, 0.8), "feet": (0.93, 1.0)}

Counts = Mapping[Colour, int]


def palette_of(picture: Image.Image, parts: Image.Image) -> Mapping[str, Colour]:
    """The flat colour of each part of a picture, by its name in PARTS.

    `parts` is a mask in mode L whose values are positions in PARTS. If its size is not the picture's, it is
    scaled without blending. Outlines and shades cover less than the flat area: the colour is the most
    frequent one, exactly. Parts with fewer than MIN_PIXELS pixels and unknown values are left out.
    """
    picture, parts = picture.convert("RGB"), parts.convert("L")
    shrink = min(1.0, SIDE / max(picture.size))
    size = (max(1, round(picture.width * shrink)), max(1, round(picture.height * shrink)))
    # NEAREST keeps the exact colours.
    picture = picture.resize(size, Image.Resampling.NEAREST)
    parts = parts.resize(size, Image.Resampling.NEAREST)
    palette: dict[str, Colour] = {}
    for value, count in enumerate(parts.histogram()[: len(PARTS)]):
        if count < MIN_PIXELS:
            continue
        area = parts.point([255 if at == value else 0 for at in range(256)])
        inner = area.filter(ImageFilter.MinFilter(EDGE))
        # A thin part, such as a belt, has no inside.
        colour = _most_frequent(_counted(picture, inner)) or _most_frequent(_counted(picture, area))
        if colour is not None:
            palette[PARTS[value]] = colour
    return palette


def palette_from_picture(picture: Image.Image) -> Mapping[str, Colour]:
    """The colours of a figure in any picture, by names in PARTS, from its regions alone.

    The figure has to stand upright, seen whole, before a plain or transparent background. The result has
    "skin", "hair", "top", "bottom" and "feet" as far as they are found; it is empty if no figure is. What
    covers the head counts as hair.
    """
    shrunk = picture.copy()
    # A palette's or a lossless picture's exact colours are kept.
    shrunk.thumbnail((SIDE, SIDE), Image.Resampling.NEAREST)
    figure = find_figure(shrunk)
    if figure is None:
        return {}
    regions = _Regions(shrunk.convert("RGB"), figure)
    palette: dict[str, Colour] = {}
    skin, hair = _skin_and_hair(regions)
    if skin is not None:
        palette["skin"] = skin
    if hair is not None:
        palette["hair"] = hair
    for part, reach in CLOTHES.items():
        counts = regions.counts(reach)
        clothes = _different(counts, skin, NOT_SKIN)
        if skin is not None:
            clothes = _without_shades(clothes, skin)
        if sum(clothes.values()) < MIN_CLOTHES * sum(counts.values()):
            # Leather near the colour of skin: the rest is outline.
            clothes = counts
        colour = _most_frequent(clothes)
        if colour is not None:
            palette[part] = colour
    return palette


def _skin_and_hair(regions: _Regions) -> tuple[Colour | None, Colour | None]:
    """Brown hair can have the hue of skin: where they are decides."""
    crown = _most_frequent(regions.counts(HAIR))
    face = _most_frequent(_where(regions.counts(FACE, HALF_WIDTH / 3), looks_like_skin))
    if crown is None:
        return face, None
    if face is None or _apart(face, crown) < DIFFERENT:
        # From behind, or bald: skin is looked for at the hands.
        hands = _where(regions.counts(HANDS, 1.0), looks_like_skin)
        seen = _most_frequent(_without_shades(_different(hands, crown), crown))
        if face is None or seen is not None:
            return seen or _most_frequent(hands), crown
        return face, _most_frequent(_different(regions.counts(HEAD), face))
    return face, crown


class _Regions:
    """The colours of the solid parts of a figure."""

    def __init__(self, picture: Image.Image, figure: Figure) -> None:
        self._picture = picture
        self._box = figure.box
        self._solid = figure.mask.point([255 if value >= 250 else 0 for value in range(256)])

    def counts(self, reach: tuple[float, float], half_width: float = HALF_WIDTH) -> Counts:
        left, top, right, bottom = self._box
        height = bottom - top
        start, end = round(top + height * reach[0]), round(top + height * reach[1])
        band = self._solid.crop((left, start, right, max(end, start + 1))).getbbox()
        if band is None:
            return {}
        middle = left + (band[0] + band[2]) / 2
        first = max(left, round(middle - half_width * height))
        last = min(right, round(middle + half_width * height) + 1)
        box = (first, start, max(last, first + 1), max(end, start + 1))
        return _counted(self._picture.crop(box), self._solid.crop(box))


def _counted(picture: Image.Image, mask: Image.Image) -> Counts:
    """How often each colour is where the mask is 255."""
    masked = picture.copy()
    masked.putalpha(mask)
    found = masked.getcolors(picture.width * picture.height) or []
    counts: dict[Colour, int] = {}
    for count, pixel in found:
        if isinstance(pixel, tuple) and pixel[3] == 255:
            counts[(pixel[0], pixel[1], pixel[2])] = count
    return counts


def _most_frequent(counts: Counts) -> Colour | None:
    """The most frequent colour of the fullest cube of colours. None for fewer than MIN_PIXELS pixels.

    Cubes keep the noise of a photo from hiding the colour that a person sees. Of equal ones the smallest
    counts, so that the result does not depend on an order.
    """
    if sum(counts.values()) < MIN_PIXELS:
        return None
    cubes: dict[Colour, int] = {}
    for colour, count in counts.items():
        cube = _cube(colour)
        cubes[cube] = cubes.get(cube, 0) + count
    fullest = min(cubes, key=lambda cube: (-cubes[cube], cube))
    inside = [colour for colour in counts if _cube(colour) == fullest]
    return min(inside, key=lambda colour: (-counts[colour], colour))


def _cube(colour: Colour) -> Colour:
    return (colour[0] // CUBE, colour[1] // CUBE, colour[2] // CUBE)


def _where(counts: Counts, test: Callable[[Colour], bool]) -> Counts:
    return {colour: count for colour, count in counts.items() if test(colour)}


def _different(counts: Counts, other: Colour | None, least: int = DIFFERENT) -> Counts:
    return counts if other is None else _where(counts, lambda colour: _apart(colour, other) >= least)


def _without_shades(counts: Counts, of: Colour) -> Counts:
    return _where(counts, lambda colour: not _is_shade(colour, of))


def _is_shade(colour: Colour, of: Colour) -> bool:
    """Whether a colour is another in the shade: about the same hue, and darker."""
    darker = sum(colour) / max(1, sum(of))
    red, green, blue = (round(channel * darker) for channel in of)
    return darker < 1 and _apart(colour, (red, green, blue)) < 24


def _apart(one: Colour, other: Colour) -> int:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))


def looks_like_skin(colour: Colour) -> bool:
    """Whether a colour has a hue of human skin, from pale to deep."""
    red, green, blue = colour
    return red > green > blue and red >= 60 and 12 <= red - blue <= 130 and green * 100 >= red * 58
