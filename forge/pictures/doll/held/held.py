"""Things in the hands: where they are and which way they point.

What a hanging arm holds has a direction in space, so that all views of a standing figure agree. What a raised
arm holds points up and onwards, as only the picture tells about such an arm.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from ...body import ANKLE_HEIGHT, FOREARM
from ..character.character import Worn
from ..character.description import Slot
from ..figure.hands import hand_points
from ..figure.head import Head
from ..figure.physique import Figure
from ..painting.detail import Details
from ..painting.geometry import across, add, between, tapered, unit_vector
from ..painting.layers import Layer, Shape, Stroke
from ..poses.person import Point
from .frame import Frame
from .shapes import SHAPES

SLOTS: Mapping[str, Slot] = {"right": "right_hand", "left": "left_hand"}

_POINTING = frozenset(("sword", "dagger", "wand", "axe", "hammer"))
_UPRIGHT: Mapping[str, float] = {"staff": 0.90, "spear": 0.95, "bow": 0.58}  # their lengths
#: From a hanging hand: outwards, down and forward.
_HANGING = (0.20, 0.85, 0.48)
#: A forearm hangs if its wrist is lower than its elbow by this share of its length.
_HANGS = 0.35
#: Azimuths in degrees from straight ahead outwards, of the side that a shield or a book shows.
_SHIELD_AZIMUTH, _BOOK_AZIMUTH = 37.0, 48.0
#: How broad they look at least, turned edge-on.
_SHIELD_EDGE, _BOOK_EDGE = 0.34, 0.5

Layers = tuple[list[Layer], list[Layer]]


def held(figure: Figure, head: Head, worn: Worn, details: Details, side: str) -> Layers:
    """What is drawn behind the arm, and in front of its hand."""
    if worn.kind in _POINTING:
        return SHAPES[worn.kind](_pointing(figure, worn, side)), []
    if worn.kind in _UPRIGHT:
        return SHAPES[worn.kind](_upright(figure, worn, side)), []
    if worn.kind == "lantern":
        frame = Frame(SLOTS[side], worn, grip_of(figure, side), (0.0, 1.0), (1.0, 0.0), figure.unit)
        return SHAPES["lantern"](frame), []
    if worn.kind == "shield":
        return _shield(figure, worn, side)
    if worn.kind == "book":
        return _book(figure, worn, side)
    return [], []


def grip_of(figure: Figure, side: str) -> Point:
    """The middle of the closed hand."""
    points = hand_points(figure, side)
    knuckles = between(between(points[5], points[9]), between(points[13], points[17]))
    return between(points[0], knuckles, 0.72)


def fist(figure: Figure, side: str, hand: Layer) -> Layer:
    """The layer of a hand or glove, closed around its grip. A hand whose fingers the pose gives stays as it
    is, as does a layer of anything else."""
    limb, px = f"{side}_hand", figure.px
    if figure.hand_of(side) is not None or any(shape.limb != limb for shape in hand.shapes):
        return hand
    widen = 0.003 if hand.part == "hands" else 0.0
    worn = figure.character.garments.get(SLOTS[side])
    grip, wrist = grip_of(figure, side), figure.joints[f"{side}_wrist"]
    axis = (0.0, 1.0)
    if worn is not None and worn.kind in _POINTING:
        axis = _pointing(figure, worn, side).along
    fingers = across(axis)
    shapes = [Shape(tapered(wrist, grip, (px(0.0165 + widen), px(0.0215 + widen))), limb)]
    strokes = []
    for index in range(4):
        middle = add(grip, axis, px(0.0108 * (index - 1.5)))
        ends = add(middle, fingers, px(-0.0115)), add(middle, fingers, px(0.0115))
        shapes.append(Shape(tapered(*ends, (px(0.0078 + widen), px(0.0078 + widen))), limb))
        if index:
            gap = add(middle, axis, px(-0.0054))
            line = (add(gap, fingers, px(-0.013)), add(gap, fingers, px(0.013)))
            strokes.append(Stroke(line, px(0.0018), shade=True))
    return replace(hand, shapes=shapes, strokes=tuple(strokes))


def _out(figure: Figure, side: str, outward: float, forward: float) -> float:
    """A horizontal direction of the body, as its length to the picture's right."""
    sign = 1.0 if side == "left" else -1.0
    return sign * outward * figure.cos - forward * figure.sin


