"""Finds the coloured discs of joints in a picture of OpenPose skeletons.

A disc may be partly covered by those of later joints, by the dots of a face, by hands, and by the edge of the
picture. So its centre is not that of its visible pixels, but the one at which a disc of the picture's radius
contains all of them and has everything else of it covered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image, ImageDraw

from .skeleton import KEYPOINT_NAMES
from .skeleton_ink import FIRST_DISC, FIRST_LIMB, FRAME, OTHER, OUTSIDE, WHITE, Blob, Ink, Run, connected

# Radius of a disc in pixels.
MIN_RADIUS, MAX_RADIUS = 1.0, 36.0
# With more runs of equal pixels than this, a picture is no drawing of skeletons.
MAX_RUNS = 60_000
# Rows of pixels that are counted to fit discs that are partly covered, at most. 20 people need a third.
MAX_ROWS = 300_000
# How much of a disc is visible, at least, in a picture that was compressed or scaled: its blurred edges look
# like slivers of discs of other joints.
MIN_VISIBLE = 0.2
# How much of a disc may be neither visible nor covered, as a share of what is visible.
MAX_WRONG = 0.6
# A disc is complete with this share of its area, and if it is about as wide as high.
COMPLETE = 0.93
# Candidates for one joint. The keypoints of hands are drawn in the colour of the left knee.
MAX_CANDIDATES = 64
# Blobs of one joint that are looked at, largest first.
MAX_BLOBS = 200

# Values of the pixels around a disc: of its own colour, covered, and (0) neither.
_OWN, _COVERED = 2, 1


@dataclass(frozen=True)
class Disc:
    """A disc found: its centre in pixels, and how much of it is visible, from 0 to 1."""

    x: float
    y: float
    visible: float


@dataclass(frozen=True)
class Discs:
    """The discs of each joint, in the order of KEYPOINT_NAMES, and their radius in pixels."""

    found: tuple[tuple[Disc, ...], ...]
    radius: float


def find_discs(ink: Ink) -> Discs | None:
    """All discs, or None if there are none."""
    blobs = _blobs(ink)
    radius = _radius(blobs)
    if blobs is None or radius is None:
        return None
    budget = MAX_ROWS
    found: list[tuple[Disc, ...]] = []
    for joint in range(len(KEYPOINT_NAMES)):
        discs, budget = _discs(ink, joint, blobs[joint], radius, budget)
        found.append(discs)
    return Discs(tuple(found), radius) if any(found) else None


def _blobs(ink: Ink) -> list[list[Blob]] | None:
    """The connected pixels of each joint's colour, largest first; None if there are too many."""
    found = ink.runs(FIRST_DISC, FIRST_LIMB - 1, MAX_RUNS)
    if found is None:
        return None
    runs: list[list[Run]] = [[] for _ in KEYPOINT_NAMES]
    for kind, run in found:
        runs[kind - FIRST_DISC].append(run)
    return [sorted(connected(items), key=lambda blob: -blob.area) for items in runs]


