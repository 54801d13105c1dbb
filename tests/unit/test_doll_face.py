"""The doll's head, by its masks: which parts of the face each view shows, and what each word changes."""

from __future__ import annotations

import dataclasses
import math
from typing import get_args

import numpy
import pytest
from doll_pictures import PLAIN, doll

from avatarforge.forge.pictures.body import seen_from, standing_body
from avatarforge.forge.pictures.doll.character.character import Worn
from avatarforge.forge.pictures.doll.character.description import HairStyle
from avatarforge.forge.pictures.doll.drawing import DollOrder, Drawing, draw_doll
from avatarforge.forge.pictures.doll.parts import PARTS
from avatarforge.forge.pictures.doll.poses.person import Person

pytestmark = [pytest.mark.slow, pytest.mark.doll]

SIZE = (320, 480)
FACE = frozenset(
    {"left_eye", "right_eye", "left_iris", "right_iris", "brows", "nose", "mouth"},
)
EXPRESSIONS = ("happy", "sad", "angry", "surprised", "afraid", "disgusted", "embarrassed")
STYLES: tuple[HairStyle, ...] = get_args(HairStyle)


def standing(turn: float, size: tuple[int, int] = SIZE, roll: float = 0.0) -> Person:
    """The standing body in a picture. `roll` tilts its head about the neck, in degrees clockwise."""
    width, height = size
    unit = height * 0.86
    body = {
        name: (width / 2 + x * unit, height * 0.95 - y * unit)
        for name, (x, y) in seen_from(standing_body(), turn).items()
    }
    neck, tilt = complex(*body["neck"]), complex(math.cos(math.radians(roll)), math.sin(math.radians(roll)))
    for name in ("nose", "left_eye", "right_eye", "left_ear", "right_ear"):
        if name in body:
            moved = neck + (complex(*body[name]) - neck) * tilt
            body[name] = (moved.real, moved.imag)
    return Person(body)


def drawn(turn: float, *, size: tuple[int, int] = SIZE, roll: float = 0.0, **choices: object) -> Drawing:
    character = dataclasses.replace(PLAIN, **choices)  # type: ignore[arg-type]
    return doll(character, turn, person=standing(turn, size, roll), size=size, passes=1)


def pixels(drawing: Drawing, *parts: str) -> list[tuple[int, int]]:
    shown = numpy.isin(numpy.asarray(drawing.parts), [PARTS.index(part) for part in parts])
    rows, columns = numpy.nonzero(shown)
    return list(zip(columns.tolist(), rows.tolist(), strict=True))


def middle(drawing: Drawing, *parts: str) -> tuple[float, float]:
    points = pixels(drawing, *parts)
    return (sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points))


def parts_of(drawing: Drawing) -> set[str]:
    return {PARTS[value] for value in set(drawing.parts.tobytes())}


def changes(first: Drawing, second: Drawing) -> set[tuple[int, int]]:
    """The values of pixels that differ, before and after."""
    before, after = numpy.asarray(first.parts), numpy.asarray(second.parts)
    differ = before != after
    return set(zip(before[differ].tolist(), after[differ].tolist(), strict=True))


def changed_parts(first: Drawing, second: Drawing) -> set[str]:
    """The parts that any pixel which differs shows in either drawing."""
    return {PARTS[value] for pair in changes(first, second) for value in pair}


@pytest.mark.parametrize("turn", [0, 20, -20, 40, -40, 45, -45, 65, -65])
def test_front_views_have_two_eyes(turn: float) -> None:
    assert parts_of(drawn(turn)) >= FACE


@pytest.mark.parametrize("turn", [90, -90, 80, -80, 100, -100])
def test_profiles_have_the_near_eye_alone(turn: float) -> None:
    near, far = ("left", "right") if turn > 0 else ("right", "left")
    shown = parts_of(drawn(turn))
    assert {f"{near}_eye", f"{near}_iris", "nose", "mouth", "brows"} <= shown
    assert not {f"{far}_eye", f"{far}_iris"} & shown


@pytest.mark.parametrize("turn", [135, -135, 180, -180, 110, -110, 160])
def test_back_views_have_no_face(turn: float) -> None:
    for drawing in (drawn(turn), drawn(turn, hair_length="bald"), drawn(turn, beard="full")):
        assert not (FACE | {"beard"}) & parts_of(drawing)


@pytest.mark.parametrize("turn", [0, 45, -45])
def test_the_left_eye_is_on_the_persons_left(turn: float) -> None:
    drawing = drawn(turn)
    left, right = (middle(drawing, f"{side}_eye", f"{side}_iris") for side in ("left", "right"))
    assert left[0] > right[0]


