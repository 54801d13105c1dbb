"""Glasses, sunglasses and an eyepatch. Lengths are statures, not enlarged, as in `Head.on_face`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...body import HALF_EYES
from ..character.character import Worn
from ..character.shades import light_of
from ..figure.head import EYE_Y, Head
from ..figure.physique import Figure
from ..painting.detail import Details
from ..painting.geometry import Outline, add, ribbon, smooth_line
from ..painting.layers import Layer, Patch, Shape, Stroke
from ..poses.person import Point

#: The lenses stand this far in front of the axis of the head, each turned outwards by this many degrees.
_FORWARD, _WRAP = 0.0585, 14.0
_FRAME = 0.0019


def in_front(figure: Figure, head: Head, worn: Worn, details: Details) -> list[Layer]:
    """What is drawn over the face; from behind, only the band of an eyepatch is left."""
    if worn.kind == "eyepatch":
        return _eyepatch(head, worn)
    if worn.kind not in ("glasses", "sunglasses") or not head.shows_face:
        return []
    return _glasses(head, worn, dark=worn.kind == "sunglasses")


def _shift(head: Head, side: str, sign: float) -> Point:
    """How far the eye's keypoint is from where the head has it: glasses follow the eyes a little."""
    joint, middle = head.figure.joints[f"{side}_eye"], head.on_face(sign * HALF_EYES, EYE_Y)
    moved = (joint[0] - middle[0], joint[1] - middle[1])
    limit = head.unit * 0.008 / max(math.hypot(*moved), head.unit * 0.008)
    return (moved[0] * limit, moved[1] * limit)


class _Lens:
    """The plane of one lens."""

    def __init__(self, head: Head, side: str) -> None:
        self.sign = 1.0 if side == "left" else -1.0
        self._head, self._moved = head, _shift(head, side, self.sign)
        self._sine, self._cosine = math.sin(math.radians(_WRAP)), math.cos(math.radians(_WRAP))
        self.facing = math.cos(math.radians(self.sign * _WRAP - head.figure.turn))

    def at(self, x: float, y: float) -> Point:
        """A point of the lens's plane: `x` from its centre outwards, `y` up."""
        side = self.sign * (HALF_EYES * 1.06 + x * self._cosine)
        return add(self._head.at(side, EYE_Y + y, _FORWARD - x * self._sine), self._moved)

    def outline(self, half: float, tall: float, square: float) -> Outline:
        """A rounded rectangle; a `square` of 2 is an ellipse, more is squarer."""
        points = []
        for step in range(32):
            cosine, sine = math.cos(math.pi * step / 16), math.sin(math.pi * step / 16)
            x = math.copysign(abs(cosine) ** (2 / square), cosine)
            y = math.copysign(abs(sine) ** (2 / square), sine)
            points.append(self.at(x * half, y * tall - 0.0005))
        return tuple(points)


def _glasses(head: Head, worn: Worn, *, dark: bool) -> list[Layer]:
    both = [_Lens(head, side) for side in ("right", "left")]
    lenses = [lens for lens in both if lens.facing > 0.14]
    width = head.unit * _FRAME
    shapes: list[Shape] = []
    strokes: list[Stroke] = []
    for lens in lenses:
        half, tall = (0.0170, 0.0135) if dark else (0.0165, 0.0150)
        outline = lens.outline(half, tall, 2.9 if dark else 2.4)
        if dark:
            shapes.append(Shape(outline, "head"))
            for shift in (0.0, 0.006):
                glint = (lens.at(-0.008 + shift, 0.008), lens.at(-0.012 + shift, -0.003))
                strokes.append(Stroke(glint, width * (1.2 if shift else 0.7), light_of(worn.colour)))
        else:
            closed = (*outline, outline[0], outline[1])
            shapes.append(Shape(ribbon(closed, [width] * len(closed)), "head"))
    shapes += [Shape(line, "head") for line in _bridge_and_sides(head, both, lenses, width)]
    accents = _hinges(head, worn, lenses)
    return [
        Layer(
            "eyes",
            worn.colour,
            shapes,
            patches=accents,
            strokes=strokes,
            lined=dark,
            material=worn.material,
        )
    ]


def _bridge_and_sides(
    head: Head, both: Sequence[_Lens], visible: Sequence[_Lens], width: float
) -> list[Outline]:
    lines = []
    one, other = both
    if len(visible) == 2:
        top = head.at(0.0, EYE_Y + 0.006, _FORWARD + 0.004)
        lines.append(smooth_line([one.at(-0.016, 0.002), top, other.at(-0.016, 0.002)], 4))
    for lens in both:
        # How much this side of the head points to the viewer.
        if lens.sign * head.figure.sin > 0.12:
            ear = head.at(lens.sign * 0.050 * head.enlarged, EYE_Y + 0.002, 0.004)
            hook = head.at(lens.sign * 0.051 * head.enlarged, EYE_Y - 0.008, -0.006)
            lines.append(smooth_line([lens.at(0.0155, 0.005), ear, hook], 4))
    return [ribbon(line, [width * 0.9] * len(line)) for line in lines]


def _hinges(head: Head, worn: Worn, lenses: Sequence[_Lens]) -> tuple[Patch, ...]:
    """The corners of the frame, in the second colour."""
    return tuple(
        Patch(
            (lens.at(0.012, 0.009), lens.at(0.020, 0.009), lens.at(0.020, 0.003), lens.at(0.0155, 0.003)),
            worn.accent,
        )
        for lens in lenses
    )


def _eyepatch(head: Head, worn: Worn) -> list[Layer]:
    """Over the person's left eye, on a band around the head."""
    layers = []
    lens = _Lens(head, "left")
    if head.shows_face and lens.facing > 0.14:
        outline = smooth_line(
            [
                lens.at(x * 0.0175, y * 0.0160)
                for x, y in (
                    (-1.0, 0.62),
                    (0.0, 0.80),
                    (1.0, 0.72),
                    (0.95, -0.1),
                    (0.5, -0.85),
                    (0.0, -1.05),
                    (-0.5, -0.85),
                    (-0.95, -0.1),
                    (-1.0, 0.62),
                )
            ],
            5,
        )
        seam = [
            lens.at(x * 0.012, y * 0.011)
            for x, y in ((-0.9, 0.4), (0.9, 0.5), (0.5, -0.6), (-0.5, -0.6), (-0.9, 0.4))
        ]
        patch = Layer(
            "eyes",
            worn.colour,
            [Shape(outline, "head")],
            depth=head.unit * 0.002,
            strokes=(Stroke(tuple(seam), head.unit * 0.0014, worn.accent),),
            material=worn.material,
        )
        layers.append(patch)
    return [_strap(head, worn), *layers]


def _strap(head: Head, worn: Worn) -> Layer:
    """From the left eye over the forehead to the right side of the head, and around its back."""
    turn = head.figure.turn
    points = []
    for step in range(25):
        azimuth = turn - 90.0 + 7.5 * step
        # Highest over the right temple.
        y = 0.022 - 0.020 * math.sin(math.radians(azimuth - 20.0))
        points.append(head.on_skull(azimuth, y, 1.075))
    return Layer(
        "eyes",
        worn.colour,
        [Shape(ribbon(points, [head.unit * 0.0026] * len(points)), "head")],
        lined=False,
        material=worn.material,
    )
