"""The built-in poses of the library, by their keypoints."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import pytest

from avatarforge.forge.ids import is_canonical_id
from avatarforge.forge.pictures.body import (
    ANKLE_HEIGHT,
    FOREARM,
    HALF_HIPS,
    HALF_SHOULDERS,
    SHANK,
    THIGH,
    UPPER_ARM,
    seen_from,
)
from avatarforge.forge.pictures.doll.poses.facing import turn_of
from avatarforge.forge.pictures.doll.poses.people import people_in
from avatarforge.forge.pictures.library.builtin import BUILT_IN_POSES, builtin_pose, canonical_json
from avatarforge.forge.pictures.library.face import FACE_POINTS, FACE_SWAP
from avatarforge.forge.pictures.library.frames import pose_views
from avatarforge.forge.pictures.library.posed import LibraryPose
from avatarforge.forge.pictures.library.projection import other_side
from avatarforge.forge.pictures.openpose_json import PoseDocument, parse_pose
from avatarforge.forge.pictures.skeleton import KEYPOINT_NAMES, Keypoint
from avatarforge.forge.spec.views import EIGHT_VIEWS, NARROW, VIEW_NAMES, VIEWS

SIZE = (512, 768)
NAMES = [pose.name for pose in BUILT_IN_POSES]
WANTED = {
    "standing",
    "a_pose",
    "t_pose",
    "contrapposto",
    "walking",
    "running",
    "sprinting",
    "jumping",
    "sitting",
    "sitting_on_floor",
    "kneeling",
    "crouching",
    "lying_on_back",
    "lying_on_side",
    "pointing",
    "waving",
    "arms_crossed",
    "hands_on_hips",
    "thinking",
    "cheering",
    "fighting_stance",
    "punching",
    "kicking",
    "sword_attack",
    "archery",
    "casting",
    "dancing",
    "bowing",
    "reaching_up",
    "carrying",
}
SYMMETRIC = ("a_pose", "t_pose", "hands_on_hips", "bowing", "kneeling")
#: Which feet stand flat on the ground; the others are lifted, on the toes, or in the air.
FLAT = {
    "standing": "left right",
    "a_pose": "left right",
    "t_pose": "left right",
    "contrapposto": "left right",
    "walking": "left",
    "sitting": "left right",
    "sitting_on_floor": "left right",
    "kneeling_on_one_knee": "left",
    "pointing": "left right",
    "waving": "left right",
    "arms_crossed": "left right",
    "hands_on_hips": "left right",
    "thinking": "left right",
    "cheering": "left right",
    "bowing": "left right",
    "carrying": "left right",
    "fighting_stance": "left right",
    "punching": "left",
    "kicking": "left",
    "sword_attack": "left right",
    "archery": "left right",
    "casting": "left right",
    "dancing": "left",
    "dodging": "left right",
}
IN_THE_AIR = ("jumping", "flying")
BONES = {
    ("neck", "shoulder"): HALF_SHOULDERS,
    ("shoulder", "elbow"): UPPER_ARM,
    ("elbow", "wrist"): FOREARM,
    ("hip", "knee"): THIGH,
    ("knee", "ankle"): SHANK,
}


def named(document: PoseDocument) -> dict[str, Keypoint]:
    points = zip(KEYPOINT_NAMES, document.people[0].keypoints, strict=True)
    return {name: point for name, point in points if point is not None}


def every_point(document: PoseDocument) -> list[Keypoint]:
    details = document.details[0]
    parts = (details.left_hand, details.right_hand, details.face)
    return [*named(document).values(), *(point for part in parts for point in part or () if point)]


def seen(pose: LibraryPose, view: str | None, *, mirrored: bool = False) -> PoseDocument:
    (document,) = pose_views(pose, (view,), SIZE, mirrored=mirrored)
    return document


def test_the_library_has_the_poses_that_people_ask_for() -> None:
    assert set(NAMES) >= WANTED
    assert len({pose.id for pose in BUILT_IN_POSES}) == len(set(NAMES)) == len(NAMES)
    assert all(is_canonical_id(pose.id) and pose.description for pose in BUILT_IN_POSES)
    # An id is part of the API: it never changes.
    assert builtin_pose("standing") is builtin_pose("647e4d11-7335-56a0-a829-7988de5ed1c6")


@pytest.mark.parametrize("name", NAMES)
def test_bones_keep_their_length_and_knees_their_way(name: str) -> None:
    pose = builtin_pose(name)
    assert pose is not None
    joints = pose.body().joints
    for (first, second), length in BONES.items():
        for side in ("left", "right"):
            start = joints[first if first == "neck" else f"{side}_{first}"]
            assert math.dist(start, joints[f"{side}_{second}"]) == pytest.approx(length, abs=1e-6)
    assert math.dist(joints["left_hip"], joints["right_hip"]) == pytest.approx(2 * HALF_HIPS)
    # The person's left is not their right: seen from the front of the hips, the knees bend away from behind.
    hips = [a - b for a, b in zip(joints["left_hip"], joints["right_hip"], strict=True)]
    middle = [(a + b) / 2 for a, b in zip(joints["left_hip"], joints["right_hip"], strict=True)]
    up = [a - b for a, b in zip(joints["neck"], middle, strict=True)]
    forward = (
        hips[1] * up[2] - hips[2] * up[1],
        hips[2] * up[0] - hips[0] * up[2],
        hips[0] * up[1] - hips[1] * up[0],
    )
    for side in ("left", "right"):
        thigh = [a - b for a, b in zip(joints[f"{side}_knee"], joints[f"{side}_hip"], strict=True)]
        shank = [a - b for a, b in zip(joints[f"{side}_ankle"], joints[f"{side}_knee"], strict=True)]
        # What a straight leg would add, less what the shank does: positive where the knee bends forward.
        bend = sum((a / THIGH - b / SHANK) * c for a, b, c in zip(thigh, shank, forward, strict=True))
        assert bend > -0.05, side


@pytest.mark.parametrize("name", NAMES)
def test_nobody_floats_and_feet_that_stand_are_on_the_ground(name: str) -> None:
    pose = builtin_pose(name)
    assert pose is not None
    joints = pose.body().joints
    lowest = min(point[1] for point in joints.values())
    if name in IN_THE_AIR:
        assert lowest > 0.1
        return
    assert 0.0 < lowest < 0.09  # the height of an ankle on its toes, or of what lies on the ground
    for side in FLAT.get(name, "").split():
        assert joints[f"{side}_ankle"][1] == pytest.approx(ANKLE_HEIGHT, abs=0.004)
    for point in (point for points in pose.body().hands.values() for point in points):
        assert point[1] > -0.01


@pytest.mark.parametrize("name", NAMES)
def test_all_ten_views_are_inside_the_frame_at_one_scale(name: str) -> None:
    pose = builtin_pose(name)
    assert pose is not None
    documents = pose_views(pose, VIEW_NAMES, SIZE)
    heights = set()
    for view, document in zip(VIEW_NAMES, documents, strict=True):
        room = min(1.0, SIZE[1] * NARROW / SIZE[0]) if VIEWS[view].narrow else 1.0
        for point in every_point(document):
            assert abs(point.x - 0.5) < room / 2 and 0 < point.y < 1
        neck, hip = named(document)["neck"], named(document)["left_hip"]
        heights.add(round(hip.y - neck.y, 9))
    assert len(heights) == 1
    # A single view is the same if it knows the other views of its sheet.
    assert pose_views(pose, ("side",), SIZE, sheet=VIEW_NAMES)[0] == documents[VIEW_NAMES.index("side")]


@pytest.mark.parametrize("name", NAMES)
def test_left_and_right_are_the_persons_from_every_side(name: str) -> None:
    pose = builtin_pose(name)
    assert pose is not None
    body = pose.body()
    documents = pose_views(pose, EIGHT_VIEWS, SIZE)
    by_turn = {view: named(document) for view, document in zip(EIGHT_VIEWS, documents, strict=True)}
    for view, joints in by_turn.items():
        # The same as the projection of the standing body: an independent function.
        projected = seen_from(dict(body.joints), VIEWS[view].turn)
        first, last = "left_shoulder", "right_wrist"
        if abs(expected := projected[first][0] - projected[last][0]) > 0.01:
            assert math.copysign(1, joints[first].x - joints[last].x) == math.copysign(1, expected)
    front, back = by_turn["front"], by_turn["back"]
    for joint in front.keys() & back.keys():
        assert front[joint].x == pytest.approx(1 - back[joint].x)
    # Mirrored, the right side does what the left one did.
    mirrored = named(pose_views(pose, EIGHT_VIEWS, SIZE, mirrored=True)[0])
    for joint, point in front.items():
        twin = mirrored[other_side(joint)]
        assert math.hypot(twin.x + point.x - 1, twin.y - point.y) < 1e-9


def test_upright_people_show_what_a_view_shows_of_the_head() -> None:
    hidden = {
        "front": set(),
        "back": {"nose", "left_eye", "right_eye"},
        "left": {"right_eye", "right_ear"},
        "right": {"left_eye", "left_ear"},
        "back_left": {"nose", "right_eye", "left_eye", "right_ear"},
    }
    standing = builtin_pose("standing")
    assert standing is not None
    for view, names in hidden.items():
        document = seen(standing, view)
        missing = set(KEYPOINT_NAMES) - named(document).keys()
        assert missing == names, view
        assert (document.details[0].face is None) == (view in ("back", "back_left"))
        assert document.details[0].left_hand and document.details[0].right_hand
    profile = seen(standing, "left").details[0].face
    assert profile is not None
    assert profile[36] is None and profile[45] is not None  # the far eye's corner, and the near one's


@pytest.mark.parametrize("view", EIGHT_VIEWS)
def test_the_turn_of_a_standing_person_can_be_read_back(view: str) -> None:
    for name in ("standing", "a_pose", "hands_on_hips", "walking"):
        pose = builtin_pose(name)
        assert pose is not None
        (person,) = people_in(seen(pose, view), *SIZE)
        error = (turn_of(person) - VIEWS[view].turn + 180) % 360 - 180
        assert abs(error) < 25, name


@pytest.mark.parametrize("name", SYMMETRIC)
def test_a_symmetric_pose_is_its_own_mirror_image(name: str) -> None:
    pose = builtin_pose(name)
    assert pose is not None
    given, mirrored = seen(pose, "front"), seen(pose, "front", mirrored=True)
    pairs = zip(every_point(given), every_point(mirrored), strict=True)
    assert all(math.hypot(a.x - b.x, a.y - b.y) < 1e-6 for a, b in pairs)


def test_a_face_has_openposes_order() -> None:
    assert len(FACE_POINTS) == 70
    assert sorted(FACE_SWAP) == list(range(70))
    for number, other in enumerate(FACE_SWAP):
        x, y, z = FACE_POINTS[other]
        assert math.dist(FACE_POINTS[number], (-x, y, z)) < 1e-9
    assert all(first[0] < second[0] for first, second in pairwise(FACE_POINTS[:17]))
    # The person's right eye comes first, and the mouth begins at the right corner.
    assert FACE_POINTS[36][0] < FACE_POINTS[39][0] < FACE_POINTS[42][0] < FACE_POINTS[45][0]
    assert FACE_POINTS[48][0] < FACE_POINTS[54][0] and FACE_POINTS[51][1] > FACE_POINTS[57][1]


def test_fingers_follow_the_hand() -> None:
    for name, straight in (("t_pose", True), ("cheering", False)):
        pose = builtin_pose(name)
        assert pose is not None
        hand = pose.body().hands["left"]
        reach = math.dist(hand[9], hand[12]) / sum(math.dist(a, b) for a, b in pairwise(hand[9:13]))
        assert (reach > 0.95) == straight
    pointing = builtin_pose("pointing")
    assert pointing is not None
    hand = pointing.body().hands["right"]
    assert math.dist(hand[0], hand[8]) > 1.4 * math.dist(hand[0], hand[12])
    # With the palm forward, the thumb of a raised right hand points to the person's left.
    waving = builtin_pose("waving")
    assert waving is not None
    hand = waving.body().hands["right"]
    assert hand[4][0] > hand[20][0]


def test_what_a_pose_is_can_be_read_as_openpose_json() -> None:
    for pose in BUILT_IN_POSES:
        data = canonical_json(pose.name)
        document = parse_pose(data)
        assert (len(document.people), document.height, document.left_out) == (1, 768, ())
        assert document.details[0].left_hand and document.details[0].right_hand
        assert data == canonical_json(pose.name)
        assert json.loads(data)["canvas_width"] == document.width


@pytest.mark.parametrize(
    "reference", ["lying_on_back", "Lying on back", " LYING-ON-BACK ", "\uff2cying_on_back"]
)
def test_a_name_is_found_however_it_is_written(reference: str) -> None:
    found = builtin_pose(reference)
    assert found is not None and found.name == "lying_on_back"
    assert builtin_pose(found.id.upper()) is found
    assert builtin_pose("lying") is None


def test_the_built_in_poses_have_names_and_descriptions_in_chinese_and_no_other_text_is_kept() -> None:
    path = Path(__file__).resolve().parents[2] / "locales" / "zh" / "main.json"
    texts = json.loads(path.read_text(encoding="utf-8"))["avatarforge"]
    names = {f"built_in_pose_{name}" for name in NAMES}
    assert {key for key in texts if key.startswith("built_in_pose_")} == names | {
        f"{key}_is" for key in names
    }
