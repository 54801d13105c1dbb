"""Keypoints are read back from pictures of skeletons."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping

import pytest
from doll_people import TURNS
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from avatarforge.forge.pictures.body import seen_from, standing_body
from avatarforge.forge.pictures.doll.poses.people import people_in, person_of
from avatarforge.forge.pictures.doll.poses.person import Point
from avatarforge.forge.pictures.openpose_json import (
    MAX_PEOPLE,
    InvalidPose,
    PoseDocument,
    draw_pose,
)
from avatarforge.forge.pictures.read_skeleton import read_skeleton
from avatarforge.forge.pictures.skeleton import (
    KEYPOINT_COLOURS,
    KEYPOINT_NAMES,
    LIMB_COLOURS,
    LIMBS,
    BoneStyle,
    Keypoint,
    Skeleton,
    draw_skeleton,
    view_skeleton,
)
from avatarforge.forge.spec.views import SHEET_VIEWS

pytestmark = [pytest.mark.slow, pytest.mark.doll]

SIZES = [(256, 256), (256, 384), (512, 768), (832, 1216), (1024, 1024)]
STYLES = list(BoneStyle)
# A joint of whose disc less is visible has no exact place.
CLEAR = 0.2


Joints = Mapping[str, Point]


def turned(turn: float) -> Skeleton:
    """The standing body in a frame that fits it from all sides."""
    width, height = 0.8, 1.15
    joints = seen_from(standing_body(), turn)
    return Skeleton(
        tuple(
            Keypoint(0.5 + joints[name][0] / width, (1.08 - joints[name][1]) / height)
            if name in joints
            else None
            for name in KEYPOINT_NAMES
        ),
        width / height,
    )


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=quality)
    return Image.open(io.BytesIO(data.getvalue()))


def read(image: Image.Image) -> Joints:
    """The joints of the only person, in pixels."""
    document = read_skeleton(image)
    assert (document.width, document.height) == image.size
    (person,) = people_in(document, *image.size)
    return dict(person.body)


def visible(image: Image.Image, style: BoneStyle) -> dict[str, float]:
    """How much of each joint's disc is visible in a drawing of one person, by its colour."""
    counts = {colour: count for count, colour in image.getcolors(1 << 24) or ()}
    area = math.pi * (style.stick_width(*image.size) + 0.4) ** 2
    return {
        name: counts.get(colour, 0) / area
        for name, colour in zip(KEYPOINT_NAMES, KEYPOINT_COLOURS, strict=True)
    }


def furthest(found: Joints, expected: Joints, names: Iterable[str]) -> float:
    return max(math.dist(found[name], expected[name]) for name in names)


#: Every turn in every size, and every style with each turn and each size.
STANDING = [
    (turn, STYLES[(at + number) % len(STYLES)], size)
    for at, turn in enumerate(TURNS)
    for number, size in enumerate(SIZES)
]


@pytest.mark.parametrize(("turn", "style", "size"), STANDING)
def test_the_standing_body_is_read_from_all_sides(
    turn: float, style: BoneStyle, size: tuple[int, int]
) -> None:
    skeleton = turned(turn)
    image = draw_skeleton(skeleton, *size, style)
    expected, shares = person_of(skeleton, *size).body, visible(image, style)
    found = read(image)
    assert set(found) <= set(expected)
    clear = [name for name in expected if shares[name] >= CLEAR]
    assert len(clear) >= len(expected) - 1
    assert furthest(found, expected, clear) <= 1.0


@pytest.mark.parametrize("size", [(128, 192), (64, 64), *SIZES, (1536, 2048)], ids=str)
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("view", SHEET_VIEWS)
def test_the_built_in_views_are_read(view: str, style: BoneStyle, size: tuple[int, int]) -> None:
    skeleton = view_skeleton(view)
    found = read(draw_skeleton(skeleton, *size, style))
    expected = person_of(skeleton, *size).body
    assert set(found) <= set(expected)
    # In very small pictures the joints of the head cover one another.
    assert len(found) >= len(expected) - (3 if min(size) < 128 else 1)
    assert furthest(found, expected, found) <= 1.5 * max(1.0, max(size) / 1024)


@pytest.mark.parametrize("quality", [95, 80])
@pytest.mark.parametrize("size", [(384, 576), (512, 768), (1024, 1024)], ids=str)
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("turn", [0.0, 45.0, 180.0, -135.0])
def test_jpeg_is_read(turn: float, style: BoneStyle, size: tuple[int, int], quality: int) -> None:
    skeleton = turned(turn)
    found = read(as_jpeg(draw_skeleton(skeleton, *size, style), quality))
    expected = person_of(skeleton, *size).body
    assert set(found) == set(expected)
    assert furthest(found, expected, expected) <= 2.0


