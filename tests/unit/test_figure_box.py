"""The place of a figure: by alpha, by a plain background, by the skeleton, or by nothing."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import specs
from exporting import BLUE, RED, WHITE, Drawn
from PIL import Image

from avatarforge.forge.export.target import joints_in
from avatarforge.forge.pictures.figure_box import FigureBox, main_colours, measure_figure


def noise(width: int = 64, height: int = 96) -> Image.Image:
    data = random.Random(5).randbytes(width * height * 3)  # noqa: S311 - no secret
    return Image.frombytes("RGB", (width, height), data)


@pytest.mark.parametrize(
    ("background", "found_by"),
    [(None, "alpha"), (WHITE, "background"), ((9, 80, 60), "background")],
)
@pytest.mark.parametrize("foot", [(28, 80, 36, 90), (20, 80, 28, 90), (40, 80, 52, 90)])
def test_box_and_feet_are_those_of_the_constructed_figure(
    background: tuple[int, int, int] | None, found_by: str, foot: tuple[int, int, int, int]
) -> None:
    drawn = Drawn(foot=foot, background=background)
    found = measure_figure(drawn.image())
    assert (found.box, found.feet, found.found_by) == (drawn.box, drawn.feet, found_by)
    assert found.background == background


def test_a_busy_background_needs_the_skeleton() -> None:
    joints = ((20.0, 20.0), (44.0, 20.0), (26.0, 80.0), (38.0, 80.0))
    found = measure_figure(noise(), joints)
    assert found.found_by == "skeleton"
    left, top, right, bottom = found.box
    assert left < 20 and top < 20 and right > 44 and 80 < bottom <= 96
    assert found.feet == (32.0, bottom)


def test_without_anything_it_is_the_whole_picture() -> None:
    found = measure_figure(noise())
    assert (found.box, found.feet, found.found_by) == ((0, 0, 64, 96), (32.0, 96.0), "picture")


def test_colours_are_those_of_the_figure_and_not_of_what_is_behind() -> None:
    figures = [measure_figure(Drawn(colour=colour).image()) for colour in (RED, RED, BLUE)]
    assert main_colours(figures, 8) == (RED, BLUE)
    assert main_colours([], 8) == ()
    many = [FigureBox((0, 0, 1, 1), (0, 0), "alpha", None, tuple(((n, n, n), 1) for n in range(0, 250, 9)))]
    assert len(main_colours(many, 8)) == 8


def test_joints_are_where_the_skeleton_was_drawn() -> None:
    spec = replace(specs.spec(), views=("front", "side"), controlnet="openpose.safetensors")
    front, side = joints_in(spec, "front", 512, 768), joints_in(spec, "side", 480, 768)
    assert front is not None and side is not None
    middle = (min(x for x, _ in front) + max(x for x, _ in front)) / 2
    assert abs(middle - 256) < 20
    assert all(0 <= x <= 480 and 0 <= y <= 768 for x, y in side)
    larger = joints_in(spec, "front", 1024, 1536)
    assert larger is not None
    assert all(abs(2 * x - wide) < 1e-6 for (x, _), (wide, _) in zip(front, larger, strict=True))


def test_joints_of_a_built_in_pose_are_known_and_those_of_a_file_are_not() -> None:
    posed = replace(specs.spec(), controlnet="openpose.safetensors")
    waves = replace(specs.BUILT_IN, pose_id="a_pose", name="a_pose")
    found = joints_in(replace(posed, pose=waves), "front", 512, 768)
    assert found is not None and max(y for _, y in found) > 500
    for pose in (specs.SKELETON, specs.KEYPOINTS, specs.BUILT_IN):
        assert joints_in(replace(posed, pose=pose), "front", 512, 768) is None
    assert joints_in(specs.spec(), "front", 512, 768) is None
