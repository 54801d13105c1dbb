"""Where a thing in a hand is, and how its outlines are placed in the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..character.character import Worn
from ..character.description import Colour
from ..painting.geometry import Outline, ellipse, tapered
from ..painting.layers import Layer, Patch, Shape, Stroke
from ..poses.person import Point


@dataclass(frozen=True)
class Frame:
    """Where a thing is: `grip` in pixels, directions of length 1, and pixels per stature.

    `along` points from the grip to the end that matters, `across` to the side that is shown. `stretch` is how
    long the thing looks, and `swell` how broad, as it may be turned to the viewer or away. `reach_up` is how
    far it goes along, and `reach` the other way, in statures.
    """

    part: str
    worn: Worn
    grip: Point
    along: Point
    across: Point
    unit: float
    stretch: float = 1.0
    swell: float = 1.0
    reach: float = 0.0
    reach_up: float = 0.0

    def at(self, x: float, y: float) -> Point:
        right, far = x * self.swell * self.unit, y * self.stretch * self.unit
        return (
            self.grip[0] + self.across[0] * right + self.along[0] * far,
            self.grip[1] + self.across[1] * right + self.along[1] * far,
        )

    def outline(self, *points: Point) -> Outline:
        return tuple(self.at(*point) for point in points)

    def disc(self, x: float, y: float, radius: float) -> Outline:
        return ellipse(self.at(x, y), radius * self.unit, radius * self.unit, self.along, 16)

    def rod(self, start: float, end: float, half: float) -> Outline:
        return tapered(self.at(0.0, start), self.at(0.0, end), (half * self.unit, half * self.unit))

    def bar(self, start: Point, end: Point, half: float) -> Outline:
        return tapered(self.at(*start), self.at(*end), (half * self.unit, half * self.unit))

    def line(self, *points: Point, width: float = 0.0018, colour: Colour | None = None) -> Stroke:
        return Stroke(self.outline(*points), width * self.unit, colour, shade=colour is None)

    def main(
        self,
        *outlines: Outline,
        depth: float = 0.003,
        strokes: Sequence[Stroke] = (),
        patches: Sequence[Patch] = (),
        lined: bool = True,
    ) -> Layer:
        return Layer(
            self.part,
            self.worn.colour,
            [Shape(outline) for outline in outlines],
            depth=depth * self.unit,
            strokes=strokes,
            patches=patches,
            lined=lined,
            material=self.worn.material,
        )

    def accent(self, *outlines: Outline, depth: float = 0.0025) -> Layer:
        """In the second colour: patches cover a layer of the main one."""
        patches = [Patch(outline, self.worn.accent) for outline in outlines]
        return self.main(*outlines, depth=depth, patches=patches)


def steps(start: float, end: float, count: int) -> list[float]:
    return [start + (end - start) * step / count for step in range(count + 1)]
