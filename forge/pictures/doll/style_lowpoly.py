"""Low poly: areas of flat triangles, as of a body made of few faces, lit from the left above."""

from __future__ import annotations

import math
from dataclasses import replace

from PIL import Image, ImageDraw

from .colours import mix, shade_of
from .description import Colour
from .geometry import Outline, distance
from .layers import Layer, Shape
from .masks import Area, Edges, View, filled, softened
from .person import Point
from .render import Canvas
from .scene import Look, Scene

#: Sides of triangles, in statures.
_SMALL, _LARGE = 0.018, 0.042
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
        """Triangles of a grid whose corners are moved, each as bright as a body as thick as the area is wide
        would be there."""
        corners = [point for shape in layer.shapes for point in shape.outline]
        breadth = min(
            max(x for x, _ in corners) - min(x for x, _ in corners),
            max(y for _, y in corners) - min(y for _, y in corners),
        )
        unit = self.scene.unit
        cell = max(unit * _SMALL, min(unit * _LARGE, breadth / 2.8)) * (0.75 if self.look.soft else 1.0)
        body = softened(area.mask, cell * self.view.scale * (1.3 if self.look.soft else 0.9)).load()
        left, top, right, bottom = area.box
        scale, x0, y0 = self.view.scale, self.view.left, self.view.top
        inset = self.unit * 0.0006 if self.look.line else 0.0
        tile = Image.new("RGB", area.mask.size, layer.colour)
        draw = ImageDraw.Draw(tile)

        def vertex(column: int, row: int) -> tuple[float, float, float]:
            noise = _hashed(column, row, self._layers)
            x = (column + (row % 2) / 2 + (noise % 256 / 255 - 0.5) * 0.62) * cell
            y = (row + (noise // 256 % 256 / 255 - 0.5) * 0.62) * cell * 0.866
            px, py = (x - x0) * scale - left, (y - y0) * scale - top
            inside = 0 <= px < area.mask.width and 0 <= py < area.mask.height
            return px, py, body[int(px), int(py)] if inside else 0

        columns = range(
            math.floor((left / scale + x0) / cell) - 2, math.ceil((right / scale + x0) / cell) + 2
        )
        rows = range(
            math.floor((top / scale + y0) / (cell * 0.866)) - 1,
            math.ceil((bottom / scale + y0) / (cell * 0.866)) + 1,
        )
        grid = {(column, row): vertex(column, row) for row in (*rows, rows.stop) for column in columns}
        depth = cell * scale * (2.0 if self.look.soft else 1.1) / 255
        for row in rows:
            odd = row % 2
            for column in columns[:-1]:
                here, beside = grid[column, row], grid[column + 1, row]
                below, beyond = grid[column, row + 1], grid[column + 1, row + 1]
                halves = ((here, beside, beyond), (here, beyond, below)) if odd else (
                    (here, beside, below), (beside, beyond, below)
                )
                for number, triangle in enumerate(halves):
                    if not any(height for _, _, height in triangle):
                        continue
                    jitter = _hashed(column * 2 + number, row, self._layers + 7919) % 256 / 255 - 0.5
                    colour = _lit(layer.colour, _brightness(triangle, depth) + jitter * 0.18)
                    draw.polygon(_inset(triangle, inset), fill=colour)
        self.image.paste(tile, area.box, area.mask)


Vertex = tuple[float, float, float]


def _brightness(triangle: tuple[Vertex, Vertex, Vertex], depth: float) -> float:
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


def _inset(triangle: tuple[Vertex, Vertex, Vertex], width: float) -> list[tuple[int, int]]:
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
    return (*_simplified(outline[: far + 1], tolerance), *_simplified((*outline[far:], outline[0]), tolerance))


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
    return abs((last[0] - first[0]) * (first[1] - point[1]) - (first[0] - point[0]) * (last[1] - first[1])) / length