def _hangs(figure: Figure, side: str) -> bool:
    elbow, wrist = figure.limb(side, "elbow", "wrist")
    return wrist[1] - elbow[1] > figure.px(FOREARM * _HANGS)


def _shown_side(figure: Figure, side: str, along: Point) -> Point:
    """The direction across a thing, to the side that lies outwards and in front."""
    aside = across(along)
    return aside if aside[0] * _out(figure, side, 0.6, 0.8) >= 0 else (-aside[0], -aside[1])


def _pointing(figure: Figure, worn: Worn, side: str) -> Frame:
    stretch = 1.0
    if _hangs(figure, side):
        outward, down, forward = _HANGING
        seen = (_out(figure, side, outward, forward), down)
        stretch = math.hypot(*seen)
        along = unit_vector((0.0, 0.0), seen)
    else:
        elbow, wrist = figure.limb(side, "elbow", "wrist")
        forearm = unit_vector(elbow, wrist, (0.0, -1.0))
        along = unit_vector((0.0, 0.0), (forearm[0] * 0.75, forearm[1] * 0.75 - 0.85), (0.0, -1.0))
    return Frame(
        SLOTS[side],
        worn,
        grip_of(figure, side),
        along,
        _shown_side(figure, side, along),
        figure.unit,
        stretch,
    )


def _upright(figure: Figure, worn: Worn, side: str) -> Frame:
    """It stands on the ground beside the hand if the hand is not too high, and leans away from the face."""
    grip, length = grip_of(figure, side), _UPRIGHT[worn.kind]
    ground = max(figure.joints[f"{each}_ankle"][1] for each in ("right", "left")) + figure.px(ANKLE_HEIGHT)
    reach = min(0.62, max(0.25, (ground - grip[1]) / figure.unit))
    along = unit_vector((0.0, 0.0), (_out(figure, side, 0.05, -0.13), -1.0))
    swell = 1.0
    if worn.kind == "bow":
        swell = max(0.5, abs(_out(figure, side, 0.6, 0.8)))
    return Frame(
        SLOTS[side],
        worn,
        grip,
        along,
        _shown_side(figure, side, along),
        figure.unit,
        swell=swell,
        reach=reach,
        reach_up=length - reach,
    )


def _flat(
    figure: Figure, worn: Worn, side: str, centre: Point, azimuth: float, narrowest: float
) -> tuple[Frame, bool]:
    """The frame of a thing that is held upright and shows a flat side at `azimuth`, and whether the viewer
    sees that side."""
    sign = 1.0 if side == "left" else -1.0
    angle = math.radians(sign * azimuth - figure.turn)
    swell = max(narrowest, abs(math.cos(angle)))
    # The edge that lies further outwards.
    right = sign if math.cos(angle) >= 0 else -sign
    frame = Frame(SLOTS[side], worn, centre, (0.0, 1.0), (right, 0.0), figure.unit, swell=swell)
    return frame, math.cos(angle) >= 0


def _shield(figure: Figure, worn: Worn, side: str) -> Layers:
    """On the forearm: in front of it where its front is seen, else behind it."""
    elbow, wrist = figure.limb(side, "elbow", "wrist")
    angle = math.radians(_SHIELD_AZIMUTH)
    away = figure.px(_out(figure, side, math.sin(angle), math.cos(angle)) * 0.022)
    middle = between(elbow, wrist, 0.72)
    frame, front = _flat(figure, worn, side, (middle[0] + away, middle[1]), _SHIELD_AZIMUTH, _SHIELD_EDGE)
    return ([], SHAPES["shield"](frame)) if front else (SHAPES["back of shield"](frame), [])


def _book(figure: Figure, worn: Worn, side: str) -> Layers:
    """In the hand, on its inner side: behind the fingers where they are seen."""
    grip = grip_of(figure, side)
    down = 0.030 if _hangs(figure, side) else -0.030
    frame, front = _flat(figure, worn, side, (grip[0], grip[1] + figure.px(down)), _BOOK_AZIMUTH, _BOOK_EDGE)
    layers = SHAPES["book"](frame)
    return (layers, []) if front else ([], layers)
