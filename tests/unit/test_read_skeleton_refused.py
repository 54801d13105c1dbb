"""Pictures without a skeleton, and skeletons that cannot be read."""

from __future__ import annotations

import io
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from avatarforge.forge.pictures.openpose_json import MAX_PEOPLE, InvalidPose, NobodyVisible
from avatarforge.forge.pictures.read_skeleton import read_skeleton
from avatarforge.forge.pictures.skeleton import KEYPOINT_COLOURS, LIMB_COLOURS, draw_skeleton, view_skeleton

pytestmark = pytest.mark.slow


def _noise(side: int, colours: list[tuple[int, int, int]]) -> Image.Image:
    numbers = random.Random(5)  # noqa: S311
    pixels = b"".join(bytes(numbers.choice(colours)) for _ in range(side * side))
    return Image.frombytes("RGB", (side, side), pixels)


def _discs(side: int, count: int) -> Image.Image:
    """Discs of joints without limbs."""
    numbers = random.Random(6)  # noqa: S311
    image = Image.new("RGB", (side, side))
    draw = ImageDraw.Draw(image)
    for disc in range(count):
        x, y = numbers.randrange(side), numbers.randrange(side)
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=KEYPOINT_COLOURS[disc % 18])
    return image


def _stripes(side: int) -> Image.Image:
    image = Image.new("RGB", (side, side))
    draw = ImageDraw.Draw(image)
    for at in range(0, side, 6):
        draw.line((at, 0, at, side), fill=KEYPOINT_COLOURS[at % 18])
    return image


BLACK = (0, 0, 0)
OTHERS: dict[str, Callable[[], Image.Image]] = {
    "black": lambda: Image.new("RGB", (300, 200)),
    "white": lambda: Image.new("RGB", (300, 200), "white"),
    "one pixel": lambda: Image.new("RGB", (1, 1), "red"),
    "huge": lambda: Image.new("L", (9000, 9000)),
    "narrow": lambda: Image.new("RGB", (4096, 1), "red"),
    "noise": lambda: _noise(300, [(r, g, b) for r in (0, 255) for g in (0, 130, 255) for b in (0, 255)]),
    "noise in the colours of skeletons": lambda: _noise(
        300, [*[BLACK] * 99, *KEYPOINT_COLOURS, *LIMB_COLOURS]
    ),
    "sparse noise": lambda: _noise(300, [*[BLACK] * 2000, *KEYPOINT_COLOURS]),
    "discs": lambda: _discs(1024, 1500),
    "few discs": lambda: _discs(512, 40),
    "stripes": lambda: _stripes(1024),
    "gradient": lambda: Image.linear_gradient("L").resize((400, 400)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_pictures_without_a_skeleton_are_refused(name: str) -> None:
    with pytest.raises(NobodyVisible, match="No skeleton was found") as refusal:
        read_skeleton(OTHERS[name]())
    assert str(refusal.value).endswith(".")


def test_a_skeleton_that_is_too_small_is_refused_instead_of_guessed() -> None:
    data = io.BytesIO()
    draw_skeleton(view_skeleton("front"), 96, 144).save(data, "JPEG", quality=80)
    with pytest.raises(InvalidPose):
        read_skeleton(Image.open(data))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.randoms(use_true_random=False))
def test_any_picture_is_read_or_refused(width: int, height: int, numbers: random.Random) -> None:
    colours = [BLACK, BLACK, *numbers.sample([*KEYPOINT_COLOURS, *LIMB_COLOURS], 3)]
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    for _ in range(numbers.randrange(40)):
        box = sorted(numbers.choices(range(width), k=2)), sorted(numbers.choices(range(height), k=2))
        draw.ellipse((box[0][0], box[1][0], box[0][1], box[1][1]), fill=numbers.choice(colours))
    try:
        document = read_skeleton(image)
    except InvalidPose:
        return
    assert 1 <= len(document.people) <= MAX_PEOPLE