@pytest.mark.parametrize("scale", [0.6, 0.77, 1.4, 2.0])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("turn", [0.0, 45.0, 180.0])
def test_scaled_pictures_are_read(turn: float, style: BoneStyle, scale: float) -> None:
    skeleton = turned(turn)
    size = (round(512 * scale), round(768 * scale))
    image = draw_skeleton(skeleton, 512, 768, style).resize(size, Image.Resampling.LANCZOS)
    drawn = person_of(skeleton, 512, 768).body
    # A joint is drawn at a whole pixel; the centre of the first one is at 0.
    expected = {
        name: ((round(x) + 0.5) * size[0] / 512 - 0.5, (round(y) + 0.5) * size[1] / 768 - 0.5)
        for name, (x, y) in drawn.items()
    }
    found = read(image)
    assert set(found) == set(expected)
    assert furthest(found, expected, expected) <= max(1.0, scale)


SEGMENTS: dict[tuple[int, int], float] = {
    **{(1, 2): 0.1, (1, 5): 0.1, (2, 3): 0.19, (3, 4): 0.15, (5, 6): 0.19, (6, 7): 0.15, (1, 8): 0.3},
    **{(8, 9): 0.24, (9, 10): 0.24, (1, 11): 0.3, (11, 12): 0.24, (12, 13): 0.24, (1, 0): 0.12},
    **{(0, 14): 0.05, (14, 16): 0.05, (0, 15): 0.05, (15, 17): 0.05},
}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 2 * math.pi), st.floats(0.4, 1)), min_size=17, max_size=17),
    st.sets(st.sampled_from([0, 4, 7, 10, 13, 14, 15, 16, 17]), max_size=4),
    st.sampled_from(STYLES),
    st.sampled_from([(320, 512), (512, 512), (640, 400)]),
)
def test_any_pose_is_read(
    limbs: list[tuple[float, float]], hidden: set[int], style: BoneStyle, size: tuple[int, int]
) -> None:
    """Each disc that is visible is found, and no other."""
    width, height = size
    points = {1: (0.5 * width, 0.45 * height)}
    for ((start, end), length), (angle, share) in zip(SEGMENTS.items(), limbs, strict=True):
        x, y = points[start]
        length *= 0.6 * min(size) * share
        points[end] = (x + length * math.cos(angle), y + length * math.sin(angle))
    skeleton = Skeleton(
        tuple(
            None if at in hidden else Keypoint(points[at][0] / width, points[at][1] / height)
            for at in range(18)
        ),
        width / height,
    )
    image = draw_skeleton(skeleton, *size, style)
    shares = visible(image, style)
    found = read(image)
    drawn = {name: (round(x), round(y)) for name, (x, y) in person_of(skeleton, *size).body.items()}
    assert set(found) <= set(drawn)
    clear = [name for name in drawn if shares[name] >= CLEAR]
    assert set(clear) <= set(found)
    assert furthest(found, drawn, clear) <= 1.0


def test_a_joint_that_others_cover_is_not_there() -> None:
    skeleton = turned(0)
    ear = skeleton.keypoints[-1]
    covered = Skeleton((ear, *skeleton.keypoints[1:]), skeleton.aspect)
    found = read(draw_skeleton(covered, 512, 768))
    assert set(found) == set(KEYPOINT_NAMES) - {"nose"}


def test_a_joint_at_the_edge_is_where_it_is_drawn() -> None:
    skeleton = turned(0)
    moved = [Keypoint(point.x, point.y - 0.151) for point in skeleton.keypoints if point is not None]
    expected = person_of(Skeleton(tuple(moved), skeleton.aspect), 512, 736).body
    found = read(draw_skeleton(Skeleton(tuple(moved), skeleton.aspect), 512, 736))
    assert min(y for _, y in expected.values()) < 0
    assert "nose" in found
    assert furthest(found, expected, found) <= 1.5


