"""The head: where it is, which way it is turned, and its outline.

Local coordinates are statures from a point on the head's axis at the height of the ears: x to the person's
left, y up, z forward, as in `pictures.body`.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ...body import (
    EAR_HEIGHT,
    EARS_FORWARD,
    EYE_HEIGHT,
    EYES_FORWARD,
    HALF_EARS,
    HALF_EYES,
    NOSE_FORWARD,
    NOSE_HEIGHT,
    SHOULDER_HEIGHT,
)
from ..painting.geometry import Outline, add, smooth, smooth_line
from ..painting.layers import Layer, Shape, Stroke
from ..poses.person import Point
from .physique import Figure
from .skull import Section, Skull

AXIS_HEIGHT = 0.930
EYE_Y = EYE_HEIGHT - AXIS_HEIGHT
_MODEL: dict[str, tuple[float, float, float]] = {
    "nose": (0.0, NOSE_HEIGHT - AXIS_HEIGHT, NOSE_FORWARD),
    "left_eye": (HALF_EYES, EYE_Y, EYES_FORWARD),
    "right_eye": (-HALF_EYES, EYE_Y, EYES_FORWARD),
    "left_ear": (HALF_EARS, EAR_HEIGHT - AXIS_HEIGHT, EARS_FORWARD),
    "right_ear": (-HALF_EARS, EAR_HEIGHT - AXIS_HEIGHT, EARS_FORWARD),
}
_NECK = (0.0, SHOULDER_HEIGHT - AXIS_HEIGHT, 0.0)
_NECK_WEIGHT = 0.04  # decides the roll of a head of which only one point is known

#: How much larger heads are drawn than they are: drawn characters have larger heads.
_ENLARGED = {"child": 1.24, "teen": 1.17, "adult": 1.12, "old": 1.12}
_JAWS = {"feminine": 0.97, "masculine": 1.09}
#: From behind, the nape is so much higher than the chin.
_NAPE = 0.34
#: Beyond this share of a side's turn to the viewer, its ear is in front of the head.
_NEAR_EAR = 0.2


@dataclass(frozen=True)
class Head:
    """A head in the picture: `origin` in pixels, `roll` turns its axis, `unit` is pixels per stature."""

    figure: Figure
    origin: Point
    roll: complex
    unit: float

    @property
    def enlarged(self) -> float:
        return _ENLARGED[self.figure.character.age]

    @property
    def turn(self) -> float:
        return self.figure.turn

    @property
    def cos(self) -> float:
        return self.figure.cos

    @property
    def sin(self) -> float:
        return self.figure.sin

    @cached_property
    def skull(self) -> Skull:
        character = self.figure.character
        jaw = 1.05 if character.age == "child" else _JAWS.get(character.figure, 1.0)
        return Skull(self.enlarged, jaw, (NOSE_HEIGHT - AXIS_HEIGHT, NOSE_FORWARD))

    @property
    def shows_face(self) -> bool:
        return not self.figure.from_behind

    @property
    def ahead(self) -> float:
        """The picture's direction that a head in profile looks in: -1 is left."""
        return -1.0 if self.sin > 0 else 1.0

    @cached_property
    def right(self) -> Point:
        """The picture's right in the frame of the head."""
        return (self.roll.real, self.roll.imag)

    @cached_property
    def up(self) -> Point:
        return (self.roll.imag, -self.roll.real)

    def flat(self, x: float, y: float) -> Point:
        """A point by its place in the picture plane: x to the right, y up."""
        moved = complex(x, -y) * self.roll * self.unit
        return (self.origin[0] + moved.real, self.origin[1] + moved.imag)

    def moved(self, start: Point, right: float, up: float) -> Point:
        """A point moved in the picture plane, by statures in the frame of the head."""
        return add(add(start, self.right, right * self.unit), self.up, up * self.unit)

    def at(self, x: float, y: float, z: float) -> Point:
        """A point in local coordinates."""
        return self.flat(x * self.cos - z * self.sin, y)

    def on_section(self, section: Section, azimuth: float, y: float) -> Point:
        """Where a level section faces `azimuth`."""
        x, z = section.point(azimuth)
        return self.at(x, y, z)

    def on_skull(self, azimuth: float, y: float, swell: float = 1.0) -> Point:
        """A point of the skull's surface, grown by `swell`, at a height of the head that is not enlarged.
        `azimuth` is in degrees from straight ahead to the person's left."""
        height = y * self.enlarged
        return self.on_section(self.skull.section(height / swell).grown(swell), azimuth, height)

    def on_face(self, x: float, y: float, out: float = 0.0) -> Point:
        """A point of the face's surface, by its place when seen from the front, not enlarged. `out` is
        statures in front of the surface."""
        section = self.skull.section(y)
        share = min(1.0, abs(x) / section.half) if section.half > 0 else 1.0
        return self.at(x, y, section.middle + section.deep * math.sqrt(1.0 - share * share) + out)

    @cached_property
    def outline(self) -> Outline:
        return self.grown_outline(1.0)

    def grown_outline(self, swell: float, lift: float = 0.0) -> Outline:
        """The outline, grown about the head's axis, and by `lift` statures more at the top."""
        left, right = self.skull.silhouette(self.cos, self.sin, face=swell == 1.0)
        points = [*left, *right[-2:0:-1]]
        grown = [
            self.flat(x * swell, self._raised(y) * swell + lift * max(0.0, y) / self.skull.top)
            for x, y in points
        ]
        return smooth(grown, 4)

    def _raised(self, y: float) -> float:
        """The height of the outline from behind, where the nape hides the chin."""
        limit = -0.02
        if self.cos >= 0 or y >= limit:
            return y
        return limit + (y - limit) * (1.0 + _NAPE * 1.5 * self.cos)

    @property
    def base(self) -> Point:
        """Where the neck meets the head."""
        return self.at(0.0, -0.040, -0.012)

    def layers(self, depth: float) -> list[Layer]:
        """The skin of the head with its ears. `depth` is that of its shade, in pixels."""
        skin = self.figure.character.skin_colour
        shown = [sign for sign in (1.0, -1.0) if sign * self.sin > -0.6]
        far = [self._ear(sign) for sign in shown if sign * self.sin <= _NEAR_EAR]
        near = [self._ear(sign) for sign in shown if sign * self.sin > _NEAR_EAR and not self._pointed]
        return [*far, Layer("skin", skin, [Shape(self.outline, "head")], depth=depth), *near]

    def ears_over_hair(self) -> list[Layer]:
        """A near pointed ear, which sticks out of the hair."""
        near = math.copysign(1.0, self.sin)
        return [self._ear(near)] if self._pointed and abs(self.sin) > _NEAR_EAR else []

    @property
    def _pointed(self) -> bool:
        return self.figure.character.ears == "pointed"

    def _ear(self, sign: float) -> Layer:
        """An ear. It stands off the head, so that it is narrow from the front."""
        pointed = self._pointed
        # Pointed ears stand out further from behind, where they would be seen edge on.
        out = 0.62 + 0.28 * min(1.0, max(0.0, -self.cos / 0.7)) if pointed else 0.50
        back = math.sqrt(1.0 - out * out)
        root = self.skull.section(-0.004).point(sign * 84.0)

        def at(behind: float, y: float) -> Point:
            return self.at(root[0] + sign * out * behind - sign * 0.002, y, root[1] - back * behind)

        rim = _POINTED_EAR if pointed else _ROUND_EAR
        size = self.enlarged / 1.12
        outline = smooth([at(behind * size, y * size) for behind, y in rim], 4)
        inner = [at(behind * size, y * size) for behind, y in (_POINTED_FOLD if pointed else _ROUND_FOLD)]
        fold = Stroke(smooth_line(inner, 4), self.unit * 0.0016, shade=True)
        return Layer(
            "skin",
            self.figure.character.skin_colour,
            [Shape(outline, "head")],
            depth=self.unit * 0.003,
            strokes=(fold,),
        )


