"""People of a pose in the pixels of a picture, and the keypoints that nodes exchange."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pose_formats import CANVAS, FIGURE, HEIGHT, WIDTH, encoded, person

from avatarforge.forge.pictures.doll.poses.people import (
    KeypointFrame,
    people_from_keypoints,
    people_in,
    person_of,
    to_keypoints,
)
from avatarforge.forge.pictures.doll.poses.person import Person
from avatarforge.forge.pictures.openpose_json import NobodyVisible, draw_pose, parse_pose
from avatarforge.forge.pictures.skeleton import KEYPOINT_COLOURS, KEYPOINT_NAMES, draw_skeleton, view_skeleton
from avatarforge.forge.spec.views import SHEET_VIEWS

DOCUMENT = parse_pose(encoded({"people": [person()], **CANVAS}))
SIZES = [(WIDTH, HEIGHT), (1024, 512), (300, 1000), (64, 64)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_people_are_where_the_pose_is_drawn(width: int, height: int) -> None:
    (found,) = people_in(DOCUMENT, width, height)
    picture = draw_pose(DOCUMENT, width, height)
    assert list(found.body) == list(KEYPOINT_NAMES)
    # The last joint lies on top of all others.
    x, y = found.body["left_ear"]
    assert picture.getpixel((round(x), round(y))) == KEYPOINT_COLOURS[-1]


def test_a_picture_of_the_canvas_size_has_the_pixels_of_the_pose() -> None:
    (found,) = people_in(DOCUMENT, WIDTH, HEIGHT)
    assert tuple(found.body.values()) == tuple((float(x), float(y)) for x, y in FIGURE)


def test_the_canvas_is_centred_without_distortion() -> None:
    (found,) = people_in(DOCUMENT, 2 * WIDTH, HEIGHT)
    assert found.body["nose"] == (FIGURE[0][0] + WIDTH / 2, FIGURE[0][1])
    (found,) = people_in(DOCUMENT, WIDTH // 2, HEIGHT)
    assert found.body["nose"] == (FIGURE[0][0] / 2, FIGURE[0][1] / 2 + HEIGHT / 4)


@pytest.mark.parametrize("view", SHEET_VIEWS)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_built_in_person_is_where_the_skeleton_is_drawn(view: str, width: int, height: int) -> None:
    skeleton = view_skeleton(view)
    found = person_of(skeleton, width, height)
    picture = draw_skeleton(skeleton, width, height)
    assert set(found.body) == {name for name in KEYPOINT_NAMES if skeleton[name] is not None}
    for name in ("right_wrist", "left_wrist", "right_ankle", "left_ankle"):
        x, y = found.body[name]
        assert picture.getpixel((round(x), round(y))) == KEYPOINT_COLOURS[KEYPOINT_NAMES.index(name)]


def test_a_size_below_one_pixel_is_refused() -> None:
    with pytest.raises(ValueError, match="0x5"):
        people_in(DOCUMENT, 0, 5)
    with pytest.raises(ValueError, match="5x0"):
        person_of(view_skeleton("front"), 5, 0)


HAND = tuple((20.25 + finger, 30.5) if finger else None for finger in range(21))
FACE = tuple((120.123456, 40.5 + dot) for dot in range(70))
PEOPLE = (
    Person({"nose": (12.345678, 0.0), "left_ankle": (511.9, 767.333333)}),
    Person({"neck": (100.1, 200.2), "nose": (0.0, 0.0)}, HAND, None, FACE),
    Person({"neck": (100.1, -20.2)}, None, HAND, FACE[:68]),
)


def test_nodes_exchange_people_without_loss() -> None:
    frame = to_keypoints(PEOPLE, WIDTH, HEIGHT)
    assert json.loads(json.dumps(frame)) == frame
    expected = KeypointFrame(PEOPLE, WIDTH, HEIGHT)
    assert people_from_keypoints(frame) == expected
    assert people_from_keypoints([frame]) == expected
    assert to_keypoints(expected.people, expected.width, expected.height) == frame


@pytest.mark.parametrize(("width", "height"), [(777, 1033), (641, 479)])
@pytest.mark.parametrize("view", SHEET_VIEWS)
def test_the_views_are_exchanged_without_loss(view: str, width: int, height: int) -> None:
    people = (person_of(view_skeleton(view), width, height),)
    assert people_from_keypoints(to_keypoints(people, width, height)).people == people


def test_the_lists_have_the_lengths_that_other_nodes_expect() -> None:
    frame: dict[str, Any] = to_keypoints(PEOPLE, WIDTH, HEIGHT)
    assert (frame["canvas_width"], frame["canvas_height"]) == (WIDTH, HEIGHT)
    first, second, _ = frame["people"]
    for entry in (first, second):
        assert len(entry["pose_keypoints_2d"]) == 18 * 3
        assert len(entry["hand_left_keypoints_2d"]) == len(entry["hand_right_keypoints_2d"]) == 21 * 3
        assert len(entry["face_keypoints_2d"]) == 70 * 3
    assert first["pose_keypoints_2d"][:6] == [12.345678, 0.0, 1.0, 0.0, 0.0, 0.0]
    assert not any(first["hand_left_keypoints_2d"])


def test_nobody_is_refused() -> None:
    with pytest.raises(NobodyVisible):
        people_from_keypoints(to_keypoints((), WIDTH, HEIGHT))
