"""Joints that a pose does not show, and the size of a person."""

from __future__ import annotations

import math

import pytest
from doll_people import STATURE, TURNS, distance, standing, whole
from hypothesis import given, settings
from hypothesis import strategies as st

from avatarforge.forge.pictures.doll.poses.complete import DEFAULT_UNIT, complete, unit_of
from avatarforge.forge.pictures.doll.poses.person import Person
from avatarforge.forge.pictures.skeleton import KEYPOINT_NAMES

pytestmark = [pytest.mark.slow, pytest.mark.doll]

# How far an inferred joint may be from where the standing body has it, in statures. Arms and legs are copied
# from the other side, which is half a step behind.
TOLERANCE = {"elbow": 0.06, "wrist": 0.06, "knee": 0.06, "ankle": 0.06}


def only(person: Person, *names: str) -> Person:
    return Person({name: person.body[name] for name in names})


def without(person: Person, *names: str) -> Person:
    return Person({name: point for name, point in person.body.items() if name not in names})


def close(joints: dict[str, tuple[float, float]], expected: Person, tolerance: float) -> bool:
    return all(distance(joints[name], point) < tolerance for name, point in expected.body.items())


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("tilt", [0, 60, 180])
def test_a_missing_joint_is_where_the_standing_body_has_it(turn: float, tilt: float) -> None:
    expected = whole(turn, tilt=tilt)
    for missing in KEYPOINT_NAMES:
        person = without(expected, missing)
        joints = complete(person, turn)
        tolerance = TOLERANCE.get(missing.rpartition("_")[2], 0.02)
        assert distance(joints[missing], expected.body[missing]) < tolerance, missing
        assert {name: joints[name] for name in person.body} == person.body
        assert unit_of(person, joints, turn) == pytest.approx(STATURE, rel=0.06)


@pytest.mark.parametrize("turn", TURNS)
def test_what_a_view_hides_is_added(turn: float) -> None:
    assert close(complete(standing(turn), turn), whole(turn), 0.03)


SHOULDERS = ("left_shoulder", "right_shoulder")
HEAD = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")


@pytest.mark.parametrize("turn", [0.0, 45.0, -90.0, 180.0])
def test_a_body_hangs_below_an_upper_body(turn: float) -> None:
    expected = whole(turn)
    joints = complete(only(expected, "neck", *SHOULDERS, *HEAD), turn)
    assert close(joints, expected, 0.12)


@pytest.mark.parametrize("turn", [0.0, 45.0, 180.0])
def test_a_body_hangs_below_a_head(turn: float) -> None:
    expected = whole(turn)
    assert close(complete(only(expected, *HEAD), turn), expected, 0.05)


@pytest.mark.parametrize("turn", [0.0, 90.0, -135.0])
def test_a_body_stands_on_legs(turn: float) -> None:
    expected = whole(turn)
    legs = [name for name in KEYPOINT_NAMES if name.endswith(("hip", "knee", "ankle"))]
    assert close(complete(only(expected, *legs), turn), expected, 0.06)


def test_a_raised_arm_is_repeated_on_the_other_side() -> None:
    front, profile = whole(0), whole(90)
    for person, turn, mirror in ((front, 0.0, -1), (profile, 90.0, 1)):
        x, y = person.body["left_shoulder"]
        body = {
            **person.body,
            "left_elbow": (x + 100, y - 80),
            "left_wrist": (x + 60, y - 170),
        }
        joints = complete(without(Person(body), "right_elbow", "right_wrist"), turn)
        x, y = joints["right_shoulder"]
        assert joints["right_elbow"] == pytest.approx((x + mirror * 100, y - 80))
        assert joints["right_wrist"] == pytest.approx((x + mirror * 60, y - 170))


