"""Capes, cloaks and wings: what hangs behind the shoulders. Lengths are statures."""

from __future__ import annotations

from collections.abc import Sequence

from ..character.character import Worn
from ..figure.anatomy import shoulder_outline
from ..figure.head import Head
from ..figure.physique import Figure
from ..painting.detail import Details
from ..painting.geometry import Outline, ellipse, hull, smooth, smooth_line
from ..painting.layers import Layer, Patch, Shape, Stroke
from ..poses.person import Point
from .sheet import CUTS, Sheet, faces
from .wings import wings


def behind(figure: Figure, head: Head, worn: Worn, details: Details) -> list[Layer]:
    """What shows beside and behind the body from the front and from the side."""
    if worn.kind == "wings":
        return wings(figure, worn, details)
    if worn.kind not in CUTS:
        return []
    sheet = Sheet(figure, CUTS[worn.kind], details)
    inside = sheet.inside()
    patches = [Patch(inside)] if inside else []
    return [_cloth(figure, worn, [sheet.outline()], [*patches, *sheet.folds()], 0.010)]


def in_front(figure: Figure, head: Head, worn: Worn, details: Details) -> list[Layer]:
    """What covers the back when it is seen."""
    if worn.kind == "wings":
        return wings(figure, worn, details)
    if worn.kind not in CUTS:
        return []
    sheet = Sheet(figure, CUTS[worn.kind], details)
    outlines = [sheet.outline(), shoulder_outline(figure, 0.004)]
    layer = _cloth(figure, worn, outlines, sheet.folds(), 0.016)
    return [layer, *_standing_collar(figure, worn)]


def collar(figure: Figure, head: Head, worn: Worn, details: Details) -> list[Layer]:
    """What lies on the shoulders and the chest: the front of the cape and its clasp."""
    if worn.kind not in CUTS:
        return []
    layers = []
    if worn.kind == "cloak":
        sheet = Sheet(figure, CUTS[worn.kind], details)
        panels = [panel for sign in (-1.0, 1.0) if (panel := sheet.panel(sign))]
        if panels:
            layers.append(_cloth(figure, worn, panels, sheet.folds(), 0.010))
    yokes = [_yoke(figure, sign) for sign in (-1.0, 1.0) if faces(figure, sign * 70.0) > -0.5]
    yokes += [_nape(figure, sign) for sign in (-1.0, 1.0) if faces(figure, sign * 150.0) > 0.1]
    layers.append(_cloth(figure, worn, yokes, (), 0.006))
    if faces(figure, 0.0) > -0.05:
        layers += _clasp(figure, worn)
    return layers


def _cloth(
    figure: Figure, worn: Worn, outlines: Sequence[Outline], patches: Sequence[Patch], depth: float
) -> Layer:
    return Layer(
        "cape",
        worn.colour,
        [Shape(outline, "torso") for outline in outlines],
        depth=figure.px(depth),
        patches=patches,
        material=worn.material,
    )


def _yoke(figure: Figure, sign: float) -> Outline:
    """The cloth over one shoulder, from the neck to the clasp."""

    def at(x: float, down: float, forward: float) -> Point:
        return figure.body_point(sign * x, down, forward)

    return smooth_line(
        [
            at(0.030, -0.17, -0.020),
            at(0.062, -0.165, -0.010),
            at(0.110, -0.105, 0.0),
            at(0.112, 0.12, 0.020),
            at(0.074, 0.13, 0.045),
            at(0.020, 0.115, 0.058),
            at(0.0, 0.09, 0.058),
            at(0.012, 0.03, 0.052),
            at(0.026, -0.06, 0.036),
            at(0.034, -0.13, 0.010),
            at(0.030, -0.17, -0.020),
        ],
        4,
    )


def _nape(figure: Figure, sign: float) -> Outline:
    """From the side: the cloth from one shoulder to where it hangs behind the back."""
    corners = (
        (0.030, -0.17, -0.010),
        (0.0, -0.17, -0.046),
        (0.0, -0.04, -0.074),
        (0.0, 0.16, -0.082),
        (0.090, 0.20, -0.050),
        (0.110, 0.02, 0.0),
    )
    return hull(figure.body_point(sign * x, down, forward) for x, down, forward in corners)


def _clasp(figure: Figure, worn: Worn) -> list[Layer]:
    middle = figure.body_point(0.0, 0.10, 0.060)
    half = figure.px(0.0155)
    broad = half * max(0.45, abs(figure.cos))
    outline = ellipse(middle, broad, half, figure.spine, 20)
    ring = ellipse(middle, broad * 0.55, half * 0.55, figure.spine, 20)
    return [
        Layer(
            "cape",
            worn.colour,
            [Shape(outline, "torso")],
            depth=figure.px(0.003),
            patches=(Patch(outline, worn.accent),),
            strokes=(Stroke((*ring, ring[0]), figure.px(0.0016)),),
            material="metal",
        )
    ]


def _standing_collar(figure: Figure, worn: Worn) -> list[Layer]:
    """The border around the neck from behind, in the second colour."""
    points = []
    for x, down in (
        (-0.049, -0.12),
        (-0.043, -0.185),
        (0.0, -0.17),
        (0.043, -0.185),
        (0.049, -0.12),
        (0.0, -0.095),
    ):
        points.append(figure.body_point(x, down, -0.030))
    outline = smooth(points, 4)
    return [
        Layer(
            "cape",
            worn.colour,
            [Shape(outline, "torso")],
            depth=figure.px(0.004),
            patches=(Patch(outline, worn.accent),),
            material=worn.material,
        )
    ]
