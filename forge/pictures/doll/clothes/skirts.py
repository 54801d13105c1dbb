"""Skirts, and the lower part of dresses and coats."""

from __future__ import annotations

from dataclasses import dataclass

from ..character.description import Colour
from ..character.shades import shade_of
from ..figure.anatomy import limb_point, limb_width, torso_edges
from ..figure.physique import SIDES, Figure
from ..painting.detail import Details
from ..painting.geometry import Outline, across, add, between, hull, smooth_line
from ..painting.layers import Shape, Stroke
from ..poses.person import Point
from .cloth import FOLD, torso_edge_at


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
