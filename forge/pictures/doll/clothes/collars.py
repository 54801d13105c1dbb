"""Collars and hoods at the neck of a top."""

from __future__ import annotations

from ..character.character import Worn
from ..figure.physique import Figure
from ..painting.geometry import add, smooth, smooth_line
from ..painting.layers import Layer, Shape
from .cloth import cloth_layer, front_is_visible


def collar(figure: Figure, worn: Worn) -> list[Layer]:
    if figure.cos < 0.12:
        shape = smooth_line(
            [
                figure.body_point(-0.045, -0.03),
                figure.body_point(0.0, -0.06),
                figure.body_point(0.045, -0.03),
            ],
            5,
        )
        low = [add(point, figure.spine, figure.px(0.022)) for point in shape]
        return [cloth_layer(figure, "top", worn, [Shape((*shape, *low[::-1]), "torso")], depth=0.0)]
    layers = []
    for sign in (1.0, -1.0):
        outline = (
            figure.body_point(sign * 0.040, -0.085, 0.0),
            figure.body_point(sign * 0.050, 0.005, 0.030),
            figure.body_point(sign * 0.030, 0.135, 0.050),
            figure.body_point(sign * 0.002, 0.060, 0.050),
        )
        layers.append(cloth_layer(figure, "top", worn, [Shape(outline, "torso")], depth=0.004))
    return layers


def hood(figure: Figure, worn: Worn) -> list[Layer]:
    """A hood that lies on the shoulders, and its strings."""
    if figure.from_behind:
        outline = smooth(
            [
                figure.body_point(x, y, -0.03)
                for x, y in (
                    (-0.065, -0.07),
                    (0.0, -0.12),
                    (0.065, -0.07),
                    (0.055, 0.14),
                    (0.0, 0.24),
                    (-0.055, 0.14),
                )
            ]
        )
        return [cloth_layer(figure, "top", worn, [Shape(outline, "torso")], depth=0.008)]
    rolls = []
    for sign in (1.0, -1.0):
        outline = smooth(
            [
                figure.body_point(sign * x, y, z)
                for x, y, z in (
                    (0.062, -0.10, -0.02),
                    (0.072, -0.03, 0.0),
                    (0.040, 0.09, 0.045),
                    (0.004, 0.115, 0.055),
                    (0.012, 0.05, 0.05),
                    (0.038, -0.02, 0.02),
                )
            ]
        )
        rolls.append(Shape(outline, "torso"))
    layers = [cloth_layer(figure, "top", worn, rolls, depth=0.005)]
    if front_is_visible(figure):
        strings = []
        for sign in (1.0, -1.0):
            points = smooth_line(
                [figure.body_point(sign * 0.016, share, 0.056) for share in (0.10, 0.20, 0.32)], 4
            )
            half = figure.px(0.0022)
            strings.append(
                Shape(
                    (*[(x - half, y) for x, y in points], *[(x + half, y) for x, y in points[::-1]]), "torso"
                )
            )
        layers.append(cloth_layer(figure, "top", worn, strings, depth=0.0, colour=worn.accent))
    return layers


def crossed_collar(figure: Figure, worn: Worn, part: str) -> list[Layer]:
    if not front_is_visible(figure):
        return []
    layers = []
    for sign in (-1.0, 1.0):
        line = [
            figure.body_point(sign * x, y, z)
            for x, y, z in (
                (0.042, -0.09, 0.0),
                (0.036, 0.05, 0.045),
                (0.0, 0.28, 0.058),
                (-0.040, 0.52, 0.055),
            )
        ]
        points = smooth_line(line, 5)
        half = figure.px(0.0085)
        outline = (*[(x - half, y) for x, y in points], *[(x + half, y) for x, y in points[::-1]])
        layers.append(
            cloth_layer(figure, part, worn, [Shape(outline, "torso")], depth=0.0, colour=worn.accent)
        )
    return layers
