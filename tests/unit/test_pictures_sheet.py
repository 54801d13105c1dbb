"""Contact sheets and character sheets: size, place and background of what is on them."""

from __future__ import annotations

import random

import pytest
from PIL import Image, ImageChops, ImageDraw

from avatarforge.forge.pictures.figure import find_figure
from avatarforge.forge.pictures.sheet import MAX_SIDE, NEUTRAL, character_sheet, contact_sheet

Box = tuple[int, int, int, int]
RED, GREEN, BLUE = (200, 30, 30), (30, 160, 40), (30, 50, 190)


def figure_on(
    background: tuple[int, int, int],
    body: Box,
    colour: tuple[int, int, int],
    size: tuple[int, int] = (300, 400),
) -> Image.Image:
    image = Image.new("RGB", size, background)
    left, top, right, bottom = body
    ImageDraw.Draw(image).rectangle((left, top, right - 1, bottom - 1), fill=colour)
    return image


def noise() -> Image.Image:
    chance = random.Random(1)  # noqa: S311
    # Grey, so that none of it passes for one of the figures' colours.
    return Image.frombytes("L", (60, 80), bytes(chance.randrange(256) for _ in range(60 * 80))).convert("RGB")


def box_of(image: Image.Image, colour: tuple[int, int, int]) -> Box:
    """The box around all pixels near that colour."""
    difference = ImageChops.difference(image, Image.new("RGB", image.size, colour))
    red, green, blue = difference.split()
    farthest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    box = farthest.point(lambda value: 255 * (value < 40)).getbbox()
    assert box is not None
    return box


def test_contact_sheet_brings_pictures_to_one_height_in_order() -> None:
    first, second = Image.new("RGB", (100, 200), RED), Image.new("RGB", (300, 300), GREEN)
    sheet = contact_sheet([("one", first), ("two", second)])
    assert sheet.mode == "RGB"
    item, two = box_of(sheet, RED), box_of(sheet, GREEN)
    assert item[1] == two[1]
    assert item[3] - item[1] == two[3] - two[1] == 300
    assert item[2] - item[0] == 150
    assert 0 < item[0] < item[2] < two[0] < two[2] < sheet.width
    assert sheet.getpixel((0, 0)) == NEUTRAL


def test_each_label_stands_below_its_picture() -> None:
    images = [("first", Image.new("RGB", (200, 300), RED)), ("second", Image.new("RGB", (200, 300), GREEN))]
    labelled, bare = contact_sheet(images), contact_sheet([("", image) for _, image in images])
    assert labelled.size == bare.size
    for colour in (RED, GREEN):
        left, _, right, bottom = box_of(labelled, colour)
        strip = (left, bottom, right, labelled.height)
        assert ImageChops.difference(labelled.crop(strip), bare.crop(strip)).getbbox() is not None
    written = ImageChops.difference(labelled, bare).getbbox()
    assert written is not None
    assert written[1] >= box_of(labelled, RED)[3]


def test_a_long_label_stays_below_its_own_picture() -> None:
    images = [(name, Image.new("RGB", (200, 300), RED)) for name in ("a very long label " * 50, "")]
    bare = contact_sheet([("", image) for _, image in images])
    written = ImageChops.difference(contact_sheet(images), bare).getbbox()
    assert written is not None
    assert written[2] <= bare.width // 2


def test_more_than_four_pictures_make_a_grid() -> None:
    colours = [(250 - 20 * step, 20 * step, 40) for step in range(7)]
    sheet = contact_sheet(
        [(str(step), Image.new("RGB", (80, 80), colour)) for step, colour in enumerate(colours)]
    )
    tops = [next(y for y in range(sheet.height) if colour in row(sheet, y)) for colour in colours]
    assert tops == sorted(tops)
    assert len(set(tops)) == 3


def row(image: Image.Image, y: int) -> set[object]:
    return {image.getpixel((x, y)) for x in range(image.width)}


def test_a_caption_adds_room_below_and_an_empty_one_none() -> None:
    images = [("one", Image.new("RGB", (300, 200), RED))]
    plain = contact_sheet(images)
    assert contact_sheet(images, caption="  ").size == plain.size
    short, long = contact_sheet(images, caption="words"), contact_sheet(images, caption="many words " * 100)
    assert plain.height < short.height < long.height
    assert plain.width == short.width == long.width
    assert long.height < 2 * plain.height


@pytest.mark.parametrize(("count", "size"), [(4, (4000, 300)), (120, (800, 100))])
def test_no_side_of_a_contact_sheet_is_boundless(count: int, size: tuple[int, int]) -> None:
    sheet = contact_sheet([("wide", Image.new("RGB", size))] * count)
    assert max(sheet.size) <= MAX_SIDE


def test_transparent_parts_take_the_colour_of_the_sheet() -> None:
    image = Image.new("RGBA", (100, 100), (255, 0, 255, 0))
    sheet = contact_sheet([("", image)])
    assert sheet.getcolors() == [(sheet.width * sheet.height, NEUTRAL)]


def test_a_sheet_needs_a_picture() -> None:
    with pytest.raises(ValueError, match="at least one picture"):
        contact_sheet([])
    with pytest.raises(ValueError, match="at least one picture"):
        character_sheet([])
    with pytest.raises(ValueError, match="at least one pixel"):
        character_sheet([("", noise(), None)], figure_height=0)


