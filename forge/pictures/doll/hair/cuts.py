"""The shapes of hairstyles: how full the hair is, and its border around the head.

A border is a line around the skull as (azimuth, height): degrees from straight ahead to the person's left,
and statures of an adult's head from the height of the ears.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ..character.character import Character
from ..painting.detail import Details
from ..painting.geometry import smooth_line
from ..poses.person import Point

#: Headwear under which the hair lies flat.
FLATTENING = frozenset({"helmet", "hood", "beanie", "hat", "wizardhat", "cap", "strawhat"})
_FLAT_SWELL = 1.04

#: The border on one side from the temple to the nape: around the ear, hair that is tied, hair that goes on
#: below the border, and that of a bob.
_AROUND_EAR = (
    (60.0, 0.020),
    (66.0, 0.002),
    (73.0, -0.016),
    (78.0, -0.012),
    (80.0, 0.002),
    (86.0, 0.014),
    (102.0, 0.013),
    (110.0, -0.002),
    (119.0, -0.020),
    (130.0, -0.031),
    (141.0, -0.028),
    (151.0, -0.035),
    (162.0, -0.030),
    (172.0, -0.036),
    (180.0, -0.031),
)
_TIED = (
    (60.0, 0.016),
    (66.0, -0.006),
    (70.0, -0.024),
    (74.0, -0.008),
    (80.0, 0.012),
    (88.0, 0.017),
    (104.0, 0.010),
    (118.0, -0.012),
    (140.0, -0.030),
    (180.0, -0.034),
)
_FALLING = ((52.0, 0.016), (58.0, 0.002), (64.0, -0.014), (72.0, -0.030), (90.0, -0.032), (180.0, -0.032))
_BOB = (
    (52.0, 0.014),
    (57.0, -0.018),
    (61.0, -0.046),
    (67.0, -0.062),
    (82.0, -0.058),
    (100.0, -0.056),
    (124.0, -0.053),
    (150.0, -0.051),
    (180.0, -0.050),
)
_SHAVED = (
    (62.0, 0.022),
    (70.0, -0.010),
    (76.0, -0.010),
    (84.0, 0.012),
    (104.0, 0.012),
    (116.0, -0.012),
    (134.0, -0.034),
    (180.0, -0.036),
)


@dataclass(frozen=True)
class Cut:
    """A hairstyle. `swell` is the cap's size relative to the head, `lift` its extra height in statures.
    `side` is the border from the temple backwards. The fringe hangs from `high` to `low`, in `tips` locks.
    `width` is that of falling hair relative to the usual one, `wave` how far its edges swing. `curls`,
    `spikes` and `crest` are lengths of what stands out from the cap. `tied` are the places of bands, as
    (azimuth, height)."""

    swell: float = 1.08
    lift: float = 0.007
    side: Sequence[Point] = _AROUND_EAR
    high: float = 0.046
    low: float = 0.025
    tips: int = 5
    width: float = 1.0
    wave: float = 0.0
    curls: float = 0.0
    spikes: float = 0.0
    crest: float = 0.0
    tied: Sequence[Point] = ()

    @property
    def hugs(self) -> bool:
        """Whether the hair follows the skull to the nape."""
        return self.side not in (_FALLING, _BOB)

    @property
    def falls(self) -> bool:
        """Whether hair goes on below the border."""
        return self.side is _FALLING


_CUTS: Mapping[str, Cut] = {
    "loose": Cut(),
    "straight": Cut(tips=7, high=0.038, low=0.026, width=0.96),
    "wavy": Cut(swell=1.10, lift=0.009, tips=4, width=1.12, wave=0.0075),
    "curly": Cut(swell=1.08, lift=0.006, tips=5, high=0.044, low=0.034, width=1.16, curls=0.0185),
    "spiky": Cut(swell=1.06, lift=0.006, tips=6, high=0.048, low=0.020, spikes=0.034),
    "ponytail": Cut(swell=1.05, side=_TIED, tips=4, tied=((180.0, 0.040),)),
    "pigtails": Cut(swell=1.05, side=_TIED, tips=5, tied=((104.0, 0.020), (-104.0, 0.020))),
    "braid": Cut(swell=1.055, side=_TIED, tips=4, tied=((132.0, -0.026),)),
    "bun": Cut(swell=1.045, side=_TIED, tips=3, high=0.052, low=0.034, tied=((180.0, 0.066),)),
    "bob": Cut(swell=1.12, side=_BOB, tips=8, high=0.031, low=0.024),
    "mohawk": Cut(swell=1.015, lift=0.0, side=_SHAVED, tips=0, high=0.046, crest=0.040),
}


def cut_of(character: Character) -> Cut:
    """The cut of the character's hair at its length and under what it wears on its head."""
    cut = _CUTS[character.hair_style]
    if character.hair_length in ("medium", "long") and cut.side is _AROUND_EAR and not cut.spikes:
        cut = replace(cut, side=_FALLING)
    worn = character.garments.get("head")
    if worn is not None and worn.kind in FLATTENING:
        low_ties = tuple((azimuth, min(height, -0.014)) for azimuth, height in cut.tied)
        cut = replace(cut, swell=_FLAT_SWELL, lift=0.0, curls=0.0, spikes=0.0, crest=0.0, tied=low_ties)
    return cut


