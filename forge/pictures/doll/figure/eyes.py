"""The eyes and the brows. Where an eye is, its keypoint decides."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..character.description import Colour
from ..character.shades import line_of, mix
from ..painting.geometry import Outline, ribbon, smooth_line
from ..painting.layers import Layer, Patch, Shape
from ..poses.person import Point
from .expressions import Expression
from .head import Head

_WHITE: Colour = (253, 251, 248)
_LID_SHADOW: Colour = (214, 208, 222)
_PUPIL: Colour = (32, 24, 38)
_SHINE: Colour = (255, 255, 255)

#: An eye seen from the front faces this many degrees to its side.
_SIDEWAYS = 20.0
#: The narrowest that an eye is drawn, relative to its width from the front.
_NARROWEST = 0.22
#: Half width and half height of an open eye in statures, by age.
_SIZES = {
    "child": (0.0142, 0.0132),
    "teen": (0.0136, 0.0122),
    "adult": (0.0130, 0.0112),
    "old": (0.0122, 0.0094),
}

#: The lids of a neutral eye from the inner to the outer corner, in shares of its half width and half height.
#: In profile the inner corner is hidden, and the line begins on the eyeball.
_Line = tuple[Point, ...]
_UPPER: _Line = ((-1.0, -0.34), (-0.66, 0.46), (-0.12, 0.96), (0.42, 0.94), (0.84, 0.52), (1.0, 0.10))
_LOWER: _Line = ((-1.0, -0.34), (-0.55, -0.86), (0.1, -1.0), (0.66, -0.80), (1.0, 0.10))
_PROFILE_UPPER: _Line = ((-0.86, 0.62), (-0.70, 0.95), (-0.25, 0.92), (0.35, 0.56), (1.0, -0.05))
_PROFILE_LOWER: _Line = (
    (-0.86, 0.62),
    (-0.98, 0.05),
    (-0.78, -0.72),
    (-0.45, -0.98),
    (0.25, -0.66),
    (1.0, -0.05),
)

#: A point of an eye: from the inner corner at -1 to the outer one at 1, and statures up.
EyePoint = Callable[[float, float], Point]


@dataclass(frozen=True)
class _Lids:
    """Half of an eye's outline each, from the inner to the outer corner, in the coordinates of `EyePoint`."""

    upper: Sequence[Point]
    lower: Sequence[Point]

    @property
    def middle(self) -> Point:
        """The centroid of the area between the lids."""
        points = [*self.upper, *reversed(self.lower)]
        area = x = y = 0.0
        for (x1, y1), (x2, y2) in zip(points, [*points[1:], points[0]], strict=True):
            part = x1 * y2 - x2 * y1
            area, x, y = area + part, x + (x1 + x2) * part, y + (y1 + y2) * part
        return (x / (3 * area), y / (3 * area))


