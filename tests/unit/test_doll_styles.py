"""The doll's styles, its passes and the sizes that it is drawn in."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import get_args

import pytest
from doll_pictures import PLAIN
from PIL import Image, ImageChops, ImageStat

from avatarforge.forge.pictures.doll.character.description import StyleName
from avatarforge.forge.pictures.doll.drawing import PASSES, DollOrder, Drawing, draw_doll
from avatarforge.forge.pictures.doll.parts import LIMBS, PARTS
from avatarforge.forge.pictures.doll.poses.people import person_of
from avatarforge.forge.pictures.doll.poses.person import Person
from avatarforge.forge.pictures.skeleton import view_skeleton

pytestmark = [pytest.mark.slow, pytest.mark.doll]

STYLES: tuple[StyleName, ...] = get_args(StyleName)
SIZE = (256, 384)
BACKGROUND = PLAIN.background
CHARACTER = replace(PLAIN, hair_length="long", expression="happy")


def order(
    style: StyleName = "clean",
    *,
    size: tuple[int, int] = SIZE,
    realism: bool = False,
    passes: int = len(PASSES),
    people: tuple[Person, ...] | None = None,
) -> DollOrder:
    if people is None:
        people = (person_of(view_skeleton("front"), *size),)
    return DollOrder(people, 0.0, replace(CHARACTER, style=style, realism=realism), size, 1, passes)


def moved(person: Person, x: float, y: float) -> Person:
    return Person({name: (point[0] + x, point[1] + y) for name, point in person.body.items()})


def difference(first: Image.Image, second: Image.Image) -> float:
    """The mean difference of their channels, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(first, second)).mean) / 3


def same_masks(first: Drawing, second: Drawing) -> bool:
    return first.parts.tobytes() == second.parts.tobytes() and first.limbs.tobytes() == second.limbs.tobytes()


@pytest.mark.parametrize("realism", [False, True])
@pytest.mark.parametrize("style", STYLES)
def test_the_same_order_gives_the_same_bytes(style: StyleName, realism: bool) -> None:
    first, second = (draw_doll(order(style, realism=realism)) for _ in range(2))
    assert first.picture.tobytes() == second.picture.tobytes()
    assert same_masks(first, second)


def test_every_style_differs_from_every_other() -> None:
    pictures = {style: draw_doll(order(style)).picture for style in STYLES}
    for style, picture in pictures.items():
        for other in STYLES:
            if other != style:
                assert difference(picture, pictures[other]) > 0.4, (style, other)


@pytest.mark.parametrize("style", STYLES)
def test_realism_changes_the_figure_and_not_the_masks(style: StyleName) -> None:
    plain, real = draw_doll(order(style)), draw_doll(order(style, realism=True))
    assert difference(plain.picture, real.picture) > 0.2
    assert same_masks(plain, real)


@pytest.mark.parametrize("style", [style for style in STYLES if style != "pixel art"])
def test_masks_are_the_same_in_every_style(style: StyleName) -> None:
    assert same_masks(draw_doll(order(style)), draw_doll(order("clean")))


@pytest.mark.parametrize("style", STYLES)
def test_each_pass_adds_to_the_picture(style: StyleName) -> None:
    pictures = [draw_doll(order(style, passes=passes)).picture for passes in range(1, len(PASSES) + 1)]
    for earlier, later in pairwise(pictures):
        assert difference(earlier, later) > 0.05
    assert pictures[-1].tobytes() == draw_doll(order(style)).picture.tobytes()


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("passes", [1, 2, 4])
def test_previews_come_in_order_and_the_last_is_the_picture(style: StyleName, passes: int) -> None:
    seen: list[tuple[int, Image.Image]] = []
    size = (336, 504)  # larger than a preview
    drawing = draw_doll(
        order(style, passes=passes, size=size), lambda done, picture: seen.append((done, picture))
    )
    assert [done for done, _ in seen] == list(range(1, passes + 1))
    assert seen[-1][1].tobytes() == drawing.picture.tobytes()
    for _, preview in seen:
        assert preview.mode == "RGB"
        assert abs(preview.width / preview.height - size[0] / size[1]) < 0.01


class Stopped(Exception):
    pass


@pytest.mark.parametrize("last", [1, 3, 4])
def test_raising_after_a_pass_stops(last: int) -> None:
    passes = []

    def after_pass(done: int, picture: Image.Image) -> None:
        passes.append(done)
        if done == last:
            raise Stopped

    with pytest.raises(Stopped):
        draw_doll(order(), after_pass)
    assert passes == list(range(1, last + 1))


