"""Low poly: areas of flat triangles, as of a body made of few faces, lit from the left above."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from PIL import Image, ImageDraw

from ..character.description import Colour
from ..character.shades import mix, shade_of
from ..poses.person import Point
from .geometry import Outline, distance
from .layers import Layer, Shape
from .masks import Area, Edges, View, filled, softened_small
from .render import Canvas
from .scene import Look, Scene

#: Sides of triangles, in statures.
_SMALL, _LARGE = 0.018, 0.042
#: Distance of the grid's rows, in sides of its triangles.
_ROW = 0.866
#: Towards the light.
_LIGHT = (-0.50, -0.62, 0.60)
_BRIGHT: Colour = (255, 250, 232)


class LowPolyCanvas(Canvas):
    @classmethod
    def edges(cls, scene: Scene) -> Edges:
        return "hard"

    def __init__(self, scene: Scene, view: View, look: Look) -> None:
        super().__init__(scene, view, look)
        self._layers = 0

    def rim(self) -> float:
        return super().rim() + self.unit * _LARGE * 2

    def paint(self, layer: Layer) -> None:
        self._layers += 1
        if layer.lined:
            shapes = [
                Shape(angular(shape.outline, self.scene.unit * 0.0045), shape.limb) for shape in layer.shapes
            ]
            layer = replace(layer, shapes=shapes)
        super().paint(layer)

    def outline(self, layer: Layer, area: Area) -> None:
        """None: facets differ enough."""

    def fill(self, layer: Layer, area: Area) -> None:
        if self.look.shade and layer.lined:
            self._facets(layer, area)
        else:
            super().fill(layer, area)

    def shade(self, layer: Layer, area: Area) -> None:
        """Facets are shaded already; what lies in shade is darker."""
        if layer.lined:
            patches = [patch.outline for patch in layer.patches if patch.colour is None]
            self.lay_shade(layer, area, area.only(filled(patches, self.view, area.box)))
        else:
            super().shade(layer, area)

    def _facets(self, layer: Layer, area: Area) -> None:
        """Paint triangles, each as bright as a round body would be there."""
        unit, soft = self.scene.unit, self.look.soft
        cell = max(unit * _SMALL, min(unit * _LARGE, _breadth(layer) / 2.8)) * (0.75 if soft else 1.0)
        body = _Body(area, self.view, cell, self._layers, 1.3 if soft else 0.9)
        depth = cell * self.view.scale * (2.0 if soft else 1.1) / 255
        inset = self.unit * 0.0006 if self.look.line else 0.0
        tile = Image.new("RGB", area.mask.size, layer.colour)
        draw = ImageDraw.Draw(tile)
        for triangle, jitter in body.triangles():
            colour = _lit(layer.colour, _brightness(triangle, depth) + jitter * 0.18)
            draw.polygon(_inset(triangle, inset), fill=colour)
        self.image.paste(tile, area.box, area.mask)


def _breadth(layer: Layer) -> float:
    """The shorter side of the layer's box."""
    corners = [point for shape in layer.shapes for point in shape.outline]
    return min(
        max(x for x, _ in corners) - min(x for x, _ in corners),
        max(y for _, y in corners) - min(y for _, y in corners),
    )


#: In pixels of the area's box, with the height of the body, 0 to 255.
Vertex = tuple[float, float, float]
Triangle = tuple[Vertex, Vertex, Vertex]


