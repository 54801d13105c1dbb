"""Belts, sashes, and what is worn around the neck."""

from __future__ import annotations

from ..character.character import Worn
from ..figure.head import Head
from ..figure.physique import Figure
from ..painting.detail import Details
from ..painting.geometry import across, add, between, ellipse, ribbon, smooth, smooth_line
from ..painting.layers import Layer, Patch, Shape, Stroke
from .cloth import band, cloth_layer, front_is_visible


def belt(figure: Figure, worn: Worn, details: Details, over: float) -> list[Layer]:
    """A belt or sash around the waist, over clothes that are `over` statures wide."""
    wide = 0.88 if worn.kind == "belt" else 0.90
    shape = Shape(band(figure, 0.76, wide, over + 0.002), "torso")
    layers = [cloth_layer(figure, "belt", worn, [shape], depth=0.004)]
    if not front_is_visible(figure):
        return layers
    centre = figure.body_point(0.0, (0.76 + wide) / 2, 0.058)
    if worn.kind == "belt":
        half = figure.px(0.015)
        buckle = (
            add(add(centre, (1.0, 0.0), half), (0.0, 1.0), half * 0.9),
            add(add(centre, (1.0, 0.0), half), (0.0, 1.0), -half * 0.9),
            add(add(centre, (1.0, 0.0), -half), (0.0, 1.0), -half * 0.9),
            add(add(centre, (1.0, 0.0), -half), (0.0, 1.0), half * 0.9),
        )
        hole = Patch(ellipse(centre, half * 0.5, half * 0.45, count=12), worn.colour, lined=True)
        return [
            *layers,
            cloth_layer(
                figure,
                "belt",
                worn,
                [Shape(buckle, "torso")],
                depth=0.003,
                colour=worn.accent,
                patches=(hole,),
            ),
        ]
    knot = add(centre, across(figure.spine), figure.px(0.03))
    tails = []
    for index in range(2):
        swing = details.number(f"sash {index}", -0.02, 0.02)
        line = smooth_line(
            [
                knot,
                add(add(knot, figure.spine, figure.px(0.06)), (1.0, 0.0), figure.px(0.008 + swing / 2)),
                add(
                    add(knot, figure.spine, figure.px(0.13 + 0.02 * index)),
                    (1.0, 0.0),
                    figure.px(0.012 + swing),
                ),
            ],
            5,
        )
        tails.append(
            Shape(
                ribbon(line, [figure.px(0.007 + 0.006 * step / len(line)) for step in range(len(line))]),
                "torso",
            )
        )
    return [
        *layers,
        cloth_layer(
            figure,
            "belt",
            worn,
            [*tails, Shape(ellipse(knot, figure.px(0.012), figure.px(0.012)), "torso")],
            depth=0.003,
        ),
    ]


def neckwear(figure: Figure, head: Head, worn: Worn, details: Details) -> list[Layer]:
    """A scarf, a necklace or a tie."""
    if worn.kind == "scarf":
        return _scarf(figure, head, worn, details)
    if worn.kind == "tie":
        return _tie(figure, worn)
    return _necklace(figure, worn)


def _scarf(figure: Figure, head: Head, worn: Worn, details: Details) -> list[Layer]:
    base = between(head.base, figure.chest, 0.62)
    half = figure.px(0.056) * (0.85 if figure.in_profile else 1.0)
    side = across(figure.spine)
    roll = smooth(
        [
            add(add(base, side, half * x), figure.spine, figure.px(y))
            for x, y in (
                (-1.0, -0.012),
                (-0.4, -0.020),
                (0.4, -0.020),
                (1.0, -0.012),
                (1.05, 0.012),
                (0.45, 0.030),
                (-0.45, 0.030),
                (-1.05, 0.012),
            )
        ]
    )
    folds = tuple(
        Stroke(
            tuple(
                add(add(base, side, half * x), figure.spine, figure.px(y + 0.012 * (1 - x * x)))
                for x in (-0.9, -0.3, 0.3, 0.9)
            ),
            figure.px(0.0018),
            shade=True,
        )
        for y in (-0.008, 0.004)
    )
    roll_layer = cloth_layer(figure, "neck", worn, [Shape(roll, "neck")], depth=0.008, strokes=folds)
    if figure.from_behind:
        return [roll_layer]
    root = figure.body_point(0.030, 0.02, 0.045)
    swing = details.number("scarf", -0.012, 0.012)
    line = smooth_line(
        [
            root,
            figure.body_point(0.036, 0.3, 0.062),
            add(figure.body_point(0.034, 0.62, 0.062), (1.0, 0.0), figure.px(swing)),
        ],
        6,
    )
    tail = ribbon(line, [figure.px(0.016 + 0.004 * step / len(line)) for step in range(len(line))])
    end = Patch(
        tuple(add(line[-4], d, figure.px(0.05)) for d in ((1.0, 0.0), (1.0, 1.0), (-1.0, 1.0), (-1.0, 0.0))),
        worn.accent,
        lined=True,
    )
    return [
        cloth_layer(figure, "neck", worn, [Shape(tail, "torso")], depth=0.006, patches=(end,)),
        roll_layer,
    ]


def _tie(figure: Figure, worn: Worn) -> list[Layer]:
    if not front_is_visible(figure):
        return []
    knot = figure.body_point(0.0, 0.02, 0.050)
    points = [
        (-0.008, 0.0),
        (0.008, 0.0),
        (0.006, 0.020),
        (0.016, 0.150),
        (0.0, 0.172),
        (-0.016, 0.150),
        (-0.006, 0.020),
    ]
    side = across(figure.spine)
    narrow = max(0.35, figure.cos)
    outline = tuple(
        add(add(knot, side, figure.px(x * narrow)), figure.spine, figure.px(y)) for x, y in points
    )
    stripe = Stroke(
        (outline[3], add(outline[6], figure.spine, figure.px(0.05))), figure.px(0.006), worn.accent
    )
    return [cloth_layer(figure, "neck", worn, [Shape(outline, "torso")], depth=0.004, strokes=(stripe,))]


def _necklace(figure: Figure, worn: Worn) -> list[Layer]:
    if figure.cos < -0.1:
        return []
    line = smooth_line(
        [
            figure.body_point(x, y, z)
            for x, y, z in (
                (-0.036, -0.06, 0.01),
                (-0.028, 0.08, 0.042),
                (0.0, 0.17, 0.052),
                (0.028, 0.08, 0.042),
                (0.036, -0.06, 0.01),
            )
        ],
        5,
    )
    chain = Shape(ribbon(line, [figure.px(0.0022)] * len(line)), "torso")
    pendant = Shape(
        ellipse(figure.body_point(0.0, 0.19, 0.053), figure.px(0.0085), figure.px(0.0105)), "torso"
    )
    return [
        cloth_layer(figure, "neck", worn, [chain], depth=0.0),
        cloth_layer(figure, "neck", worn, [pendant], depth=0.003, colour=worn.accent),
    ]
