"""The colours of a picture of OpenPose skeletons as classes: black, discs of joints, limbs, white."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageChops

from .skeleton import KEYPOINT_COLOURS, LIMB_COLOURS

#: Classes of pixels: the discs of the 18 joints from FIRST_DISC on, the 17 limbs from FIRST_LIMB on. WHITE
#: are the dots of a face. OTHER are colours of no skeleton in a picture that is otherwise exactly as drawn,
#: such as those of fingers. OUTSIDE is the frame around the picture.
BLACK = 0
FIRST_DISC = 1
FIRST_LIMB = FIRST_DISC + len(KEYPOINT_COLOURS)
WHITE = FIRST_LIMB + len(LIMB_COLOURS)
OTHER = WHITE + 1
OUTSIDE = OTHER + 1
#: Width of the frame in pixels.
FRAME = 40

# With more ink than this, a picture is no drawing of skeletons.
MAX_INK = 0.4
# Up to this share of ink with other colours, the rest of the picture is exactly as drawn.
MAX_OTHER = 0.1

# In the order of the classes, three bytes each.
_PALETTE = b"".join(map(bytes, ((0, 0, 0), *KEYPOINT_COLOURS, *LIMB_COLOURS, (255, 255, 255))))
# JPEG keeps the luma of small discs, but halves the resolution of their chroma, which fades it. So blended
# pictures are compared in luma and chroma, with less weight on chroma, and with faded variants of all
# colours.
_CHROMA = 0.5
_FADED = 0.6

#: A row, and the first and the last column (exclusive) of equal pixels in it.
Run = tuple[int, int, int]


@dataclass(frozen=True)
class Ink:
    """The classes of a picture's pixels, with a frame around it. `exact` says that no pixel was blended."""

    classes: bytes
    width: int
    height: int
    exact: bool

    @property
    def stride(self) -> int:
        return self.width + 2 * FRAME

    @property
    def area(self) -> int:
        """The number of pixels that are not black."""
        return len(self.classes) - self.classes.count(BLACK) - self.classes.count(OUTSIDE)

    def at(self, x: float, y: float) -> int:
        """The class of the pixel nearest to a point. Black far outside of the picture."""
        column, row = round(x) + FRAME, round(y) + FRAME
        if not (0 <= column < self.stride and 0 <= row < self.height + 2 * FRAME):
            return BLACK
        return self.classes[row * self.stride + column]

    def runs(self, first: int, last: int, at_most: int) -> list[tuple[int, Run]] | None:
        """All runs of pixels of each class from `first` to `last`, by rows, with their class. None if there
        are more than `at_most`."""
        found: list[tuple[int, Run]] = []
        pattern = b"([" + re.escape(bytes([first])) + b"-" + re.escape(bytes([last])) + b"])\\1*"
        for match in re.finditer(pattern, self.classes):
            if len(found) >= at_most:
                return None
            row, column = divmod(match.start(), self.stride)
            length = match.end() - match.start()
            found.append((match[1][0], (row - FRAME, column - FRAME, column - FRAME + length)))
        return found


@dataclass(frozen=True)
class Blob:
    """Connected pixels of one class."""

    runs: list[Run]

    @property
    def area(self) -> int:
        return sum(end - start for _, start, end in self.runs)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom, inclusive."""
        rows = [row for row, _, _ in self.runs]
        starts, ends = [start for _, start, _ in self.runs], [end for _, _, end in self.runs]
        return min(starts), min(rows), max(ends) - 1, max(rows)

    def centre(self) -> tuple[float, float]:
        area = self.area
        x = sum((end - start) * (start + end - 1) / 2 for _, start, end in self.runs)
        y = sum((end - start) * row for row, start, end in self.runs)
        return x / area, y / area


def ink_of(image: Image.Image, *, scaled: bool = False) -> Ink | None:
    """The classes of an RGB picture, or None if it has no ink, or too much for a drawing of skeletons.
    `scaled` says that its pixels are known to be blended."""
    drawn = None if scaled else _drawn_classes(image)
    classes = drawn or _blended_classes(image)
    if not _is_drawing(classes):
        return None
    framed = Image.new("L", (image.width + 2 * FRAME, image.height + 2 * FRAME), OUTSIDE)
    framed.paste(classes, (FRAME, FRAME))
    return Ink(framed.tobytes(), image.width, image.height, drawn is not None)


def _is_drawing(classes: Image.Image) -> bool:
    total = classes.width * classes.height
    return 0 < total - classes.histogram()[BLACK] <= MAX_INK * total


def _drawn_classes(image: Image.Image) -> Image.Image | None:
    """The classes of a picture whose pixels have exactly the colours of skeletons; None for another one."""
    nearest = _nearest(image, _PALETTE)
    classes = Image.frombytes("L", image.size, nearest.tobytes())
    red, green, blue = ImageChops.difference(image, nearest.convert("RGB")).split()
    blended = ImageChops.lighter(ImageChops.lighter(red, green), blue).point([0] + [255] * 255)
    ink = image.width * image.height - classes.histogram()[BLACK]
    if blended.histogram()[255] > MAX_OTHER * ink:
        return None
    classes.paste(OTHER, mask=blended)
    return classes


def _blended_classes(image: Image.Image) -> Image.Image:
    """The classes of a picture that was compressed or scaled."""
    pixels = _luma_first(image, 1.0)
    colours = Image.frombytes("RGB", (len(_PALETTE) // 3, 1), _PALETTE)
    full, faded = (_luma_first(colours, fade).tobytes() for fade in (1.0, _FADED))
    nearest = _nearest(pixels, full + faded).tobytes()
    table = [*range(len(_PALETTE) // 3)] * 2
    return Image.frombytes("L", image.size, nearest.translate(bytes([*table, *[BLACK] * (256 - len(table))])))


def _luma_first(image: Image.Image, fade: float) -> Image.Image:
    """Luma and weighted chroma in the channels of an RGB picture."""
    luma, *chroma = image.convert("YCbCr").split()
    weighted = [round(128 + (value - 128) * _CHROMA * fade) for value in range(256)]
    return Image.merge("RGB", (luma, *(channel.point(weighted) for channel in chroma)))


def _nearest(image: Image.Image, colours: bytes) -> Image.Image:
    """For each pixel the position of the nearest colour, as a picture with that palette. `colours` are three
    bytes each."""
    palette = Image.new("P", (1, 1))
    # A full palette, because Pillow fills up shorter ones with colours of its own.
    palette.putpalette(colours + colours[:3] * (256 - len(colours) // 3))
    return image.quantize(palette=palette, dither=Image.Dither.NONE)


def connected(runs: list[Run]) -> Iterator[Blob]:
    """Groups the runs of one class that touch, also at corners. They are sorted by row and column."""
    parents = list(range(len(runs)))

    def root(at: int) -> int:
        while parents[at] != at:
            parents[at] = parents[parents[at]]
            at = parents[at]
        return at

    above = 0
    for at, (row, start, end) in enumerate(runs):
        # Runs that end before this one begins touch no later run of this row either.
        while runs[above][0] < row - 1 or (runs[above][0] == row - 1 and runs[above][2] < start):
            above += 1
        other = above
        while runs[other][0] == row - 1 and runs[other][1] <= end:
            parents[root(other)] = root(at)
            other += 1
    groups: dict[int, list[Run]] = {}
    for at, run in enumerate(runs):
        groups.setdefault(root(at), []).append(run)
    yield from (Blob(group) for group in groups.values())
