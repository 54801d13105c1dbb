"""One figure in every format that programs write: the same pose each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pose_formats import CANVAS, FIGURE, FRACTIONS, HEIGHT, NOBODY, PAIRS, SAME, WIDTH, encoded, flat, person

from avatarforge.forge.pictures.openpose_json import (
    MAX_PEOPLE,
    InvalidPose,
    NobodyVisible,
    PoseDocument,
    draw_pose,
    parse_pose,
)
from avatarforge.forge.pictures.skeleton import KEYPOINT_NAMES, Keypoint, Skeleton

pytestmark = pytest.mark.slow

CASES = Path(__file__).resolve().parents[1] / "data" / "cases"
HIDDEN = 4  # the right wrist, where a format is tried with a keypoint that is not there


def reference(hidden: int | None = None) -> PoseDocument:
    """The figure by its numbers, without the keypoint of that index."""
    points = [None if at == hidden else Keypoint(x / WIDTH, y / HEIGHT) for at, (x, y) in enumerate(FIGURE)]
    return PoseDocument((Skeleton(tuple(points), WIDTH / HEIGHT),), WIDTH, HEIGHT)


def same(pose: PoseDocument, expected: PoseDocument) -> None:
    assert (pose.width, pose.height) == (expected.width, expected.height)
    assert len(pose.people) == len(expected.people)
    for found, wanted in zip(pose.people, expected.people, strict=True):
        assert found.aspect == pytest.approx(wanted.aspect)
        for name in KEYPOINT_NAMES:
            item, other = found[name], wanted[name]
            assert (item is None) == (other is None), name
            if item is not None and other is not None:
                assert (item.x, item.y) == pytest.approx((other.x, other.y)), name
    drawn, shown = draw_pose(pose, WIDTH, HEIGHT), draw_pose(expected, WIDTH, HEIGHT)
    assert drawn.tobytes() == shown.tobytes()


@pytest.mark.parametrize("name", SAME)
def test_every_format_gives_the_same_pose(name: str) -> None:
    same(parse_pose(encoded(SAME[name])), reference())


@pytest.mark.parametrize("path", sorted(CASES.glob("pose-*.json")), ids=lambda path: path.stem)
def test_the_files_from_the_field_give_the_same_pose(path: Path) -> None:
    same(parse_pose(path.read_bytes()), reference())


ABSENT: dict[str, Any] = {
    "flat-zero": {"people": [{"pose_keypoints_2d": [*flat()[:12], 0, 0, 0, *flat()[15:]]}], **CANVAS},
    "flat-minus": {"people": [{"pose_keypoints_2d": [*flat()[:12], -1, -1, 0, *flat()[15:]]}], **CANVAS},
    "flat-null": {
        "people": [{"pose_keypoints_2d": [*flat()[:12], None, None, None, *flat()[15:]]}],
        **CANVAS,
    },
    "flat-null-zero": {
        "people": [{"pose_keypoints_2d": [*flat()[:12], None, None, 0, *flat()[15:]]}],
        **CANVAS,
    },
    "fractions-zero": {
        "people": [{"pose_keypoints_2d": [*flat(FRACTIONS)[:12], 0.0, 0.0, 0.0, *flat(FRACTIONS)[15:]]}],
        **CANVAS,
    },
}


for _name, _absent in {
    "null": None,
    "empty": [],
    "zero": [0, 0],
    "minus": [-1, -1],
    "unsure": [9, 9, 0],
}.items():
    _points = [*PAIRS[:HIDDEN], _absent, *PAIRS[HIDDEN + 1 :]]
    ABSENT[f"editor-{_name}"] = {"width": WIDTH, "height": HEIGHT, "keypoints": [_points]}
    ABSENT[f"one-list-{_name}"] = {"width": WIDTH, "height": HEIGHT, "keypoints": _points}
    ABSENT[f"nested-{_name}"] = {"people": [{"pose_keypoints_2d": _points}], **CANVAS}


@pytest.mark.parametrize("name", ABSENT)
def test_a_keypoint_that_is_not_there_is_left_out(name: str) -> None:
    same(parse_pose(encoded(ABSENT[name])), reference(HIDDEN))


def test_several_people_of_an_editor_are_all_read() -> None:
    moved = [[x + 100, y] for x, y in FIGURE]
    expected = parse_pose(encoded({"people": [person(), person(moved)], **CANVAS}))
    for keypoints in ([PAIRS, moved], [*PAIRS, *moved], [PAIRS, None, moved]):
        same(parse_pose(encoded({"width": WIDTH, "height": HEIGHT, "keypoints": keypoints})), expected)


def test_only_people_who_are_seen_are_counted() -> None:
    most = {"people": [*[None] * 500, *[person()] * MAX_PEOPLE, *[NOBODY] * 100], **CANVAS}
    assert len(parse_pose(encoded(most)).people) == MAX_PEOPLE
    with pytest.raises(InvalidPose, match=f"has {MAX_PEOPLE + 1} people; at most {MAX_PEOPLE}"):
        parse_pose(encoded({"people": [*[None] * 5, *[person()] * (MAX_PEOPLE + 1)], **CANVAS}))


def test_below_the_wanted_confidence_nothing_is_seen() -> None:
    numbers = flat(confidence=0.9)
    numbers[3 * HIDDEN + 2] = 0.29
    data = encoded({"people": [{"pose_keypoints_2d": numbers}], **CANVAS})
    same(parse_pose(data, sure=0.3), reference(HIDDEN))
    same(parse_pose(data), reference())
    with pytest.raises(NobodyVisible):
        parse_pose(data, sure=0.95)
