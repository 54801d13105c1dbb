"""Beards: stubble, a moustache, a goatee and a full beard, as areas on the lower face."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..character.shades import mix
from ..painting.detail import Details
from ..painting.geometry import Outline, ribbon, smooth, smooth_line
from ..painting.layers import Layer, Shape, Stroke
from ..poses.person import Point
from .head import Head

#: Upper border of a full beard on one side, as (azimuth, height in statures of an adult's head).
_FULL = (
    (0.0, -0.0485),
    (11.0, -0.0475),
    (19.0, -0.0400),
    (30.0, -0.0330),
    (46.0, -0.0300),
    (60.0, -0.0210),
    (72.0, 0.0030),
    (82.0, 0.0080),
)
#: The head's outline grown by this much bounds a full beard.
_SWELL = 1.045


def beard_layers(head: Head, details: Details) -> list[Layer]:
    """The layers of the beard under the face's own; none if the head shows its back."""
    kind = head.figure.character.beard
    if kind == "none" or not head.shows_face:
        return []
    if kind == "moustache":
        return _moustache(head)
    if kind == "goatee":
        return [*_goatee(head), *_moustache(head)]
    if kind == "stubble":
        return [_stubble(head)]
    return [_full(head, details), *_moustache(head)]


def _layer(
    head: Head, shapes: Sequence[Outline], *, clip: Outline | None, strokes: Sequence[Stroke] = ()
) -> Layer:
    hair = head.figure.character.hair_colour
    return Layer(
        "beard",
        mix(hair, (60, 40, 36), 0.10),
        [Shape(shape, "head") for shape in shapes],
        depth=head.unit * 0.006,
        clip=clip,
        strokes=strokes,
    )


def _below(head: Head, border: Sequence[Point], swell: float) -> Outline:
    """The visible area below a border on both sides of the face. `border` is that of one side."""
    scale = head.enlarged / 1.12
    both = [*((-azimuth, y) for azimuth, y in reversed(border)), *border[1:]]
    curve = smooth_line(both, 3)
    seen = [(azimuth, y * scale) for azimuth, y in curve if abs(azimuth - head.turn) < 90.0]
    if len(seen) < 2:
        return ()
    points = []
    for azimuth, y in seen:
        points.append(head.on_section(head.skull.section(y).grown(swell), azimuth, y))
    # Where the border runs out of sight, the area goes on to the edge of the head.
    first, last = points[0], points[-1]
    if seen[0][0] > both[0][0] + 4.0:
        first = head.moved(first, -0.08, 0.0)
    if seen[-1][0] < both[-1][0] - 4.0:
        last = head.moved(last, 0.08, 0.0)
    # At its back, the beard ends where the jaw turns up to the ear.
    inwards = 0.05 if head.figure.in_profile else 0.0
    low_last = head.moved(last, -inwards if head.sin > 0 else 0.0, -0.16)
    low_first = head.moved(first, inwards if head.sin < 0 else 0.0, -0.16)
    return (first, *points, last, low_last, low_first)


def _stubble(head: Head) -> Layer:
    character = head.figure.character
    colour = mix(character.skin_colour, mix(character.hair_colour, (70, 60, 74), 0.4), 0.18)
    upper = _below(head, _FULL, 1.0)
    lip = _lip_area(head)
    shapes = [Shape(outline, "head") for outline in (upper, lip) if outline]
    return Layer("beard", colour, shapes, lined=False, clip=head.outline)


def _lip_area(head: Head) -> Outline:
    """The skin between the nose and the mouth."""
    upper = [head.on_face(x, -0.0325 - abs(x) * 0.22, 0.003) for x in (-0.017, -0.008, 0.0, 0.008, 0.017)]
    lower = [
        head.on_face(x, y, 0.003)
        for x, y in ((0.019, -0.0455), (0.009, -0.0395), (-0.009, -0.0395), (-0.019, -0.0455))
    ]
    return (*upper, *lower)


