"""Hats, caps and beanies. Lengths are those of `rings`: statures for a head that is not enlarged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ..character.character import Worn
from ..character.shades import light_of
from ..figure.head import Head
from ..painting.detail import Details
from ..painting.geometry import add, ellipse, hull, ribbon, smooth, smooth_line
from ..painting.layers import Layer, Patch, Shape, Stroke
from .rings import Ring, arc, band, covered, disc, facing, headwear_layer, on_ring, seen, stack, visible


def _accent_band(head: Head, worn: Worn, lower: Ring, upper: Ring) -> Patch | None:
    outline = band(head, lower, upper)
    return Patch(outline, worn.accent, lined=True) if outline else None


def _crease(head: Head, points: Sequence[tuple[float, float]], *, shade: bool = True) -> Stroke:
    return Stroke(smooth_line(points, 4), head.unit * 0.0018, shade=shade)


def hat(head: Head, worn: Worn, details: Details) -> list[Layer]:
    brim = Ring(0.094, 0.100, 0.045, rise=0.10, curl=0.012)
    sides = (
        Ring(0.0535, 0.061, 0.047, rise=0.08),
        Ring(0.0535, 0.061, 0.066, rise=0.08),
        Ring(0.0505, 0.058, 0.092, rise=0.10),
        Ring(0.036, 0.046, 0.101, rise=0.14),
    )
    crown = headwear_layer(
        head,
        worn,
        stack(head, sides),
        patches=(_accent_band(head, worn, sides[0], sides[1]),),
        strokes=(_crease(head, [seen(head, 0.0, 0.103, z) for z in (-0.030, 0.0, 0.030)]),),
    )
    feather = _feather(head, worn)
    if facing(head, 80.0) < 0:
        return [feather, _brim(head, worn, brim), crown]
    return [_brim(head, worn, brim), crown, feather]


def _feather(head: Head, worn: Worn) -> Layer:
    """Stuck into the band on the person's left, leaning back."""
    line = smooth_line(
        [
            seen(head, 0.056 + 0.010 * t, 0.052 + 0.062 * t, 0.012 - 0.060 * t * t)
            for t in (0, 0.35, 0.7, 1.0)
        ],
        5,
    )
    last = len(line) - 1
    widths = [head.unit * 0.011 * math.sin(math.pi * (0.08 + 0.9 * i / last)) ** 0.7 for i in range(last + 1)]
    layer = covered("head", worn.colour, worn.accent, [ribbon(line, widths)], head.unit * 0.003)
    return replace(layer, strokes=(Stroke(line[:-2], head.unit * 0.0014, shade=True),))


def _brim(head: Head, worn: Worn, ring: Ring, strokes: Sequence[Stroke] = ()) -> Layer:
    return headwear_layer(head, worn, [Shape(disc(head, ring), "head")], depth=0.005, strokes=strokes)


def wizard_hat(head: Head, worn: Worn, details: Details) -> list[Layer]:
    lean = details.number("hat tip", 0.7, 1.0) * (1 if details.number("hat side", 0, 1) < 0.5 else -1)
    sides = (
        Ring(0.0535, 0.061, 0.044, rise=0.08),
        Ring(0.051, 0.058, 0.060, rise=0.08),
        Ring(0.037, 0.041, 0.092, -0.006, 0.002 * lean),
        Ring(0.024, 0.026, 0.116, -0.016, 0.008 * lean),
        Ring(0.014, 0.014, 0.126, -0.034, 0.026 * lean),
        Ring(0.004, 0.004, 0.114, -0.052, 0.046 * lean),
    )
    folds = [
        _crease(head, [on_ring(head, ring, head.figure.turn + spread) for ring in pair])
        for pair, spread in (((sides[1], sides[2], sides[3]), 50.0), ((sides[2], sides[3]), -35.0))
    ]
    cone = headwear_layer(
        head,
        worn,
        stack(head, sides),
        depth=0.010,
        patches=(_accent_band(head, worn, sides[0], sides[1]),),
        strokes=folds,
    )
    layers = [_brim(head, worn, Ring(0.108, 0.112, 0.043, rise=0.08, curl=0.004)), cone]
    if facing(head, 0.0) > 0.2:
        layers.append(_star(head, worn))
    return layers


def _star(head: Head, worn: Worn) -> Layer:
    """A star on the front of the cone."""
    points = []
    for index in range(10):
        angle, radius = math.pi * index / 5, 0.012 if index % 2 == 0 else 0.0052
        points.append(
            seen(head, radius * math.sin(angle), 0.078 + radius * math.cos(angle), 0.045 - 0.3 * radius)
        )
    return covered("head", worn.colour, worn.accent, [tuple(points)])


_CAP_SIDES = (
    Ring(0.0525, 0.060, 0.036, rise=0.10),
    Ring(0.0535, 0.061, 0.052, rise=0.08),
    Ring(0.047, 0.054, 0.072),
    Ring(0.032, 0.037, 0.086),
    Ring(0.008, 0.010, 0.0915),
)


