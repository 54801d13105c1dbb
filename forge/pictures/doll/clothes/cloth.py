"""Pieces that clothes are cut from: tubes around limbs, bodices, skirts, and lines on them.

Lengths are fractions of stature. Along a limb, 0 is the shoulder or hip, 1 the elbow or knee, 2 the wrist or
ankle; along the torso, 0 is at the shoulders and 1 at the hips.
"""

from __future__ import annotations

import math
from itertools import pairwise

from ..character.character import Worn
from ..character.description import Colour
from ..figure.anatomy import (
    NECK,
    limb_point,
    limb_width,
    pelvis_outline,
    shoulder_outline,
    torso_edges,
)
from ..figure.physique import Figure
from ..painting.detail import Details
from ..painting.geometry import Outline, across, add, between, ellipse, smooth_line
from ..painting.layers import Layer, Patch, Shape, Stroke
from ..poses.person import Point

FOLD = 0.0016  # half of the usual width of a fold's line
#: How far the chest and the back are from the spine.
FRONT, BACK = 0.062, 0.050


def cloth_layer(
    figure: Figure,
    part: str,
    worn: Worn,
    shapes: list[Shape],
    *,
    depth: float = 0.012,
    colour: Colour | None = None,
    cut: Outline | None = None,
    clip: Outline | None = None,
    patches: tuple[Patch, ...] = (),
    strokes: tuple[Stroke, ...] = (),
) -> Layer:
    """A layer of a garment in its colour and material."""
    return Layer(
        part,
        colour or worn.colour,
        shapes,
        depth=figure.px(depth),
        cut=cut,
        clip=clip,
        patches=patches,
        strokes=strokes,
        material=worn.material,
    )


def tube(
    figure: Figure, side: str, part: str, start: float, end: float, widen: float = 0.0, flare: float = 0.0
) -> list[Shape]:
    """Cloth around an "arm" or "leg" from `start` to `end`, `widen` fuller than it, and by `flare` more at
    its end. Its ends are straight, its bend is round."""
    shapes = []
    names = (("upper_arm", "forearm"), ("thigh", "shank"))[part == "leg"]
    for index, name in enumerate(names):
        low, high = max(start, float(index)), min(end, index + 1.0)
        if high - low < 0.01:
            continue
        one, other = [], []
        for step in range(6):
            along = low + (high - low) * step / 5
            centre, direction = limb_point(figure, side, part, min(along, index + 0.999))
            half = limb_width(figure, part, min(along, index + 0.999))
            half += figure.px(widen + flare * (along - start) / max(end - start, 0.01))
            normal = across(direction)
            one.append(add(centre, normal, half))
            other.append(add(centre, normal, -half))
        limb = f"{side}_{name}"
        shapes.append(Shape((*smooth_line(one, 3), *smooth_line(other[::-1], 3)), limb))
        if index == 0 and end > 1.02:
            centre, _ = limb_point(figure, side, part, 0.999)
            half = limb_width(figure, part, 0.999) + figure.px(
                widen + flare * (1.0 - start) / max(end - start, 0.01)
            )
            shapes.append(Shape(ellipse(centre, half, half), limb))
        if index == 0 and start <= 0.01:
            centre, _ = limb_point(figure, side, part, 0.0)
            half = limb_width(figure, part, 0.0) + figure.px(widen)
            shapes.append(Shape(ellipse(centre, half, half), limb))
    return shapes


def ring(figure: Figure, side: str, part: str, start: float, end: float, widen: float) -> Outline:
    """A band around a limb, such as a cuff."""
    corners = []
    for along in (start, end):
        centre, direction = limb_point(figure, side, part, min(along, 1.999))
        half = limb_width(figure, part, min(along, 1.999)) + figure.px(widen)
        normal = across(direction)
        corners.append((add(centre, normal, half), add(centre, normal, -half)))
    return (corners[0][0], corners[1][0], corners[1][1], corners[0][1])


def bodice(
    figure: Figure, widen: float, start: float = -0.1, end: float = 1.0, shoulders: bool = True
) -> list[Shape]:
    """Cloth around the torso."""
    edges = torso_edges(figure, widen, start, end)
    outline = (*smooth_line(edges.left_edge, 5), *smooth_line(edges.right_edge[::-1], 5))
    shapes = [Shape(outline, "torso")]
    if shoulders:
        shapes.append(Shape(shoulder_outline(figure, widen), "torso"))
    if end >= 0.95:
        shapes.append(Shape(pelvis_outline(figure, widen), "torso"))
    return shapes


def band(figure: Figure, start: float, end: float, widen: float) -> Outline:
    """A band around the torso between two shares of the way from shoulders to hips."""
    corners = []
    for share in (start, end):
        corners.append(torso_edge_at(figure, share, widen))
    return (corners[0][0], corners[1][0], corners[1][1], corners[0][1])