def shifted(skeleton: Skeleton, at: int, count: int) -> Skeleton:
    """The person in one of so many columns of a frame."""
    return Skeleton(
        tuple(point and Keypoint((point.x + at) / count, point.y) for point in skeleton.keypoints),
        skeleton.aspect * count,
    )


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [2, 5])
def test_several_people_are_read_from_left_to_right(count: int, style: BoneStyle) -> None:
    people = tuple(shifted(turned(turn), at, count) for at, turn in enumerate(TURNS[:count]))
    document = PoseDocument(people, 400 * count, 600)
    expected = people_in(document, 400 * count, 600)
    for image in (
        draw_pose(document, 400 * count, 600, style),
        as_jpeg(draw_pose(document, 400 * count, 600), 90),
    ):
        found = people_in(read_skeleton(image), *image.size)
        assert len(found) == count
        for person, other in zip(found, expected, strict=True):
            assert set(person.body) <= set(other.body)
            assert len(person.body) >= len(other.body) - 2
            assert furthest(person.body, other.body, person.body) <= 2.0 * count


def test_more_people_than_are_drawn_are_refused() -> None:
    count = MAX_PEOPLE + 1
    document = PoseDocument(tuple(shifted(turned(0), at, count) for at in range(count)), 100 * count, 150)
    with pytest.raises(InvalidPose, match=f"has {count} skeletons; at most {MAX_PEOPLE}"):
        read_skeleton(draw_pose(document, 100 * count, 150))


def test_parts_of_a_person_belong_together() -> None:
    """Without the neck, head, arms and legs hang together by nothing."""
    skeleton = turned(0)
    points = [None if at == 1 else point for at, point in enumerate(skeleton.keypoints)]
    headless = Skeleton(tuple(points), skeleton.aspect)
    found = read(draw_skeleton(headless, 512, 768))
    assert set(found) == set(KEYPOINT_NAMES) - {"neck"}


def annotated(turn: float, side: int) -> tuple[Image.Image, Joints]:
    """A square picture as annotators draw it: discs of 4 pixels at any size, hands, and dots on the face."""
    body = dict(person_of(turned(turn), side, side).body)
    image = Image.new("RGB", (side, side))
    draw = ImageDraw.Draw(image)
    for (start, end), colour in zip(LIMBS, LIMB_COLOURS, strict=True):
        first, second = body.get(KEYPOINT_NAMES[start]), body.get(KEYPOINT_NAMES[end])
        if first and second:
            draw.line((*first, *second), fill=colour, width=7)
    for name, colour in zip(KEYPOINT_NAMES, KEYPOINT_COLOURS, strict=True):
        if name in body:
            _dot(draw, body[name], 4, colour)
    for wrist in ("left_wrist", "right_wrist"):
        x, y = body[wrist]
        for finger in range(5):
            tips = [
                (
                    x + side * 0.015 * at * math.cos(0.9 + finger / 4),
                    y + side * 0.015 * at * math.sin(0.9 + finger / 4),
                )
                for at in range(5)
            ]
            draw.line(tips, fill=(255, 60 * finger, 17), width=2)
            for tip in tips:
                _dot(draw, tip, 4, (0, 0, 255))
    x, y = body.get("nose", body["neck"])
    for dot in range(68 if "nose" in body else 0):
        reach = side * (0.012 + dot % 3 * 0.008)
        _dot(draw, (x + reach * math.cos(dot), y + reach * math.sin(dot)), 2, (255, 255, 255))
    return image, body


def _dot(draw: ImageDraw.ImageDraw, at: Point, radius: int, colour: tuple[int, int, int]) -> None:
    x, y = round(at[0]), round(at[1])
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


@pytest.mark.parametrize("side", [512, 1024, 2048])
@pytest.mark.parametrize("turn", [0.0, 45.0, 180.0])
def test_pictures_of_annotators_are_read(turn: float, side: int) -> None:
    """The wrists are covered by hands, and found at the ends of the forearms."""
    image, expected = annotated(turn, side)
    for variant in (image, as_jpeg(image, 90)):
        found = read(variant)
        assert set(found) <= set(expected)
        missing = set(expected) - set(found)
        assert missing <= {"nose", "left_eye", "right_eye"}
        assert furthest(found, expected, found) <= 5.0 * max(1.0, side / 1024)
        body = [name for name in found if not name.endswith(("wrist", "eye", "nose"))]
        assert furthest(found, expected, body) <= 1.0 * max(1.0, side / 1024)


def test_other_modes_are_read_on_black() -> None:
    image = draw_skeleton(turned(45), 512, 768)
    expected = read(image)
    transparent = image.convert("RGBA")
    transparent.putalpha(image.convert("L").point([0] + [255] * 255))
    assert read(transparent) == expected
    assert read(image.quantize(64)) == expected
