"""The face on the side that the viewer sees: cheeks, nose and mouth, and with them the eyes."""

from __future__ import annotations

import math

from ..character.description import Colour
from ..character.shades import line_of, mix, shade_of
from ..painting.geometry import Outline, between, ribbon, smooth, smooth_line
from ..painting.layers import Layer, Patch, Shape
from ..poses.person import Point
from .expressions import EXPRESSIONS, Expression
from .eyes import Eyes
from .head import Head

MOUTH_Y = -0.0432
_MOUTH: Colour = (142, 52, 60)
_TONGUE: Colour = (214, 112, 112)
_TEETH: Colour = (252, 250, 246)
_BLUSH: Colour = (236, 112, 108)


def face_layers(head: Head) -> list[Layer]:
    """The layers of the face, from back to front; none if the head shows its back."""
    if not head.shows_face:
        return []
    expression = EXPRESSIONS[head.figure.character.expression]
    return [
        *_cheeks(head, expression),
        *_lines_of_age(head),
        *_nose(head, expression),
        *_Mouth(head, expression).layers(),
        *Eyes(head, expression).layers(),
    ]


def _line(head: Head, part: str, colour: Colour, points: Outline, width: float) -> Layer:
    """A line that is thin at both ends; `width` is its greatest half width in statures."""
    last = max(1, len(points) - 1)
    widths = [
        head.unit * width * (0.3 + 0.7 * math.sin(math.pi * index / last)) for index in range(len(points))
    ]
    return Layer(part, colour, [Shape(ribbon(points, widths), "head")], lined=False, clip=head.outline)


def _cheeks(head: Head, expression: Expression) -> list[Layer]:
    character = head.figure.character
    usual = {"child": 0.30, "teen": 0.14}.get(character.age, 0.0) + (
        0.10 if character.figure == "feminine" else 0.0
    )
    amount = max(expression.blush, usual) if expression.blush else usual / 2
    layers = []
    for sign in (-1.0, 1.0):
        if math.cos(math.radians(36.0 * sign - head.turn)) < 0.1:
            continue
        outline = tuple(
            head.on_face(
                sign * 0.0285 + 0.0098 * math.cos(2 * math.pi * step / 16),
                -0.0205 + 0.0058 * math.sin(2 * math.pi * step / 16),
            )
            for step in range(16)
        )
        colour = mix(character.skin_colour, _BLUSH, 0.44 * amount)
        layers.append(Layer("skin", colour, [Shape(outline, "head")], lined=False, clip=head.outline))
        if expression.blush == 1.0:
            ink = mix(character.skin_colour, _BLUSH, 0.85)
            for step in (-1.0, 0.0, 1.0):
                x = sign * 0.0285 + step * 0.0058
                stroke = (head.on_face(x + 0.0018, -0.0172), head.on_face(x - 0.0018, -0.0238))
                layers.append(_line(head, "skin", ink, stroke, 0.0008))
    return layers


def _lines_of_age(head: Head) -> list[Layer]:
    if head.figure.character.age != "old":
        return []
    ink = mix(shade_of(head.figure.character.skin_colour), line_of(head.figure.character.skin_colour), 0.22)
    layers = []
    for sign in (-1.0, 1.0):
        if math.cos(math.radians(30.0 * sign - head.turn)) < 0.2:
            continue
        for line in (
            ((0.0120, -0.0255), (0.0185, -0.0325), (0.0200, -0.0410)),
            ((0.0090, -0.0090), (0.0170, -0.0120), (0.0250, -0.0085)),
            ((0.0340, 0.0085), (0.0372, 0.0105)),
            ((0.0345, 0.0040), (0.0385, 0.0040)),
            ((0.0335, -0.0005), (0.0370, -0.0030)),
        ):
            points = smooth_line([head.on_face(sign * x, y) for x, y in line], 4)
            layers.append(_line(head, "skin", ink, points, 0.0008))
    return layers


def _nose(head: Head, expression: Expression) -> list[Layer]:
    """A warm tip at the keypoint, with its shadow."""
    character = head.figure.character
    skin, tip = character.skin_colour, head.figure.joints["nose"]
    ink = mix(shade_of(skin), line_of(skin), 0.42)
    tint = mix(skin, _BLUSH, 0.16 if character.age == "child" else 0.10)
    small = 0.84 if character.figure == "feminine" or character.age == "child" else 1.0
    side = -head.sin

    def at(x: float, y: float) -> Point:
        return head.moved(tip, x * small, y * small)

    ball = smooth(
        [at(0.0062 * math.cos(a * math.pi / 4), 0.0052 * math.sin(a * math.pi / 4)) for a in range(8)], 3
    )
    layers = [Layer("nose", tint, [Shape(ball, "head")], lined=False, clip=head.outline)]
    if head.figure.in_profile:
        back = -head.ahead
        wing = [at(back * 0.0135, -0.0005), at(back * 0.0165, -0.0032), at(back * 0.0150, -0.0066)]
        nostril = [at(back * 0.0070, -0.0058), at(back * 0.0105, -0.0050)]
        layers += [_line(head, "nose", ink, smooth_line(line, 4), 0.0008) for line in (wing, nostril)]
    else:
        # The tip's shadow falls to the right; a turned nose shows its edge on the far side.
        width = 0.0046
        under = [
            at(-width + side * 0.002, -0.0036),
            at(side * 0.002, -0.0058),
            at(width + side * 0.002, -0.0036),
        ]
        layers.append(_line(head, "nose", ink, smooth_line(under, 4), 0.0010))
        if abs(side) > 0.3:
            far = math.copysign(1.0, side)
            ridge = [
                at(-far * 0.0052 * abs(side), 0.0175),
                at(-far * 0.0010, 0.0085),
                at(far * 0.0046, 0.0008),
                at(far * 0.0030, -0.0040),
            ]
            layers.append(_line(head, "nose", ink, smooth_line(ridge, 4), 0.0008))
        elif character.figure != "feminine" and character.age != "child":
            ridge = [at(0.0036, 0.0150), at(0.0030, 0.0080)]
            layers.append(_line(head, "nose", ink, tuple(ridge), 0.0007))
    if expression.wrinkle:
        for across in (-0.0042, 0.0042):
            for y in (0.0090, 0.0125):
                fold = (at(across * 0.5, y), at(across * 1.6, y + 0.0022))
                layers.append(_line(head, "nose", ink, fold, 0.0007))
    return layers


