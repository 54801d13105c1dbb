"""Plate armour of the upper body."""

from __future__ import annotations

from ..character.character import Worn
from ..character.shades import shade_of
from ..figure.anatomy import limb_point, limb_width
from ..figure.physique import Figure
from ..painting.geometry import across, add, between, ellipse, smooth, smooth_line
from ..painting.layers import Layer, Patch, Shape, Stroke
from .cloth import band, cloth_layer, front_is_visible, front_line, tube
from .skirts import skirt


def cuirass(figure: Figure, worn: Worn, shapes: list[Shape]) -> list[Layer]:
    """A breastplate with a gorget, a ridge and plates below the waist."""
    strokes: list[Stroke] = []
    patches: list[Patch] = []
    if front_is_visible(figure):
        strokes.append(Stroke(front_line(figure, 0.06, 0.80), figure.px(0.0020)))
        chest = smooth_line(
            [
                figure.body_point(x, y, 0.05)
                for x, y in ((-0.082, 0.38), (-0.045, 0.48), (0.0, 0.42), (0.045, 0.48), (0.082, 0.38))
            ],
            4,
        )
        strokes.append(Stroke(chest, figure.px(0.0022)))
    else:
        strokes.append(
            Stroke(
                tuple(figure.body_point(0.0, share, -0.05) for share in (0.1, 0.4, 0.8)), figure.px(0.0020)
            )
        )
    patches.append(Patch(band(figure, 0.74, 0.84, 0.03), worn.accent, lined=True))
    rows = [
        Stroke(
            smooth_line(
                [figure.body_point(x * 0.14, share + 0.05 * (1 - x * x), 0.0) for x in (-1, -0.5, 0, 0.5, 1)],
                4,
            ),
            figure.px(0.0020),
        )
        for share in (0.90, 1.04)
    ]
    if front_is_visible(figure):
        rows.append(Stroke(front_line(figure, 0.8, 1.5), figure.px(0.0020)))
    lower = cloth_layer(
        figure, "top", worn, skirt(figure, 0.30, 0.010, 0.014).shapes, depth=0.014, strokes=tuple(rows)
    )
    main = cloth_layer(
        figure, "top", worn, shapes, depth=0.018, patches=tuple(patches), strokes=tuple(strokes)
    )
    half = figure.px(0.040)
    gorget_at = add(figure.chest, figure.spine, -figure.px(0.026))
    side = across(figure.spine)
    gorget = smooth(
        [
            add(add(gorget_at, side, half * x), figure.spine, figure.px(y))
            for x, y in (
                (-0.95, -0.016),
                (0.0, -0.008),
                (0.95, -0.016),
                (1.15, 0.026),
                (0.0, 0.046),
                (-1.15, 0.026),
            )
        ]
    )
    return [lower, main, cloth_layer(figure, "top", worn, [Shape(gorget, "torso")], depth=0.006)]


def pauldron(figure: Figure, worn: Worn, side: str) -> list[Layer]:
    """Shoulder plates, and plates on the upper arm and forearm."""
    shoulder, direction = limb_point(figure, side, "arm", 0.02)
    top = add(shoulder, figure.spine, -figure.px(0.008))
    layers = [
        # Mail shows between the plates.
        cloth_layer(
            figure,
            "top",
            worn,
            tube(figure, side, "arm", 0.0, 1.2, 0.002),
            depth=0.009,
            colour=shade_of(worn.colour),
        ),
        cloth_layer(figure, "top", worn, tube(figure, side, "arm", 0.35, 1.0, 0.005), depth=0.010),
        cloth_layer(figure, "top", worn, tube(figure, side, "arm", 1.12, 1.9, 0.006), depth=0.010),
    ]
    elbow, _ = limb_point(figure, side, "arm", 0.999)
    half = limb_width(figure, "arm", 0.999) + figure.px(0.009)
    layers.append(
        cloth_layer(
            figure, "top", worn, [Shape(ellipse(elbow, half, half * 1.1), f"{side}_upper_arm")], depth=0.007
        )
    )
    for index, reach in enumerate((0.056, 0.040)):
        centre = between(top, add(top, direction, figure.px(reach)), 0.45)
        normal = across(direction)
        wide = figure.px(0.050 - 0.006 * index)
        outline = smooth(
            [
                add(add(centre, normal, -wide * 0.92), direction, figure.px(reach * 0.55)),
                add(add(centre, normal, -wide * 0.85), direction, -figure.px(0.018)),
                add(centre, direction, -figure.px(0.040)),
                add(add(centre, normal, wide * 0.85), direction, -figure.px(0.018)),
                add(add(centre, normal, wide * 0.92), direction, figure.px(reach * 0.55)),
                add(centre, direction, figure.px(reach * 0.70)),
            ]
        )
        rim = Patch(
            ellipse(add(centre, direction, figure.px(reach * 0.72)), wide * 1.1, figure.px(0.010), direction),
            worn.accent,
            lined=True,
        )
        layers.append(
            cloth_layer(
                figure,
                "top",
                worn,
                [Shape(outline, f"{side}_upper_arm")],
                depth=0.012,
                patches=(rim,) if index == 0 else (),
            )
        )
    return layers