#: The rim of an ear from its top, and the fold inside: statures behind its root, and up.
_ROUND_EAR = (
    (-0.001, 0.008),
    (0.006, 0.0135),
    (0.014, 0.011),
    (0.0165, 0.003),
    (0.0125, -0.007),
    (0.0075, -0.0155),
    (0.002, -0.0175),
    (-0.001, -0.012),
)
_ROUND_FOLD = ((0.003, 0.0055), (0.0085, 0.0085), (0.012, 0.004), (0.0085, -0.002), (0.0065, -0.0075))
_POINTED_EAR = (
    (-0.001, 0.006),
    (0.010, 0.0135),
    (0.028, 0.025),
    (0.050, 0.037),
    (0.0505, 0.0365),
    (0.038, 0.016),
    (0.022, -0.004),
    (0.009, -0.0155),
    (0.002, -0.0175),
    (-0.001, -0.012),
)
_POINTED_FOLD = ((0.034, 0.0235), (0.017, 0.011), (0.007, 0.003), (0.0075, -0.0065))


def head_of(figure: Figure) -> Head:
    """Fit the head to the visible points of the face: by rotation and place, and by size within limits."""
    given = {name: figure.person.body[name] for name in _MODEL if name in figure.person.body}
    points = given or {name: figure.joints[name] for name in _MODEL}
    model = {name: complex(x * figure.cos - z * figure.sin, -y) for name, (x, y, z) in _MODEL.items()}
    pairs = [(model[name], complex(*point), 1.0) for name, point in points.items()]
    unit, centre = figure.unit, _mean(pairs)
    neck = complex(*figure.joints["neck"])
    with_neck = [*pairs, (complex(0, -_NECK[1]), neck, _NECK_WEIGHT)]
    roll = _rotation(with_neck, _mean(with_neck))
    if len(pairs) >= 3:
        unit = _size(pairs, centre, unit)
    origin = centre[1] - centre[0] * roll * unit
    return Head(figure, (origin.real, origin.imag), roll, unit)


Pair = tuple[complex, complex, float]


def _mean(pairs: Sequence[Pair]) -> tuple[complex, complex]:
    total = sum(weight for _, _, weight in pairs)
    return (
        sum((model * weight for model, _, weight in pairs), 0j) / total,
        sum((point * weight for _, point, weight in pairs), 0j) / total,
    )


def _rotation(pairs: Sequence[Pair], centre: tuple[complex, complex]) -> complex:
    """The least-squares rotation from the model to the picture."""
    moment = sum(
        ((model - centre[0]).conjugate() * (point - centre[1]) * weight for model, point, weight in pairs), 0j
    )
    return moment / abs(moment) if abs(moment) > 1e-9 else cmath.rect(1.0, 0.0)


def _size(pairs: Sequence[Pair], centre: tuple[complex, complex], unit: float) -> float:
    model = math.sqrt(sum(abs(each - centre[0]) ** 2 for each, _, _ in pairs))
    picture = math.sqrt(sum(abs(point - centre[1]) ** 2 for _, point, _ in pairs))
    return min(1.3 * unit, max(0.8 * unit, picture / model)) if model > 1e-6 else unit