@pytest.mark.parametrize(("turn", "side"), [(90.0, -1), (-90.0, 1)])
def test_knees_bend_forward_and_elbows_backward(turn: float, side: int) -> None:
    """A crouching person in profile; knees and elbows are missing. Forward is on the picture's `side`."""
    body = dict(whole(turn).body)
    for name in ("left", "right"):
        x, y = body[f"{name}_hip"]
        body[f"{name}_ankle"] = (x, y + 180.0)
        x, y = body[f"{name}_shoulder"]
        body[f"{name}_wrist"] = (x, y + 120.0)
    person = without(Person(body), "left_knee", "right_knee", "left_elbow", "right_elbow")
    joints = complete(person, turn)
    for name in ("left", "right"):
        assert side * (joints[f"{name}_knee"][0] - joints[f"{name}_hip"][0]) > 0.1 * STATURE
        assert side * (joints[f"{name}_elbow"][0] - joints[f"{name}_shoulder"][0]) < -0.07 * STATURE
        for ends in (("hip", "knee"), ("knee", "ankle")):
            first, second = (joints[f"{name}_{end}"] for end in ends)
            assert distance(first, second) == pytest.approx(0.2455, rel=0.06)


def test_a_missing_joint_of_a_straight_limb_is_on_its_line() -> None:
    expected = whole(0)
    body = {**expected.body, "left_wrist": (expected.body["left_shoulder"][0] + 400.0, 300.0)}
    joints = complete(without(Person(body), "left_elbow"), 0.0)
    (x1, y1), (x2, y2), (x3, y3) = (joints[f"left_{name}"] for name in ("shoulder", "elbow", "wrist"))
    assert x1 < x2 < x3
    assert (x2 - x1) * (y3 - y1) == pytest.approx((x3 - x1) * (y2 - y1))


def test_a_large_head_keeps_its_size() -> None:
    """The far ear of a stylised figure with a head of twice the size."""
    body = dict(whole(0).body)
    x0, y0 = body["neck"]
    for name in HEAD:
        x, y = body[name]
        body[name] = (x0 + 2 * (x - x0), y0 + 2 * (y - y0))
    joints = complete(without(Person(body), "left_ear"), 0.0)
    assert distance(joints["left_ear"], body["left_ear"]) < 0.02


@pytest.mark.parametrize("turn", TURNS)
def test_foreshortened_segments_do_not_make_a_person_small(turn: float) -> None:
    """Someone sits facing the viewer: the thighs have almost no length in the picture."""
    body = dict(whole(turn).body)
    for name in ("left", "right"):
        x, y = body[f"{name}_hip"]
        body[f"{name}_knee"], body[f"{name}_ankle"] = (x, y + 10.0), (x, y + 180.0)
        x, y = body[f"{name}_shoulder"]
        body[f"{name}_elbow"], body[f"{name}_wrist"] = (x, y + 30.0), (x, y + 60.0)
    person = Person(body)
    assert unit_of(person, complete(person, turn), turn) == pytest.approx(STATURE, rel=0.07)


def test_one_long_segment_does_not_make_a_person_large() -> None:
    body = dict(whole(0).body)
    x, y = body["left_ankle"]
    body["left_ankle"] = (x, y + 300.0)
    person = Person(body)
    assert unit_of(person, complete(person, 0.0), 0.0) == pytest.approx(STATURE, rel=0.06)


@pytest.mark.parametrize(
    "body",
    [{}, {"nose": (5.0, 5.0)}, dict.fromkeys(KEYPOINT_NAMES, (5.0, 5.0)), {"left_ear": (1e300, 1e300)}],
)
def test_without_any_length_the_size_is_a_usual_one(body: dict[str, tuple[float, float]]) -> None:
    person = Person(body)
    joints = complete(person, 0.0)
    assert set(joints) == set(KEYPOINT_NAMES)
    assert unit_of(person, {}, 0.0) == DEFAULT_UNIT


NUMBERS = st.one_of(st.floats(), st.floats(0, STATURE), st.sampled_from([0.0, 1.0, 1e-300, 1e300]))
BODIES = st.dictionaries(st.sampled_from(KEYPOINT_NAMES), st.tuples(NUMBERS, NUMBERS))


@settings(max_examples=200, deadline=None)
@given(BODIES, st.floats(-180, 180))
def test_any_keypoints_are_completed(body: dict[str, tuple[float, float]], turn: float) -> None:
    person = Person(body)
    joints = complete(person, turn)
    assert list(joints) == list(KEYPOINT_NAMES)
    assert all(math.isfinite(x) and math.isfinite(y) for name, (x, y) in joints.items() if name not in body)
    assert all(joints[name] is point for name, point in body.items())
    unit = unit_of(person, joints, turn)
    assert math.isfinite(unit)
    assert unit > 0
