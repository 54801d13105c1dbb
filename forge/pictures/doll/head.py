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

from ..body import (
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
from .geometry import Outline, ellipse, smooth
from .layers import Shape
from .person import Point
from .physique import Figure

AXIS_HEIGHT = 0.930
_MODEL: dict[str, tuple[float, float, float]] = {
    "nose": (0.0, NOSE_HEIGHT - AXIS_HEIGHT, NOSE_FORWARD),
    "left_eye": (HALF_EYES, EYE_HEIGHT - AXIS_HEIGHT, EYES_FORWARD),
    "right_eye": (-HALF_EYES, EYE_HEIGHT - AXIS_HEIGHT, EYES_FORWARD),
    "left_ear": (HALF_EARS, EAR_HEIGHT - AXIS_HEIGHT, EARS_FORWARD),
    "right_ear": (-HALF_EARS, EAR_HEIGHT - AXIS_HEIGHT, EARS_FORWARD),
}
_NECK = (0.0, SHOULDER_HEIGHT - AXIS_HEIGHT, 0.0)
_NECK_WEIGHT = 0.04  # decides the roll of a head of which only one point is known

#: How much larger heads are drawn than they are: drawn characters have larger heads.
_ENLARGED = {"child": 1.42, "teen": 1.24, "adult": 1.17, "old": 1.17}
#: Half of the outline from the top to the chin, seen from the front.
_FRONT = (
    (0.024, 0.064),
    (0.040, 0.049),
    (0.0468, 0.024),
    (0.0462, -0.004),
    (0.0425, -0.026),
    (0.0335, -0.045),
    (0.0205, -0.057),
    (0.008, -0.0625),
)
_TOP, _CHIN = (0.0, 0.068), (0.0, -0.0635)
#: The whole outline in profile, facing the picture's left, in the same order: over the face to the chin, and
#: over the jaw and the nape back to the top. The nose is put where its keypoint is.
_PROFILE_TOP = (0.004, 0.068)
_PROFILE_FACE = (
    (-0.030, 0.061),
    (-0.047, 0.042),
    (-0.0525, 0.020),
    (-0.0485, 0.003),
    (-0.0638, -0.0195),
    (-0.0525, -0.030),
    (-0.0535, -0.042),
    (-0.0475, -0.058),
)
_PROFILE_CHIN = (-0.037, -0.0625)
_PROFILE_BACK = (
    (-0.018, -0.053),
    (-0.002, -0.044),
    (0.012, -0.032),
    (0.030, -0.030),
    (0.046, -0.012),
    (0.0535, 0.012),
    (0.049, 0.041),
    (0.030, 0.061),
)
_NOSE = 4  # position in _PROFILE_FACE
#: Half axes of the ellipsoid on whose front the face is drawn, and of the skull under the hair.
FACE_BREADTH, FACE_DEPTH = 0.049, 0.052


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

    @cached_property
    def shows_face(self) -> bool:
        """Whether anything of the face is visible: it points at most a little away."""
        return self.figure.cos > -0.35

    def flat(self, x: float, y: float) -> Point:
        """A point by its place in the picture plane: x to the right, y up."""
        moved = complex(x, -y) * self.roll * self.unit
        return (self.origin[0] + moved.real, self.origin[1] + moved.imag)

    def at(self, x: float, y: float, z: float) -> Point:
        """A point in local coordinates."""
        return self.flat(x * self.figure.cos - z * self.figure.sin, y)

    def on_skull(self, azimuth: float, y: float, swell: float = 1.0) -> Point:
        """A point of the skull's surface: `azimuth` is in degrees from straight ahead to the person's
        left."""
        size = self.enlarged * swell
        angle = math.radians(azimuth)
        # The skull is narrower towards its top.
        height = max(-1.0, min(1.0, y / 0.075))
        ring = math.sqrt(max(0.0, 1.0 - height * height)) if height > 0 else 1.0
        return self.at(
            FACE_BREADTH * ring * size * math.sin(angle),
            y * self.enlarged,
            FACE_DEPTH * ring * size * math.cos(angle),
        )

    def on_face(self, x: float, y: float, out: float = 0.0) -> Point:
        """A point of the face's surface, by its place when seen from the front, not enlarged. `out` is
        statures in front of the surface."""
        share = min(1.0, abs(x) / FACE_BREADTH)
        z = FACE_DEPTH * math.sqrt(1.0 - share * share) * 1.04
        return self.at(x, y, z + out)

    @cached_property
    def outline(self) -> Outline:
        return self.grown_outline(1.0)

    def grown_outline(self, swell: float, lift: float = 0.0) -> Outline:
        """The outline, grown about the head's axis, and by `lift` statures more at the top."""
        points = self._outline_points()
        size = self.enlarged * swell
        grown = [self.flat(x * size, y * size + (lift * max(0.0, y) / _TOP[1])) for x, y in points]
        return smooth(grown, 5)

    def _outline_points(self) -> list[Point]:
        amount = abs(self.figure.sin) ** 1.4
        front = [_TOP, *((-x, y) for x, y in _FRONT), _CHIN, *_FRONT[::-1]]
        face = list(_PROFILE_FACE)
        face[_NOSE] = (-NOSE_FORWARD / self.enlarged, face[_NOSE][1])
        profile = [_PROFILE_TOP, *face, _PROFILE_CHIN, *_PROFILE_BACK]
        mixed = [
            (fx + (px - fx) * amount, fy + (py - fy) * amount)
            for (fx, fy), (px, py) in zip(front, profile, strict=True)
        ]
        if self.figure.cos < 0:
            # From behind, the nape is higher than the chin.
            mixed = [(x, y * (1 + 0.3 * self.figure.cos) if y < -0.03 else y) for x, y in mixed]
        if self.figure.sin < 0:
            mixed = [(-x, y) for x, y in mixed]
        return mixed

    @property
    def base(self) -> Point:
        """Where the neck meets the head."""
        return self.at(0.0, -0.040, -0.012)

    def skin_shapes(self) -> list[Shape]:
        return [Shape(self.outline, "head"), *self.ear_shapes()]

    def ear_shapes(self) -> list[Shape]:
        """The ears that are not behind the head."""
        up = self.flat(0, 1)
        along = ((up[0] - self.origin[0]) / self.unit, (up[1] - self.origin[1]) / self.unit)
        shapes = []
        for sign in (1.0, -1.0):
            # How much this side of the head points to the viewer.
            facing = sign * self.figure.sin
            if facing < -0.35:
                continue
            if self.figure.character.ears == "pointed":
                shapes.append(Shape(self._pointed_ear(sign, facing), "head"))
                continue
            centre = self.on_skull(sign * 94.0, -0.006, 1.02)
            half = self.unit * (0.0065 + 0.0055 * max(0.0, facing))
            shapes.append(Shape(ellipse(centre, half, 0.0145 * self.unit, along), "head"))
        return shapes

    def _pointed_ear(self, sign: float, facing: float) -> Outline:
        back = 0.045 + 0.02 * max(0.0, facing)
        tip = self.at(sign * (0.088 - 0.022 * max(0.0, facing)), 0.036, -back)
        front = self.on_skull(sign * 86.0, 0.010)
        low = self.on_skull(sign * 94.0, -0.018, 1.02)
        if facing <= 0.3:
            return (front, tip, low)
        return (front, tip, self.on_skull(sign * 112.0, 0.004, 1.06), low)


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
