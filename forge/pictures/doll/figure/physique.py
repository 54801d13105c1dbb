"""The measures of a figure: joints, scale, and the directions that its parts are drawn in.

Lengths are fractions of stature, as in `pictures.body`; `Figure.unit` is the pixels of one stature.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ..character.character import Character
from ..painting.geometry import across, add, between, distance, unit_vector
from ..poses.person import Hand, Person, Point

SIDES = ("right", "left")


@dataclass(frozen=True)
class Build:
    """Breadths relative to the average: of limbs, shoulders, waist and hips, and of the belly's depth."""

    limb: float = 1.0
    chest: float = 1.0
    waist: float = 1.0
    hips: float = 1.0
    belly: float = 0.0


_BUILDS: Mapping[str, Build] = {
    "slim": Build(0.86, 0.94, 0.9, 0.93),
    "average": Build(),
    "athletic": Build(1.16, 1.12, 1.0, 0.98),
    "stout": Build(1.24, 1.16, 1.42, 1.24, 0.028),
}


@dataclass(frozen=True)
class Figure:
    """One person to draw. `joints` has all 18, in pixels. `turn` is in degrees from the front towards the
    picture's left. `unit` is pixels per stature."""

    person: Person
    joints: Mapping[str, Point]
    turn: float
    unit: float
    character: Character

    @cached_property
    def cos(self) -> float:
        return math.cos(math.radians(self.turn))

    @cached_property
    def sin(self) -> float:
        return math.sin(math.radians(self.turn))

    @property
    def from_behind(self) -> bool:
        return self.cos < -0.3

    @property
    def in_profile(self) -> bool:
        return abs(self.cos) <= 0.3

    @cached_property
    def near(self) -> str | None:
        """The side that is nearer to the viewer; None if both are as near."""
        if abs(self.sin) < 0.3:
            return None
        return "left" if self.sin > 0 else "right"

    @cached_property
    def build(self) -> Build:
        base = _BUILDS[self.character.build]
        if self.character.figure == "feminine":
            return Build(base.limb * 0.92, base.chest * 0.93, base.waist * 0.86, base.hips * 1.08, base.belly)
        return Build(base.limb, base.chest * 1.04, base.waist, base.hips * 0.96, base.belly)

    @cached_property
    def hip_centre(self) -> Point:
        return between(self.joints["right_hip"], self.joints["left_hip"])

    @cached_property
    def chest(self) -> Point:
        return between(self.joints["right_shoulder"], self.joints["left_shoulder"])

    @cached_property
    def spine(self) -> Point:
        """The direction from the shoulders down to the hips."""
        return unit_vector(self.chest, self.hip_centre)

    @cached_property
    def spine_length(self) -> float:
        return distance(self.chest, self.hip_centre)

    def px(self, length: float) -> float:
        """A length in statures, in pixels."""
        return length * self.unit

    def body_point(self, side: float, down: float, forward: float = 0.0) -> Point:
        """A point of the torso: `side` statures to the person's left of the spine, `down` as a share of the
        way from the shoulders to the hips, `forward` statures in front of it."""
        centre = add(self.chest, self.spine, down * self.spine_length)
        return add(centre, across(self.spine), self.px(side * self.cos - forward * self.sin))

    def half_breadth(self, side: float, deep: float) -> float:
        """Half of the visible breadth, in pixels, of a section with these half axes in statures."""
        return self.px(math.hypot(side * self.cos, deep * self.sin))

    def limb(self, side: str, *names: str) -> tuple[Point, ...]:
        return tuple(self.joints[f"{side}_{name}"] for name in names)

    def hand_of(self, side: str) -> Hand | None:
        return self.person.left_hand if side == "left" else self.person.right_hand
