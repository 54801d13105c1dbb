"""The shapes of things that are held, other than weapons. Lengths are statures in the frame of the thing:
across, and along from the grip."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from ..character.description import Colour
from ..character.shades import light_of
from ..painting.geometry import Outline, ellipse, ribbon, smooth, smooth_line, tapered
from ..painting.layers import Layer, Patch, Stroke
from .frame import Frame, steps
from .weapons import WEAPONS

_PAPER: Colour = (246, 238, 216)


def _staff(frame: Frame) -> list[Layer]:
    """A gnarled staff whose head holds a gem."""
    top = frame.reach_up
    shaft = [(0.004 * math.sin(9.0 * y), y) for y in steps(-frame.reach, top, 14)]
    widths = [(0.0078 + 0.0026 * share) * frame.unit for share in steps(0.0, 1.0, len(shaft) - 1)]
    wood = ribbon(smooth_line(frame.outline(*shaft), 2), _spread(widths, 2))
    start = shaft[-1][0]
    hook = frame.outline(
        (start, top - 0.012),
        (start - 0.024, top + 0.012),
        (start - 0.020, top + 0.052),
        (start + 0.010, top + 0.064),
        (start + 0.030, top + 0.044),
        (start + 0.026, top + 0.026),
    )
    curl = smooth_line(hook, 5)
    thick = [(0.0098 - 0.0060 * share) * frame.unit for share in steps(0.0, 1.0, len(curl) - 1)]
    gem = frame.disc(start + 0.003, top + 0.030, 0.0165)
    return [
        frame.accent(gem, depth=0.005),
        frame.main(wood, ribbon(curl, thick), depth=0.004, strokes=_grain(frame, top)),
    ]


def _grain(frame: Frame, top: float) -> list[Stroke]:
    return [
        frame.line((0.002, y), (-0.001, y + 0.04), width=0.0016)
        for y in steps(-frame.reach + 0.06, top - 0.1, 5)
    ]


def _wand(frame: Frame) -> list[Layer]:
    stick = tapered(frame.at(0.0, -0.035), frame.at(0.0, 0.200), (0.0066 * frame.unit, 0.0040 * frame.unit))
    star = []
    for index in range(10):
        angle, radius = math.pi * index / 5, 0.0195 if index % 2 == 0 else 0.0085
        star.append(
            (radius * math.sin(angle) / frame.swell, 0.212 + radius * math.cos(angle) / frame.stretch)
        )
    return [frame.main(stick, depth=0.002), frame.accent(frame.outline(*star))]


def _lantern(frame: Frame) -> list[Layer]:
    """It hangs from its ring."""
    ring = ellipse(frame.at(0.0, 0.022), 0.021 * frame.unit, 0.026 * frame.unit, frame.along)
    handle = ribbon((*ring, ring[0], ring[1]), [0.0028 * frame.unit] * (len(ring) + 2))
    cap = frame.outline((-0.010, 0.046), (0.010, 0.046), (0.037, 0.072), (-0.037, 0.072))
    base = frame.outline((-0.034, 0.134), (0.034, 0.134), (0.039, 0.153), (-0.039, 0.153))
    walls = frame.outline((-0.030, 0.070), (0.030, 0.070), (0.033, 0.136), (-0.033, 0.136))
    panes = [
        Patch(
            frame.outline((x, 0.078), (x + wide, 0.078), (x + wide, 0.129), (x, 0.129)),
            frame.worn.accent,
            lined=True,
        )
        for x, wide in ((-0.0245, 0.0125), (-0.0065, 0.013), (0.012, 0.0125))
    ]
    flame = smooth(frame.outline((0.0, 0.088), (0.0045, 0.108), (0.0, 0.120), (-0.0045, 0.108)), 4)
    glow = Patch(flame, light_of(light_of(frame.worn.accent)))
    return [frame.main(handle), frame.main(walls, patches=(*panes, glow)), frame.main(cap, base, depth=0.004)]


def _shield(frame: Frame) -> list[Layer]:
    """Its front, with a border and a cross."""
    field = _shield_outline(frame)
    border = ribbon((*field, field[0]), [0.0085 * frame.unit] * (len(field) + 1))
    cross = [
        Patch(frame.outline(*corners), frame.worn.accent)
        for corners in (
            ((-0.0125, -0.140), (0.0125, -0.140), (0.0125, 0.190), (-0.0125, 0.190)),
            ((-0.120, -0.052), (0.120, -0.052), (0.120, -0.027), (-0.120, -0.027)),
        )
    ]
    patches = (*cross, Patch(border, frame.worn.accent))
    return [frame.main(field, depth=0.008, patches=patches)]


def _back_of_shield(frame: Frame) -> list[Layer]:
    """Its back, with the straps for the forearm."""
    field = _shield_outline(frame)
    border = ribbon((*field, field[0]), [0.0065 * frame.unit] * (len(field) + 1))
    planks = [frame.line((x, -0.14), (x, 0.16), width=0.0018) for x in (-0.062, 0.0, 0.062)]
    return [frame.main(field, depth=0.012, strokes=planks, patches=(Patch(border, frame.worn.accent),))]


def _shield_outline(frame: Frame) -> Outline:
    right = (
        (0.0, -0.143),
        (0.060, -0.136),
        (0.112, -0.128),
        (0.114, -0.04),
        (0.106, 0.050),
        (0.078, 0.125),
        (0.036, 0.173),
    )
    left = [(-x, y) for x, y in right[:0:-1]]
    curve = smooth_line([(0.112, -0.128), *right[3:], (0.0, 0.196), *left[:4], (-0.112, -0.128)], 4)
    return frame.outline(
        *smooth_line([(-0.112, -0.128), (-0.06, -0.136), (0.0, -0.143), (0.06, -0.136), (0.112, -0.128)], 2),
        *curve[1:-1],
    )


def _book(frame: Frame) -> list[Layer]:
    """Its cover; `swell` says how much of it is seen, the rest shows the edges of the pages."""
    half, tall, thick = 0.042, 0.058, 0.018
    edge = thick * math.sqrt(max(0.0, 1.0 - frame.swell**2)) / frame.swell
    whole = frame.outline((-half, -tall), (half + edge, -tall), (half + edge, tall), (-half, tall))
    pages = frame.outline(
        (half, -tall + 0.006),
        (half + edge * 0.9, -tall + 0.006),
        (half + edge * 0.9, tall - 0.006),
        (half, tall - 0.006),
    )
    spine = frame.line((-half + 0.012, -tall), (-half + 0.012, tall), width=0.0020)
    leaves = frame.line((half + edge * 0.45, -tall + 0.006), (half + edge * 0.45, tall - 0.006), width=0.0012)
    gem = frame.outline((0.006, -0.020), (0.022, 0.0), (0.006, 0.020), (-0.010, 0.0))
    corners = [
        Patch(
            frame.outline((half, y), (half - 0.016, y), (half, y - math.copysign(0.016, y))),
            frame.worn.accent,
        )
        for y in (-tall, tall)
    ]
    patches = (Patch(pages, _PAPER, lined=True), *corners, Patch(gem, frame.worn.accent, lined=True))
    return [frame.main(whole, depth=0.004, patches=patches, strokes=(spine, leaves))]


def _spread(values: Sequence[float], times: int) -> list[float]:
    """The widths for a curve with `times` points for each of its points."""
    return [value for value in values[:-1] for _ in range(times)] + [values[-1]]


Craft = Callable[[Frame], list[Layer]]

SHAPES: Mapping[str, Craft] = {
    **WEAPONS,
    "staff": _staff,
    "wand": _wand,
    "lantern": _lantern,
    "shield": _shield,
    "back of shield": _back_of_shield,
    "book": _book,
}
