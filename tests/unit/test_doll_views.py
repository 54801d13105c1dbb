"""The views of one doll: each is the same alone and among others, and reports its passes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from avatarforge.forge.pictures.doll.character.description import Colour
from avatarforge.forge.pictures.doll.character.palette import palette_from_picture, palette_of
from avatarforge.forge.pictures.doll.character.reference import by_role, weighted
from avatarforge.forge.pictures.doll.views import SAME_SEED, ViewsOrder, draw_views, reference_palette
from avatarforge.forge.pictures.doll.words.reader import read_description
from avatarforge.forge.pictures.openpose_json import parse_pose, seen_from_behind
from avatarforge.forge.spec.views import SHEET_VIEWS

KNIGHT = read_description("knight in silver armour")
ORDER = ViewsOrder(KNIGHT, SHEET_VIEWS, (80, 120), 7, SAME_SEED, 1.0, 4)
POSE = parse_pose(
    b'{"canvas_width": 100, "canvas_height": 150, "people": [{"pose_keypoints_2d": ['
    b"50,22,1, 50,38,1, 41,38,1, 34,28,1, 32,12,1, 59,38,1, 64,52,1, 66,66,1, 45,72,1,"
    b"38,96,1, 30,120,1, 55,72,1, 56,98,1, 57,124,1, 48,20,1, 52,20,1, 46,22,1, 54,22,1]}]}"
)


def pictures(order: ViewsOrder) -> list[bytes]:
    return [drawing.picture.tobytes() for drawing in draw_views(order, lambda *_: None)]


@pytest.mark.parametrize("consistency", [0.0, 0.4, 1.0])
def test_a_view_is_the_same_alone_and_among_others(consistency: float) -> None:
    order = replace(
        ORDER,
        consistency=consistency,
        poses={"front": POSE, "back": seen_from_behind(POSE)},
        palette={"hair": ((10, 200, 30), 0.5)},
    )
    together = pictures(order)
    assert together == [
        picture for view in SHEET_VIEWS for picture in pictures(replace(order, views=(view,)))
    ]
    assert len(set(together)) == len(SHEET_VIEWS)


def test_every_pass_of_every_row_is_reported_in_order() -> None:
    seen: list[tuple[int, int]] = []
    draw_views(replace(ORDER, passes=3), lambda row, done, _: seen.append((row, done)))
    assert seen == [(row, done) for row in range(len(SHEET_VIEWS)) for done in range(1, 4)]


def test_what_a_report_raises_ends_the_drawing() -> None:
    def stop(row: int, done: int, _: Image.Image) -> None:
        if (row, done) == (1, 2):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        draw_views(ORDER, stop)


def test_the_seed_of_the_view_counts_unless_it_is_that_of_the_character() -> None:
    assert pictures(replace(ORDER, view_seed=ORDER.seed)) == pictures(ORDER)
    loose = replace(ORDER, consistency=0.0)
    assert pictures(replace(loose, view_seed=8)) != pictures(loose)


def test_a_pose_without_a_view_is_drawn_as_it_faces() -> None:
    free = replace(ORDER, views=(None,), poses={None: POSE})
    assert pictures(free) != pictures(replace(ORDER, views=(None,)))
    assert pictures(replace(ORDER, views=(None,)))[0] == pictures(replace(ORDER, views=("front",)))[0]


def test_references_by_role_replace_what_their_role_is_about() -> None:
    person: dict[str, Colour] = {
        "hair": (1, 1, 1),
        "skin": (2, 2, 2),
        "left_iris": (3, 3, 3),
        "dress": (4, 4, 4),
        "belt": (5, 5, 5),
    }
    face: dict[str, Colour] = {"hair": (6, 6, 6), "right_iris": (7, 7, 7), "top": (8, 8, 8)}
    outfit: dict[str, Colour] = {"skin": (9, 9, 9), "top": (10, 10, 10), "bottom": (11, 11, 11)}
    whole = weighted(person, 0.5)
    assert by_role(whole, {}, {}) == whole
    assert by_role(whole, weighted(face, 1.0), weighted(outfit, 0.2)) == {
        "hair": ((6, 6, 6), 1.0),
        "right_iris": ((7, 7, 7), 1.0),
        "skin": ((2, 2, 2), 0.5),
        "top": ((10, 10, 10), 0.2),
        "bottom": ((11, 11, 11), 0.2),
    }
    assert by_role({}, weighted(face, 1.0), {}) == weighted({"hair": (6, 6, 6), "right_iris": (7, 7, 7)}, 1.0)
    # Strength 0 is as if absent, and a picture of a face alone says nothing about clothes.
    assert by_role(whole, weighted(face, 0.0), weighted({"skin": (9, 9, 9)}, 1.0)) == whole


def test_a_reference_without_parts_is_read_as_any_picture() -> None:
    drawn = draw_views(replace(ORDER, views=("front",)), lambda *_: None)[0]
    assert reference_palette(drawn.picture, drawn.parts) == palette_of(drawn.picture, drawn.parts)
    for parts in (None, Image.new("L", drawn.picture.size)):
        assert reference_palette(drawn.picture, parts) == palette_from_picture(drawn.picture)
