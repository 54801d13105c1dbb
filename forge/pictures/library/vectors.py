"""Vectors of the body frame: x to the person's left, y up, z forward (`pictures.body`)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..body import Vector

ORIGIN: Vector = (0.0, 0.0, 0.0)
UP: Vector = (0.0, 1.0, 0.0)
FORWARD: Vector = (0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Attitude:
    """How a part of the body is turned, in degrees: `roll` leans it to the person's left, then `pitch` leans
    it forward, then `yaw` turns it to the person's left about the vertical axis."""

    pitch: float = 0.0
    yaw: float = 0.0
    roll: float = 0.0

    def apply(self, vector: Vector) -> Vector:
        x, y, z = vector
        cosine, sine = _turn(self.roll)
        x, y = x * cosine + y * sine, y * cosine - x * sine
        cosine, sine = _turn(self.pitch)
        y, z = y * cosine - z * sine, y * sine + z * cosine
        cosine, sine = _turn(self.yaw)
        return (x * cosine + z * sine, y, z * cosine - x * sine)


UPRIGHT = Attitude()


def add(first: Vector, second: Vector) -> Vector:
    return (first[0] + second[0], first[1] + second[1], first[2] + second[2])


def subtract(first: Vector, second: Vector) -> Vector:
    return (first[0] - second[0], first[1] - second[1], first[2] - second[2])


def scaled(vector: Vector, factor: float) -> Vector:
    return (vector[0] * factor, vector[1] * factor, vector[2] * factor)


def dot(first: Vector, second: Vector) -> float:
    return first[0] * second[0] + first[1] * second[1] + first[2] * second[2]


def cross(first: Vector, second: Vector) -> Vector:
    return (
        first[1] * second[2] - first[2] * second[1],
        first[2] * second[0] - first[0] * second[2],
        first[0] * second[1] - first[1] * second[0],
    )


def unit(vector: Vector) -> Vector:
    """The vector with length 1. Raises ZeroDivisionError for one without a direction."""
    return scaled(vector, 1.0 / math.sqrt(dot(vector, vector)))


def across(vector: Vector, axis: Vector) -> Vector:
    """The part of a vector that is at right angles to an axis of length 1."""
    return subtract(vector, scaled(axis, dot(vector, axis)))


def outward(vector: Vector, side: int) -> Vector:
    """A vector given as (out, up, forward) of one side of the body: +1 is the person's left, -1 the right."""
    return (side * vector[0], vector[1], vector[2])


def _turn(degrees: float) -> tuple[float, float]:
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