@pytest.mark.parametrize("turn", [0, 45, 90, -45, -90])
def test_the_nose_points_where_the_view_is_turned_to(turn: int) -> None:
    aside = middle(drawn(turn, hair_length="bald"), "nose")[0] - SIZE[0] / 2
    assert abs(aside) < 1.5 if turn == 0 else aside * turn < 0


@pytest.mark.parametrize(
    ("age", "figure", "roll"),
    [
        ("child", "feminine", 0.0),
        ("child", "masculine", 30.0),
        ("teen", "feminine", -35.0),
        ("adult", "feminine", 0.0),
        ("adult", "masculine", 0.0),
        ("old", "feminine", 180.0),
        ("old", "masculine", 0.0),
    ],
)
def test_eyes_and_nose_are_at_their_keypoints(age: str, figure: str, roll: float) -> None:
    drawing = drawn(0, size=(512, 768), roll=roll, figure=figure, age=age, hair_length="bald")
    body = drawing.joints[0]
    for side in ("left", "right"):
        assert math.dist(middle(drawing, f"{side}_eye", f"{side}_iris"), body[f"{side}_eye"]) < 1.0
    assert math.dist(middle(drawing, "nose"), body["nose"]) < 1.6


@pytest.mark.parametrize("turn", [0, 45, -90])
def test_expressions_change_the_face_alone_and_each_in_its_own_way(turn: float) -> None:
    neutral = drawn(turn, size=(512, 768))
    seen = {neutral.parts.tobytes()}
    for expression in EXPRESSIONS:
        drawing = drawn(turn, size=(512, 768), expression=expression)
        assert changed_parts(neutral, drawing) <= FACE | {"skin"}
        assert {"mouth", "brows"} <= changed_parts(neutral, drawing)
        seen.add(drawing.parts.tobytes())
    assert len(seen) == 1 + len(EXPRESSIONS)


@pytest.mark.parametrize("turn", [0, 45, 90, 180])
def test_hair_changes_hair_and_what_it_covers(turn: float) -> None:
    bald = drawn(turn, hair_length="bald")
    assert "hair" not in parts_of(bald)
    pictures = set()
    for style in STYLES:
        drawing = drawn(turn, hair_style=style, hair_length="long")
        assert all(hair == PARTS.index("hair") for _, hair in changes(bald, drawing))
        pictures.add(drawing.parts.tobytes())
    assert len(pictures) == len(STYLES)


def test_longer_hair_reaches_further_down() -> None:
    for turn in (0, 90, 180):
        lowest = {
            each: max(y for _, y in pixels(drawn(turn, hair_length=each), "hair"))
            for each in ("short", "medium", "long")
        }
        assert lowest["short"] < lowest["medium"] < lowest["long"]


def test_long_hair_hangs_down_from_a_tilted_head() -> None:
    drawing = drawn(180, hair_length="long", roll=100.0)
    body = drawing.joints[0]
    hair = pixels(drawing, "hair")
    assert max(y for _, y in hair) > body["left_ear"][1] + SIZE[1] * 0.2


@pytest.mark.parametrize("style", STYLES)
def test_hair_is_flat_under_a_helmet(style: str) -> None:
    helmet = Worn("helmet", (150, 150, 160), (150, 150, 160), "metal")
    free = drawn(0, hair_style=style)
    worn = drawn(0, hair_style=style, garments={"head": helmet})
    top = min(y for _, y in pixels(drawn(0, hair_length="bald"), "skin"))
    assert min(y for _, y in pixels(worn, "hair")) >= top - SIZE[1] * 0.006
    if style in ("spiky", "bun", "mohawk", "curly"):
        assert min(y for _, y in pixels(free, "hair")) < top - SIZE[1] * 0.012


@pytest.mark.parametrize("turn", [0, 45, -45, 90, -90])
def test_beards_are_on_the_lower_face(turn: float) -> None:
    for beard in ("stubble", "moustache", "goatee", "full"):
        drawing = drawn(turn, beard=beard, size=(512, 768))
        found = pixels(drawing, "beard")
        assert found
        assert min(y for _, y in found) > drawing.joints[0]["nose"][1] - 768 * 0.035


@pytest.mark.parametrize("size", [(64, 64), (9, 30)])
def test_small_pictures_can_be_drawn(size: tuple[int, int]) -> None:
    for turn in (0, 90, 135):
        for style in STYLES:
            drawn(turn, size=size, hair_style=style, hair_length="long", beard="full", roll=140.0)


def test_joints_may_coincide() -> None:
    person = Person({name: (60.0, 60.0) for name in standing(0).body})
    for style in STYLES:
        for turn in (0, 90, 135):
            character = dataclasses.replace(PLAIN, hair_style=style, hair_length="long", beard="full")
            draw_doll(DollOrder((person,), turn, character, (120, 120), 1, passes=1))
