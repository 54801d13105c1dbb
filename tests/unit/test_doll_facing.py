"""Which way a person faces, from the keypoints."""

from __future__ import annotations

import math

import pytest
from doll_people import STATURE, TURNS, between_turns, mirrored, placed, standing
from hypothesis import given, settings
from hypothesis import strategies as st

from avatarforge.forge.pictures.body import seen_from, standing_body
from avatarforge.forge.pictures.doll.poses.facing import turn_for, turn_of
from avatarforge.forge.pictures.doll.poses.people import person_of
from avatarforge.forge.pictures.doll.poses.person import Person
from avatarforge.forge.pictures.skeleton import KEYPOINT_NAMES, view_skeleton
from avatarforge.forge.spec.views import VIEW_NAMES, VIEWS

pytestmark = [pytest.mark.slow, pytest.mark.doll]

# Turns are told apart in eight classes.
CLASS = 22.5
TILTS = (0, 30, -60, 90, 135, 180, -100)


def faces(person: Person, turn: float, tolerance: float = CLASS) -> bool:
    return between_turns(turn_of(person), turn) < tolerance


@pytest.mark.parametrize("turn", TURNS)
def test_the_standing_body_at_every_turn(turn: float) -> None:
    assert faces(standing(turn), turn, 12.0)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("tilt", TILTS)
def test_a_person_turned_in_the_picture_faces_the_same_way(turn: float, tilt: float) -> None:
    assert faces(standing(turn, tilt=tilt), turn, 12.0)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("missing", KEYPOINT_NAMES)
def test_any_one_keypoint_may_be_missing(turn: float, missing: str) -> None:
    for tilt in (0, 135):
        person = standing(turn, tilt=tilt, without=[missing])
        assert faces(person, turn)
        assert faces(mirrored(person, swapped=True), -turn)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("height", [0.9, 0.8, 0.7, 0.6])
def test_a_foreshortened_person_faces_the_same_way(turn: float, height: float) -> None:
    assert faces(standing(turn, height=height), turn)
    assert faces(standing(turn, height=height, tilt=70), turn)


@pytest.mark.parametrize("turn", TURNS)
def test_a_mirrored_picture_faces_the_other_side(turn: float) -> None:
    assert faces(mirrored(standing(turn), swapped=True), -turn)


@pytest.mark.parametrize("turn", [0.0, 45.0, -45.0])
def test_limbs_that_keep_their_names_in_the_mirror_show_the_back(turn: float) -> None:
    """This is how a pose in JSON is turned around, except that the wrong ear stays in the quarter views."""
    person = mirrored(standing(turn, without=["nose", "left_eye", "right_eye"]), swapped=False)
    assert abs(turn_of(person)) > 112.5


UPPER = [
    "neck",
    "nose",
    *(f"{side}_{part}" for side in ("left", "right") for part in ("shoulder", "eye", "ear")),
]


@pytest.mark.parametrize("turn", TURNS)
def test_the_upper_body_alone(turn: float) -> None:
    without = [name for name in KEYPOINT_NAMES if name not in UPPER]
    # In the back quarters no more than one ear tells the side.
    assert faces(standing(turn, without=without), turn, 35.0)


@pytest.mark.parametrize("turn", TURNS)
def test_the_head_alone(turn: float) -> None:
    without = [name for name in KEYPOINT_NAMES if not name.endswith(("nose", "eye", "ear"))]
    person = standing(turn, without=without)
    # One ear alone has neither a size nor a direction.
    if len(person.body) > 1:
        assert faces(person, turn)


@pytest.mark.parametrize("turn", [0.0, 45.0, 90.0, 180.0, -90.0, -45.0])
def test_without_shoulders(turn: float) -> None:
    assert faces(standing(turn, without=["left_shoulder", "right_shoulder"]), turn)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("tilt", [0, 180])
def test_raised_arms_and_bent_legs_do_not_matter(turn: float, tilt: float) -> None:
    """Arms up, thighs towards where the person faces, shanks down: someone sits, or does a handstand."""
    joints = standing_body()
    for side in ("left", "right"):
        x, y, z = joints[f"{side}_shoulder"]
        joints[f"{side}_elbow"], joints[f"{side}_wrist"] = (x, y + 0.18, z), (x * 1.1, y + 0.32, z)
        x, y, z = joints[f"{side}_hip"]
        joints[f"{side}_knee"], joints[f"{side}_ankle"] = (x, y, z + 0.24), (x, y - 0.24, z + 0.24)
    assert faces(Person(placed(seen_from(joints, turn), tilt=tilt)), turn)


@pytest.mark.parametrize("turn", [90.0, -90.0])
def test_a_runner_in_profile(turn: float) -> None:
    joints = standing_body()
    for side, sign in (("left", 1), ("right", -1)):
        x, y, z = joints[f"{side}_shoulder"]
        joints[f"{side}_elbow"] = (x, y - 0.13, z - sign * 0.13)
        joints[f"{side}_wrist"] = (x, y - 0.15, z - sign * 0.13 + 0.14)
        x, y, z = joints[f"{side}_hip"]
        joints[f"{side}_knee"] = (x, y - 0.2, z + sign * 0.14)
        joints[f"{side}_ankle"] = (x, y - 0.25, z + sign * 0.14 - 0.2)
    assert faces(Person(placed(seen_from(joints, turn))), turn)


@pytest.mark.parametrize("view", VIEW_NAMES)
def test_the_built_in_views(view: str) -> None:
    person = person_of(view_skeleton(view), 512, 768)
    assert faces(person, VIEWS[view].turn, 12.0)
    assert turn_for(person, view) == VIEWS[view].turn
    assert turn_for(person, None) == turn_of(person)


def test_a_view_decides_the_turn_and_the_keypoints_its_side() -> None:
    right, left, front = standing(-60), standing(60), standing(0)
    assert turn_for(right, "side") == -90.0
    assert turn_for(right, "quarter") == -40.0
    assert turn_for(left, "side") == 90.0
    assert turn_for(front, "quarter") == 40.0
    for person in (right, left, front):
        assert turn_for(person, "front") == 0.0
        assert turn_for(person, "back") == 180.0
        assert turn_for(person, "left") == 90.0
        assert turn_for(person, "right") == -90.0
        assert turn_for(person, "quarter_left") == 45.0
        assert turn_for(person, "quarter_right") == -45.0
        assert turn_for(person, "back_left") == 135.0
        assert turn_for(person, "back_right") == -135.0


def test_an_unknown_view_is_refused() -> None:
    with pytest.raises(ValueError, match="Unknown view 'top'"):
        turn_for(standing(0), "top")


def test_nothing_known_faces_the_front() -> None:
    assert turn_of(Person({})) == 0.0
    assert turn_of(Person({"left_wrist": (3.0, 4.0)})) == 0.0
    assert turn_of(Person(dict.fromkeys(KEYPOINT_NAMES, (5.0, 5.0)))) == 0.0


NUMBERS = st.one_of(st.floats(), st.floats(0, STATURE))
BODIES = st.dictionaries(st.sampled_from(KEYPOINT_NAMES), st.tuples(NUMBERS, NUMBERS))


@settings(max_examples=60, deadline=None)
@given(BODIES)
def test_any_keypoints_have_a_turn(body: dict[str, tuple[float, float]]) -> None:
    turn = turn_of(Person(body))
    assert -180.0 < turn <= 180.0
    assert math.isfinite(turn)
