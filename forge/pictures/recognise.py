"""Tell a drawn OpenPose skeleton from any other picture, so that one upload field takes both.

What a skeleton drawing is and few other pictures are, all at once: mostly black; its strokes thin; their
colours full (of red, green and blue one is always 0) save for the white dots of a face; and the strokes
joined to a figure that runs through many hues, since the annotators give each limb its own.

All thresholds were set by eye and trial: against drawings from 128 to 2048 pixels, bones of both styles,
JPEG down to quality 30, and pictures that share some of the traits (line art, white text, gradients, noise,
lights at night).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter

# Long side of the copy that is looked at: a bone of 8 pixels in a picture of 2048 is still one pixel wide.
COPY_SIDE = 256
# Brightness (0..255, the largest of the three channels) from which a pixel is ink: above JPEG's ringing on
# black.
INK = 48
MIN_BLACK = 0.65
MIN_INK_PIXELS = 24
# Saturation (0..255) from which ink counts as coloured: 255 as drawn, less after JPEG's coarse chroma.
COLOURED = 140
# White dots for faces take up to a third of the ink of a close-up.
MIN_COLOURED = 0.6
# Thickest stroke that an opening removes, as a share of the long side, but at least these pixels of the
# original (some annotators draw bones of 8 pixels at any size, and two may lie side by side), and how much
# ink may be left.
THICK = 0.085
THICK_PIXELS = 22
MAX_THICK_INK = 0.15
# The hue circle in bins of 30 degrees; a bin counts when it has this share of the figure's coloured pixels.
HUE_BINS = 12
FIRST_HUE = 2
MIN_HUES = 5
MIN_HUE_SHARE = 0.02
# A figure's extent as a share of the long side, and its share of all ink (others may be in the picture).
MIN_EXTENT = 0.12
MIN_FIGURE_INK = 0.15


def looks_like_skeleton(image: Image.Image) -> bool:
    """Whether the picture is an OpenPose skeleton drawing; looks at a copy of at most 256 pixels a side.

    Transparent parts count as black. Pictures too small to show a skeleton (below 32 pixels) are none.
    """
    if max(image.size) < 32:
        return False
    copy = _small_rgb(image)
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
    """A lookup table: 255 from the threshold on, else 0."""
    return [255 if value >= threshold else 0 for value in range(256)]


def _small_rgb(image: Image.Image) -> Image.Image:
    """An RGB copy on black, averaged down: mixing with black dims a colour but keeps hue and saturation."""
    if image.mode not in ("RGB", "RGBA"):
        # A palette or 16 bit cannot be averaged, and may hide an alpha channel.
        image = image.convert("RGBA")
    shrink = COPY_SIDE / max(image.size)
    if shrink < 1:
        size = (max(1, round(image.width * shrink)), max(1, round(image.height * shrink)))
        image = image.resize(size, Image.Resampling.BOX)
    if image.mode == "RGBA":
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image).convert("RGB")
    return image


def _thick_pixels(ink: Image.Image, shrink: float) -> int:
    """Pixels of ink that an opening by the thickest stroke leaves: areas, not lines."""
    radius = round(max(THICK * max(ink.size), THICK_PIXELS * shrink) / 2)
    # A black frame keeps a stroke along the edge a stroke.
    framed = Image.new("L", (ink.width + 2 * radius + 2, ink.height + 2 * radius + 2))
    framed.paste(ink, (radius + 1, radius + 1))
    # A box blur that stays white erodes, one not wholly black dilates, at the same cost for any radius.
    core = framed.filter(ImageFilter.BoxBlur(radius)).point(_step(254))
    return core.filter(ImageFilter.BoxBlur(radius)).point(_step(1)).histogram()[255]


def _hue_classes(hue: Image.Image, coloured: Image.Image, ink: Image.Image) -> Image.Image:
    """Per pixel: 0 for black, 1 for ink without a colour, from 2 on the bin of the hue."""
    bins = hue.point([FIRST_HUE + value * HUE_BINS // 256 for value in range(256)])
    plain = ink.point([0] + [1] * 255)
    return Image.composite(bins, plain, coloured)


@dataclass
class _Figure:
    """A connected group of ink: its box, and how many pixels of each class it has."""

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
        """How many bins of the hue circle hold a fair share of the coloured pixels."""
        hues = [count for kind, count in self.classes.items() if kind >= FIRST_HUE]
        needed = max(2.0, MIN_HUE_SHARE * sum(hues))
        return sum(count >= needed for count in hues)

    def absorb(self, other: _Figure) -> None:
        self.left, self.top = min(self.left, other.left), min(self.top, other.top)
        self.right, self.bottom = max(self.right, other.right), max(self.bottom, other.bottom)
        self.classes.update(other.classes)


def _figures(ink: Image.Image, classes: Image.Image) -> list[_Figure]:
    """The connected groups of ink (8 neighbours, gaps of up to two pixels bridged), found run by run."""
    # A thin stroke may break up where it was averaged down.
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
    """Start and end (exclusive) of each stretch of 255 in a row of 0 and 255."""
    end = 0
    while (start := row.find(255, end)) >= 0:
        end = row.find(0, start)
        if end < 0:
            end = len(row)
        yield start, end
