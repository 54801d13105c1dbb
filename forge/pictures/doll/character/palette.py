"""The colours of a picture by part of the body: from a doll's part mask, or found in any picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PIL import Image, ImageFilter

from ...figure import Figure, find_figure
from ..parts import PARTS
from .description import Colour
from .shades import shade_of

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
#: Share of a face that its eyes take at least.
MIN_EYES = 0.02
#: Share of the middle of the head that a face takes at least.
MIN_FACE = 0.15
#: Half the width of the part of a figure that is looked at, of its face and of its body without arms, in
#: heights of the figure.
HALF_WIDTH, FACE_HALF_WIDTH, BODY_HALF_WIDTH = 0.14, 0.05, 0.08
#: From where to where regions reach, in heights of the figure from its top.
HAIR, FACE, HANDS = (0.0, 0.05), (0.07, 0.13), (0.3, 0.65)
CLOTHES: Mapping[str, tuple[float, float]] = {"top": (0.2, 0.46), "bottom": (0.54, 0.8), "feet": (0.93, 1.0)}

Counts = Mapping[Colour, int]


def palette_of(picture: Image.Image, parts: Image.Image) -> Mapping[str, Colour]:
    """The flat colour of each part of a picture, by its name in PARTS.

    `parts` is a mask in mode L whose values are positions in PARTS. If its size is not the picture's, it is
    scaled without blending. The colour is the most frequent one, exactly, or that which it is the doll's
    shade of. Parts with fewer than MIN_PIXELS pixels and unknown values are left out.
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
        for mask in (inner, area):
            counts = _counted(picture, mask)
            colour = _most_frequent(counts)
            if colour is not None:
                palette[PARTS[value]] = _lit(colour, counts)
                break
    return palette


def palette_from_picture(picture: Image.Image) -> Mapping[str, Colour]:
    """The colours of a figure in any picture, by names in PARTS, from its regions alone.

    The figure has to stand upright, seen whole, before a plain or transparent background. The result has
    "skin", "hair", "top", "bottom" and "feet" as far as they are found; it is empty if no figure is. What
    covers the head counts as hair.
    """
    # The figure is found in a smooth copy, whose outlines have no gaps; NEAREST keeps the exact colours.
    smooth = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    exact = smooth.convert("RGB")
    smooth.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    exact = exact.resize(smooth.size, Image.Resampling.NEAREST)
    figure = find_figure(smooth)
    if figure is None:
        return {}
    regions = _Regions(exact, figure)
    palette: dict[str, Colour] = {}
    skin, hair = _skin_and_hair(regions)
    if skin is not None:
        palette["skin"] = skin
    if hair is not None:
        palette["hair"] = hair
    for part, reach in CLOTHES.items():
        colour = _most_frequent(_clothes(regions.counts(reach), skin))
        if colour is not None:
            palette[part] = colour
    return palette


def _clothes(counts: Counts, skin: Colour | None) -> Counts:
    """What is not skin, unless that is little: leather can be near the colour of skin."""
    if skin is None:
        return counts
    other = _different(counts, skin, NOT_SKIN)
    flat = sum(counts.values()) - sum(other.values())
    without_shades = _without_shades(other, skin)
    # Skin's shade covers less than skin itself. What covers more is brown cloth.
    if sum(other.values()) - sum(without_shades.values()) <= flat:
        other = without_shades
    return other if sum(other.values()) >= MIN_CLOTHES * sum(counts.values()) else counts


def _skin_and_hair(regions: _Regions) -> tuple[Colour | None, Colour | None]:
    """Brown hair can have the hue of skin: where they are decides."""
    crown = _most_frequent(regions.counts(HAIR))
    front = regions.counts(FACE, FACE_HALF_WIDTH)
    if crown is None:
        return _most_frequent(_where(front, looks_like_skin)), None
    face = _like_skin_but_not(crown, front)
    if sum(face.values()) >= MIN_FACE * sum(front.values()):
        return _most_frequent(face), crown
    if looks_like_skin(crown) and _has_eyes(front, crown):
        # A bald head.
        return crown, None
    # From behind: the hands, beside the body, show the skin.
    inside = regions.counts(HANDS, BODY_HALF_WIDTH)
    outside = {colour: count - inside.get(colour, 0) for colour, count in regions.counts(HANDS, 1.0).items()}
    return _most_frequent(_like_skin_but_not(crown, outside)), crown


def _like_skin_but_not(hair: Colour, counts: Counts) -> Counts:
    return _without_shades(_different(_where(counts, looks_like_skin), hair), hair)


def _has_eyes(counts: Counts, face: Colour) -> bool:
    """Whether a face has eyes: they are neither like skin nor outlines."""
    other = _where(counts, lambda colour: max(colour) >= 90 and not looks_like_skin(colour))
    return sum(_different(other, face).values()) >= MIN_EYES * sum(counts.values())


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


def _lit(colour: Colour, counts: Counts) -> Colour:
    """The colour without shade, for parts that are mostly in the shade."""
    lit = [other for other in counts if shade_of(other) == colour and counts[other] * 4 >= counts[colour]]
    return min(lit, key=lambda other: (-counts[other], other), default=colour)


def _where(counts: Counts, test: Callable[[Colour], bool]) -> Counts:
    return {colour: count for colour, count in counts.items() if test(colour)}


def _different(counts: Counts, other: Colour | None, least: int = DIFFERENT) -> Counts:
    return counts if other is None else _where(counts, lambda colour: _apart(colour, other) >= least)


def _without_shades(counts: Counts, of: Colour) -> Counts:
    return _where(counts, lambda colour: not _is_shade(colour, of))


def _is_shade(colour: Colour, of: Colour) -> bool:
    """Whether a colour is another in the shade, or in the light: about the same hue."""
    brightness = sum(colour) / max(1, sum(of))
    red, green, blue = (round(channel * brightness) for channel in of)
    return 0.5 <= brightness <= 1.2 and _apart(colour, (red, green, blue)) < 24


def _apart(one: Colour, other: Colour) -> int:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))


def looks_like_skin(colour: Colour) -> bool:
    """Whether a colour has a hue of human skin, from pale to deep."""
    red, green, blue = colour
    return red > green > blue and red >= 60 and 12 <= red - blue <= 130 and green * 100 >= red * 58
