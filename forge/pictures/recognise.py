"""Distinguishes OpenPose skeleton drawings from other pictures, so that one upload field accepts both.

Few other pictures have all properties of a skeleton drawing: it is mostly black; its strokes are thin; their
colours are saturated (one of red, green and blue is always 0), except for the white dots of a face; and the
strokes are connected to a figure of many hues, since annotators give each limb its own.

All thresholds were found by experiment, with drawings from 128 to 2048 pixels, both bone styles, JPEG down to
quality 30, and pictures that share some properties (line art, white text, gradients, noise, lights at night).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter

# Long side, in pixels, of the copy that is analysed: a bone of 8 pixels in a picture of 2048 is one pixel
# wide in it.
COPY_SIDE = 256
# Brightness (0..255, of the brightest channel) from which a pixel is ink: above JPEG's ringing on black.
INK = 48
MIN_BLACK = 0.65
MIN_INK_PIXELS = 24
# Saturation (0..255) from which ink counts as coloured: 255 when drawn, less after JPEG's chroma subsampling.
COLOURED = 140
# White dots for faces take up to a third of the ink of a close-up.
MIN_COLOURED = 0.6
# Thickest stroke that a morphological opening removes, as a share of the long side, but at least these pixels
# of the original (some annotators draw bones of 8 pixels at any size, and two may be side by side), and the
# largest share of ink that may be left.
THICK = 0.085
THICK_PIXELS = 22
MAX_THICK_INK = 0.15
# The hue circle in bins of 30 degrees; a bin counts if it has this share of the figure's coloured pixels.
HUE_BINS = 12
FIRST_HUE = 2
MIN_HUES = 5
MIN_HUE_SHARE = 0.02
# A figure's extent as a share of the long side, and its share of all ink (there may be several figures).
MIN_EXTENT = 0.12
MIN_FIGURE_INK = 0.15


def looks_like_skeleton(image: Image.Image) -> bool:
    """Whether the picture is an OpenPose skeleton drawing, judged on a copy of at most 256 pixels per side.

    Transparent parts count as black. False for pictures below 32 pixels, which are too small for a skeleton.
    """
    if max(image.size) < 32:
        return False
    copy = small_rgb(image, COPY_SIDE)
    red, green, blue = copy.split()
    brightness = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    ink = brightness.point(_step(INK))
    total = ink.width * ink.height
    ink_pixels = ink.histogram()[255]
    if ink_pixels < MIN_INK_PIXELS or ink_pixels > (1 - MIN_BLACK) * total:
        return False
    hue, saturation, _ = copy.convert("HSV").split()
    coloured = ImageChops.darker(ink, saturation.point(_step(COLOURED)))
    if coloured.histogram()[255] < MIN_COLOURED * ink_pixels:
        return False
    shrink = max(copy.size) / max(image.size)
    if _thick_pixels(ink, shrink) > MAX_THICK_INK * ink_pixels:
        return False
    min_extent = MIN_EXTENT * max(copy.size)
    return any(
        figure.ink >= MIN_FIGURE_INK * ink_pixels
        and figure.extent >= min_extent
        and figure.count_hues() >= MIN_HUES
        for figure in _figures(ink, _hue_classes(hue, coloured, ink))
    )


def _step(threshold: int) -> list[int]:
    """A lookup table: 255 from the threshold up, else 0."""
    return [255 if value >= threshold else 0 for value in range(256)]


def small_rgb(image: Image.Image, side: int) -> Image.Image:
    """An RGB copy on black, of at most `side` pixels per side. Averaging with black dims a colour, but keeps
    its hue and saturation."""
    if image.mode not in ("RGB", "RGBA"):
        # Palettes and 16-bit samples cannot be averaged, and may include transparency.
        image = image.convert("RGBA")
    shrink = side / max(image.size)
    if shrink < 1:
        size = (max(1, round(image.width * shrink)), max(1, round(image.height * shrink)))
        image = image.resize(size, Image.Resampling.BOX)
    if image.mode == "RGBA":
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image).convert("RGB")
    return image


def _thick_pixels(ink: Image.Image, shrink: float) -> int:
    """The number of ink pixels left after an opening with the thickest stroke: those of areas, not of
    lines."""
    radius = round(max(THICK * max(ink.size), THICK_PIXELS * shrink) / 2)
    # The black frame keeps strokes along the edge from growing.
    framed = Image.new("L", (ink.width + 2 * radius + 2, ink.height + 2 * radius + 2))
    framed.paste(ink, (radius + 1, radius + 1))
    # Thresholding a box blur at white erodes, above black dilates, at the same cost for any radius.
    core = framed.filter(ImageFilter.BoxBlur(radius)).point(_step(254))
    return core.filter(ImageFilter.BoxBlur(radius)).point(_step(1)).histogram()[255]


def _hue_classes(hue: Image.Image, coloured: Image.Image, ink: Image.Image) -> Image.Image:
    """Per pixel: 0 for black, 1 for ink without a colour, from FIRST_HUE up the bin of its hue."""
    bins = hue.point([FIRST_HUE + value * HUE_BINS // 256 for value in range(256)])
    plain = ink.point([0] + [1] * 255)
    return Image.composite(bins, plain, coloured)


@dataclass
class _Figure:
    """A connected group of ink: its box, and the number of its pixels per class."""

    left: int
    top: int
    right: int
    bottom: int
    classes: Counter[int]

    @property
    def ink(self) -> int:
        return sum(count for kind, count in self.classes.items() if kind > 0)

    @property
    def extent(self) -> int:
        return max(self.right - self.left, self.bottom - self.top)

    def count_hues(self) -> int:
        """The number of hue bins with at least MIN_HUE_SHARE of the coloured pixels."""
        hues = [count for kind, count in self.classes.items() if kind >= FIRST_HUE]
        minimum = max(2.0, MIN_HUE_SHARE * sum(hues))
        return sum(count >= minimum for count in hues)

    def absorb(self, other: _Figure) -> None:
        self.left, self.top = min(self.left, other.left), min(self.top, other.top)
        self.right, self.bottom = max(self.right, other.right), max(self.bottom, other.bottom)
        self.classes.update(other.classes)


def _figures(ink: Image.Image, classes: Image.Image) -> list[_Figure]:
    """The connected groups of ink (8 neighbours, gaps of up to two pixels are bridged), found run by run."""
    # Downscaling may break up a thin stroke.
    bridged, kinds = ink.filter(ImageFilter.MaxFilter(3)).tobytes(), classes.tobytes()
    figures: dict[int, _Figure] = {}
    above: list[tuple[int, int, _Figure]] = []
    for row in range(ink.height):
        here: list[tuple[int, int, _Figure]] = []
        base = row * ink.width
        for left, right in _runs(bridged[base : base + ink.width]):
            figure = _Figure(left, row, right, row + 1, Counter(kinds[base + left : base + right]))
            figures[id(figure)] = figure
            for other in {
                id(f): f for start, end, f in above + here if start <= right and end >= left
            }.values():
                figure.absorb(other)
                del figures[id(other)]
                above = [(start, end, figure if f is other else f) for start, end, f in above]
                here = [(start, end, figure if f is other else f) for start, end, f in here]
            here.append((left, right, figure))
        above = here
    return list(figures.values())


def _runs(row: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end (exclusive) of each run of 255 in a row of 0 and 255."""
    end = 0
    while (start := row.find(255, end)) >= 0:
        end = row.find(0, start)
        if end < 0:
            end = len(row)
        yield start, end
