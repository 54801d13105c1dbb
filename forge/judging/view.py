"""The side from which a picture shows its person, against the view that was asked for."""

from __future__ import annotations

import math

from ..pictures.doll.poses.facing import turn_of
from ..pictures.doll.poses.person import Person
from ..spec.scores import Measure, ViewVerdict
from ..spec.views import VIEWS
from .evidence import Evidence
from .pose import estimator_of, main_person, torso_of

METHOD = "keypoints of face, shoulders and hips"
#: Up to this many degrees beside the asked turn a view is right, and from here on wrong. An eighth of a turn
#: is 45.
RIGHT_WITHIN, WRONG_FROM = 35.0, 70.0
#: Seen from so far behind, nobody shows eyes and nose.
FROM_BEHIND = 125.0
#: The breadth of shoulders or hips, as a share of the torso, from which their order counts; and the cosine of
#: the turn from which they have one.
BROAD, CLEAR = 0.2, 0.5
#: Views that face either side of the picture.
EITHER_SIDE = frozenset(("side", "quarter"))
PAIRS = (("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"))
EYES = ("left_eye", "right_eye")


def measure_view(evidence: Evidence) -> Measure:
    """`right`, `wrong`, or `unsure` where the keypoints do not tell."""
    if evidence.view is None:
        return Measure(reason="No view was asked for.")
    if evidence.found is None:
        return Measure(reason="No estimator of poses looked at the picture.")
    person = main_person(evidence)
    if person is None or torso_of(person.body) is None:
        return Measure(reason="Nobody was found in the picture whose side can be told.")
    asked, found = VIEWS[evidence.view].turn, turn_of(person)
    if evidence.view in EITHER_SIDE and (found < 0) != (asked < 0):
        asked = -asked
    apart = abs((found - asked + 180.0) % 360.0 - 180.0)
    faults = _faults(person, asked)
    return Measure(
        _verdict(apart, faults),
        METHOD,
        estimator_of(evidence),
        details={"turn": round(found), "asked_turn": round(asked), "faults": faults},
    )


def _verdict(apart: float, faults: list[str]) -> ViewVerdict:
    if faults or apart >= WRONG_FROM:
        return "wrong"
    return "right" if apart <= RIGHT_WITHIN else "unsure"


def _faults(person: Person, asked: float) -> list[str]:
    """What cannot be seen from that side."""
    body, faults = person.body, []
    if abs(asked) >= FROM_BEHIND and "nose" in body and any(eye in body for eye in EYES):
        faults.append("face_from_behind")
    cosine = math.cos(math.radians(asked))
    least = BROAD * (torso_of(body) or 0.0)
    # From the front a person's left is at the right of the picture.
    orders = [
        math.copysign(1.0, body[left][0] - body[right][0])
        for left, right in PAIRS
        if left in body and right in body and abs(body[left][0] - body[right][0]) >= least
    ]
    if abs(cosine) >= CLEAR and orders and all(order * cosine < 0 for order in orders):
        faults.append("left_and_right_swapped")
    return faults
