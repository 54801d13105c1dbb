"""Estimates from the keypoints which way a person faces.

`turn_of` compares the keypoints with the standing body at all turns, and takes the turn that contradicts them
least. What it compares does not depend on arms and legs: the order and breadth of shoulders and hips, the
visible parts of the face, and how far nose, eyes and ears are beside one another. Only if these fit two turns
alike, such as in the back view of a headless person, the bends of knees and elbows decide.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ....spec.views import VIEWS
from ...body import FACING, VISIBLE_WITHIN
from .person import Person
from .proportions import (
    HEAD,
    SIDES,
    STANDING,
    as_complex,
    base_of_neck,
    mean,
    stature_of,
    up_of,
    upright,
)

# Views that do not say which side of the picture they face. The built-in skeletons face the left.
_EITHER_SIDE = frozenset(("side", "quarter"))
# Below this sine of the turn a person does not clearly face a side.
_SIDEWAYS = 0.2

# A measure that contradicts a turn by more than this many tolerances counts no more: heads turn and lean.
_MOST = 3.0
# Degrees past the edge of the visible range at which a contradiction counts fully.
_EDGE = 15.0
# How much it counts that a part of the face is given although it is turned away, and that it is missing
# although it should be visible. Keypoints are often missing for other reasons.
_SEEN_WRONGLY = 3.0
_MISSED = 1.6
# Tolerances, in statures.
_BREADTH = 0.03
_FACE = 0.015
_LEAN = 0.05
_BEND = 0.06
# The lengths that give the stature may all be foreshortened by these factors, with a cost that grows with the
# logarithm.
_SCALES = (1.0, 1.15, 1.3, 1.5, 1.75, 2.0)
_SCALE_COST = 0.7


@dataclass(frozen=True)
class _Measure:
    """A distance to the right in the upright person's picture, in statures: the measured one, the two
    components (x, z) of the same distance on the standing body, and the tolerance."""

    value: float
    across: float
    forward: float
    tolerance: float
    weight: float

    def cost(self, cosine: float, sine: float, scale: float) -> float:
        error = (self.value / scale - (self.across * cosine - self.forward * sine)) / self.tolerance
        return self.weight * min(error * error, _MOST * _MOST)


def turn_of(person: Person) -> float:
    """Degrees from the front towards the picture's left, above -180 and up to 180: 0 front, 90 facing the
    picture's left, 180 back, -90 facing the picture's right. 0 if nothing in the keypoints tells."""
    points = as_complex(person.body)
    stature = stature_of(points)
    if stature is None:
        return 0.0
    up = up_of(points)
    measures = [*_breadths(points, up, stature), *_face(points, up, stature), *_bends(points, up, stature)]
    seen = frozenset(name for name in HEAD if name in points)
    if not measures and not seen:
        return 0.0
    best = min(range(-175, 181, 5), key=lambda turn: (_cost(turn, measures, seen), abs(turn), -turn))
    fine = min(range(-4, 5), key=lambda step: (_cost(best + step, measures, seen), abs(step), -step))
    turn = float(best + fine)
    return turn if -180.0 < turn <= 180.0 else turn - math.copysign(360.0, turn)


def turn_for(person: Person, view: str | None) -> float:
    """The turn of a named view, or `turn_of` without one.

    "side" and "quarter" face the side of the picture that the keypoints face, and its left if they face
    neither. The other names are those of `spec.views`. Raises ValueError for another name.
    """
    if view is None:
        return turn_of(person)
    if view not in VIEWS:
        raise ValueError(f"Unknown view {view!r}: one of {', '.join(VIEWS)}.")
    turn = VIEWS[view].turn
    if view in _EITHER_SIDE and math.sin(math.radians(turn_of(person))) < -_SIDEWAYS:
        return -turn
    return turn


def _cost(turn: float, measures: list[_Measure], seen: frozenset[str]) -> float:
    cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    fitting = min(
        _SCALE_COST * math.log(scale) ** 2 + sum(measure.cost(cosine, sine, scale) for measure in measures)
        for scale in _SCALES
    )
    return fitting + _visibility(turn, seen)


def _visibility(turn: float, seen: frozenset[str]) -> float:
    """How much the given parts of the face contradict a turn."""
    if not seen:
        return 0.0
    cost = 0.0
    for name, direction in FACING.items():
        beyond = abs((direction - turn + 180.0) % 360.0 - 180.0) - VISIBLE_WITHIN
        if name in seen:
            cost += _SEEN_WRONGLY * min(1.0, max(0.0, beyond / _EDGE))
        else:
            cost += _MISSED * min(1.0, max(0.0, -beyond / _EDGE))
    return cost


def _between(
    points: Mapping[str, complex],
    up: complex,
    stature: float,
    names: tuple[str, str],
    tolerance: float,
    weight: float,
) -> _Measure | None:
    """The measure from the first to the second of two joints, or None unless both are given."""
    first, second = names
    if first not in points or second not in points:
        return None
    (x1, _, z1), (x2, _, z2) = STANDING[first], STANDING[second]
    value = upright(points[second] - points[first], up)[0] / stature
    return _Measure(value, x2 - x1, z2 - z1, tolerance, weight)


def _breadths(points: Mapping[str, complex], up: complex, stature: float) -> list[_Measure]:
    pairs = [("right_shoulder", "left_shoulder"), ("right_hip", "left_hip")]
    if "right_shoulder" not in points or "left_shoulder" not in points:
        pairs += [("right_shoulder", "neck"), ("neck", "left_shoulder")]
    found = (_between(points, up, stature, pair, _BREADTH, 1.0) for pair in pairs)
    # The standing body takes half a step, which turns shoulders and hips a little. Other people do not.
    return [replace(measure, forward=0.0) for measure in found if measure is not None]


def _face(points: Mapping[str, complex], up: complex, stature: float) -> list[_Measure]:
    """Distances within the face, and from the neck to the face, which depend on how the head leans."""
    given = [name for name in HEAD if name in points]
    pairs = [(first, second) for at, first in enumerate(given) for second in given[at + 1 :]]
    # Each part of the face is in as many pairs as there are others.
    weight = 1.0 / max(1, len(given) - 1)
    found = [_between(points, up, stature, pair, _FACE, weight) for pair in pairs]
    measures = [measure for measure in found if measure is not None]
    neck, centre = base_of_neck(points), mean(points[name] for name in given)
    if neck is not None and centre is not None:
        across = sum(STANDING[name][0] for name in given) / len(given)
        forward = sum(STANDING[name][2] for name in given) / len(given)
        value = upright(centre - neck, up)[0] / stature
        measures.append(_Measure(value, across, forward, _LEAN, 1.0))
    return measures


def _bends(points: Mapping[str, complex], up: complex, stature: float) -> list[_Measure]:
    """Knees bend forward and elbows backward. Both sides are averaged, because arms and legs also spread."""
    measures = []
    for upper, joint, lower in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
        names = [(f"{side}_{upper}", f"{side}_{joint}", f"{side}_{lower}") for side in SIDES]
        if not all(name in points for limb in names for name in limb):
            continue
        offsets = [upright(points[b] - (points[a] + points[c]) / 2, up)[0] / stature for a, b, c in names]
        across, forward = (
            sum(STANDING[b][axis] - (STANDING[a][axis] + STANDING[c][axis]) / 2 for a, b, c in names) / 2
            for axis in (0, 2)
        )
        measures.append(_Measure(sum(offsets) / 2, across, forward, _BEND, 1.0))
    return measures