def test_figures_get_one_height_and_stand_on_one_line() -> None:
    grey = (210, 210, 214)
    sheet = character_sheet(
        [
            ("front", figure_on(grey, (100, 50, 180, 350), RED), None),
            ("side", figure_on(grey, (20, 100, 60, 250), GREEN), None),
            ("back", figure_on(grey, (150, 200, 210, 390), BLUE, (260, 400)), None),
        ],
        figure_height=300,
    )
    boxes = [box_of(sheet, colour) for colour in (RED, GREEN, BLUE)]
    for left, top, right, bottom in boxes:
        assert bottom - top == pytest.approx(300, abs=2)
        assert bottom == pytest.approx(boxes[0][3], abs=1)
        assert 0 < left < right < sheet.width
    assert boxes[0][2] < boxes[1][0] < boxes[1][2] < boxes[2][0]
    assert boxes[0][2] - boxes[0][0] == pytest.approx(80, abs=2)
    assert boxes[1][2] - boxes[1][0] == pytest.approx(80, abs=2)


def test_the_sheet_takes_a_shared_background_else_white_else_the_chosen_one() -> None:
    grey = figure_on((210, 210, 214), (100, 50, 180, 350), RED)
    dark = figure_on((20, 20, 24), (100, 50, 180, 350), RED)
    assert character_sheet([("", grey, None), ("", grey, None)]).getpixel((0, 0)) == (210, 210, 214)
    assert character_sheet([("", grey, None), ("", dark, None)]).getpixel((0, 0)) == (255, 255, 255)
    chosen = character_sheet([("", grey, None), ("", dark, None)], background=(1, 60, 2))
    colours = {colour for _, colour in chosen.getcolors(chosen.width * chosen.height) or []}
    assert chosen.getpixel((0, 0)) == (1, 60, 2)
    assert not colours & {(210, 210, 214), (20, 20, 24)}


def test_a_mask_wins_over_the_background() -> None:
    image = noise()
    ImageDraw.Draw(image).rectangle((20, 10, 39, 69), fill=RED)
    mask = Image.new("L", (60, 80))
    ImageDraw.Draw(mask).rectangle((20, 10, 39, 69), fill=255)
    sheet = character_sheet([("", image, mask)], figure_height=120)
    left, top, right, bottom = box_of(sheet, RED)
    assert (right - left, bottom - top) == pytest.approx((40, 120), abs=2)
    assert sheet.getpixel((left - 6, top + 20)) == (255, 255, 255)


def test_a_mask_of_another_size_or_without_a_figure() -> None:
    image = figure_on((240, 240, 240), (100, 100, 200, 300), RED)
    small = Image.new("L", (150, 200))
    ImageDraw.Draw(small).rectangle((50, 50, 99, 149), fill=255)
    for mask in (small, Image.new("L", image.size), None):
        figure = find_figure(image, mask)
        assert figure is not None
        assert figure.box == pytest.approx((100, 100, 200, 300), abs=2)


def test_alpha_tells_the_figure() -> None:
    image = noise().convert("RGBA")
    alpha = Image.new("L", image.size)
    ImageDraw.Draw(alpha).rectangle((10, 20, 29, 59), fill=255)
    image.putalpha(alpha)
    figure = find_figure(image)
    assert figure is not None
    assert figure.box == pytest.approx((10, 20, 30, 60), abs=1)
    assert figure.background is None


def test_a_white_shirt_before_a_white_wall_belongs_to_the_figure() -> None:
    image = figure_on((250, 250, 250), (80, 40, 220, 360), (20, 20, 20))
    ImageDraw.Draw(image).rectangle((100, 80, 199, 319), fill=(250, 250, 250))
    figure = find_figure(image)
    assert figure is not None
    assert figure.mask.getpixel((150, 200)) == 255
    assert figure.mask.getpixel((20, 200)) == 0


def test_specks_do_not_move_the_box() -> None:
    image = figure_on((230, 230, 230), (100, 100, 200, 300), BLUE)
    for at in ((5, 5), (290, 390), (20, 370)):
        image.putpixel(at, (0, 0, 0))
    figure = find_figure(image)
    assert figure is not None
    assert figure.box == pytest.approx((100, 100, 200, 300), abs=1)


@pytest.mark.parametrize("image", [noise(), Image.new("RGB", (60, 80), GREEN)], ids=["noise", "nothing"])
def test_a_picture_without_a_figure_stands_in_whole(image: Image.Image) -> None:
    assert find_figure(image) is None
    person = figure_on((255, 255, 255), (100, 50, 180, 350), RED)
    sheet = character_sheet([("person", person, None), ("", image, None)], figure_height=160)
    _, _, right, bottom = box_of(sheet, RED)
    copy = image.resize((120, 160), Image.Resampling.LANCZOS)
    places = [
        left
        for left in range(right, sheet.width - 120)
        if ImageChops.difference(sheet.crop((left, bottom - 160, left + 120, bottom)), copy).getbbox() is None
    ]
    assert len(places) == 1


def test_a_character_sheet_has_labels_a_caption_and_a_limit() -> None:
    person = figure_on((255, 255, 255), (100, 50, 180, 350), RED)
    bare = character_sheet([("", person, None)], figure_height=300)
    labelled = character_sheet([("front", person, None)], figure_height=300)
    written = ImageChops.difference(bare, labelled).getbbox()
    assert written is not None
    assert written[1] > box_of(labelled, RED)[3]
    captioned = character_sheet([("front", person, None)], figure_height=300, caption="A knight")
    assert captioned.height > labelled.height
    assert max(character_sheet([("", person, None)] * 15, figure_height=4000).size) <= MAX_SIDE


def test_sheets_are_repeatable() -> None:
    views = [("front", figure_on((220, 220, 220), (100, 50, 180, 350), RED), None), ("noise", noise(), None)]
    first, second = character_sheet(views, caption="twice"), character_sheet(views, caption="twice")
    assert ImageChops.difference(first, second).getbbox() is None