class _Body:
    """An area as a body that is higher the further a place is from the edge, under a grid of triangles whose
    corners are moved at random. `cell` is a side of a triangle in pixels of the drawing."""

    def __init__(self, area: Area, view: View, cell: float, salt: int, blur: float) -> None:
        self._area, self._view, self._cell, self._salt = area, view, cell, salt
        small, self._step = softened_small(area.mask, cell * view.scale * blur)
        self._heights, self._width = small.tobytes(), small.width

    def triangles(self) -> Iterator[tuple[Triangle, float]]:
        """Those that touch the area, each with a random number from -0.5 to 0.5."""
        view, cell, height = self._view, self._cell, self._cell * _ROW
        left, top, right, bottom = (edge / view.scale for edge in self._area.box)
        columns = range(math.floor((left + view.left) / cell) - 2, math.ceil((right + view.left) / cell) + 2)
        rows = range(math.floor((top + view.top) / height) - 1, math.ceil((bottom + view.top) / height) + 1)
        upper = [self._vertex(column, rows.start) for column in columns]
        for row in rows:
            lower = [self._vertex(column, row + 1) for column in columns]
            for at, column in enumerate(columns[:-1]):
                here, beside, below, beyond = upper[at], upper[at + 1], lower[at], lower[at + 1]
                if row % 2:
                    halves = ((here, beside, beyond), (here, beyond, below))
                else:
                    halves = ((here, beside, below), (beside, beyond, below))
                for half, triangle in enumerate(halves):
                    if any(corner[2] for corner in triangle):
                        yield triangle, _hashed(column * 2 + half, row, self._salt + 7919) % 256 / 255 - 0.5
            upper = lower

    def _vertex(self, column: int, row: int) -> Vertex:
        noise = _hashed(column, row, self._salt)
        x = (column + (row % 2) / 2 + (noise % 256 / 255 - 0.5) * 0.62) * self._cell
        y = (row + (noise // 256 % 256 / 255 - 0.5) * 0.62) * self._cell * _ROW
        view, (left, top, right, bottom) = self._view, self._area.box
        px, py = (x - view.left) * view.scale - left, (y - view.top) * view.scale - top
        if not (0 <= px < right - left and 0 <= py < bottom - top):
            return px, py, 0
        return px, py, self._heights[int(py) // self._step * self._width + int(px) // self._step]


def _brightness(triangle: Triangle, depth: float) -> float:
    """Of a triangle whose corners have heights, relative to one that faces the viewer: -1 to 1."""
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = triangle
    ux, uy, uz = bx - ax, by - ay, (bz - az) * depth
    vx, vy, vz = cx - ax, cy - ay, (cz - az) * depth
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    length = math.sqrt(nx * nx + ny * ny + nz * nz)
    if length < 1e-9:
        return 0.0
    if nz < 0:
        length = -length
    return (nx * _LIGHT[0] + ny * _LIGHT[1] + nz * _LIGHT[2]) / length - _LIGHT[2]


def _lit(colour: Colour, amount: float) -> Colour:
    # In steps, so that rounding cannot differ between platforms.
    amount = round(amount * 40) / 40
    if amount >= 0:
        return mix(colour, _BRIGHT, min(0.5, amount * 0.7))
    return mix(colour, shade_of(shade_of(colour)), min(1.0, -amount * 0.95))


def _inset(triangle: Triangle, width: float) -> list[tuple[int, int]]:
    """The triangle without a rim of about this width."""
    middle_x, middle_y = sum(x for x, _, _ in triangle) / 3, sum(y for _, y, _ in triangle) / 3
    points = []
    for x, y, _ in triangle:
        away = math.hypot(x - middle_x, y - middle_y)
        share = max(0.0, 1 - 2 * width / away) if away > 1e-6 else 1.0
        points.append((round(middle_x + (x - middle_x) * share), round(middle_y + (y - middle_y) * share)))
    return points


def _hashed(column: int, row: int, salt: int) -> int:
    """32 bits that look random."""
    value = (column * 0x9E3779B1 ^ row * 0x85EBCA77 ^ salt * 0xC2B2AE3D) & 0xFFFFFFFF
    value = ((value ^ value >> 15) * 0x2C1B3C6D) & 0xFFFFFFFF
    value = ((value ^ value >> 12) * 0x297A2D39) & 0xFFFFFFFF
    return value ^ value >> 15


def angular(outline: Outline, tolerance: float) -> Outline:
    """The outline with few corners: none is further from it than the tolerance."""
    if len(outline) < 8:
        return outline
    far = max(range(len(outline)), key=lambda at: distance(outline[0], outline[at]))
    return (
        *_simplified(outline[: far + 1], tolerance),
        *_simplified((*outline[far:], outline[0]), tolerance),
    )


def _simplified(points: Outline, tolerance: float) -> Outline:
    """Without the last point (Douglas and Peucker, 1973)."""
    first, last = points[0], points[-1]
    away = [_off_line(point, first, last) for point in points[1:-1]]
    largest = max(away, default=0.0)
    if largest <= tolerance:
        return (first,)
    at = away.index(largest) + 1
    return (*_simplified(points[: at + 1], tolerance), *_simplified(points[at:], tolerance))


def _off_line(point: Point, first: Point, last: Point) -> float:
    length = distance(first, last)
    if length < 1e-9:
        return distance(point, first)
    return (
        abs((last[0] - first[0]) * (first[1] - point[1]) - (first[0] - point[0]) * (last[1] - first[1]))
        / length
    )
