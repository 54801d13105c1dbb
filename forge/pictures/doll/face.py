"""The face: eyes, brows, nose and mouth, in the eight expressions, on the side that the viewer sees."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..body import EYE_HEIGHT, HALF_EYES
from .colours import line_of, mix, shade_of
from .description import Colour
from .geometry import Outline, add, between, ribbon, smooth, smooth_line
from .head import AXIS_HEIGHT, Head
from .layers import Layer, Patch, Shape
from .person import Point

EYE_Y = EYE_HEIGHT - AXIS_HEIGHT
MOUTH_Y = -0.0425
#: How far the lips are in front of the face's ellipsoid.
_LIPS_OUT = 0.005
_WHITE: Colour = (252, 250, 246)
_PUPIL: Colour = (34, 26, 38)
_MOUTH: Colour = (150, 62, 66)
_TEETH: Colour = (250, 247, 242)
_BLUSH: Colour = (235, 130, 120)


@dataclass(frozen=True)
class Expression:
    """How an expression changes the face. Lengths are statures.

    `open` and `iris` are relative to the neutral eye, `squint` lifts the lower lid by a share of the eye.
    `brow_in` and `brow_out` move the ends of the brows up. `smile` lifts the corners of the mouth, `gape` is
    how far it is open, `wide` its width relative to the neutral one. `look` moves the irises to the picture's
    right and down. `blush`: 0 to 1.
    """

    open: float = 1.0
    squint: float = 0.0
    iris: float = 1.0
    brow_in: float = 0.0
    brow_out: float = 0.0
    smile: float = 0.002
    gape: float = 0.0
    wide: float = 1.0
    skew: float = 0.0
    wave: float = 0.0
    look: Point = (0.0, 0.0)
    blush: float = 0.0
    teeth: bool = False


EXPRESSIONS: Mapping[str, Expression] = {
    "neutral": Expression(),
    "happy": Expression(
        open=0.86,
        squint=0.24,
        brow_in=0.001,
        brow_out=0.002,
        smile=0.0075,
        gape=0.008,
        wide=1.35,
        blush=0.35,
        teeth=True,
    ),
    "sad": Expression(
        open=0.74, brow_in=0.0065, brow_out=-0.003, smile=-0.0055, wide=0.95, look=(0.0, 0.0015)
    ),
    "angry": Expression(
        open=0.72,
        squint=0.14,
        iris=0.9,
        brow_in=-0.0065,
        brow_out=0.005,
        smile=-0.0045,
        gape=0.0035,
        wide=1.1,
        teeth=True,
    ),
    "surprised": Expression(
        open=1.26, iris=0.8, brow_in=0.009, brow_out=0.008, smile=0.0, gape=0.012, wide=0.62
    ),
    "afraid": Expression(
        open=1.2,
        iris=0.68,
        brow_in=0.0095,
        brow_out=0.001,
        smile=-0.003,
        gape=0.0055,
        wide=1.12,
        wave=0.0018,
        teeth=True,
    ),
    "disgusted": Expression(
        open=0.62,
        squint=0.26,
        brow_in=-0.004,
        brow_out=0.001,
        smile=-0.004,
        wide=1.0,
        skew=0.0035,
        wave=0.001,
        look=(0.002, 0.0),
    ),
    "embarrassed": Expression(
        open=0.86,
        brow_in=0.005,
        brow_out=0.0,
        smile=0.0005,
        wide=0.72,
        wave=0.0016,
        look=(-0.0035, 0.001),
        blush=1.0,
    ),
}


#: A point of an eye by its own coordinates: from the inner to the outer corner -1 to 1, and statures up.
EyePoint = Callable[[float, float], Point]


def face_layers(head: Head) -> list[Layer]:
    """The layers of the face, from back to front; none if the head shows its back."""
    figure = head.figure
    if not head.shows_face:
        return []
    expression = EXPRESSIONS[figure.character.expression]
    layers = _cheeks(head, expression)
    layers += [*_nose(head), *_mouth(head, expression)]
    for side, sign in (("right", -1.0), ("left", 1.0)):
        if math.cos(math.radians(20.0 * sign - figure.turn)) > 0.12:
            layers += _eye(head, side, sign, expression)
    return layers


def _eye_size(head: Head) -> tuple[float, float]:
    """Half width and half height of an open eye."""
    grown = {"child": 1.16, "teen": 1.08, "adult": 1.0, "old": 0.92}[head.figure.character.age]
    grown *= 1.06 if head.figure.character.figure == "feminine" else 0.96
    return 0.0122 * grown, 0.0098 * grown


def _eye(head: Head, side: str, sign: float, expression: Expression) -> list[Layer]:
    figure = head.figure
    half, tall = _eye_size(head)
    middle = head.on_face(sign * HALF_EYES, EYE_Y)
    joint = figure.joints[f"{side}_eye"]
    shift = (joint[0] - middle[0], joint[1] - middle[1])
    limit = head.unit * 0.02
    if math.hypot(*shift) > limit:
        shift = (shift[0] * limit / math.hypot(*shift), shift[1] * limit / math.hypot(*shift))
    upper, lower = tall * expression.open, tall * 0.86 * (1.0 - expression.squint * 1.4)

    def at(x: float, y: float) -> Point:
        """`x` from the inner to the outer corner, -1 to 1."""
        return add(head.on_face(sign * (HALF_EYES + x * half), EYE_Y + y), shift)

    top = [
        at(-1.0, -tall * 0.25),
        at(-0.55, upper * 0.72),
        at(0.05, upper),
        at(0.6, upper * 0.78),
        at(1.0, tall * 0.12),
    ]
    bottom = [at(0.72, -lower * 0.78), at(0.1, -lower), at(-0.55, -lower * 0.82)]
    outline = smooth((*top, *bottom), 4)
    part, iris_part = f"{side}_eye", f"{side}_iris"
    look_x, look_y = expression.look[0] / half, expression.look[1]
    # The irises of both eyes look to the same side of the picture.
    centre_x = look_x * sign * (1.0 if figure.cos >= 0 else -1.0)
    iris, dark = (
        _disc(at, centre_x, -look_y + tall * 0.05, half, share * expression.iris) for share in (0.86, 0.44)
    )
    shine = _disc(at, centre_x - 0.22 * sign, -look_y + tall * 0.38, half, 0.24)
    colour = figure.character.eye_colour
    rim = mix(colour, _PUPIL, 0.55)
    eye = Layer(
        part,
        _WHITE,
        [Shape(outline, "head")],
        lined=False,
        patches=(
            Patch(iris, rim, iris_part),
            Patch(
                _disc(at, centre_x, -look_y + tall * 0.02, half, 0.70 * expression.iris), colour, iris_part
            ),
            Patch(dark, _PUPIL, iris_part),
            Patch(shine, (255, 255, 255), part),
        ),
    )
    ink = line_of(figure.character.skin_colour)
    lash = 1.5 if figure.character.figure == "feminine" else 1.0
    unit = head.unit
    lid = smooth_line([*top, at(1.0 + 0.22 * lash, tall * (0.30 if lash > 1 else 0.05))], 4)
    widths = [
        unit * (0.0008 + 0.0019 * lash * math.sin(math.pi * (0.12 + 0.80 * index / len(lid))))
        for index in range(len(lid))
    ]
    under = smooth_line([at(0.75, -lower * 0.86), at(0.1, -lower * 1.05), at(-0.35, -lower * 0.98)], 3)
    lines = [Shape(ribbon(lid, widths), "head"), Shape(ribbon(under, [unit * 0.0006] * len(under)), "head")]
    return [eye, Layer(part, ink, lines, lined=False), _brow(head, side, at, expression, tall)]


def _disc(at: EyePoint, x: float, y: float, half: float, share: float) -> Outline:
    """A disc on the eye, in its own coordinates; `share` of the half width is its radius."""
    points = []
    for step in range(18):
        angle = 2 * math.pi * step / 18
        points.append(at(x + share * math.cos(angle) * 0.92, y + share * half * math.sin(angle)))
    return tuple(points)


def _brow(head: Head, side: str, at: EyePoint, expression: Expression, tall: float) -> Layer:
    base = tall + 0.0085
    points = smooth_line(
        [
            at(-0.95, base + expression.brow_in - 0.001),
            at(0.1, base + (expression.brow_in + expression.brow_out) / 2 + 0.0034),
            at(1.15, base + expression.brow_out - 0.0006),
        ],
        5,
    )
    heavy = 0.0027 if head.figure.character.figure == "masculine" else 0.0019
    count = len(points)
    widths = [head.unit * (heavy * (1.0 - 0.6 * index / count)) for index in range(count)]
    hair = head.figure.character.hair_colour
    return Layer("brows", mix(line_of(hair), hair, 0.3), [Shape(ribbon(points, widths), "head")], lined=False)


def _nose(head: Head) -> list[Layer]:
    figure = head.figure
    ink = mix(shade_of(figure.character.skin_colour), line_of(figure.character.skin_colour), 0.45)
    unit, x, y = head.unit, *figure.joints["nose"]
    if figure.in_profile:
        sign = 1.0 if figure.sin > 0 else -1.0
        nostril = smooth_line(
            [
                (x + sign * unit * 0.012, y + unit * 0.0055),
                (x + sign * unit * 0.0165, y + unit * 0.0035),
                (x + sign * unit * 0.016, y + unit * 0.008),
            ],
            4,
        )
        return [
            Layer("nose", ink, [Shape(ribbon(nostril, [unit * 0.0008] * len(nostril)), "head")], lined=False)
        ]
    lean = -1.0 if figure.sin > 0.2 else 1.0
    down = head.flat(0, -1)
    axis = ((down[0] - head.origin[0]) / unit, (down[1] - head.origin[1]) / unit)
    side = (axis[1] * lean, -axis[0] * lean)

    def at(along: float, out: float) -> Point:
        return (x + (axis[0] * along + side[0] * out) * unit, y + (axis[1] * along + side[1] * out) * unit)

    bridge = smooth_line(
        [at(-0.007, 0.0015), at(-0.001, 0.0036), at(0.003, 0.0042), at(0.0048, 0.0018), at(0.0046, -0.0022)],
        4,
    )
    count = len(bridge)
    widths = [unit * (0.0003 + 0.0010 * index / count) for index in range(count)]
    return [Layer("nose", ink, [Shape(ribbon(bridge, widths), "head")], lined=False)]


def _mouth(head: Head, expression: Expression) -> list[Layer]:
    skin, unit = head.figure.character.skin_colour, head.unit
    half = 0.0125 * expression.wide
    ink = mix(line_of(skin), (120, 40, 48), 0.35)
    top, low = [], []
    near = 1.0 if head.figure.sin > 0 else -1.0
    for step in range(9):
        # In profile the mouth reaches from the middle of the lips to the near corner.
        share = near * step / 8 if head.figure.in_profile else step / 4 - 1
        x = share * half
        lift = expression.smile * abs(share) ** 1.6 + expression.skew * share
        wave = expression.wave * math.sin(share * math.pi * 2.5)
        gape = expression.gape * (1.0 - share * share) ** 0.6
        top.append(head.on_face(x, MOUTH_Y + lift + wave + gape * 0.28, _LIPS_OUT))
        low.append(head.on_face(x, MOUTH_Y + lift + wave - gape * 0.72, _LIPS_OUT))
    layers = []
    if expression.gape:
        outline = (*smooth_line(top, 2), *smooth_line(low[::-1], 2))
        patches = []
        if expression.teeth:
            edge = [between(upper, lower, 0.34) for upper, lower in zip(top, low, strict=True)]
            patches.append(Patch((*top, *edge[::-1]), _TEETH, "mouth"))
        layers.append(Layer("mouth", _MOUTH, [Shape(outline, "head")], lined=False, patches=tuple(patches)))
    line = smooth_line(top, 2)
    count = len(line)
    widths = [
        unit * 0.0013 * (0.35 + 0.65 * math.sin(math.pi * (index + 0.5) / count)) for index in range(count)
    ]
    layers.append(Layer("mouth", ink, [Shape(ribbon(line, widths), "head")], lined=False))
    if not expression.gape:
        lip = [head.on_face(x * half, MOUTH_Y - 0.0075) for x in (-0.42, 0.0, 0.42)]
        tint = mix(skin, (190, 80, 80), 0.32)
        soft = smooth_line(lip, 4)
        layers.append(
            Layer("mouth", tint, [Shape(ribbon(soft, [unit * 0.0009] * len(soft)), "head")], lined=False)
        )
    return layers


def _cheeks(head: Head, expression: Expression) -> list[Layer]:
    skin = head.figure.character.skin_colour
    amount = max(expression.blush, 0.18 if head.figure.character.age == "child" else 0.0)
    if not amount:
        return []
    layers = []
    for sign in (-1.0, 1.0):
        if math.cos(math.radians(38.0 * sign - head.figure.turn)) < 0.2:
            continue
        outline = tuple(
            head.on_face(
                sign * 0.027 + 0.0105 * math.cos(2 * math.pi * step / 16),
                -0.021 + 0.0052 * math.sin(2 * math.pi * step / 16),
            )
            for step in range(16)
        )
        layers.append(
            Layer(
                "skin",
                mix(skin, _BLUSH, 0.55 * amount),
                [Shape(outline, "head")],
                lined=False,
                clip=head.outline,
            )
        )
    return layers
