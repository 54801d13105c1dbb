"""Poses in two dimensions are turned: their depth is estimated."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from pose_formats import FRAME

from avatarforge.forge.pictures.library.builtin import builtin_pose, written_pose
from avatarforge.forge.pictures.library.frames import pose_views
from avatarforge.forge.pictures.library.lifting import mirror_pose, turn_pose
from avatarforge.forge.pictures.openpose_json import PoseDocument, draw_pose, parse_pose, seen_from_behind
from avatarforge.forge.pictures.skeleton import KEYPOINT_NAMES, Keypoint
from avatarforge.forge.spec.views import VIEW_NAMES, VIEWS

CASES = Path(__file__).parents[1] / "data" / "cases"


def front(name: str = "walking") -> PoseDocument:
    pose = builtin_pose(name)
    assert pose is not None
    return written_pose(pose)


def named(document: PoseDocument) -> dict[str, Keypoint]:
    points = zip(KEYPOINT_NAMES, document.people[0].keypoints, strict=True)
    return {name: point for name, point in points if point is not None}


def test_no_turn_changes_nothing_and_half_a_turn_is_the_view_from_behind() -> None:
    given = front()
    assert turn_pose(given, 0.0) is given
    assert turn_pose(given, 180.0) == turn_pose(given, -180.0) == seen_from_behind(given)


def test_a_limb_that_looks_short_points_out_of_the_picture() -> None:
    """A built-in pose, flattened to its front and turned again, is like what it really is from there."""
    for name, joints in {
        "sitting": ("left_knee", "right_knee"),
        "carrying": ("left_wrist", "right_wrist"),
        "kneeling": ("left_ankle", "right_ankle"),
    }.items():
        pose = builtin_pose(name)
        assert pose is not None
        for view, side in (("left", -1), ("right", 1)):
            lifted = named(turn_pose(front(name), VIEWS[view].turn))
            real = named(written_pose(pose, view))
            for joint in joints:
                parent = joint.replace("ankle", "knee").replace("wrist", "elbow")
                parent = parent.replace("knee", "hip") if "knee" in joint else parent
                # In the profile, what came towards the viewer is on the side that the person faces.
                sign = math.copysign(1, real[joint].x - real[parent].x)
                assert sign == (-side if joint.endswith("ankle") else side)
                assert math.copysign(1, lifted[joint].x - lifted[parent].x) == sign, (name, joint, view)


def test_heights_stay_and_turns_to_either_side_are_mirror_images_of_a_symmetric_pose() -> None:
    given = front("t_pose")
    for left, right in (("left", "right"), ("quarter_left", "quarter_right"), ("back_left", "back_right")):
        one, other = (named(turn_pose(given, VIEWS[view].turn)) for view in (left, right))
        assert one.keys() != set() and {len(one)} == {len(other)}
        for name, point in named(given).items():
            for turned in (one, other):
                if name in turned:
                    assert turned[name].y == pytest.approx(point.y, abs=1e-6)
        twin = {"left": "right", "right": "left"}
        for name, point in one.items():
            side, _, part = name.partition("_")
            mirrored = f"{twin[side]}_{part}" if side in twin else name
            assert other[mirrored].x == pytest.approx(1 - point.x, abs=0.02)


def test_what_the_head_hides_is_left_out() -> None:
    shown = {view: named(turn_pose(front("standing"), VIEWS[view].turn)).keys() for view in VIEW_NAMES}
    assert "right_ear" not in shown["left"] and "left_ear" in shown["left"]
    assert "left_ear" not in shown["right"] and "right_ear" in shown["right"]
    assert not {"nose", "left_eye", "right_eye"} & shown["back_left"]
    assert turn_pose(front("standing"), 45.0).details[0].face is None


def test_mirrored_twice_is_as_before_and_names_change_sides() -> None:
    given = front("waving")
    mirrored = mirror_pose(given)
    assert named(mirrored)["left_wrist"].x == pytest.approx(1 - named(given)["right_wrist"].x)
    assert named(mirrored)["left_wrist"].y < named(mirrored)["nose"].y
    again = mirror_pose(mirrored)
    for first, second in zip(again.people[0].keypoints, given.people[0].keypoints, strict=True):
        assert first is not None and second is not None
        assert math.hypot(first.x - second.x, first.y - second.y) < 1e-9
    face, before = again.details[0].face, given.details[0].face
    assert face is not None and before is not None
    assert [point is None for point in face] == [point is None for point in before]


def test_every_case_can_be_turned_to_every_view_and_drawn() -> None:
    size = (96, 144)
    for path in sorted(CASES.glob("pose-*.json")):
        document = parse_pose(path.read_bytes(), size)
        for view, turned in zip(VIEW_NAMES, pose_views(document, VIEW_NAMES, size), strict=True):
            assert (turned.width, turned.height) == size
            points = [point for person in turned.people for point in person.keypoints if point is not None]
            assert all(math.isfinite(point.x) and math.isfinite(point.y) for point in points)
            assert draw_pose(turned, *size).getbbox() is not None, (path.name, view)


def test_a_pose_of_ones_own_keeps_its_place_on_its_canvas() -> None:
    (fitted,) = pose_views(
        document := parse_pose(str(FRAME).replace("'", '"').encode()), (None,), (1024, 768)
    )
    # The canvas of 512x768 is in the middle of 1024x768.
    for name, point in named(document).items():
        assert named(fitted)[name].x == pytest.approx(0.25 + point.x / 2)
        assert named(fitted)[name].y == pytest.approx(point.y)


def test_people_without_a_measure_are_turned_too() -> None:
    """A single point has no bones that tell its size."""
    lone = parse_pose(
        b'{"canvas_width": 64, "canvas_height": 64, "people": [{"pose_keypoints_2d": [%s]}]}'
        % (b", ".join([b"8, 8, 1"] + [b"0, 0, 0"] * 17))
    )
    (point,) = named(turn_pose(lone, 90.0)).values()
    assert point.y == pytest.approx(8 / 64)
