"""The outlines of feet, and where they are."""

from __future__ import annotations

from dataclasses import dataclass

from ..painting.geometry import (
    across,
    add,
    smooth,
    unit_vector,
)
from ..painting.layers import Shape
from ..poses.person import Point
from .physique import Figure


@dataclass(frozen=True)
class Foot:
    """Where a foot is: the middle of its sole below the ankle, and its directions. `toe` has the length of
    the visible foot, in pixels, in front of the ankle; `heel` behind it."""

    ankle: Point
    down: Point
    ahead: Point
    toe: float
    heel: float
    spread: float


def foot_of(figure: Figure, side: str) -> Foot:
    knee, ankle = figure.limb(side, "knee", "ankle")
    down = unit_vector(knee, ankle)
    ahead = across(down)  # to the picture's right of a hanging leg
    if figure.sin > 0:
        ahead = (-ahead[0], -ahead[1])
    outward = 1.0 if side == "left" else -1.0
    # Feet point a little outwards: the turn of each foot is its own.
    visible = abs(figure.sin) if figure.near else 0.0
    return Foot(
        ankle, down, ahead, figure.px(0.118 * visible), figure.px(0.030 * visible), outward * figure.cos
    )


def foot_shapes(figure: Figure, side: str, widen: float = 0.0, sole: float = 0.0) -> list[Shape]:
    """A foot. `sole` is the thickness of a shoe's sole, in statures."""
    foot = foot_of(figure, side)
    px, limb = figure.px, f"{side}_foot"
    height = px(0.039 + sole)
    side_way = across(foot.down)
    if foot.toe > px(0.05):
        half = px(0.024 + widen)

        def at(x: float, y: float) -> Point:
            return add(add(foot.ankle, foot.ahead, x), foot.down, y)

        outline = smooth(
            (
                at(-half, -px(0.012)),
                at(-foot.heel - px(widen), height * 0.5),
                at(-foot.heel * 1.05 - px(widen), height),
                at(foot.toe * 0.3, height),
                at(foot.toe * 0.8, height + px(0.002)),
                at(foot.toe + px(widen), height * 0.94),
                at(foot.toe * 0.97 + px(widen), height * 0.62 - px(widen)),
                at(foot.toe * 0.6, height * 0.3 - px(widen)),
                at(half, -px(0.012)),
            )
        )
        return [Shape(outline, limb)]
    # Towards the viewer or away: seen from a little above, the toes are lower than the heel.
    away = figure.cos < 0
    length = px(0.030 if away else 0.050) + height * 0.45
    half, toes = px(0.022 + widen), px(0.033 + widen)
    lean = foot.spread * px(0.012)

    def down_at(x: float, y: float) -> Point:
        return add(add(foot.ankle, side_way, x), foot.down, y)

    outline = smooth(
        (
            down_at(-half, -px(0.014)),
            down_at(-half * 1.05, length * 0.3),
            down_at(-toes + lean, length * 0.72),
            down_at(-toes * 0.72 + lean * 1.2, length),
            down_at(toes * 0.72 + lean * 1.2, length),
            down_at(toes + lean, length * 0.72),
            down_at(half * 1.05, length * 0.3),
            down_at(half, -px(0.014)),
        )
    )
    return [Shape(outline, limb)]
