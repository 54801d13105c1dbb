"""Coats, jackets and cardigans, which are worn open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..character.character import Worn
from ..character.shades import mix, shade_of
from ..figure.physique import Figure
from ..painting.detail import Details
from ..painting.geometry import Outline
from ..painting.layers import Layer, Patch, Shape, Stroke
from .cloth import FOLD, arm_folds, bodice, cloth_layer, lower_part, neckline, ring, tube
from .skirts import hem_trim, skirt, skirt_folds


@dataclass(frozen=True)
class Coat:
    """The pattern of a coat: how wide it is, how far it covers the legs, and half of its opening in front."""

    widen: float
    skirt: float = 0.0
    flare: float = 0.0
    open: float = 0.030
    lapels: bool = False
    ribbed: bool = False


COATS: Mapping[str, Coat] = {
    "coat": Coat(0.016, 1.25, 0.034, 0.030, lapels=True),
    "jacket": Coat(0.014, open=0.034, ribbed=True),
    "cardigan": Coat(0.013, 0.22, 0.006, 0.034),
}


def coat_torso(figure: Figure, worn: Worn, details: Details) -> list[Layer]:
    pattern = COATS[worn.kind]
    shapes = bodice(figure, pattern.widen, end=0.80 if pattern.skirt else 1.04)
    strokes: list[Stroke] = []
    patches: list[Patch] = []
    if pattern.skirt:
        cloth = skirt(figure, pattern.skirt, pattern.widen, pattern.flare)
        shapes += cloth.shapes
        strokes += hem_trim(figure, cloth.hem, mix(worn.colour, shade_of(worn.colour), 0.6), 0.008)
        strokes += skirt_folds(figure, pattern.skirt, details, "coat", 4)
    if pattern.ribbed:
        patches.append(Patch(lower_part(figure, 1.06), mix(worn.colour, shade_of(worn.colour), 0.6)))
    if figure.cos < -0.2:
        if pattern.skirt:
            strokes.append(
                Stroke(
                    tuple(figure.body_point(0.0, share, -0.05) for share in (1.1, 1.6, 2.2, 3.0)),
                    figure.px(FOLD * 1.3),
                )
            )
        return [
            cloth_layer(
                figure,
                "outer",
                worn,
                shapes,
                depth=0.018,
                cut=neckline(figure, "crew"),
                patches=tuple(patches),
                strokes=tuple(strokes),
            )
        ]
    layers = [
        cloth_layer(
            figure,
            "outer",
            worn,
            shapes,
            depth=0.018,
            cut=_opening(figure, pattern.open),
            patches=tuple(patches),
            strokes=tuple(strokes),
        )
    ]
    if pattern.lapels:
        layers += _lapels(figure, worn, pattern.open)
    return layers


def coat_sleeve(figure: Figure, worn: Worn, side: str, details: Details) -> list[Layer]:
    pattern = COATS[worn.kind]
    cuff = Patch(
        ring(figure, side, "arm", 1.78, 1.96, 0.04),
        worn.accent if pattern.lapels else mix(worn.colour, shade_of(worn.colour), 0.6),
        lined=pattern.lapels,
    )
    shapes = tube(figure, side, "arm", 0.0, 1.95, pattern.widen * 0.85, 0.004)
    return [
        cloth_layer(
            figure,
            "outer",
            worn,
            shapes,
            depth=0.010,
            patches=(cuff,),
            strokes=arm_folds(figure, side, details),
        )
    ]


def _opening(figure: Figure, half: float) -> Outline:
    """From the neck down between the front edges of an open coat."""
    one, other = [], []
    for step in range(9):
        share = -0.16 + step * 0.42
        wide = half * (1.0 + 0.18 * max(0.0, share - 0.6)) if share > 0 else half * 1.15
        one.append(figure.body_point(wide, share, 0.050))
        other.append(figure.body_point(-wide, share, 0.050))
    if figure.in_profile:
        # Only a strip at the front edge is open.
        sign = -1.0 if figure.sin > 0 else 1.0
        edge = [figure.body_point(0.0, -0.16 + step * 0.42, 0.046) for step in range(9)]
        return (*edge, *[(x + sign * figure.px(0.3), y) for x, y in edge[::-1]])
    return (*one, *other[::-1])


def _lapels(figure: Figure, worn: Worn, half: float) -> list[Layer]:
    layers = []
    for sign in (1.0, -1.0):
        if figure.in_profile:
            continue
        outline = tuple(
            figure.body_point(sign * x, y, z)
            for x, y, z in (
                (0.042, -0.11, 0.0),
                (half * 1.05, 0.02, 0.045),
                (half * 0.98, 0.44, 0.052),
                (half + 0.026, 0.27, 0.045),
                (half + 0.017, 0.20, 0.042),
                (half + 0.034, 0.13, 0.036),
                (0.062, -0.06, 0.0),
            )
        )
        layers.append(
            cloth_layer(
                figure,
                "outer",
                worn,
                [Shape(outline, "torso")],
                depth=0.004,
                colour=mix(worn.colour, worn.accent, 0.0),
            )
        )
    return layers
