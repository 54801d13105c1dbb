"""The parts of a figure, located by the joints of a pose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ..pictures.doll.poses.person import Person, Point
from .pose import torso_of

Mask = NDArray[np.bool_]
HEAD, TORSO, LEGS = "head", "torso", "legs"
PARTS = (HEAD, TORSO, LEGS)
#: Breadths, as shares of the torso's length: the radius of a head, half a torso, a leg.
HEAD_RADIUS, TORSO_BREADTH, LEG_BREADTH = 0.36, 0.55, 0.26
#: How far the middle of a head is above the neck, where none of its joints is visible.
HEAD_ABOVE_NECK = 0.45
FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")


def part_masks(person: Person, size: tuple[int, int], scale: float) -> dict[str, Mask]:
    """The pixels of each part that the joints show, in a picture of this size (width, height) that is
    `scale` times the size of theirs. No pixel is in two parts: a head hides a torso, which hides legs."""
    torso = torso_of(person.body)
    if torso is None:
        return {}
    body = {name: (x * scale, y * scale) for name, (x, y) in person.body.items()}
    length = torso * scale
    drawn = {
        HEAD: _head(body, size, length),
        TORSO: _torso(body, size, length),
        LEGS: _legs(body, size, length),
    }
    taken = np.zeros((size[1], size[0]), bool)
    masks = {}
    for name, mask in drawn.items():
        if mask is None:
            continue
        masks[name] = mask & ~taken
        taken |= mask
    return masks


def _head(body: Mapping[str, Point], size: tuple[int, int], torso: float) -> Mask | None:
    seen = [body[name] for name in FACE if name in body]
    if seen:
        x, y = _middle(seen)
    elif "neck" in body:
        hips, neck = _both(body, "hip"), body["neck"]
        up = _direction(_middle(hips), neck) if hips else (0.0, -1.0)
        x, y = neck[0] + up[0] * HEAD_ABOVE_NECK * torso, neck[1] + up[1] * HEAD_ABOVE_NECK * torso
    else:
        return None
    radius = HEAD_RADIUS * torso
    image = Image.new("1", size)
    ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)
    return np.asarray(image)


def _torso(body: Mapping[str, Point], size: tuple[int, int], torso: float) -> Mask | None:
    top, bottom = _both(body, "shoulder") or _both(body, "neck"), _both(body, "hip")
    if not top or not bottom:
        return None
    image = Image.new("1", size)
    draw = ImageDraw.Draw(image)
    if len(top) == len(bottom) == 2:
        draw.polygon([*top, *reversed(bottom)], fill=1)
    # Seen from the side the corners are a line.
    line = (*_middle(top), *_middle(bottom))
    draw.line(line, fill=1, width=max(1, round(TORSO_BREADTH * torso)))
    return np.asarray(image)


def _legs(body: Mapping[str, Point], size: tuple[int, int], torso: float) -> Mask | None:
    image = Image.new("1", size)
    draw, found = ImageDraw.Draw(image), False
    for side in ("left", "right"):
        for start, end in ((f"{side}_hip", f"{side}_knee"), (f"{side}_knee", f"{side}_ankle")):
            if start in body and end in body:
                draw.line((*body[start], *body[end]), fill=1, width=max(1, round(LEG_BREADTH * torso)))
                found = True
    return np.asarray(image) if found else None


def _both(body: Mapping[str, Point], joint: str) -> list[Point]:
    """The places of a joint: of the left and the right one, or of the only one."""
    return [body[name] for name in (f"left_{joint}", f"right_{joint}", joint) if name in body]


def _middle(points: Sequence[Point]) -> Point:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def _direction(start: Point, end: Point) -> Point:
    length = math.dist(start, end) or 1.0
    return (end[0] - start[0]) / length, (end[1] - start[1]) / length