@dataclass(frozen=True)
class Border:
    """The border all around, from straight behind over the right side. `notches` are the places where locks
    of the fringe part."""

    line: tuple[Point, ...]
    notches: tuple[Point, ...]

    def window(self, start: float, end: float) -> list[Point]:
        """The part between two azimuths, which may be outside of -180 to 180."""
        everything = [(azimuth + lap, y) for lap in (-360.0, 0.0, 360.0) for azimuth, y in self.line]
        inside = [point for point in everything if start < point[0] < end]
        return [(start, _height(everything, start)), *inside, (end, _height(everything, end))]


def border_of(cut: Cut, details: Details) -> Border:
    side = cut.side
    fringe, notches = _fringe(cut, details, side[0])
    right = [(-azimuth, y) for azimuth, y in reversed(_finer(side))]
    return Border((*right, *fringe, *_finer(side)), tuple(notches))


def _height(points: Sequence[Point], azimuth: float) -> float:
    for (start, first), (end, second) in pairwise(points):
        if start <= azimuth <= end and end > start:
            return first + (second - first) * (azimuth - start) / (end - start)
    return points[-1][1]


def _finer(knots: Sequence[Point]) -> list[Point]:
    """A smooth line with enough points: straight lines in azimuth and height are curves on the skull."""
    return sorted(smooth_line(knots, 5))


def _fringe(cut: Cut, details: Details, end: Point) -> tuple[list[Point], list[Point]]:
    """The border over the forehead between both temples, and its notches."""
    edge, low_end = end
    if not cut.tips:
        arch = [(edge * step / 6, cut.high - 0.010 * abs(step / 6) ** 3) for step in range(-6, 7)]
        return arch[1:-1], []
    kind = int(details.number("fringe", 0.0, 3.999))
    parting = (0.0, -26.0, 24.0, 0.0)[kind] * details.number("parting", 0.7, 1.2)
    marks: list[tuple[float, float, float]] = []
    for index in range(cut.tips + 1):
        azimuth = -edge + 2 * edge * index / cut.tips
        away = min(1.0, abs(azimuth - parting) / (edge + abs(parting)))
        if kind == 0:
            # Straight down, a little shorter in the middle.
            notch, tip = cut.high - 0.004 * away, cut.low + 0.002 * (1 - away)
        elif kind == 3:
            # Parted in the middle like a curtain.
            notch, tip = cut.high + 0.012 - 0.030 * away, cut.low + 0.020 - 0.034 * away
        else:
            # Swept to one side from a parting.
            notch, tip = cut.high + 0.008 - 0.020 * away, cut.low + 0.010 - 0.016 * away
        marks.append((azimuth, notch, tip))
    points: list[Point] = []
    notches: list[Point] = []
    for index, ((azimuth, notch, _), (after, next_notch, tip)) in enumerate(pairwise(marks)):
        lean = details.number(f"tip {index}", 0.36, 0.64)
        lean += 0.22 if azimuth >= parting else -0.22
        hang = tip + (cut.high - cut.low) * details.number(f"hang {index}", -0.14, 0.14)
        middle = azimuth + (after - azimuth) * lean
        start_y = low_end if index == 0 else notch
        end_y = low_end if index == cut.tips - 1 else next_notch
        hang = min(hang, start_y - 0.002, end_y - 0.002) if 0 < index < cut.tips - 1 else hang
        for step in range(5):
            share = step / 5
            points.append((azimuth + (middle - azimuth) * share, start_y + (hang - start_y) * share**1.5))
        for step in range(5):
            share = step / 5
            points.append((middle + (after - middle) * share, hang + (end_y - hang) * share**0.7))
        if index:
            notches.append((azimuth, notch))
    return points[1:], notches
