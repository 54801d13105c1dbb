"""People for tests of the paper doll: the standing body from all sides, turned and squeezed."""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterable

from avatarforge.forge.pictures.body import seen_from, standing_body
from avatarforge.forge.pictures.doll.poses.person import Person, Point

STATURE = 700.0
TURNS = (0.0, 45.0, 90.0, 135.0, 180.0, -135.0, -90.0, -45.0)


def placed(
    flat: dict[str, tuple[float, float]], *, tilt: float = 0.0, height: float = 1.0
) -> dict[str, Point]:
    """Joints (x to the right, y up, in statures) in pixels: `height` squeezes them, then `tilt` turns them
    clockwise by degrees."""
    turned = cmath.rect(STATURE, math.radians(tilt))
    points = {name: complex(x, -y * height) * turned + complex(400, 800) for name, (x, y) in flat.items()}
    return {name: (point.real, point.imag) for name, point in points.items()}


def standing(turn: float, *, tilt: float = 0.0, height: float = 1.0, without: Iterable[str] = ()) -> Person:
    """The visible joints of the standing body."""
    flat = seen_from(standing_body(), turn)
    for name in without:
        flat.pop(name, None)
    return Person(placed(flat, tilt=tilt, height=height))


def whole(turn: float, *, tilt: float = 0.0) -> Person:
    """All joints of the standing body, also those that are not visible."""
    sine, cosine = math.sin(math.radians(turn)), math.cos(math.radians(turn))
    flat = {name: (x * cosine - z * sine, y) for name, (x, y, z) in standing_body().items()}
    return Person(placed(flat, tilt=tilt))


def mirrored(person: Person, *, swapped: bool) -> Person:
    """The picture mirrored. `swapped` says whether left and right change their names with it."""
    other = {"left": "right", "right": "left"}
    body = {}
    for name, (x, y) in person.body.items():
        side, _, part = name.partition("_")
        body[f"{other[side]}_{part}" if swapped and side in other else name] = (800.0 - x, y)
    return Person(body)


def distance(first: Point, second: Point) -> float:
    """In statures."""
    return math.dist(first, second) / STATURE


def between_turns(first: float, second: float) -> float:
    """Degrees, at most 180."""
    return abs((first - second + 180.0) % 360.0 - 180.0)
