"""Hands and faces in pose JSON: read in all forms, never drawn, never a reason to refuse a pose."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pose_formats import CANVAS, FRACTIONS, FRAME, HEIGHT, WIDTH, encoded, person

from avatarforge.forge.pictures.openpose_json import (
    NobodyVisible,
    PoseDocument,
    draw_pose,
    parse_pose,
    seen_from_behind,
)
from avatarforge.forge.pictures.pose_details import NO_DETAILS, Details, Keypoints
from avatarforge.forge.pictures.skeleton import Keypoint

HAND = [(120 + at, 300 + 2 * at) for at in range(21)]
FACE = [(240 + at % 9, 60 + at % 7) for at in range(70)]
PLAIN = parse_pose(encoded(FRAME))


def read(**details: Any) -> PoseDocument:
    return parse_pose(encoded({"people": [person(**details)], **CANVAS}))


def only(pose: PoseDocument) -> Details:
    (details,) = pose.details
    return details


def fractions(points: Any) -> Keypoints:
    return tuple(None if point is None else Keypoint(point[0] / WIDTH, point[1] / HEIGHT) for point in points)


def flat(points: Any, *confidence: float) -> list[float]:
    return [number for x, y in points for number in (x, y, *confidence)]


def relative(points: Any) -> list[tuple[float, float]]:
    return [(x / WIDTH, y / HEIGHT) for x, y in points]


FORMS: dict[str, Any] = {
    "flat": flat(HAND, 1.0),
    "unsure": flat(HAND, 0.01),
    "pairs": flat(HAND),
    "nested": [[x, y, 0.5] for x, y in HAND],
    "nested-pairs": [[x, y] for x, y in HAND],
    "objects": [{"x": x, "y": y, "score": 0.5} for x, y in HAND],
    "bare-objects": [{"x": x, "y": y} for x, y in HAND],
    "fractions": flat(relative(HAND), 1.0),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("key", ["hand_left_keypoints_2d", "hand_left_keypoints"])
def test_every_form_of_a_hand_is_read(form: str, key: str) -> None:
    pose = read(**{key: FORMS[form]})
    assert only(pose) == Details(left_hand=fractions(HAND))
    assert pose.left_out == ()


@pytest.mark.parametrize("key", ["face_keypoints_2d", "face_keypoints"])
@pytest.mark.parametrize("count", [68, 70])
def test_both_kinds_of_faces_are_read(key: str, count: int) -> None:
    for value in (flat(FACE[:count], 0.9), flat(FACE[:count]), [list(point) for point in FACE[:count]]):
        assert only(read(**{key: value})) == Details(face=fractions(FACE[:count]))


def test_a_person_has_all_of_them() -> None:
    other = [(x + 200, y) for x, y in HAND]
    pose = read(
        hand_left_keypoints_2d=flat(HAND, 1.0),
        hand_right_keypoints_2d=flat(other, 1.0),
        face_keypoints_2d=flat(FACE, 1.0),
    )
    assert only(pose) == Details(fractions(HAND), fractions(other), fractions(FACE))


def test_hands_belong_to_their_person() -> None:
    """A second person has hands; a third has nothing else, and is nobody."""
    hand = flat(HAND, 1.0)
    people = [person(), {}, person(hand_right_keypoints_2d=hand), {"hand_left_keypoints_2d": hand}]
    pose = parse_pose(encoded({"people": people, **CANVAS}))
    assert len(pose.people) == 2
    assert pose.details == (NO_DETAILS, Details(right_hand=fractions(HAND)))


@pytest.mark.parametrize(
    "value", [None, [], [0] * 63, [None] * 21, [None] * 63, [[0, 0]] * 21, flat(HAND, 0.0)]
)
def test_a_hand_that_is_not_there(value: Any) -> None:
    assert read(hand_left_keypoints_2d=value, hand_right_keypoints_2d=value) == PLAIN
    assert read(face_keypoints_2d=None) == PLAIN
    assert PLAIN.details == ()


@pytest.mark.parametrize("absent", [None, [], [0, 0], [-1, -1], [5, 5, 0]])
def test_a_keypoint_of_a_hand_that_is_not_there(absent: Any) -> None:
    points = [[x, y] for x, y in HAND]
    pose = read(hand_left_keypoints_2d=[*points[:4], absent, *points[5:]])
    assert only(pose).left_hand == fractions([*HAND[:4], None, *HAND[5:]])


def test_below_the_wanted_confidence_a_finger_is_not_seen() -> None:
    numbers = flat(HAND, 0.9)
    numbers[2] = 0.1
    data = encoded({"people": [person(hand_left_keypoints_2d=numbers)], **CANVAS})
    assert only(parse_pose(data, sure=0.3)).left_hand == fractions([None, *HAND[1:]])


@pytest.mark.parametrize("body", ["pixels", "fractions"])
@pytest.mark.parametrize("hand", ["pixels", "fractions"])
def test_hands_may_be_in_other_units_than_the_body(body: str, hand: str) -> None:
    entry = person(FRACTIONS) if body == "fractions" else person()
    entry["hand_left_keypoints_2d"] = flat(relative(HAND) if hand == "fractions" else HAND, 1.0)
    pose = parse_pose(encoded({"people": [entry], **CANVAS}))
    assert only(pose).left_hand == pytest.approx(fractions(HAND))


MALFORMED: list[Any] = [
    [5, 5, 1] * 20,
    [5] * 64,
    "hand",
    {"x": 1},
    7,
    True,
    [["a", "b"]] * 21,
    ["5"] * 63,
    [[1, 2, 3, 4]] * 21,
    [[5, 5]] * 20,
    [10**30, 5, 1] * 21,
    [[WIDTH * 11, 5]] * 21,
    [{"name": "thumb", "x": 5, "y": 5}] * 21,
    [[[5, 5]]] * 21,
]


@pytest.mark.parametrize("value", MALFORMED, ids=range(len(MALFORMED)))
@pytest.mark.parametrize("key", ["hand_left_keypoints_2d", "hand_right_keypoints_2d", "face_keypoints_2d"])
def test_what_cannot_be_read_is_left_out_and_named(key: str, value: Any) -> None:
    """Such poses were accepted before hands and faces were read, and are stored."""
    good = "hand_left_keypoints_2d" if key.startswith("face") else "face_keypoints_2d"
    pose = parse_pose(encoded({"people": [person(), person(**{key: value})], **CANVAS}))
    assert pose.people == (*PLAIN.people, *PLAIN.people)
    assert pose.details == ()
    (sentence,) = pose.left_out
    assert sentence.startswith(f'Person 2: "{key}" cannot be read and was left out. ')
    assert sentence.endswith(".")
    kept = read(**{key: value, good: flat(HAND if good.startswith("hand") else FACE, 1.0)})
    assert only(kept) != NO_DETAILS


def test_hands_and_faces_are_not_drawn() -> None:
    pose = read(hand_left_keypoints_2d=flat(HAND, 1.0), face_keypoints_2d=flat(FACE, 1.0))
    assert draw_pose(pose, WIDTH, HEIGHT).tobytes() == draw_pose(PLAIN, WIDTH, HEIGHT).tobytes()


def test_hands_alone_show_nobody() -> None:
    with pytest.raises(NobodyVisible):
        parse_pose(encoded({"people": [{"hand_left_keypoints_2d": flat(HAND, 1.0)}], **CANVAS}))


def test_from_behind_hands_are_mirrored_and_the_face_is_hidden() -> None:
    pose = read(
        hand_left_keypoints_2d=[None, *([x, y] for x, y in HAND[1:])], face_keypoints_2d=flat(FACE, 1.0)
    )
    behind = seen_from_behind(pose)
    hand = only(pose).left_hand
    assert hand is not None
    assert only(behind) == Details(
        left_hand=tuple(None if point is None else Keypoint(1.0 - point.x, point.y) for point in hand)
    )
    assert seen_from_behind(PLAIN).details == ()


NUMBERS = st.one_of(st.none(), st.integers(-5, 2000), st.floats(-3, 3), st.sampled_from([10**30, 1e-300]))
VALUES = st.one_of(
    st.recursive(NUMBERS | st.text(max_size=2), lambda inner: st.lists(inner, max_size=4), max_leaves=8),
    st.lists(NUMBERS, min_size=63, max_size=63),
    st.lists(st.lists(NUMBERS, min_size=1, max_size=4), min_size=21, max_size=21),
)


@settings(max_examples=100, deadline=None)
@given(VALUES, VALUES)
def test_any_hand_leaves_the_body_as_it_is(left: Any, face: Any) -> None:
    pose = read(hand_left_keypoints_2d=left, face_keypoints_2d=face)
    assert pose.people == PLAIN.people
    for details in pose.details:
        assert details.left_hand is None or len(details.left_hand) == 21
