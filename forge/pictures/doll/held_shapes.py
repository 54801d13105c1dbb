"""The shapes of things that are held, each in a frame of its own: lengths in statures, `along` from the grip
to the end that matters, `across` to the side that it shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .character import Worn
from .colours import light_of
from .description import Colour
from .geometry import Outline, ellipse, ribbon, smooth, smooth_line, tapered
from .layers import Layer, Patch, Shape, Stroke
from .person import Point

_PAPER: Colour = (246, 238, 216)


@dataclass(frozen=True)
class Frame:
    """Where a thing is: `grip` in pixels, directions of length 1, and pixels per stature. `stretch` is how
    long it looks, and `swell` how broad, as it may be turned to the viewer or away. `reach` and `reach_up` are how far
    it goes from the grip the other way and along, in statures."""

    part: str
    worn: Worn
    grip: Point
    along: Point
    across: Point
    unit: float
    stretch: float = 1.0
    swell: float = 1.0
    reach: float = 0.0
    reach_up: float = 0.0

    def at(self, x: float, y: float) -> Point:
        right, far = x * self.swell * self.unit, y * self.stretch * self.unit
        return (
            self.grip[0] + self.across[0] * right + self.along[0] * far,
            self.grip[1] + self.across[1] * right + self.along[1] * far,
        )

    def outline(self, *points: Point) -> Outline:
        return tuple(self.at(*point) for point in points)

    def disc(self, x: float, y: float, radius: float) -> Outline:
        return ellipse(self.at(x, y), radius * self.unit, radius * self.unit, self.along, 16)

    def rod(self, start: float, end: float, half: float) -> Outline:
        return tapered(self.at(0.0, start), self.at(0.0, end), (half * self.unit, half * self.unit))

    def bar(self, start: Point, end: Point, half: float) -> Outline:
        return tapered(self.at(*start), self.at(*end), (half * self.unit, half * self.unit))

    def line(self, *points: Point, width: float = 0.0018, colour: Colour | None = None) -> Stroke:
        return Stroke(self.outline(*points), width * self.unit, colour, shade=colour is None)

    def main(
        self,
        *outlines: Outline,
        depth: float = 0.003,
        strokes: Sequence[Stroke] = (),
        patches: Sequence[Patch] = (),
        lined: bool = True,
    ) -> Layer:
        return Layer(
            self.part,
            self.worn.colour,
            [Shape(outline) for outline in outlines],
            depth=depth * self.unit,
            strokes=strokes,
            patches=patches,
            lined=lined,
            material=self.worn.material,
        )

    def accent(self, *outlines: Outline, depth: float = 0.0025) -> Layer:
        """In the second colour: patches cover a layer of the main one."""
        patches = [Patch(outline, self.worn.accent) for outline in outlines]
        return self.main(*outlines, depth=depth, patches=patches)


def _sword(frame: Frame, length: float = 0.405, half: float = 0.0125) -> list[Layer]:
    tip, guard = length, 0.030
    blade = frame.outline(
        (-half, guard),
        (half, guard),
        (half * 0.92, tip - half * 3),
        (0.0, tip),
        (-half * 0.92, tip - half * 3),
    )
    fuller = frame.line((0.0, guard), (0.0, tip - half * 4.5), width=0.0030)
    wide = half * 3.4
    return [
        frame.main(blade, depth=half * 0.5, strokes=(fuller,)),
        frame.accent(frame.rod(-0.034, guard, 0.0062)),
        frame.accent(
            smooth_line(
                frame.outline(
                    (-wide, guard + 0.010),
                    (-wide * 0.5, guard - 0.004),
                    (0.0, guard - 0.006),
                    (wide * 0.5, guard - 0.004),
                    (wide, guard + 0.010),
                    (wide * 0.9, guard + 0.016),
                    (wide * 0.4, guard + 0.007),
                    (0.0, guard + 0.007),
                    (-wide * 0.4, guard + 0.007),
                    (-wide * 0.9, guard + 0.016),
                ),
                2,
            ),
            frame.disc(0.0, -0.038, 0.0105),
        ),
    ]


def _dagger(frame: Frame) -> list[Layer]:
    return _sword(frame, 0.185, 0.0115)


def _staff(frame: Frame) -> list[Layer]:
    """A gnarled staff whose head holds a gem."""
    top = frame.reach_up
    shaft = [(0.004 * math.sin(9.0 * y), y) for y in _steps(-frame.reach, top, 14)]
    widths = [(0.0078 + 0.0026 * share) * frame.unit for share in _steps(0.0, 1.0, len(shaft) - 1)]
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
    thick = [(0.0098 - 0.0060 * share) * frame.unit for share in _steps(0.0, 1.0, len(curl) - 1)]
    gem = frame.disc(start + 0.003, top + 0.030, 0.0165)
    return [
        frame.accent(gem, depth=0.005),
        frame.main(wood, ribbon(curl, thick), depth=0.004, strokes=_grain(frame, top)),
    ]


def _grain(frame: Frame, top: float) -> list[Stroke]:
    return [
        frame.line((0.002, y), (-0.001, y + 0.04), width=0.0016)
        for y in _steps(-frame.reach + 0.06, top - 0.1, 5)
    ]


def _spear(frame: Frame) -> list[Layer]:
    top = frame.reach_up
    head = frame.outline(
        (-0.006, top - 0.010),
        (-0.019, top + 0.022),
        (-0.012, top + 0.050),
        (0.0, top + 0.092),
        (0.012, top + 0.050),
        (0.019, top + 0.022),
        (0.006, top - 0.010),
    )
    tassel = frame.outline(
        (-0.009, top - 0.012),
        (0.009, top - 0.012),
        (0.014, top - 0.046),
        (0.0, top - 0.038),
        (-0.014, top - 0.046),
    )
    blade = frame.accent(smooth_line(head, 3), depth=0.004)
    return [
        frame.main(frame.rod(-frame.reach, top, 0.0070), depth=0.0035),
        frame.accent(tassel),
        blade,
    ]


def _axe(frame: Frame) -> list[Layer]:
    head = smooth_line(
        frame.outline(
            (-0.020, 0.236),
            (-0.020, 0.276),
            (0.012, 0.274),
            (0.042, 0.292),
            (0.078, 0.322),
            (0.090, 0.286),
            (0.094, 0.250),
            (0.090, 0.214),
            (0.078, 0.178),
            (0.042, 0.222),
            (0.012, 0.236),
            (-0.020, 0.236),
        ),
        2,
    )
    edge = frame.line(
        (0.070, 0.312), (0.077, 0.280), (0.080, 0.250), (0.077, 0.220), (0.070, 0.190), width=0.0022
    )
    return [
        frame.accent(frame.rod(-0.110, 0.292, 0.0082)),
        frame.main(head, depth=0.005, strokes=(edge,)),
    ]


def _hammer(frame: Frame) -> list[Layer]:
    half = 0.070
    block = frame.outline(
        (-half, 0.214),
        (-half + 0.008, 0.206),
        (half - 0.008, 0.206),
        (half, 0.214),
        (half, 0.276),
        (half - 0.008, 0.284),
        (-half + 0.008, 0.284),
        (-half, 0.276),
    )
    bands = [frame.line((x, 0.206), (x, 0.284), width=0.0024) for x in (-half + 0.022, half - 0.022)]
    return [
        frame.accent(frame.rod(-0.110, 0.298, 0.0088)),
        frame.main(block, depth=0.006, strokes=bands),
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


def _bow(frame: Frame) -> list[Layer]:
    """`across` points away from the string."""
    half, back = 0.290, -0.095
    curve = [(back * (y / half) ** 2 + (0.020 * (abs(y) / half) ** 8), y) for y in _steps(-half, half, 24)]
    widths = [(0.0095 - 0.0052 * abs(share)) * frame.unit for share in _steps(-1.0, 1.0, 24)]
    string = ribbon((frame.at(*curve[0]), frame.at(*curve[-1])), [0.0013 * frame.unit] * 2)
    wrap = frame.outline((-0.011, -0.030), (0.011, -0.030), (0.011, 0.030), (-0.011, 0.030))
    return [
        frame.main(string, depth=0.0, lined=False),
        frame.main(
            ribbon(frame.outline(*curve), widths),
            depth=0.003,
            patches=(Patch(wrap, frame.worn.accent, lined=True),),
        ),
    ]


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
    half, tall, thick = 0.042, 0.058, 0.026
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


def _steps(start: float, end: float, count: int) -> list[float]:
    return [start + (end - start) * step / count for step in range(count + 1)]


def _spread(values: Sequence[float], times: int) -> list[float]:
    """The widths for a curve with `times` points for each of its points."""
    return [value for value in values[:-1] for _ in range(times)] + [values[-1]]


Craft = Callable[[Frame], list[Layer]]

SHAPES: Mapping[str, Craft] = {
    "sword": _sword,
    "dagger": _dagger,
    "staff": _staff,
    "spear": _spear,
    "axe": _axe,
    "hammer": _hammer,
    "wand": _wand,
    "bow": _bow,
    "lantern": _lantern,
    "shield": _shield,
    "back of shield": _back_of_shield,
    "book": _book,
}
