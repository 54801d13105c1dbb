"""Measured on the pixels of paper dolls: joints, faces, sides, and the colours of one character's views."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from colours import colour_difference as difference
from doll_pictures import (
    EIGHT_TURNS,
    FACE_PARTS,
    SIZE,
    centre,
    character_of,
    count,
    doll,
    limb_mask,
    main_colours,
    part_mask,
    person_at,
)
from PIL import Image

from avatarforge.forge.pictures.doll.character.character import choose_character
from avatarforge.forge.pictures.doll.character.reference import weighted
from avatarforge.forge.pictures.doll.poses.person import Person, Point
from avatarforge.forge.pictures.doll.words.reader import read_description

pytestmark = [pytest.mark.slow, pytest.mark.doll]

KNIGHT = "a knight in silver armour with a red cape"
PEOPLE = (KNIGHT, "a woman with long red hair in a blue dress", "a boy in a green hoodie, jeans and boots")
#: Joint -> the two segments that meet in it, and the joints at their other ends.
BENDS = {
    f"{side}_{joint}": (f"{side}_{upper}", f"{side}_{lower}", f"{side}_{start}", f"{side}_{end}")
    for side in ("right", "left")
    for joint, upper, lower, start, end in (
        ("elbow", "upper_arm", "forearm", "shoulder", "wrist"),
        ("knee", "thigh", "shank", "hip", "ankle"),
    )
}


def bent(**moves: tuple[float, float]) -> Person:
    """The standing body from the front, with some joints moved, in pixels."""
    body = dict(person_at(0).body)
    for name, (x, y) in moves.items():
        body[name] = (body[name][0] + x, body[name][1] + y)
    return Person(body)


POSES = {
    "standing": bent(),
    "waving": bent(right_elbow=(-46, -98), right_wrist=(-60, -262)),
    "lunging": bent(left_knee=(70, -10), left_ankle=(120, -10), right_knee=(-50, 0), right_ankle=(-110, 0)),
    "star": bent(
        right_elbow=(-50, -90), right_wrist=(-100, -190), left_elbow=(50, -90), left_wrist=(100, -190),
        right_knee=(-50, -6), right_ankle=(-100, -12), left_knee=(50, -6), left_ankle=(100, -12),
    ),
}  # fmt: skip


def middle_line(mask: Image.Image, start: Point, end: Point) -> tuple[Point, Point]:
    """The middle of a limb, measured across it in many places and fitted by least squares: its points at the
    two joints. The next limb covers its end, and the body its beginning."""
    along = (end[0] - start[0], end[1] - start[1])
    length = math.hypot(*along)
    across = (along[1] / length, -along[0] / length)
    measured = []
    for share in (0.46 + 0.028 * index for index in range(12)):
        bone = (start[0] + along[0] * share, start[1] + along[1] * share)
        reach = [
            step / 8
            for step in range(-640, 641)
            if mask.getpixel((round(bone[0] + across[0] * step / 8), round(bone[1] + across[1] * step / 8)))
        ]
        measured.append((share, (min(reach) + max(reach)) / 2))
    mean_share = sum(share for share, _ in measured) / len(measured)
    mean = sum(shift for _, shift in measured) / len(measured)
    slope = sum((share - mean_share) * (shift - mean) for share, shift in measured) / sum(
        (share - mean_share) ** 2 for share, _ in measured
    )

    def at(share: float) -> Point:
        shift = mean + slope * (share - mean_share)
        return (
            start[0] + along[0] * share + across[0] * shift,
            start[1] + along[1] * share + across[1] * shift,
        )

    return at(0.0), at(1.0)


def crossing(first: tuple[Point, Point], second: tuple[Point, Point]) -> Point:
    (x1, y1), (x2, y2) = first
    (x3, y3), (x4, y4) = second
    bottom = (x1 - x2) * (y3 - y4) - (y1 - y2) * (x3 - x4)
    a, b = x1 * y2 - y1 * x2, x3 * y4 - y3 * x4
    return (a * (x3 - x4) - (x1 - x2) * b) / bottom, (a * (y3 - y4) - (y1 - y2) * b) / bottom


def off_line(point: Point, line: tuple[Point, Point]) -> float:
    """Pixels from a point to a line."""
    (x1, y1), (x2, y2) = line
    return abs((x2 - x1) * (y1 - point[1]) - (x1 - point[0]) * (y2 - y1)) / math.hypot(x2 - x1, y2 - y1)


@pytest.mark.parametrize("pose", POSES)
def test_limbs_are_drawn_around_the_bones_of_the_pose(pose: str) -> None:
    # Twice as large, so that the whole pixels of the mask count half.
    target = {name: (2 * x, 2 * y) for name, (x, y) in POSES[pose].body.items()}
    bare = replace(character_of("a bald man"), garments={})
    drawing = doll(bare, person=Person(target), size=(2 * SIZE[0], 2 * SIZE[1]))
    pixel = 2.0
    for joint, (upper, lower, start, end) in BENDS.items():
        first = middle_line(limb_mask(drawing, upper), target[start], target[joint])
        second = middle_line(limb_mask(drawing, lower), target[joint], target[end])
        for point, line in ((start, first), (joint, first), (joint, second), (end, second)):
            assert off_line(target[point], line) <= pixel, point
        # Lines that are nearly one line cross anywhere.
        if abs(math.remainder(_angle(first) - _angle(second), math.pi)) > 0.5:
            assert math.dist(crossing(first, second), target[joint]) <= pixel, joint


def _angle(line: tuple[Point, Point]) -> float:
    return math.atan2(line[1][1] - line[0][1], line[1][0] - line[0][0])


def test_a_moved_joint_moves_its_limbs_as_far() -> None:
    bare = replace(character_of("a man"), garments={})
    still = doll(bare, person=POSES["standing"])
    moved = doll(bare, person=bent(right_elbow=(-30, -8), right_wrist=(-30, -8)))
    before, after = (centre(limb_mask(each, "right_hand")) for each in (still, moved))
    assert after[0] - before[0] == pytest.approx(-30, abs=3)
    assert after[1] - before[1] == pytest.approx(-8, abs=3)
    unmoved = [centre(limb_mask(each, "left_hand")) for each in (still, moved)]
    assert math.dist(*unmoved) < 0.5


def test_the_drawing_reports_the_joints_that_were_asked_for() -> None:
    person = POSES["waving"]
    assert doll(character_of(KNIGHT), person=person).joints == (person.body,)


@pytest.mark.parametrize("prompt", PEOPLE)
def test_faces_are_only_where_the_view_shows_one(prompt: str) -> None:
    character = character_of(prompt)
    for turn in EIGHT_TURNS:
        drawing = doll(character, turn)
        eyes = [side for side in ("left", "right") if count(part_mask(drawing, f"{side}_iris"))]
        face = count(part_mask(drawing, *FACE_PARTS))
        if abs(turn) < 45:
            assert eyes == ["left", "right"], turn
        elif abs(turn) == 90:
            assert eyes == ["left" if turn > 0 else "right"], turn
        else:
            assert face == 0, turn


@pytest.mark.parametrize("eyes", ["green", "blue", "red"])
def test_no_colour_of_a_face_is_on_a_back_view(eyes: str) -> None:
    character = replace(character_of(f"a woman with {eyes} eyes, long black hair, a grey coat"), garments={})
    front = set(_colours(doll(character).picture))
    back = set(_colours(doll(character, 180).picture))
    assert character.eye_colour in front
    assert character.eye_colour not in back


def _colours(picture: Image.Image) -> list[tuple[int, int, int]]:
    found = picture.getcolors(1 << 24)
    assert found is not None
    return [colour for _, colour in found]  # type: ignore[misc]


@pytest.mark.parametrize("turn", EIGHT_TURNS)
def test_left_and_right_are_correct_from_every_side(turn: int) -> None:
    drawing = doll(replace(character_of("a man"), garments={}), turn)
    target = person_at(turn).body
    for limb, joint in (("hand", "wrist"), ("foot", "ankle")):
        for side in ("right", "left"):
            if not count(limb_mask(drawing, f"{side}_{limb}")):
                assert abs(turn) == 90, (limb, side)  # hidden behind the other one
                continue
            x, _ = centre(limb_mask(drawing, f"{side}_{limb}"))
            other = "left" if side == "right" else "right"
            near, far = abs(x - target[f"{side}_{joint}"][0]), abs(x - target[f"{other}_{joint}"][0])
            assert near < far or abs(turn) == 90, (limb, side)


@pytest.mark.parametrize("turn", [0, 40, -40, 180])
def test_what_is_held_stays_in_its_hand(turn: int) -> None:
    drawing = doll(character_of("a knight with a sword and a shield, grey armour"), turn)
    x, y = person_at(turn).body["right_wrist"]
    left, top, right, bottom = part_mask(drawing, "right_hand").getbbox() or (0, 0, 0, 0)
    assert left - 40 <= x <= right + 40
    assert top - 40 <= y <= bottom + 40


def test_a_profile_is_narrower_than_the_front() -> None:
    character = character_of(KNIGHT)

    def width(turn: float) -> int:
        left, _, right, _ = doll(character, turn).parts.getbbox() or (0, 0, 0, 0)
        return right - left

    assert width(90) < 0.8 * width(0)


@pytest.mark.parametrize("prompt", PEOPLE)
def test_the_views_of_one_character_have_the_same_colours(prompt: str) -> None:
    character = character_of(prompt)
    palettes = [main_colours(doll(character, turn)) for turn in (0, 180, 90, 40)]
    for palette in palettes[1:]:
        shared = palettes[0].keys() & palette.keys() - set(FACE_PARTS)
        assert {"hair", "feet"} & shared
        for part in shared:
            assert difference(palettes[0][part], palette[part]) <= 2.0, part


def test_the_same_order_gives_the_same_bytes() -> None:
    first, second = (doll(character_of(KNIGHT), 40, fresh=True) for _ in range(2))
    assert first.picture.tobytes() == second.picture.tobytes()
    assert first.parts.tobytes() == second.parts.tobytes()
    assert first.limbs.tobytes() == second.limbs.tobytes()


def test_another_seed_of_details_is_the_same_character() -> None:
    character = character_of(KNIGHT)
    one, other = (doll(character, 0, seed=seed) for seed in (1, 2))
    assert one.picture.tobytes() != other.picture.tobytes()
    first, second = main_colours(one), main_colours(other)
    assert {part: first[part] for part in first if part not in FACE_PARTS} == {
        part: second[part] for part in second if part not in FACE_PARTS
    }


@pytest.mark.parametrize("size", [(64, 64), (256, 256), (480, 768), (1024, 1024)])
def test_any_size_shows_the_whole_figure(size: tuple[int, int]) -> None:
    drawing = doll(character_of(PEOPLE[1]), 0, size=size)
    assert drawing.picture.size == drawing.parts.size == drawing.limbs.size == size
    left, top, right, bottom = drawing.parts.getbbox() or (0, 0, 0, 0)
    assert 0 < left < right < size[0]
    assert 0 <= top < bottom <= size[1]
    assert bottom - top > size[1] * 0.8


def test_the_size_is_the_frames() -> None:
    assert doll(character_of(KNIGHT)).picture.size == SIZE


def test_a_reference_gives_its_colours_at_strength_1_and_none_at_0() -> None:
    reference = main_colours(
        doll(character_of("a woman with long hair in a shirt, trousers and boots", seed=3))
    )
    words = read_description("a man with short hair in a shirt, trousers and boots", "", "", False, "")
    plain, none, whole = (
        doll(choose_character(words, seed=8, palette=weighted(palette, strength)))
        for palette, strength in ((None, 0.0), (reference, 0.0), (reference, 1.0))
    )
    assert none.picture.tobytes() == plain.picture.tobytes()
    before, after = main_colours(plain), main_colours(whole)
    for part in ("hair", "skin", "top", "bottom", "feet"):
        assert difference(after[part], reference[part]) <= 5.0, part
    assert any(difference(before[part], reference[part]) > 5.0 for part in ("hair", "skin", "top", "bottom"))