def _full(head: Head, details: Details) -> Layer:
    """It reaches below the chin in locks."""
    grown = _jaw(head, details)
    lines = []
    for index, azimuth in enumerate((-52.0, -34.0, -16.0, 0.0, 16.0, 34.0, 52.0)):
        if abs(azimuth - head.turn) > 72.0:
            continue
        shift = details.number(f"beard {index}", -4.0, 4.0)
        heights = (-0.054, -0.062, -0.070) if abs(azimuth) < 20.0 else (-0.038, -0.047, -0.056)
        line = [_on_beard(head, azimuth + shift, y) for y in heights]
        lines.append(Stroke(smooth_line(line, 3), head.unit * 0.0015, shade=True))
    return _layer(head, [grown], clip=_below(head, _FULL, 1.01), strokes=lines)


def _on_beard(head: Head, azimuth: float, y: float) -> Point:
    section = head.skull.section(max(y, -0.052))
    return head.on_section(section.grown(1.02), azimuth, y)


def _jaw(head: Head, details: Details) -> Outline:
    """The lower outline of the head, grown, with the ends of locks at the chin."""
    left, right = head.skull.silhouette(head.cos, head.sin)
    scale = head.enlarged / 1.12
    middle = -0.038 * head.sin * scale
    points = []
    edge = [*left, *right[-2::-1]]
    for index, (x, y) in enumerate(edge):
        low = max(0.0, min(1.0, (-0.030 * scale - y) / (0.042 * scale)))
        out = 1.0 + (_SWELL - 1.0) * (1.0 if y < 0.01 else 0.0)
        jag = 0.003 * (index % 2) * details.number(f"beard end {index}", 0.5, 1.0) if low > 0.2 else 0.0
        points.append(head.flat(middle + (x - middle) * (out + 0.05 * low), y - (0.012 * low + jag) * scale))
    return tuple(points)


def _goatee(head: Head) -> list[Layer]:
    """A pointed beard on the chin."""
    scale = head.enlarged / 1.12

    def at(azimuth: float, y: float, swell: float) -> Point:
        section = head.skull.section(max(y, -0.058) * scale).grown(swell)
        return head.on_section(section, azimuth, y * scale)

    tip = head.at(0.0, -0.088 * scale, 0.057 * scale)
    if head.figure.in_profile:
        near = math.copysign(1.0, head.sin)
        edge = [
            at(0.0, -0.0505, 1.02),
            at(0.0, -0.0660, 1.10),
            tip,
            at(near * 58.0, -0.0740, 1.0),
            at(near * 50.0, -0.0600, 1.0),
            at(near * 16.0, -0.0510, 1.0),
        ]
    else:
        edge = [
            *(
                at(sign * azimuth, y, 1.03)
                for sign, azimuth, y in ((-1.0, 13.0, -0.0510), (1.0, 13.0, -0.0510))
            ),
            at(30.0, -0.0590, 1.03),
            at(26.0, -0.0730, 1.0),
            tip,
            at(-26.0, -0.0730, 1.0),
            at(-30.0, -0.0590, 1.03),
        ]
    return [_layer(head, [smooth(edge, 4)], clip=None)]


def _moustache(head: Head) -> list[Layer]:
    outlines = []
    for sign in (-1.0, 1.0):
        if sign * head.sin < -0.8:
            continue
        line = smooth_line(
            [
                _above_lip(head, sign * x, y)
                for x, y in ((0.0, -0.0355), (0.007, -0.0362), (0.0135, -0.0405), (0.0185, -0.0465))
            ],
            4,
        )
        last = len(line) - 1
        widths = [head.unit * 0.0042 * math.sin(math.pi * (0.30 + 0.66 * i / last)) for i in range(last + 1)]
        outlines.append(ribbon(line, widths))
    return [_layer(head, outlines, clip=None)]


def _above_lip(head: Head, x: float, y: float) -> Point:
    if not head.figure.in_profile:
        return head.on_face(x, y, 0.004)
    return head.flat(head.ahead * (head.skull.size * 0.0552 + 0.002 - abs(x) * 0.9), y)