class Eyes:
    """The layers of the visible eyes and their brows."""

    def __init__(self, head: Head, expression: Expression) -> None:
        self._head, self._expression = head, expression
        character = head.figure.character
        self._feminine = character.figure == "feminine"
        half, tall = _SIZES[character.age]
        factor = 1.0 if self._feminine else 0.90
        self._half, self._tall = half * (factor + 1) / 2, tall * factor
        self._profile = head.figure.in_profile

    def layers(self) -> list[Layer]:
        sides = [("right", -1.0), ("left", 1.0)]
        if self._profile:
            sides = [each for each in sides if each[1] * self._head.sin > 0]
        layers = []
        for side, sign in sides:
            at = self._profile_point(side) if self._profile else self._front_point(side, sign)
            layers += self._eye(side, sign, at)
            layers.append(self._brow(sign, at))
        return layers

    def _front_point(self, side: str, sign: float) -> EyePoint:
        head, joint = self._head, self._head.figure.joints[f"{side}_eye"]
        narrow = max(_NARROWEST, math.cos(math.radians(head.turn - sign * _SIDEWAYS)))
        middle = self._middle

        def at(across: float, up: float) -> Point:
            return head.moved(joint, sign * narrow * self._half * (across - middle[0]), up - middle[1])

        return at

    def _profile_point(self, side: str) -> EyePoint:
        """In profile, the inner corner is hidden: the eye begins with the curve of the eyeball."""
        head, joint = self._head, self._head.figure.joints[f"{side}_eye"]
        middle = self._middle

        def at(across: float, up: float) -> Point:
            behind = (across + 0.35) * 0.62 * self._half
            return head.moved(joint, -head.ahead * behind, up - middle[1])

        return at

    @cached_property
    def _middle(self) -> Point:
        """The middle of the neutral eye with its lashes, which is drawn at the keypoint."""
        lids = self._lids(Expression())
        widths = self._lash_widths(len(lids.upper))
        edge = [(x, y + width) for (x, y), width in zip(lids.upper, widths, strict=True)]
        if self._feminine and not self._profile:
            edge.append((1.2, edge[-1][1] + self._tall * 0.20))
        return _Lids(edge, lids.lower).middle

    def _lids(self, expression: Expression) -> _Lids:
        tall, slant = self._tall, expression.slant
        upper, lower = tall * expression.open, tall * (0.86 - 1.3 * expression.squint)
        high, low = (_PROFILE_UPPER, _PROFILE_LOWER) if self._profile else (_UPPER, _LOWER)
        if not self._feminine:
            high = tuple((x, min(y, 0.92)) for x, y in high)
        top = [(x, y * (upper if y > 0 else tall) + slant * x) for x, y in high]
        # The lower lid ends where the upper one does.
        bottom = [(x, y * lower) for x, y in low]
        bottom[0], bottom[-1] = top[0], top[-1]
        return _Lids(smooth_line(top, 4), smooth_line(bottom, 4))

    def _eye(self, side: str, sign: float, at: EyePoint) -> list[Layer]:
        head, unit = self._head, self._head.unit
        lids = self._lids(self._expression)
        outline = tuple(at(*point) for point in (*lids.upper, *reversed(lids.lower)))
        part = f"{side}_eye"
        ball = Layer(
            part,
            _WHITE,
            [Shape(outline, "head")],
            lined=False,
            clip=head.outline,
            patches=tuple(self._iris(side, sign, at, lids)),
        )
        ink = mix(line_of(head.figure.character.skin_colour), _PUPIL, 0.4)
        lash = [at(*point) for point in lids.upper]
        if self._feminine:
            end = lids.upper[-1]
            lash.append(at(end[0] + 0.20, end[1] + self._tall * 0.20))
        widths = [unit * width for width in self._lash_widths(len(lash))]
        under = [at(x, y) for x, y in lids.lower if x > -0.2]
        crease = [at(x * 0.9, y + self._tall * 0.30) for x, y in lids.upper[5:-4]]
        lines = [ribbon(lash, widths), ribbon(under, [unit * 0.0006] * len(under))]
        soft = mix(head.figure.character.skin_colour, ink, 0.55)
        return [
            Layer(
                "skin",
                soft,
                [Shape(ribbon(crease, [unit * 0.0005] * len(crease)), "head")],
                lined=False,
                clip=head.outline,
            ),
            ball,
            Layer(part, ink, [Shape(line, "head") for line in lines], lined=False, clip=head.outline),
        ]

    def _lash_widths(self, count: int) -> list[float]:
        """Half widths of the upper lashes in statures, from the inner to the outer corner."""
        heavy = 1.0 if self._feminine else 0.72
        return [
            heavy * (0.0006 + 0.0024 * math.sin(math.pi * (0.04 + 0.90 * (index / count) ** 1.35)))
            for index in range(count)
        ]

    def _iris(self, side: str, sign: float, at: EyePoint, lids: _Lids) -> list[Patch]:
        """The patches of an eye from back to front."""
        expression, tall, colour = self._expression, self._tall, self._head.figure.character.eye_colour
        part = f"{side}_iris"
        # Both irises look to the same side of the picture.
        x = -0.52 if self._profile else expression.look[0] * sign + 0.02
        y = tall * (0.06 - expression.look[1])
        half, high = (0.30 if self._profile else 0.66) * expression.iris, 0.98 * tall * expression.iris
        # The light comes from the picture's left.
        glint = -0.40 * half * (1.0 if self._profile else sign)
        lit = mix(colour, (255, 255, 255), 0.38)

        def disc(across: float, up: float, share: float, tall_share: float | None = None) -> Outline:
            points = []
            for step in range(20):
                angle = 2 * math.pi * step / 20
                points.append(
                    at(
                        x + across + half * share * math.cos(angle),
                        y + up + high * (tall_share or share) * math.sin(angle),
                    )
                )
            return tuple(points)

        shadow = [(px, py - tall * 0.30) for px, py in lids.upper]
        return [
            Patch(
                tuple(at(*point) for point in (*lids.upper, *reversed(shadow))),
                _LID_SHADOW,
            ),
            Patch(disc(0, 0, 1.0), mix(colour, _PUPIL, 0.62), part),
            Patch(disc(0, -high * 0.06, 0.84), colour, part),
            Patch(disc(0, -high * 0.50, 0.56, 0.30), lit, part),
            Patch(disc(0, high * 0.36, 0.80, 0.50), mix(colour, _PUPIL, 0.45), part),
            Patch(disc(0, high * 0.02, 0.42), _PUPIL, part),
            Patch(disc(glint, high * 0.42, 0.34, 0.30), _SHINE, part),
            Patch(disc(-0.9 * glint, -high * 0.48, 0.15, 0.13), _SHINE, part),
        ]

    def _brow(self, sign: float, at: EyePoint) -> Layer:
        head, expression = self._head, self._expression
        base = self._tall + 0.0092
        uneven = -expression.frown * sign
        inner, outer = expression.brow_in + uneven, expression.brow_out + uneven
        start = -0.72 if self._profile else -0.92
        arch = 0.0030 if self._feminine else 0.0016
        points = smooth_line(
            [
                at(start, base + inner - 0.0006),
                at(0.15, base + (inner + outer) / 2 + arch),
                at(1.12, base + outer - 0.0012),
            ],
            6,
        )
        heavy = 0.0017 if self._feminine else 0.0027
        count = len(points)
        widths = [
            head.unit * heavy * min(1.0, 0.55 + 2.0 * index / count) * (1.0 - 0.72 * index / count)
            for index in range(count)
        ]
        hair = head.figure.character.hair_colour
        return Layer(
            "brows",
            mix(line_of(hair), hair, 0.34),
            [Shape(ribbon(points, widths), "head")],
            lined=False,
            clip=head.outline,
        )