def _peak(head: Head, worn: Worn) -> Layer:
    points = [on_ring(head, _CAP_SIDES[0], azimuth) for azimuth in range(-66, 67, 12)]
    for azimuth in range(-78, 79, 12):
        sine, cosine = math.sin(math.radians(azimuth)), math.cos(math.radians(azimuth))
        for thick in (0.0, 0.004):
            points.append(seen(head, 0.050 * sine, 0.040 - thick, 0.040 + 0.062 * cosine**0.6))
    return headwear_layer(head, worn, [Shape(hull(points), "head")], depth=0.004)


def cap_behind(head: Head, worn: Worn, details: Details) -> list[Layer]:
    return [_peak(head, worn)] if head.figure.cos < -0.1 else []


def cap(head: Head, worn: Worn, details: Details) -> list[Layer]:
    seams = []
    for azimuth in (60.0, 120.0, 180.0, 240.0, 300.0):
        if facing(head, azimuth) > 0.05:
            seams.append(_crease(head, [on_ring(head, ring, azimuth) for ring in _CAP_SIDES]))
    button = Patch(ellipse(seen(head, 0.0, 0.0925, 0.0), head.unit * 0.008, head.unit * 0.005), worn.accent)
    front = None
    if facing(head, 0.0) > 0.25:
        disc_points = [
            seen(
                head,
                0.014 * math.cos(a),
                0.060 + 0.012 * math.sin(a),
                0.062 - 0.010 * max(0.0, math.sin(a)),
            )
            for a in (math.pi * step / 8 for step in range(16))
        ]
        front = Patch(tuple(disc_points), worn.accent, lined=True)
    dome = headwear_layer(head, worn, stack(head, _CAP_SIDES), patches=(button, front), strokes=seams)
    return [dome, *([] if head.figure.cos < -0.1 else [_peak(head, worn)])]


def beanie(head: Head, worn: Worn, details: Details) -> list[Layer]:
    dome = (
        Ring(0.052, 0.060, 0.040),
        Ring(0.053, 0.061, 0.058),
        Ring(0.046, 0.053, 0.078),
        Ring(0.030, 0.034, 0.093),
        Ring(0.006, 0.006, 0.099),
    )
    cuff = (Ring(0.0555, 0.063, 0.030, rise=0.06), Ring(0.0555, 0.063, 0.052, rise=0.06))
    turn = head.figure.turn
    knit = [
        _crease(head, [on_ring(head, ring, turn + spread) for ring in dome[1:]])
        for spread in (-45, -15, 15, 45)
    ]
    ribs = [
        _crease(head, [on_ring(head, ring, turn + spread) for ring in cuff])
        for spread in (-72, -54, -36, -18, 0, 18, 36, 54, 72)
    ]
    middle, radius = seen(head, 0.0, 0.106, -0.004), head.unit * head.enlarged * 0.0175
    tufts = []
    for index in range(20):
        angle = math.pi * index / 10
        reach = radius * (1.0 if index % 2 else 0.84)
        tufts.append(add(middle, (math.cos(angle), math.sin(angle)), reach))
    pompom = covered("head", worn.colour, worn.accent, [smooth(tufts, 3)], head.unit * 0.005)
    return [
        pompom,
        headwear_layer(head, worn, stack(head, dome), strokes=knit),
        headwear_layer(head, worn, stack(head, cuff), depth=0.005, strokes=ribs),
    ]


def straw_hat(head: Head, worn: Worn, details: Details) -> list[Layer]:
    brim = Ring(0.118, 0.122, 0.047, rise=0.05)
    sides = (
        Ring(0.0535, 0.061, 0.048, rise=0.05),
        Ring(0.0530, 0.060, 0.064, rise=0.05),
        Ring(0.0495, 0.056, 0.086),
        Ring(0.040, 0.045, 0.096),
        Ring(0.018, 0.020, 0.101),
    )
    rows = []
    for share in (0.62, 0.75, 0.88):
        ring = Ring(brim.breadth * share, brim.depth * share, brim.height, rise=0.05)
        rows.append(Stroke((*disc(head, ring), on_ring(head, ring, -180.0)), head.unit * 0.0016, shade=True))
    part = visible(head)
    weave = []
    if part:
        weave = [Stroke(tuple(arc(head, ring, *part)), head.unit * 0.0016, shade=True) for ring in sides[2:4]]
        glint = Ring(0.0515, 0.058, 0.076, rise=0.02)
        weave.append(Stroke(tuple(arc(head, glint, *part)), head.unit * 0.0016, light_of(worn.colour)))
    crown = headwear_layer(
        head,
        worn,
        stack(head, sides),
        patches=(_accent_band(head, worn, sides[0], sides[1]),),
        strokes=weave,
    )
    return [_brim(head, worn, brim, rows), crown]