def lower_part(figure: Figure, start: float) -> Outline:
    """All of the torso below this share of the way from shoulders to hips: for a hem or a waistband."""
    side = across(figure.spine)
    high, low = (
        add(figure.chest, figure.spine, share * figure.spine_length) for share in (start, start + 2.0)
    )
    wide = figure.px(0.4)
    return (add(high, side, wide), add(high, side, -wide), add(low, side, -wide), add(low, side, wide))


def torso_edge_at(figure: Figure, share: float, widen: float) -> tuple[Point, Point]:
    """Both edges of the torso at this share: to the picture's right and left of a standing figure."""
    edges = torso_edges(figure, widen)
    stations = torso_edges(figure, widen, share - 0.16, share + 0.16)
    if len(stations.left_edge) >= 2:
        # Interpolate between the nearest sections above and below.
        return _at_share(figure, stations.left_edge, share), _at_share(figure, stations.right_edge, share)
    return edges.left_edge[-1], edges.right_edge[-1]


def _at_share(figure: Figure, edge: tuple[Point, ...], share: float) -> Point:
    target = figure.spine_length * share

    def down(point: Point) -> float:
        return (point[0] - figure.chest[0]) * figure.spine[0] + (point[1] - figure.chest[1]) * figure.spine[1]

    for upper, lower in pairwise(edge):
        if down(upper) <= target <= down(lower):
            length = down(lower) - down(upper)
            return between(upper, lower, (target - down(upper)) / length if length else 0.0)
    return min(edge, key=lambda point: abs(down(point) - target))


def front_line(figure: Figure, start: float, end: float, side: float = 0.0) -> tuple[Point, ...]:
    """The middle of the chest and belly, from one share of the way to the hips to another."""
    return tuple(
        figure.body_point(side, start + (end - start) * step / 6, FRONT * (0.9 if step < 4 else 0.85))
        for step in range(7)
    )


def front_is_visible(figure: Figure) -> bool:
    return figure.cos > 0.12


def neckline(figure: Figure, kind: str) -> Outline | None:
    """The opening at the neck: "crew", "scoop", "v", "wide" or "none"."""
    if kind == "none":
        return None
    if kind == "v" and figure.cos < 0.1:
        kind = "crew"
    wide, deep = {"crew": (1.50, 0.020), "scoop": (1.85, 0.046), "v": (1.55, 0.066), "wide": (2.3, 0.030)}[
        kind
    ]
    half = figure.px(NECK * wide) * max(0.55, abs(figure.cos))
    if figure.cos < 0.1:
        deep = 0.004
    forward = 0.030 if figure.cos > -0.2 else 0.0
    centre = add(figure.body_point(0.0, 0.0, forward), figure.spine, -figure.px(0.012))
    side = across(figure.spine)
    top = figure.px(-0.08)
    if kind == "v":
        tip = add(figure.body_point(0.0, 0.0, 0.050), figure.spine, figure.px(deep))
        return (
            add(add(centre, side, half), figure.spine, top),
            add(centre, side, half),
            tip,
            add(centre, side, -half),
            add(add(centre, side, -half), figure.spine, top),
        )
    bow = []
    for step in range(13):
        angle = math.pi * step / 12
        bow.append(
            add(add(centre, side, half * math.cos(angle)), figure.spine, figure.px(deep) * math.sin(angle))
        )
    return (add(bow[0], figure.spine, top), *bow, add(bow[-1], figure.spine, top))


def arm_folds(figure: Figure, side: str, details: Details) -> tuple[Stroke, ...]:
    """Short folds at the elbow."""
    strokes = []
    for index, along in enumerate((0.88, 1.12)):
        centre, direction = limb_point(figure, side, "arm", along)
        half = limb_width(figure, "arm", along)
        normal = across(direction)
        reach = details.number(f"arm {side} {index}", 0.2, 0.9)
        start = add(centre, normal, half * 1.2)
        strokes.append(
            Stroke(
                (start, add(add(centre, normal, half * (1 - reach)), direction, figure.px(0.008))),
                figure.px(FOLD),
                shade=True,
            )
        )
    return tuple(strokes)


def knee_folds(figure: Figure, side: str, details: Details) -> tuple[Stroke, ...]:
    """Short folds at the knee and above the foot."""
    strokes = []
    for index, along in enumerate((0.06, 0.93, 1.08, 1.86)):
        centre, direction = limb_point(figure, side, "leg", along)
        half = limb_width(figure, "leg", along)
        normal = across(direction)
        sign = 1.0 if details.number(f"leg {side} {index}", 0.0, 1.0) > 0.5 else -1.0
        start = add(centre, normal, sign * half * 1.3)
        strokes.append(
            Stroke(
                (start, add(add(centre, normal, sign * half * 0.2), direction, figure.px(0.010))),
                figure.px(FOLD),
                shade=True,
            )
        )
    return tuple(strokes)
