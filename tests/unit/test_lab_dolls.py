"""The paper dolls of the documentation: enough, all different, and of words that are understood."""

from __future__ import annotations

import importlib
import math
from itertools import product
from pathlib import Path

import pytest
from PIL import Image

from avatarforge.forge.pictures.doll.character.description import StyleName
from avatarforge.forge.pictures.doll.words.reader import read_description
from lab.doll_poses import CHEERING, STANDING, WAVING, joints_of
from lab.dolls import (
    DOLLS,
    KNIGHT,
    Doll,
    draw_dolls,
    knight_in_large_pixels,
    largest_scale,
    picture_of,
)
from lab.illustrations import FOLDER

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("doll", DOLLS, ids=lambda doll: doll.label)
def test_the_doll_knows_every_word(doll: Doll) -> None:
    assert read_description(doll.prompt, "", doll.style, doll.realism, "").unknown == ()


def test_there_are_enough_different_characters_poses_expressions_and_styles() -> None:
    read = [read_description(doll.prompt, "", doll.style, doll.realism, "") for doll in DOLLS]
    assert len({doll.prompt for doll in DOLLS}) == len(DOLLS) >= 40
    assert len({doll.pose for doll in DOLLS}) >= 10
    assert len({doll.turn for doll in DOLLS}) >= 6
    assert {each.expression for each in read} >= {
        "happy",
        "sad",
        "angry",
        "surprised",
        "afraid",
        "disgusted",
        "embarrassed",
    }
    styles: tuple[StyleName, ...] = ("flat", "ink", "watercolour", "pixel art", "low poly")
    assert {each.style for each in read} >= set(styles)
    assert any(each.realism for each in read)


def test_a_pose_keeps_the_lengths_of_the_limbs_and_stands_on_the_ground() -> None:
    body = importlib.import_module("avatarforge.forge.pictures.body")
    joints = joints_of(WAVING)
    assert math.dist(joints["left_shoulder"], joints["left_elbow"]) == pytest.approx(body.UPPER_ARM)
    assert math.dist(joints["left_elbow"], joints["left_wrist"]) == pytest.approx(body.FOREARM)
    assert joints["left_wrist"][1] > joints["nose"][1]
    assert joints["right_wrist"] == joints_of(STANDING)["right_wrist"]
    assert min(joints["left_ankle"][1], joints["right_ankle"][1]) == pytest.approx(body.ANKLE_HEIGHT)


def test_what_a_figure_holds_and_raises_stays_inside_a_narrow_picture() -> None:
    size, doll = (90, 240), Doll("wizard, staff", CHEERING, style="flat")
    assert largest_scale(doll, size) < 1.0 == largest_scale(KNIGHT, (400, 240))
    picture = picture_of(doll, size, background=(255, 0, 255))
    edges = [*product((0, size[0] - 1), range(size[1])), *product(range(size[0]), (0,))]
    assert {picture.getpixel(edge) for edge in edges} == {(255, 0, 255)}


def test_a_doll_is_drawn_alike_each_time_and_the_sheet_has_them_all(tmp_path: Path) -> None:
    first = picture_of(KNIGHT, (96, 144))
    assert first.size == (96, 144) and first.getextrema() != ((240, 240), (238, 238), (233, 233))
    assert picture_of(KNIGHT, (96, 144)).tobytes() == first.tobytes()
    with Image.open(draw_dolls(tmp_path / "sheet.jpg", DOLLS[:9])) as sheet:
        assert (sheet.format, sheet.mode) == ("JPEG", "RGB")
        assert sheet.width > sheet.height  # two rows


def test_the_sheet_in_the_documentation_is_small_enough_for_a_page() -> None:
    assert (ROOT / FOLDER / "dolls.jpg").stat().st_size <= 600_000


def test_the_knight_of_the_examples_can_be_drawn() -> None:
    picture = knight_in_large_pixels(("front",), 64, 8)
    assert picture.size == (512, 768)
    assert 2 < len(picture.getcolors(9) or ()) <= 8
