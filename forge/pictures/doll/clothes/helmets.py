"""What encloses the head and leaves the face open: a knight's helmet and a hood."""

from __future__ import annotations

import math
from itertools import pairwise

from ..character.character import Worn
from ..figure.head import Head
from ..painting.detail import Details
from ..painting.geometry import Outline, ellipse, hull, ribbon, smooth_line, tapered
from ..painting.layers import Layer, Patch, Shape, Stroke
from .rings import Ring, body_disc, covered, facing, on_ring, opening, seen, stack

#: Azimuths and heights, from the middle of the forehead down the person's left side.
_HELMET_EDGE = (
    (0.0, 0.024),
    (16.0, 0.029),
    (34.0, 0.030),
    (48.0, 0.022),
    (52.0, 0.0),
    (43.0, -0.022),
    (36.0, -0.050),
    (38.0, -0.10),
)
_HOOD_EDGE = (
    (0.0, 0.047),
    (22.0, 0.043),
    (42.0, 0.031),
    (55.0, 0.010),
    (57.0, -0.020),
    (49.0, -0.046),
    (30.0, -0.062),
    (10.0, -0.068),
)
_HELMET_SWELL, _HOOD_SWELL = 1.16, 1.19
_BOWL = (
    Ring(0.0535, 0.0590, -0.030, -0.004),
    Ring(0.0550, 0.0625, 0.002),
    Ring(0.0550, 0.0625, 0.030),
    Ring(0.0510, 0.0580, 0.052),
    Ring(0.0410, 0.0470, 0.068),
    Ring(0.0260, 0.0300, 0.079),
    Ring(0.0060, 0.0070, 0.084),
)
_GUARD = (Ring(0.0530, 0.0590, -0.020, -0.004), Ring(0.0580, 0.0640, -0.054, -0.010))
_COWL = (
    Ring(0.0540, 0.0590, -0.030, -0.008),
    Ring(0.0570, 0.0640, 0.004, -0.003),
    Ring(0.0565, 0.0635, 0.030, -0.004),
    Ring(0.0510, 0.0610, 0.056, -0.005),
    Ring(0.0380, 0.0500, 0.075, -0.011),
    Ring(0.0160, 0.0260, 0.089, -0.030),
    Ring(0.0030, 0.0040, 0.091, -0.050),
)
_COLLAR = (
    Ring(0.0530, 0.0580, -0.030, -0.008),
    Ring(0.0465, 0.0500, -0.062, -0.010),
    Ring(0.0520, 0.0560, -0.084, -0.010),
)


def helmet(head: Head, worn: Worn, details: Details) -> list[Layer]:
    """An open helmet: a bowl with cheek pieces, a guard for the neck, a rim and a plume."""
    face = opening(head, _HELMET_EDGE, _HELMET_SWELL)
    layer = Layer(
        "head",
        worn.colour,
        [*stack(head, _BOWL), *stack(head, _GUARD)],
        depth=head.unit * 0.009,
        cut=face,
        patches=(*_rim(head, worn, face, 0.0052), *_rivets(head, worn)),
        strokes=_comb(head),
        material=worn.material,
    )
    plume = _plume(head, worn)
    return [plume, layer] if facing(head, 180.0) < 0.2 else [layer, plume]


def _rim(head: Head, worn: Worn, face: Outline | None, half: float) -> tuple[Patch, ...]:
    """A border around the opening for the face."""
    if face is None:
        return ()
    width = head.unit * head.enlarged * half
    closed = (*face, face[0])
    return (Patch(ribbon(closed, [width] * len(closed)), worn.accent),)


def _rivets(head: Head, worn: Worn) -> list[Patch]:
    ring = Ring(0.0545, 0.0605, 0.040)
    return [
        Patch(
            ellipse(on_ring(head, ring, azimuth), head.unit * 0.0035, head.unit * 0.0035, count=8),
            worn.accent,
        )
        for azimuth in (65.0, 115.0, 155.0, 205.0, 245.0, 295.0)
        if facing(head, azimuth) > 0.3
    ]


def _comb(head: Head) -> tuple[Stroke, ...]:
    """The ridge over the middle of the bowl, and the fold where it meets the guard."""
    lines = []
    for start, end in ((30.0, 90.0), (90.0, 186.0)):
        if facing(head, 0.0 if start < 90.0 else 180.0) < -0.2:
            continue
        points = []
        for step in range(9):
            angle = math.radians(start + (end - start) * step / 8)
            points.append(seen(head, 0.0, 0.008 + 0.068 * math.sin(angle), 0.058 * math.cos(angle)))
        lines.append(Stroke(smooth_line(points, 3), head.unit * 0.0020, shade=True))
    return tuple(lines)


def _plume(head: Head, worn: Worn) -> Layer:
    """A tuft from the top of the bowl that falls back."""
    path = smooth_line(
        [seen(head, 0.0, y, z) for y, z in ((0.072, 0.0), (0.096, -0.022), (0.090, -0.060), (0.052, -0.084))],
        5,
    )
    size, last = head.unit * head.enlarged, len(path) - 1
    radii = [
        size * (0.005 + 0.014 * math.sin(math.pi * (0.12 + 0.88 * index / last)) ** 0.7)
        for index in range(last + 1)
    ]
    shapes = [
        tapered(path[index], path[index + 1], (radii[index], radii[index + 1])) for index in range(last)
    ]
    return covered("head", worn.colour, worn.accent, shapes, head.unit * 0.004)


def hood_lining(head: Head, worn: Worn, details: Details) -> list[Layer]:
    """The inside of the hood, which shows beyond the face and behind the neck."""
    if head.figure.from_behind:
        return []
    shapes = stack(head, (*_COLLAR[::-1], *_COWL[1:]))
    shade = tuple(Patch(shape.outline) for shape in shapes)
    return [Layer("head", worn.colour, shapes, patches=shade)]


def hood(head: Head, worn: Worn, details: Details) -> list[Layer]:
    """A hood with a short mantle over the shoulders."""
    figure = head.figure
    face = opening(head, _HOOD_EDGE, _HOOD_SWELL)
    discs = [
        body_disc(figure, breadth, depth, down)
        for breadth, depth, down in ((0.046, 0.046, -0.16), (0.082, 0.062, 0.0), (0.098, 0.080, 0.14))
    ]
    mantle = [Shape(hull((*a, *b)), "torso") for a, b in pairwise(discs)]
    fold = [
        Stroke(
            smooth_line([disc[round(len(disc) * share)] for disc in discs[::1]], 4),
            figure.px(0.0018),
            shade=True,
        )
        for share in (0.36, 0.5, 0.64)
    ]
    seam = []
    if facing(head, 180.0) > -0.2:
        points = [
            seen(head, 0.0, y, z)
            for y, z in ((0.082, -0.048), (0.04, -0.064), (0.0, -0.066), (-0.06, -0.058))
        ]
        seam = [Stroke(smooth_line(points, 4), head.unit * 0.002, shade=True)]
    cowl = Layer(
        "head",
        worn.colour,
        [*stack(head, _COWL), *stack(head, _COLLAR)],
        depth=head.unit * 0.009,
        cut=face,
        patches=_rim(head, worn, face, 0.0048),
        strokes=seam,
        material=worn.material,
    )
    cape = Layer("head", worn.colour, mantle, depth=figure.px(0.008), strokes=fold, material=worn.material)
    return [cape, cowl]
