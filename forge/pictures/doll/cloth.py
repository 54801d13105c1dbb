"""Pieces that clothes are cut from: tubes around limbs, bodices, skirts, and lines on them.

Lengths are fractions of stature. Along a limb, 0 is the shoulder or hip, 1 the elbow or knee, 2 the wrist or
ankle; along the torso, 0 is at the shoulders and 1 at the hips.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from .anatomy import (
    NECK,
    limb_point,
    limb_width,
    pelvis_outline,
    shoulder_outline,
    torso_edges,
)
from .character import Worn
from .colours import shade_of
from .description import Colour
from .detail import Details
from .geometry import Outline, across, add, between, ellipse, hull, smooth_line
from .layers import Layer, Patch, Shape, Stroke
from .person import Point
from .physique import SIDES, Figure

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


@dataclass(frozen=True)
class Skirt:
    """Cloth around both legs, and the line of its hem."""

    shapes: list[Shape]
    hem: Outline


def skirt(figure: Figure, end: float, widen: float, flare: float, start: float = 0.66) -> Skirt:
    """Cloth from the waist around both legs down to `end` along them."""
    edges = torso_edges(figure, widen, start, 1.1)
    points = [*edges.left_edge, *edges.right_edge]
    hem: set[Point] = set()
    steps = 5
    for side in SIDES:
        for step in range(steps + 1):
            along = min(end * step / steps, 1.999)
            centre, direction = limb_point(figure, side, "leg", along)
            half = limb_width(figure, "leg", along) + figure.px(widen + flare * step / steps)
            normal = across(direction)
            both = [add(centre, normal, half), add(centre, normal, -half)]
            points += both
            if step == steps:
                hem.update(both)
    outline = hull(points)
    # Begin where the hem does, so that it is one line.
    at_hem = [point in hem for point in outline]
    first = next((index for index, here in enumerate(at_hem) if here and not at_hem[index - 1]), 0)
    ordered = (*outline[first:], *outline[:first])
    line = tuple(point for point in ordered if point in hem)
    return Skirt([Shape(outline, "torso")], line)


def hem_trim(figure: Figure, hem: Outline, colour: Colour, width: float) -> tuple[Stroke, ...]:
    """A coloured band along a hem, `width` statures wide."""
    if len(hem) < 2:
        return ()
    dark = shade_of(shade_of(colour))
    return (
        Stroke(hem, figure.px(2 * width + 0.004), dark, shade=True),
        Stroke(hem, figure.px(2 * width), colour, shade=True),
    )


def hem_line(figure: Figure, end: float) -> tuple[Point, Point]:
    """The points of both legs at this height, the picture's left one first."""
    ends = [limb_point(figure, side, "leg", min(end, 1.999))[0] for side in SIDES]
    ends.sort()
    return ends[0], ends[1]


def skirt_folds(
    figure: Figure, end: float, details: Details, name: str, count: int = 5
) -> tuple[Stroke, ...]:
    """Folds from the hips to the hem."""
    strokes = []
    top_left, top_right = torso_edge_at(figure, 0.98, 0.0)
    if top_left[0] > top_right[0]:
        top_left, top_right = top_right, top_left
    low_left, low_right = hem_line(figure, end)
    spread = figure.px(0.06)
    for index in range(count):
        share = (index + 0.5 + details.number(f"{name} {index}", -0.25, 0.25)) / count
        top = between(top_left, top_right, 0.1 + 0.8 * share)
        low = between((low_left[0] - spread, low_left[1]), (low_right[0] + spread, low_right[1]), share)
        begin = between(top, low, details.number(f"{name} from {index}", 0.15, 0.5))
        middle = add(
            between(begin, low), (1.0, 0.0), figure.px(details.number(f"{name} bow {index}", -0.006, 0.006))
        )
        strokes.append(
            Stroke(
                smooth_line([begin, middle, add(low, (0.0, 1.0), figure.px(0.02))], 5),
                figure.px(FOLD * 1.2),
                shade=True,
            )
        )
    return tuple(strokes)


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
