"""The pose of a picture against the one that was asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations

from ..pictures.doll.poses.person import Person, Point
from ..spec.scores import Measure
from .evidence import Evidence

#: A joint is right within this share of the torso's length.
NEAR = 0.2
METHOD = "PCK@0.2, torso"
#: With more people than this, each is given the nearest one that is left, instead of the best of all orders.
MOST_ORDERS = 5
#: The torso is measured across, as in Yang and Ramanan, "Articulated human detection with flexible mixtures
#: of parts" (2013): from a shoulder to the hip of the other side. The others are there for what is hidden.
TORSOS = (
    ("left_shoulder", "right_hip"),
    ("right_shoulder", "left_hip"),
    ("neck", "right_hip"),
    ("neck", "left_hip"),
    ("right_shoulder", "right_hip"),
    ("left_shoulder", "left_hip"),
)


def measure_pose(evidence: Evidence) -> Measure:
    """The share of the asked joints, of all people, that were found near their place (percentage of correct
    keypoints). Only joints inside the frame count; one that was not found is wrong."""
    width, height = evidence.shown.picture.size
    wanted = [_inside(person, width, height) for person in evidence.shown.people or ()]
    wanted = [person for person in wanted if person.body]
    if not wanted:
        return Measure(reason="No keypoints are known that the picture should show.")
    if evidence.found is None:
        return Measure(reason="No estimator of poses looked at the picture.")
    if any(torso_of(person.body) is None for person in wanted):
        return Measure(reason="The pose has no torso inside the frame to measure distances by.")
    matches = _match(wanted, evidence.found)
    asked = sum(len(person.body) for person in wanted)
    right = sum(
        len(_right_joints(person, found)) for person, found in zip(wanted, matches, strict=True) if found
    )
    absent = sorted(
        {name for person, found in zip(wanted, matches, strict=True) if found for name in person.body}
        - {name for found in matches if found for name in found.body}
    )
    return Measure(
        round(right / asked, 4),
        METHOD,
        estimator_of(evidence),
        details={
            "joints": asked,
            "right": right,
            "missing_joints": absent,
            "missing_people": sum(found is None for found in matches),
            "extra_people": len(evidence.found) - sum(found is not None for found in matches),
        },
    )


def estimator_of(evidence: Evidence) -> str | None:
    """The file that found the keypoints, or the estimator that brings its own."""
    return evidence.estimator_model or evidence.estimator


def torso_of(body: Mapping[str, Point]) -> float | None:
    """The length of the torso in pixels; None if no two joints show it."""
    lengths = (math.dist(body[one], body[other]) for one, other in TORSOS if one in body and other in body)
    return next((length for length in lengths if length > 0), None)


def main_person(evidence: Evidence) -> Person | None:
    """Of the people that were found, the one that matches the first that was asked for; else the tallest."""
    if not evidence.found:
        return None
    wanted = [person for person in evidence.shown.people or () if torso_of(person.body)]
    matched = _match(wanted[:1], evidence.found)[0] if wanted else None
    return matched or max(evidence.found, key=_span)


def _inside(person: Person, width: int, height: int) -> Person:
    body = person.body.items()
    return Person({name: (x, y) for name, (x, y) in body if 0 <= x < width and 0 <= y < height})


def _right_joints(wanted: Person, found: Person) -> list[str]:
    reach = NEAR * (torso_of(wanted.body) or 0.0)
    return [
        name
        for name, place in wanted.body.items()
        if name in found.body and math.dist(place, found.body[name]) <= reach
    ]


def _match(wanted: Sequence[Person], found: Sequence[Person]) -> list[Person | None]:
    """For each person that was asked for, the one that was found for it: such that most joints are right, and
    of equal ones those that are nearest."""

    def quality(one: Person, other: Person | None) -> tuple[int, float]:
        if other is None:
            return 0, -math.inf
        return len(_right_joints(one, other)), -_mean_distance(one, other)

    if max(len(wanted), len(found)) > MOST_ORDERS:
        left, matched = list(found), []
        for person in wanted:
            best = max(left, key=lambda other: quality(person, other), default=None)
            if best is not None:
                left.remove(best)
            matched.append(best)
        return matched
    candidates = [*found, *[None] * max(0, len(wanted) - len(found))]

    def total(order: Iterable[Person | None]) -> tuple[int, float]:
        values = [quality(one, other) for one, other in zip(wanted, order, strict=True)]
        near = [distance for _, distance in values if distance > -math.inf]
        return sum(right for right, _ in values), sum(near)

    return list(max(permutations(candidates, len(wanted)), key=total))


def _mean_distance(one: Person, other: Person) -> float:
    shared = one.body.keys() & other.body.keys()
    if not shared:
        return float(2**31)
    return sum(math.dist(one.body[name], other.body[name]) for name in shared) / len(shared)


def _span(person: Person) -> float:
    heights = [y for _, y in person.body.values()]
    return max(heights) - min(heights) if heights else 0.0
