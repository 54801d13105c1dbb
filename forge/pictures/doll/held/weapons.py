"""The shapes of weapons. Lengths are statures in the frame of the thing: across, and along from the grip."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..painting.geometry import ribbon, smooth_line
from ..painting.layers import Layer, Patch
from .frame import Frame, steps


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


def _spear(frame: Frame) -> list[Layer]:
    """A shaft with a leaf-shaped head, a tassel below it and a wrapped grip."""
    top = frame.reach_up
    half = ((0.006, -0.010), (0.019, 0.022), (0.012, 0.050))
    head = [(x, top + y) for x, y in half] + [(0.0, top + 0.092)] + [(-x, top + y) for x, y in half[::-1]]
    ridge = frame.line((0.0, top), (0.0, top + 0.075))
    tassel = ((-0.009, -0.012), (0.009, -0.012), (0.014, -0.046), (0.0, -0.038), (-0.014, -0.046))
    return [
        frame.main(frame.rod(-frame.reach, top, 0.0070)),
        frame.accent(frame.rod(-0.050, 0.050, 0.0080)),
        frame.accent(frame.outline(*((x, top + y) for x, y in tassel))),
        frame.main(smooth_line(frame.outline(*head), 3), depth=0.004, strokes=(ridge,)),
    ]


def _axe(frame: Frame) -> list[Layer]:
    upper = ((-0.020, 0.020), (0.012, 0.018), (0.042, 0.036), (0.078, 0.070), (0.090, 0.036))
    middle = 0.215
    outline = [(x, middle + y) for x, y in upper] + [(0.094, middle)]
    outline += [(x, middle - y) for x, y in upper[::-1]]
    edge = [(0.070, 0.060), (0.077, 0.030), (0.080, 0.0), (0.077, -0.030), (0.070, -0.060)]
    bevel = frame.line(*((x, middle + y) for x, y in edge), width=0.0022)
    return [
        frame.accent(frame.rod(-0.130, middle + 0.036, 0.0082)),
        frame.main(smooth_line(frame.outline(*outline), 2), depth=0.005, strokes=(bevel,)),
    ]


def _hammer(frame: Frame) -> list[Layer]:
    half, tall, middle, corner = 0.070, 0.039, 0.225, 0.008
    right = ((half - corner, -tall), (half, corner - tall), (half, tall - corner), (half - corner, tall))
    block = [(x, middle + y) for x, y in (*right, *((-x, -y) for x, y in right))]
    edges = (half - 0.022, 0.022 - half)
    bands = [frame.line((x, middle - tall), (x, middle + tall), width=0.0024) for x in edges]
    return [
        frame.accent(frame.rod(-0.120, middle + tall + 0.014, 0.0088)),
        frame.main(frame.outline(*block), depth=0.006, strokes=bands),
    ]


def _bow(frame: Frame) -> list[Layer]:
    """`across` points away from the string."""
    half, back = 0.290, -0.095
    curve = [(back * (y / half) ** 2 + (0.020 * (abs(y) / half) ** 8), y) for y in steps(-half, half, 24)]
    widths = [(0.0095 - 0.0052 * abs(share)) * frame.unit for share in steps(-1.0, 1.0, 24)]
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


WEAPONS: Mapping[str, Callable[[Frame], list[Layer]]] = {
    "sword": _sword,
    "dagger": _dagger,
    "spear": _spear,
    "axe": _axe,
    "hammer": _hammer,
    "bow": _bow,
}
