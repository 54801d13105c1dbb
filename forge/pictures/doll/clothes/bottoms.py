"""Trousers, skirts and leg armour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..character.character import Worn
from ..character.shades import mix, shade_of
from ..figure.anatomy import limb_point, limb_width, pelvis_outline
from ..figure.physique import Figure
from ..painting.detail import Details
from ..painting.geometry import ellipse
from ..painting.layers import Layer, Patch, Shape, Stroke
from .cloth import FOLD, band, bodice, cloth_layer, front_is_visible, front_line, knee_folds, ring, tube
from .skirts import hem_trim, skirt, skirt_folds


@dataclass(frozen=True)
class Bottom:
    """The pattern of trousers or a skirt: how far it covers the legs, and how wide it is."""

    end: float
    widen: float
    flare: float = 0.0
    skirt: bool = False


BOTTOMS: Mapping[str, Bottom] = {
    "trousers": Bottom(1.95, 0.006, 0.006),
    "shorts": Bottom(0.72, 0.008, 0.010),
    "leggings": Bottom(1.9, 0.0015),
    "skirt": Bottom(0.78, 0.006, 0.050, skirt=True),
    "longskirt": Bottom(1.86, 0.006, 0.055, skirt=True),
    "platelegs": Bottom(1.92, 0.006),
}


def bottom_leg(figure: Figure, worn: Worn, side: str, details: Details) -> list[Layer]:
    """One leg of trousers or of armour; skirts have none."""
    pattern = BOTTOMS[worn.kind]
    if pattern.skirt:
        return []
    shapes = tube(figure, side, "leg", 0.0, pattern.end, pattern.widen, pattern.flare)
    patches: list[Patch] = []
    strokes = list(knee_folds(figure, side, details)) if worn.kind in ("trousers", "leggings") else []
    if worn.material == "denim":
        patches.append(
            Patch(
                ring(figure, side, "leg", pattern.end - 0.08, pattern.end, 0.03),
                mix(worn.colour, (255, 255, 255), 0.35),
                lined=True,
            )
        )
    layers = [
        cloth_layer(
            figure, "bottom", worn, shapes, depth=0.014, patches=tuple(patches), strokes=tuple(strokes)
        )
    ]
    if worn.kind == "platelegs":
        knee, direction = limb_point(figure, side, "leg", 0.999)
        half = limb_width(figure, "leg", 0.999) + figure.px(0.010)
        guard = Shape(ellipse(knee, half, half * 1.15, direction), f"{side}_thigh")
        rim = Patch(ellipse(knee, half * 0.42, half * 0.5, direction), worn.accent, lined=True)
        layers.append(cloth_layer(figure, "bottom", worn, [guard], depth=0.009, patches=(rim,)))
    return layers


def bottom_torso(figure: Figure, worn: Worn, details: Details) -> list[Layer]:
    """The part around the hips, and all of a skirt."""
    pattern = BOTTOMS[worn.kind]
    waist = Patch(band(figure, 0.70, 0.83, 0.03), mix(worn.colour, shade_of(worn.colour), 0.5), lined=True)
    if pattern.skirt:
        cloth = skirt(figure, pattern.end, pattern.widen, pattern.flare, 0.72)
        strokes = [
            *skirt_folds(figure, pattern.end, details, "skirt", 6),
            *hem_trim(figure, cloth.hem, worn.accent, 0.010),
        ]
        return [
            cloth_layer(
                figure, "bottom", worn, cloth.shapes, depth=0.020, patches=(waist,), strokes=tuple(strokes)
            )
        ]
    shapes = [
        Shape(pelvis_outline(figure, pattern.widen), "torso"),
        *bodice(figure, pattern.widen, 0.72, 1.04, shoulders=False),
    ]
    strokes = []
    if front_is_visible(figure) and worn.kind != "platelegs":
        strokes.append(Stroke(front_line(figure, 0.84, 1.16), figure.px(FOLD)))
    return [
        cloth_layer(figure, "bottom", worn, shapes, depth=0.014, patches=(waist,), strokes=tuple(strokes))
    ]
