"""The measures of a picture, from what a judge has of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..pictures.doll.poses.person import Person
from ..spec.scores import Measure
from .evidence import Evidence


def measure(evidence: Evidence) -> Mapping[str, Measure]:
    """Every measure of the picture. One that cannot be measured has a reason instead of a value."""
    later = Measure(reason="It is not measured yet.")
    return {
        "pose": _pose(evidence),
        "view": _view(evidence),
        "palette": later,
        "identity": later,
        "clean": later,
    }


def _named(evidence: Evidence) -> dict[str, Any]:
    return {"method": evidence.estimator, "model": evidence.estimator_model}


def _pose(evidence: Evidence) -> Measure:
    target = evidence.shown.people
    if not target or evidence.found is None:
        return Measure(reason="No keypoints were asked for, or none were looked for.")
    if not evidence.found:
        return Measure(0.0, **_named(evidence), details={"missing": 1})
    wanted, found = target[0].body, evidence.found[0].body
    torso = _torso(target[0])
    near = sum(
        name in found and math.dist(found[name], place) <= 0.2 * torso for name, place in wanted.items()
    )
    return Measure(round(near / len(wanted), 4), **_named(evidence))


def _view(evidence: Evidence) -> Measure:
    if evidence.view is None or not evidence.found:
        return Measure(reason="No view was asked for, or nobody was found.")
    sees_face = "nose" in evidence.found[0].body
    wants_face = not evidence.view.startswith("back")
    return Measure("right" if sees_face == wants_face else "wrong", **_named(evidence))


def _torso(person: Person) -> float:
    body = person.body
    if "neck" in body and "right_hip" in body:
        return math.dist(body["neck"], body["right_hip"])
    heights = [place[1] for place in body.values()]
    return max(heights) - min(heights)