class _Mouth:
    """The lips as a line, or an open mouth. `share` runs from -1 at the person's right corner to 1."""

    def __init__(self, head: Head, expression: Expression) -> None:
        self._head, self._expression = head, expression
        character = head.figure.character
        self._half = 0.0125 * expression.wide * (0.94 if character.figure == "feminine" else 1.06)
        skin = character.skin_colour
        self._ink = mix(line_of(skin), (128, 36, 46), 0.42)
        self._lip = mix(skin, (196, 74, 82), 0.46 if character.figure == "feminine" else 0.22)

    def _point(self, share: float, up: float) -> Point:
        head = self._head
        x, y = share * self._half, MOUTH_Y + up
        if not head.figure.in_profile:
            return head.on_face(x, y, 0.0035)
        # In profile the mouth reaches from the lips to the near corner.
        lips = head.skull.size * 0.0535 + 0.002
        return head.flat(head.ahead * (lips - abs(x) * 1.02), y)

    def _edge(self, share: float) -> float:
        """The height of the closed lips' line."""
        expression = self._expression
        bend: float = expression.smile * abs(share) ** 1.7
        wave = expression.wave * math.cos((share + 1.0) * math.pi * 1.5)
        return bend + expression.skew * share + wave

    def layers(self) -> list[Layer]:
        near = 1.0 if self._head.sin > 0 else -1.0
        steps = 13
        if self._head.figure.in_profile:
            shares = [near * step / (steps - 1) for step in range(steps)]
        else:
            shares = [step / (steps - 1) * 2 - 1 for step in range(steps)]
        return self._open(shares) if self._expression.gape else self._closed(shares)

    def _closed(self, shares: list[float]) -> list[Layer]:
        head = self._head
        line = smooth_line([self._point(share, self._edge(share)) for share in shares], 2)
        inner = [share for share in shares if abs(share) <= 0.75]
        if head.figure.character.figure == "feminine":
            rim = [
                self._point(share, self._edge(share) + 0.0030 * (1 - (share / 0.76) ** 2)) for share in inner
            ]
            rim += [
                self._point(share, self._edge(share) - 0.0046 * (1 - (share / 0.76) ** 2))
                for share in inner[::-1]
            ]
            lips = Layer("mouth", self._lip, [Shape(tuple(rim), "head")], lined=False, clip=head.outline)
        else:
            low = [self._point(share, self._edge(share) - 0.0058) for share in inner if abs(share) <= 0.5]
            lips = _line(head, "mouth", self._lip, smooth_line(low, 2), 0.0012)
        return [lips, _line(head, "mouth", self._ink, line, 0.0011)]

    def _open(self, shares: list[float]) -> list[Layer]:
        head, gape = self._head, self._expression.gape
        upper, lower = [], []
        for share in shares:
            bow = math.sqrt(max(0.0, 1.0 - share * share))
            edge = self._edge(share)
            upper.append(self._point(share, edge + gape * 0.26 * bow**1.4))
            lower.append(self._point(share, edge - gape * 0.80 * bow**0.9))
        outline = (*upper, *reversed(lower))
        teeth = self._expression.teeth
        patches = []
        if teeth < 1.0:
            tongue = [
                between(top, low, 0.66 + 0.2 * abs(share))
                for top, low, share in zip(upper, lower, shares, strict=True)
            ]
            patches.append(Patch((*tongue, *reversed(lower)), _TONGUE, "mouth"))
        if teeth:
            bite = [between(top, low, teeth) for top, low in zip(upper, lower, strict=True)]
            patches.append(Patch((*upper, *reversed(bite)), _TEETH, "mouth"))
        inside = Layer(
            "mouth", _MOUTH, [Shape(outline, "head")], lined=False, clip=head.outline, patches=tuple(patches)
        )
        layers = [inside]
        if teeth == 1.0:
            clench = tuple(between(top, low, 0.5) for top, low in zip(upper, lower, strict=True))
            layers.append(_line(head, "mouth", mix(_TEETH, self._ink, 0.55), clench, 0.0006))
        lines = (upper, lower)
        return layers + [_line(head, "mouth", self._ink, tuple(line), 0.0010) for line in lines]