@pytest.mark.parametrize(
    ("style", "size"),
    [
        *((style, size) for style in STYLES for size in ((64, 64), (65, 200), (300, 67), (480, 640))),
        # Painted in bands, which are tested for every style below: one with hard and one with soft edges.
        *((style, (2048, 2048)) for style in ("clean", "watercolour")),
    ],
)
def test_every_size_shows_a_figure(style: StyleName, size: tuple[int, int]) -> None:
    drawing = draw_doll(order(style, size=size))
    for picture in (drawing.picture, drawing.parts, drawing.limbs):
        assert picture.size == size
    x, y = drawing.joints[0]["neck"]
    assert drawing.picture.getpixel((1, 1)) != drawing.picture.getpixel((round(x), round(y)))
    shown = set(drawing.parts.tobytes())
    assert {PARTS.index("skin"), PARTS.index("hair"), 0} <= shown
    assert {LIMBS.index("torso"), LIMBS.index("head"), LIMBS.index("left_thigh")} <= set(
        drawing.limbs.tobytes()
    )


@pytest.mark.parametrize("style", [style for style in STYLES if style != "pixel art"])
def test_bands_of_a_large_picture_fit_together(style: StyleName, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = draw_doll(order(style, realism=True)).picture
    monkeypatch.setattr("avatarforge.forge.pictures.doll.painting.styles.MAX_PIXELS", 10_000)
    bands = draw_doll(order(style, realism=True)).picture
    # Blurs of bands begin at other pixels, so that their gradients are not the same to the last bit.
    assert difference(whole, bands) < 0.2
    red, green, blue = ImageChops.difference(whole, bands).split()
    assert (
        ImageChops.lighter(ImageChops.lighter(red, green), blue).point([0] * 80 + [255] * 176).getbbox()
        is None
    )


@pytest.mark.parametrize("size, factor", [(SIZE, 3), ((500, 771), 5), ((1024, 1536), 11)])
def test_pixel_art_has_whole_blocks_of_few_colours(size: tuple[int, int], factor: int) -> None:
    drawing = draw_doll(order("pixel art", size=size))
    left, top = (size[0] % factor) // 2, (size[1] % factor) // 2
    right, bottom = left + size[0] // factor * factor, top + size[1] // factor * factor
    for picture in (drawing.picture, drawing.parts, drawing.limbs):
        inside = picture.crop((left, top, right, bottom))
        small = inside.resize((size[0] // factor, size[1] // factor), Image.Resampling.NEAREST)
        assert small.resize(inside.size, Image.Resampling.NEAREST).tobytes() == inside.tobytes()
    colours = drawing.picture.getcolors(64)
    assert colours is not None and len(colours) > 5
    if left:
        assert drawing.picture.crop((0, 0, left, size[1])).getcolors() == [(left * size[1], BACKGROUND)]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("x, y", [(900.0, 0.0), (0.0, -900.0), (128.0, 0.0), (0.0, 200.0)])
def test_a_figure_may_be_outside_of_the_frame(style: StyleName, x: float, y: float) -> None:
    person = moved(person_of(view_skeleton("front"), *SIZE), x, y)
    drawing = draw_doll(order(style, people=(person,), realism=True))
    assert drawing.picture.size == SIZE
    assert (drawing.parts.getbbox() is None) == (abs(x) + abs(y) >= 900)


def test_the_frame_casts_no_shade() -> None:
    """A figure that the frame cuts off is not shaded along the frame."""
    person = moved(person_of(view_skeleton("front"), *SIZE), 0.0, 0.0)
    cut = moved(person, 60.0, 0.0)
    shifted = draw_doll(order(people=(cut,))).picture.crop((60, 0, *SIZE))
    assert (
        shifted.tobytes()
        == draw_doll(order(people=(person,))).picture.crop((0, 0, SIZE[0] - 60, SIZE[1])).tobytes()
    )


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("passes", [1, 4])
def test_nobody_leaves_paper(style: StyleName, passes: int) -> None:
    seen: list[int] = []
    drawing = draw_doll(order(style, people=(), passes=passes), lambda done, _: seen.append(done))
    assert drawing.picture.size == SIZE and drawing.joints == () and drawing.palette == {}
    assert drawing.parts.getbbox() is None and drawing.limbs.getbbox() is None
    assert difference(drawing.picture, Image.new("RGB", SIZE, BACKGROUND)) < 12
    assert seen == list(range(1, passes + 1))
