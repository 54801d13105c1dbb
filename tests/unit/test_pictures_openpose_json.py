"""OpenPose JSON in its variants, and the demo's pose picture that is drawn from one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from avatarforge.forge.pictures.openpose_json import (
    MAX_BYTES,
    MAX_PEOPLE,
    InvalidPose,
    draw_pose,
    parse_pose,
    seen_from_behind,
)
from avatarforge.forge.pictures.recognise import looks_like_skeleton
from avatarforge.forge.pictures.skeleton import KEYPOINT_COLOURS, KEYPOINT_NAMES, Keypoint

ROOT = Path(__file__).resolve().parents[2]

# A hero: a fist in the air, the other hand on the hip, the feet wide apart. docs/images/pose.png shows it.
HERO: tuple[tuple[int, int], ...] = (
    (272, 152),
    (262, 214),
    (200, 228),
    (128, 323),
    (190, 376),
    (324, 200),
    (416, 138),
    (436, 52),
    (214, 390),
    (168, 535),
    (122, 682),
    (286, 400),
    (354, 530),
    (372, 682),
    (264, 137),
    (286, 135),
    (243, 145),
    (301, 141),
)


def triples(points: Any = HERO, confidence: float = 0.9) -> list[float]:
    return [number for x, y in points for number in (x, y, confidence)]


def document(*people: list[float], **fields: Any) -> dict[str, Any]:
    return {"people": [{"pose_keypoints_2d": numbers} for numbers in people], **fields}


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


CANVAS = {"canvas_width": 512, "canvas_height": 768}
HERO_DOCUMENT = document(triples(), **CANVAS)


def test_pixels_become_fractions_of_the_canvas() -> None:
    pose = parse_pose(encoded(HERO_DOCUMENT))
    assert (pose.width, pose.height) == (512, 768)
    (person,) = pose.people
    assert person.aspect == pytest.approx(512 / 768)
    for name, (x, y) in zip(KEYPOINT_NAMES, HERO, strict=True):
        point = person[name]
        assert point is not None
        assert (point.x * 512, point.y * 768) == pytest.approx((x, y))


def test_fractions_and_pixels_mean_the_same() -> None:
    fractions = [(x / 512, y / 768) for x, y in HERO]
    for variant in (document(triples(fractions), **CANVAS), [HERO_DOCUMENT]):
        pose = parse_pose(encoded(variant))
        for point, expected in zip(
            pose.people[0].keypoints, parse_pose(encoded(HERO_DOCUMENT)).people[0].keypoints, strict=True
        ):
            assert point is not None
            assert expected is not None
            assert (point.x, point.y) == pytest.approx((expected.x, expected.y))


def test_fractions_a_little_outside_of_the_picture_stay_fractions() -> None:
    points = [(x / 512, y / 768) for x, y in HERO]
    points[13] = (0.7, 1.08)
    ankle = parse_pose(encoded(document(triples(points), **CANVAS))).people[0]["left_ankle"]
    assert ankle == Keypoint(0.7, 1.08)


def test_body_25_leaves_out_the_middle_hip_and_the_feet() -> None:
    middle_hip, feet = [(250, 395)], [(1, 1)] * 6
    numbers = triples([*HERO[:8], *middle_hip, *HERO[8:], *feet])
    assert len(numbers) == 75
    assert parse_pose(encoded(document(numbers, **CANVAS))) == parse_pose(encoded(HERO_DOCUMENT))


def test_zero_confidence_is_not_visible() -> None:
    numbers = triples()
    numbers[3 * 4 : 3 * 5] = [0, 0, 0]
    person = parse_pose(encoded(document(numbers, **CANVAS))).people[0]
    assert [name for name in KEYPOINT_NAMES if person[name] is None] == ["right_wrist"]


def test_several_people_and_one_without_a_body() -> None:
    value = document(triples(), [], triples([(x + 10, y) for x, y in HERO]), **CANVAS)
    value["people"].append({"pose_keypoints_2d": None, "face_keypoints_2d": [1, 2, 3]})
    value["people"].append({"pose_keypoints_2d": [0] * 54})
    assert len(parse_pose(encoded(value)).people) == 2


def test_the_first_frame_with_people_counts() -> None:
    moved = document(triples([(x + 10, y) for x, y in HERO]), **CANVAS)
    frames = [document(**CANVAS), HERO_DOCUMENT, moved]
    assert parse_pose(encoded(frames)) == parse_pose(encoded(HERO_DOCUMENT))


def test_old_key_byte_order_mark_and_foreign_keys_are_read() -> None:
    value = {"version": 0.1, "people": [{"pose_keypoints": triples(), "id": "x"}], "animals": [], **CANVAS}
    assert parse_pose(b"\xef\xbb\xbf" + encoded(value)) == parse_pose(encoded(HERO_DOCUMENT))


def test_a_canvas_is_taken_from_the_document_then_the_caller_then_the_people() -> None:
    bare = document(triples())
    assert (parse_pose(encoded(HERO_DOCUMENT), (10, 10)).width) == 512
    assert parse_pose(encoded(bare), (512, 768)) == parse_pose(encoded(HERO_DOCUMENT))
    guessed = parse_pose(encoded(bare))
    xs, ys = [x for x, _ in HERO], [y for _, y in HERO]
    assert (guessed.width, guessed.height) == (min(xs) + max(xs), min(ys) + max(ys))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a valid JSON"),
        (b"{", "not a valid JSON"),
        (b"\xff\xfe{}", "not a valid JSON"),
        (b"[" * 100_000, "not a valid JSON"),
        (b" " * (MAX_BYTES + 1), "bytes"),
        (b"[]", "OpenPose format"),
        (b"3", "OpenPose format"),
        (b"{}", "OpenPose format"),
        (b'[{"people": []}, 1]', "OpenPose format"),
        (b'{"people": {}}', "OpenPose format"),
        (b'{"people": [1]}', "is an object"),
        (b'{"people": []}', "nobody"),
        (encoded(document([0.0] * 54)), "nobody"),
        (encoded(document(*[triples()] * (MAX_PEOPLE + 1))), "people"),
        (encoded([document(**CANVAS)] * 1001), "frames"),
        (encoded(document([1.0] * 51)), "54 or 75"),
        (b'{"people": [{"pose_keypoints_2d": "abc"}]}', "54 or 75"),
        (encoded(document(triples())).replace(b"272", b"NaN"), "finite"),
        (encoded(document(triples())).replace(b"272", b"-Infinity"), "finite"),
        (encoded(document(triples())).replace(b"272", b"1e999"), "outside"),
        (encoded(document(triples())).replace(b"272", b"9" * 400), "outside"),
        (encoded(document(triples())).replace(b"272", b"9" * 5000), "not a valid JSON"),
        (encoded(document(triples())).replace(b"272", b"true"), "numbers only"),
        (encoded(document(triples())).replace(b"272", b'"272"'), "numbers only"),
        (encoded(document(triples([(0.5, 0.5)] * 18))), "canvas_width"),
        (encoded(document(triples(), canvas_width=512)), "canvas_width"),
        (encoded(document(triples(), canvas_width=0, canvas_height=768)), "canvas_width"),
        (encoded(document(triples(), canvas_width=True, canvas_height=768)), "canvas_width"),
        (encoded(document(triples(), canvas_width=10**30, canvas_height=768)), "canvas_width"),
        (encoded(document(triples(), canvas_width=1, canvas_height=1)), "far outside"),
        (encoded(document(triples([(999_999, 5)] * 18))), "far outside"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_sentence(data: bytes, says: str) -> None:
    with pytest.raises(InvalidPose, match=says) as refusal:
        parse_pose(data)
    message = str(refusal.value)
    assert message.endswith(".")
    assert len(message) < 300


def test_people_keep_their_place_on_the_canvas() -> None:
    image = draw_pose(parse_pose(encoded(HERO_DOCUMENT)), 1024, 1536)
    for name in ("left_wrist", "right_wrist", "left_ankle", "right_ankle"):
        index = KEYPOINT_NAMES.index(name)
        assert image.getpixel((2 * HERO[index][0], 2 * HERO[index][1])) == KEYPOINT_COLOURS[index]


def test_another_shape_of_picture_shows_the_whole_canvas_in_the_middle() -> None:
    pose = parse_pose(encoded(HERO_DOCUMENT))
    wide = draw_pose(pose, 1024, 768)
    index = KEYPOINT_NAMES.index("left_wrist")
    assert wide.getpixel((256 + HERO[index][0], HERO[index][1])) == KEYPOINT_COLOURS[index]
    high = draw_pose(pose, 512, 968)
    assert high.getpixel((HERO[index][0], 100 + HERO[index][1])) == KEYPOINT_COLOURS[index]


def test_two_people_are_both_drawn() -> None:
    shifted = [(x + 500, y) for x, y in HERO]
    image = draw_pose(
        parse_pose(encoded(document(triples(), triples(shifted), canvas_width=1024, canvas_height=768))),
        1024,
        768,
    )
    index = KEYPOINT_NAMES.index("right_ankle")
    for points in (HERO, shifted):
        assert image.getpixel(points[index]) == KEYPOINT_COLOURS[index]


def test_the_demo_picture_is_the_hero() -> None:
    with Image.open(ROOT / "docs" / "images" / "pose.png") as picture:
        shown = picture.convert("RGB")
    drawn = draw_pose(parse_pose(encoded(HERO_DOCUMENT)), 512, 768)
    assert shown.size == drawn.size
    assert looks_like_skeleton(shown)
    # Another Pillow may round an edge another way.
    differing = ImageChops.difference(shown, drawn).convert("L").point(lambda value: 255 * (value > 0))
    assert differing.histogram()[255] < 0.002 * 512 * 768


def test_from_behind_everyone_is_mirrored_keeps_the_own_limbs_and_loses_the_face() -> None:
    points = [(0.1 * index, 0.05 * index) for index in range(1, 10)] * 2
    flat = [number for x, y in points for number in (x * 100, y * 100, 1.0)]
    data = json.dumps({"canvas_width": 100, "canvas_height": 100, "people": [{"pose_keypoints_2d": flat}]})
    front = parse_pose(data.encode())
    back = seen_from_behind(front)
    (before,), (after,) = front.people, back.people
    for name in KEYPOINT_NAMES:
        point = before[name]
        assert point is not None
        if name in ("nose", "right_eye", "left_eye"):
            assert after[name] is None
        else:
            assert after[name] == Keypoint(1.0 - point.x, point.y)
    assert (back.width, back.height) == (front.width, front.height)
