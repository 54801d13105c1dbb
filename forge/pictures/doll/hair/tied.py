"""Tied hair: ponytails, pigtails, a braid and a bun, each with its band."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from ..character.description import Colour
from ..character.shades import mix
from ..painting.detail import Details
from ..painting.geometry import (
    Outline,
    across,
    add,
    between,
    ellipse,
    ribbon,
    smooth,
    smooth_line,
    unit_vector,
)
from ..painting.layers import Layer, Patch, Shape, Stroke
from ..poses.person import Point
from .cap import Scalp

_BAND: Colour = (176, 60, 72)


def _layer(
    scalp: Scalp, outlines: Sequence[Outline], strokes: Sequence[Stroke], patches: Sequence[Patch]
) -> Layer:
    return Layer(
        "hair",
        scalp.head.figure.character.hair_colour,
        [Shape(outline, "head") for outline in outlines],
        depth=scalp.head.unit * 0.007,
        strokes=strokes,
        patches=patches,
    )


def _band(scalp: Scalp, centre: Point, along: Point, half: float, thick: float) -> Patch:
    """A band around hair that runs along a direction."""
    colour = mix(_BAND, scalp.head.figure.character.hair_colour, 0.15)
    return Patch(ellipse(centre, half, thick, along, 12), colour, lined=True)


def bun(scalp: Scalp, place: Point, details: Details) -> Layer:
    head = scalp.head
    radius = head.unit * 0.0285 * head.enlarged
    up = 0.010 if place[1] > 0 else 0.0
    centre = scalp.raised(*place, 0.014, up)
    ball = smooth(
        [
            add(add(centre, head.right, radius * math.cos(a)), head.up, radius * 0.90 * math.sin(a))
            for a in (step * math.pi / 6 for step in range(12))
        ],
        3,
    )
    turns = details.number("twist", 0.0, 2.0)
    strokes = []
    for start in (0.0, 2.1, 4.2):
        curl = [
            (
                centre[0] + radius * share * math.cos(turns + start + 2.2 * share),
                centre[1] + radius * share * math.sin(turns + start + 2.2 * share),
            )
            for share in (0.15, 0.4, 0.65, 0.95)
        ]
        strokes.append(Stroke(smooth_line(curl, 4), head.unit * 0.0016, shade=True))
    foot = add(centre, head.up, -radius * 0.84)
    band = _band(scalp, foot, head.up, radius * 0.62, radius * 0.17)
    return _layer(scalp, [ball], strokes, [band] if place[1] > 0 else [])


def tail(scalp: Scalp, place: Point, details: Details, length: float, thick: float, wave: float) -> Layer:
    """A tail, which stands off at its band and then hangs down."""
    head, unit = scalp.head, scalp.head.figure.unit
    azimuth, height = place
    name = f"tail {azimuth}"
    root = scalp.raised(azimuth, height, -0.010)
    high = height > 0
    away = scalp.raised(azimuth, height, 0.016, 0.004 if high else -0.004)
    sideways = math.sin(math.radians(azimuth - head.turn))
    swing = details.number(name, 0.016, 0.032) * (1.0 if details.number(f"{name} side", -1, 1) > 0 else -1.0)
    out = sideways * 0.024 + swing * abs(head.cos) * (1.0 - abs(sideways))
    bottom = head.origin[1] + length * unit
    drop = bottom - away[1]
    points = [root, away]
    for share, bow in ((0.10, 0.80), (0.26, 1.30), (0.50, 1.30), (0.78, 0.80), (1.0, 0.10)):
        sway = wave * math.sin(share * math.pi * 3) * unit
        points.append((away[0] + out * bow * unit + sway, away[1] + drop * share))
    line = smooth_line(points, 5)
    count = len(line)
    widths = []
    for index in range(count):
        share = index / (count - 1)
        full = 0.40 + 0.60 * min(1.0, max(0.0, share - 0.06) * 3.6)
        thin = 1.0 if share < 0.55 else 1.0 - ((share - 0.55) / 0.45) ** 1.6
        widths.append(head.unit * thick * full * thin)
    strokes = [
        Stroke(
            tuple(
                add(point, across(unit_vector(point, after)), width * shift)
                for point, after, width in zip(line[4:-6], line[5:-5], widths[4:-6], strict=True)
            ),
            head.unit * 0.0016,
            shade=True,
        )
        for shift in (-0.35, 0.25)
    ]
    # Discs round the bend above which the tail begins to hang.
    outlines = [ribbon(line, widths), *(ellipse(line[at], widths[at], widths[at]) for at in range(5, 14, 2))]
    for share, turn in ((0.62, -1.0), (0.74, 1.0)):
        start = int(count * share)
        strand = line[start:]
        spread = [
            add(
                point,
                across(unit_vector(line[start], line[-1])),
                turn * widths[start] * 1.1 * step / len(strand),
            )
            for step, point in enumerate(strand[: int(len(strand) * 0.8)])
        ]
        outlines.append(
            ribbon(spread, [widths[start] * 0.5 * (1 - step / len(spread)) for step in range(len(spread))])
        )
    return _layer(
        scalp,
        outlines,
        strokes,
        [_band(scalp, line[4], unit_vector(root, away), head.unit * thick * 0.60, head.unit * 0.0055)],
    )


def braid(scalp: Scalp, points: Sequence[Point], thick: float, cut: Outline | None, *, ends: bool) -> Layer:
    """A braid along a line: crossing locks, and if it `ends` there, a band and a tuft. `cut` hides it."""
    head = scalp.head
    line = smooth_line(points, 8)
    spaced = _evenly(line, head.unit * thick * 0.95)
    outlines: list[Outline] = []
    strokes = []
    for index, (here, there) in enumerate(pairwise(spaced)):
        along = unit_vector(here, there)
        side = across(along)
        lean = 1.0 if index % 2 else -1.0
        half = head.unit * thick * (1.0 - 0.30 * index / max(1, len(spaced)))
        lock = [
            add(add(here, side, half * 0.70 * lean), along, -half * 0.45),
            add(add(here, side, half * 1.06 * lean), along, half * 0.35),
            add(add(here, side, half * 0.35 * lean), along, half * 1.30),
            add(add(here, side, -half * 0.80 * lean), along, half * 1.25),
            add(add(here, side, -half * 0.80 * lean), along, -half * 0.45),
        ]
        outlines.append(smooth(lock, 3))
        seam = [
            add(add(here, side, half * 1.1 * lean), along, -half * 0.35),
            add(add(here, side, half * 0.45 * lean), along, half * 0.35),
            add(add(here, side, -half * 0.15 * lean), along, half * 0.95),
        ]
        strokes.append(Stroke(smooth_line(seam, 3), head.unit * 0.0016))
    if not ends:
        return replace(_layer(scalp, outlines, strokes, ()), cut=cut)
    end, before = spaced[-1], spaced[-2]
    along = unit_vector(before, end)
    half = head.unit * thick * 0.8
    tip = add(end, along, half * 3.4)
    tuft = [end, between(end, tip, 0.5), tip]
    outlines.append(
        ribbon(
            smooth_line(tuft, 4),
            [half * width for width in (0.5, 0.75, 0.9, 0.95, 0.85, 0.68, 0.48, 0.26, 0.04)],
        )
    )
    band = _band(scalp, add(end, along, half * 0.25), along, half * 0.66, half * 0.30)
    return replace(_layer(scalp, outlines, strokes, [band]), cut=cut)


def _evenly(line: Sequence[Point], step: float) -> list[Point]:
    """Points on a line about `step` apart; always at least two."""
    lengths = [math.dist(here, there) for here, there in pairwise(line)]
    count = max(1, round(sum(lengths) / max(step, 1.0)))
    found = [line[0]]
    walked, spacing = 0.0, sum(lengths) / count
    for length, here, there in zip(lengths, line, line[1:], strict=False):
        while len(found) < count and walked + length >= spacing * len(found) and length > 0:
            found.append(between(here, there, (spacing * len(found) - walked) / length))
        walked += length
    return [*found, line[-1]]