def _radius(blobs: list[list[Blob]] | None) -> float | None:
    """The radius of a disc in pixels: the third quartile of the round blobs, one for each joint. Some are
    partly covered."""
    round_ones, others = [], []
    for items in blobs or ():
        if not items:
            continue
        blob = items[0]
        left, top, right, bottom = blob.box
        width, height = right - left + 1, bottom - top + 1
        radius = math.sqrt(blob.area / math.pi)
        if max(width, height) <= 1.3 * min(width, height) and blob.area >= 0.5 * width * height:
            round_ones.append(radius)
        else:
            others.append(radius)
    radii = sorted(radius for radius in round_ones or others if MIN_RADIUS <= radius <= MAX_RADIUS)
    return radii[3 * len(radii) // 4] if radii else None


def _discs(
    ink: Ink, joint: int, blobs: list[Blob], radius: float, budget: int
) -> tuple[tuple[Disc, ...], int]:
    """(the discs of a joint, what is left of the budget of rows)."""
    area = math.pi * radius * radius
    found: list[Disc] = []
    for blob in blobs[:MAX_BLOBS]:
        if blob.area > 4 * area:
            continue  # an area of colour
        if len(found) == MAX_CANDIDATES or budget <= 0 or (not ink.exact and blob.area < MIN_VISIBLE * area):
            break
        x, y = blob.centre()
        # Later discs may split one into pieces.
        if any(math.hypot(x - disc.x, y - disc.y) <= radius + 0.5 for disc in found):
            continue
        disc = _complete_disc(blob, radius)
        if disc is None:
            fit = _Fit(ink, joint, blob, radius)
            disc = fit.best()
            budget -= fit.counted
        if disc is not None:
            found.append(disc)
    return tuple(found), budget


def _complete_disc(blob: Blob, radius: float) -> Disc | None:
    left, top, right, bottom = blob.box
    width, height = right - left + 1, bottom - top + 1
    visible = blob.area / (math.pi * radius * radius)
    if visible < COMPLETE or visible > 1.3 or abs(width - height) > 0.3 * radius:
        return None
    return Disc(*blob.centre(), min(1.0, visible))


class _Fit:
    """Looks for the centre of a disc that is partly covered."""

    def __init__(self, ink: Ink, joint: int, blob: Blob, radius: float) -> None:
        self.exact = ink.exact
        self.radius = radius
        self.counted = 0
        self.drawn = _half_widths(round(radius - 0.5)) if ink.exact else []
        left, top, right, bottom = blob.box
        # The centre is within the radius of all visible pixels.
        self.columns = sorted((right - radius, left + radius))
        self.rows = sorted((bottom - radius, top + radius))
        self.left = max(-FRAME, math.floor(self.columns[0] - radius) - 2)
        self.top = max(-FRAME, math.floor(self.rows[0] - radius) - 2)
        right = min(ink.width + FRAME, math.ceil(self.columns[1] + radius) + 3)
        bottom = min(ink.height + FRAME, math.ceil(self.rows[1] + radius) + 3)
        table = bytearray(256)
        table[FIRST_DISC + joint] = _OWN
        for later in (*range(FIRST_DISC + joint + 1, FIRST_LIMB), WHITE, OTHER, OUTSIDE):
            table[later] = _COVERED
        self.window = [
            ink.classes[
                (row + FRAME) * ink.stride + self.left + FRAME : (row + FRAME) * ink.stride + right + FRAME
            ].translate(bytes(table))
            for row in range(self.top, bottom)
        ]

    def count(self, x: float, y: float) -> tuple[int, int]:
        """(visible pixels in the disc around this centre, pixels that are neither visible nor covered)."""
        own = wrong = 0
        self.counted += math.ceil(2 * self.radius)
        for row in range(math.ceil(y - self.radius), math.floor(y + self.radius) + 1):
            line = row - self.top
            if not 0 <= line < len(self.window):
                continue
            half = self.half_width(row - y)
            start = max(0, math.ceil(x - half) - self.left)
            part = self.window[line][start : math.floor(x + half) + 1 - self.left]
            own += part.count(_OWN)
            wrong += part.count(0)
        return own, wrong

    def half_width(self, distance: float) -> float:
        """Half of the width of a disc in the row at this distance from its centre."""
        if self.exact:
            row = abs(round(distance))
            return self.drawn[row] if row < len(self.drawn) else -1.0
        return math.sqrt(max(0.0, self.radius**2 - distance**2))

    def best(self) -> Disc | None:
        """The disc with the most visible pixels and the fewest wrong ones, or None if too many are wrong."""
        step = 1.0 if self.radius < 14.0 else 2.0
        x, y = self._best_of(self._grid(self.columns, step), self._grid(self.rows, step))
        fine = 1.0 if self.exact else 0.5
        around = [fine * offset for offset in range(-round(2 * step / fine), round(2 * step / fine) + 1)]
        x, y = self._best_of([x + offset for offset in around], [y + offset for offset in around])
        own, wrong = self.count(x, y)
        area = math.pi * self.radius**2
        if own == 0 or wrong > MAX_WRONG * own or (not self.exact and own < MIN_VISIBLE * area):
            return None
        return Disc(x, y, min(1.0, own / area))

    @staticmethod
    def _grid(bounds: list[float], step: float) -> list[float]:
        low, high = math.floor(bounds[0]), math.ceil(bounds[1])
        return [low + step * at for at in range(int((high - low) / step) + 2)]

    def _best_of(self, columns: list[float], rows: list[float]) -> tuple[float, float]:
        """The centre with the best count. Of equal ones the one in their middle."""
        scores = {}
        for x in columns:
            for y in rows:
                own, wrong = self.count(x, y)
                scores[x, y] = 2 * own - wrong
        best = max(scores.values())
        equal = [centre for centre, score in scores.items() if score == best]
        middle_x, middle_y = (sum(values) / len(equal) for values in zip(*equal, strict=True))
        return min(equal, key=lambda centre: (math.hypot(centre[0] - middle_x, centre[1] - middle_y), centre))


def _half_widths(radius: int) -> list[float]:
    """Half of the width of a disc as Pillow draws it, for each row from its centre on."""
    side = 2 * radius + 1
    disc = Image.new("L", (side, side))
    ImageDraw.Draw(disc).ellipse((0, 0, side - 1, side - 1), fill=1)
    rows = disc.tobytes()
    return [(rows[row * side : (row + 1) * side].count(1) - 1) / 2 for row in range(radius, side)]
