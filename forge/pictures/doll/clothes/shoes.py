"""Shoes, boots, gloves and gauntlets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..character.character import Worn
from ..character.shades import mix
from ..figure.feet import foot_of, foot_shapes
from ..figure.hands import finger_lines, hand_shapes
from ..figure.physique import Figure
from ..painting.geometry import Outline, across, add
from ..painting.layers import Layer, Patch, Shape, Stroke
from .cloth import cloth_layer, ring, tube


@dataclass(frozen=True)
class Shoe:
    """The pattern of a shoe: where its shaft begins on the leg (2 is the ankle), and its sole's thickness."""

    shaft: float
    sole: float = 0.005
    widen: float = 0.003


SHOES: Mapping[str, Shoe] = {
    "shoes": Shoe(1.97, 0.004),
    "sneakers": Shoe(1.95, 0.007, 0.005),
    "boots": Shoe(1.60, 0.007, 0.004),
    "highboots": Shoe(1.10, 0.007, 0.004),
    "sandals": Shoe(2.0, 0.005, 0.001),
    "sabatons": Shoe(1.72, 0.005, 0.005),
}


def shoe(figure: Figure, worn: Worn, side: str) -> list[Layer]:
    pattern = SHOES[worn.kind]
    if worn.kind == "sandals":
        return _sandal(figure, worn, side)
    shapes = foot_shapes(figure, side, pattern.widen, pattern.sole)
    if pattern.shaft < 1.98:
        shapes = [*tube(figure, side, "leg", pattern.shaft, 1.999, pattern.widen + 0.003, 0.001), *shapes]
    sole_colour = (242, 238, 230) if worn.kind == "sneakers" else mix(worn.colour, (30, 22, 24), 0.55)
    patches = [Patch(_sole(figure, side), sole_colour, lined=True)]
    strokes: list[Stroke] = []
    if worn.kind in ("boots", "highboots"):
        patches.append(
            Patch(
                ring(figure, side, "leg", pattern.shaft, pattern.shaft + 0.10, 0.03), worn.accent, lined=True
            )
        )
    if worn.kind == "sneakers":
        strokes += _laces(figure, side, (245, 243, 238))
    if worn.kind == "sabatons":
        strokes += _laces(figure, side, None)
    return [
        cloth_layer(figure, "feet", worn, shapes, depth=0.008, patches=tuple(patches), strokes=tuple(strokes))
    ]


def gloves(figure: Figure, worn: Worn, side: str) -> list[Layer]:
    """The hand in a glove, with its cuff."""
    metal = worn.kind == "gauntlets"
    hand = hand_shapes(figure, side, 0.003)
    fingers = tuple(Stroke(line, figure.px(0.0014)) for line in finger_lines(figure, side))
    cuff = tube(figure, side, "arm", 1.55 if metal else 1.82, 1.999, 0.006, -0.002 if metal else 0.0)
    rim = Patch(
        ring(figure, side, "arm", 1.55 if metal else 1.82, 1.64 if metal else 1.87, 0.03),
        worn.accent,
        lined=True,
    )
    return [
        cloth_layer(figure, "hands", worn, hand, depth=0.004, strokes=fingers),
        cloth_layer(figure, "hands", worn, cuff, depth=0.008, patches=(rim,)),
    ]


def _sole(figure: Figure, side: str) -> Outline:
    """The lowest part of the foot."""
    foot = foot_of(figure, side)
    normal = across(foot.down)
    if foot.toe > figure.px(0.05):
        low = add(foot.ankle, foot.down, figure.px(0.039))
    else:
        low = add(foot.ankle, foot.down, figure.px(0.030 if figure.cos < 0 else 0.050) + figure.px(0.0175))
        low = add(low, foot.down, -figure.px(0.006))
    wide, deep = figure.px(0.2), figure.px(0.1)
    return (
        add(low, normal, wide),
        add(low, normal, -wide),
        add(add(low, normal, -wide), foot.down, deep),
        add(add(low, normal, wide), foot.down, deep),
    )


def _laces(figure: Figure, side: str, colour: tuple[int, int, int] | None) -> list[Stroke]:
    foot = foot_of(figure, side)
    normal = across(foot.down)
    strokes = []
    for index in range(3):
        if foot.toe > figure.px(0.05):
            ahead = foot.toe * (0.30 + 0.17 * index)
            start = add(add(foot.ankle, foot.ahead, ahead), foot.down, figure.px(0.006 + 0.006 * index))
            end = add(
                add(foot.ankle, foot.ahead, ahead - figure.px(0.012)),
                foot.down,
                figure.px(0.022 + 0.004 * index),
            )
        elif figure.cos > 0:
            centre = add(foot.ankle, foot.down, figure.px(0.016 + 0.010 * index))
            start, end = add(centre, normal, figure.px(0.012)), add(centre, normal, -figure.px(0.012))
        else:
            continue
        strokes.append(Stroke((start, end), figure.px(0.0026), colour))
    return strokes


def _sandal(figure: Figure, worn: Worn, side: str) -> list[Layer]:
    """A sole and straps over the bare foot."""
    foot = foot_shapes(figure, side, 0.001, 0.004)
    strap_at = foot_of(figure, side)
    normal = across(strap_at.down)
    straps: list[Shape] = []
    half = figure.px(0.004)
    profile = strap_at.toe > figure.px(0.05)
    for index in range(2):
        if profile:
            centre = add(strap_at.ankle, strap_at.ahead, strap_at.toe * (0.28 + 0.36 * index))
            direction, length = (strap_at.down[0], strap_at.down[1]), figure.px(0.045)
            width = strap_at.ahead
        else:
            centre = add(
                add(strap_at.ankle, strap_at.down, figure.px(0.012 + 0.026 * index)), normal, -figure.px(0.04)
            )
            direction, length, width = normal, figure.px(0.08), strap_at.down
        end = add(centre, direction, length)
        straps.append(
            Shape(
                (
                    add(centre, width, half),
                    add(end, width, half),
                    add(end, width, -half),
                    add(centre, width, -half),
                ),
                f"{side}_foot",
            )
        )
    ankle = Shape(ring(figure, side, "leg", 1.93, 1.97, 0.001), f"{side}_shank")
    sole = Shape(_sole(figure, side), f"{side}_foot")
    outline = foot[0].outline
    return [
        cloth_layer(figure, "feet", worn, [*straps, sole], depth=0.0, clip=outline),
        cloth_layer(figure, "feet", worn, [ankle], depth=0.0),
    ]
