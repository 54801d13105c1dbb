"""What is worn on the head. Lengths are those of `rings`: statures for a head that is not enlarged."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from ..character.character import Worn
from ..figure.head import Head
from ..figure.physique import Figure
from ..painting.detail import Details
from ..painting.geometry import Outline, add, ellipse, ribbon, smooth_line
from ..painting.layers import Layer, Patch, Shape, Stroke
from .hats import beanie, cap, cap_behind, hat, straw_hat, wizard_hat
from .helmets import helmet, hood, hood_lining
from .rings import Ring, arc, band, facing, headwear_layer, on_ring, seen, visible

Draw = Callable[[Head, Worn, Details], list[Layer]]


def behind(figure: Figure, head: Head, worn: Worn, details: Details) -> list[Layer]:
    """What is drawn before the head: the back of a hood or crown, or the peak of a cap from behind."""
    draw = _BEHIND.get(worn.kind)
    return draw(head, worn, details) if draw else []


def in_front(figure: Figure, head: Head, worn: Worn, details: Details) -> list[Layer]:
    """What is drawn after the hair."""
    draw = _IN_FRONT.get(worn.kind)
    return draw(head, worn, details) if draw else []


_CROWN = (Ring(0.051, 0.058, 0.046), Ring(0.053, 0.060, 0.064), Ring(0.057, 0.064, 0.090))


def _points_of_crown(head: Head, start: float, end: float) -> Outline:
    """The crown's wall between two azimuths, with its points."""
    low, dip, high = _CROWN
    top = []
    azimuth = math.floor(start / 20.0) * 20.0
    while azimuth <= end + 20.0:
        ring = high if round(azimuth / 20.0) % 2 == 0 else dip
        top.append(on_ring(head, ring, max(start, min(end, azimuth))))
        azimuth += 20.0
    return (*arc(head, low, start, end), *top[::-1])


def _crown_behind(head: Head, worn: Worn, details: Details) -> list[Layer]:
    turn = head.figure.turn
    wall = _points_of_crown(head, turn + 90.0, turn + 270.0)
    return [headwear_layer(head, worn, [Shape(wall, "head")], depth=0.0, patches=(Patch(wall),))]


def _crown(head: Head, worn: Worn, details: Details) -> list[Layer]:
    turn = head.figure.turn
    wall = _points_of_crown(head, turn - 90.0, turn + 90.0)
    trim = band(head, Ring(0.0513, 0.0583, 0.049), Ring(0.052, 0.059, 0.053))
    gems = []
    for azimuth in range(0, 360, 40):
        if facing(head, azimuth) > 0.25:
            centre = on_ring(head, Ring(0.0535, 0.0605, 0.066), azimuth)
            width = head.unit * 0.0062 * facing(head, azimuth)
            gems.append(Patch(ellipse(centre, width, head.unit * 0.0075, count=8), worn.accent, lined=True))
    line = Stroke(trim[: len(trim) // 2], head.unit * 0.002, shade=True) if trim else None
    return [
        headwear_layer(
            head,
            worn,
            [Shape(wall, "head")],
            depth=0.004,
            patches=gems,
            strokes=(line,) if line else (),
        )
    ]


def _tiara(head: Head, worn: Worn, details: Details) -> list[Layer]:
    part = visible(head, 0.0, 84.0)
    if part is None or facing(head, 0.0) < -0.6:
        return []
    turn = head.figure.turn
    start, end = max(part[0], turn - 80.0), min(part[1], turn + 80.0)
    steps = 24
    low, top = [], []
    for step in range(steps + 1):
        azimuth = start + (end - start) * step / steps
        base = 0.048 - 0.008 * abs(azimuth) / 84.0
        wave = 0.5 + 0.5 * math.cos(math.radians(azimuth * 9.0))
        tall = 0.005 + (0.6 + 0.4 * wave) * 0.028 * max(0.0, math.cos(math.radians(azimuth * 1.2))) ** 2
        low.append(on_ring(head, Ring(0.0525, 0.0595, base), azimuth))
        top.append(on_ring(head, Ring(0.0535, 0.0600, base + tall), azimuth))
    gems = [
        Patch(
            ellipse(on_ring(head, Ring(0.053, 0.060, height), azimuth), width * facing(head, azimuth), width),
            worn.accent,
            lined=True,
        )
        for azimuth, height, width in (
            (0.0, 0.062, head.unit * 0.0065),
            (40.0, 0.052, head.unit * 0.004),
            (-40.0, 0.052, head.unit * 0.004),
        )
        if facing(head, azimuth) > 0.25
    ]
    return [headwear_layer(head, worn, [Shape((*low, *top[::-1]), "head")], depth=0.002, patches=gems)]


def _headband(head: Head, worn: Worn, details: Details) -> list[Layer]:
    low, high = Ring(0.0525, 0.060, 0.031, rise=0.05), Ring(0.0525, 0.060, 0.046, rise=0.05)
    outline = band(head, low, high)
    layers = []
    if outline:
        emblem = None
        if facing(head, 0.0) > 0.25:
            emblem = Patch(
                ellipse(
                    on_ring(head, Ring(0.0525, 0.060, 0.0385, rise=0.05), 0.0),
                    head.unit * 0.009 * facing(head, 0.0),
                    head.unit * 0.0065,
                ),
                worn.accent,
                lined=True,
            )
        layers.append(headwear_layer(head, worn, [Shape(outline, "head")], depth=0.003, patches=(emblem,)))
    return [*layers, *([] if facing(head, 180.0) < -0.2 else _knot(head, worn))]


def _knot(head: Head, worn: Worn) -> list[Layer]:
    """The knot at the back of a headband, with its two ends."""
    root = seen(head, 0.0, 0.036, -0.061)
    size = head.unit * head.enlarged
    back = head.figure.sin
    ends = []
    for aside, down in (
        (0.020 * head.figure.cos + 0.022 * back, 0.050),
        (-0.014 * head.figure.cos + 0.030 * back, 0.062),
    ):
        line = smooth_line(
            [root, add(root, (aside * 0.7, down * 0.35), size), add(root, (aside, down), size)], 4
        )
        widths = [size * (0.004 + 0.004 * i / (len(line) - 1)) for i in range(len(line))]
        ends.append(Shape(ribbon(line, widths), "head"))
    knot = Shape(ellipse(root, size * 0.008, size * 0.009), "head")
    return [headwear_layer(head, worn, ends, depth=0.002), headwear_layer(head, worn, [knot], depth=0.003)]


_BEHIND: Mapping[str, Draw] = {
    "cap": cap_behind,
    "crown": _crown_behind,
    "hood": hood_lining,
}
_IN_FRONT: Mapping[str, Draw] = {
    "hat": hat,
    "wizardhat": wizard_hat,
    "cap": cap,
    "beanie": beanie,
    "helmet": helmet,
    "crown": _crown,
    "tiara": _tiara,
    "headband": _headband,
    "hood": hood,
    "strawhat": straw_hat,
}
