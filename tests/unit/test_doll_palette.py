"""Colours of a reference: from a doll's part mask exactly, from other pictures by where things are."""

from __future__ import annotations

import base64
import random
import zlib

import pytest
from colours import colour_difference
from doll_pictures import character_of, doll
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from avatarforge.forge.pictures.doll.character.character import choose_character
from avatarforge.forge.pictures.doll.character.description import Colour, Description
from avatarforge.forge.pictures.doll.character.palette import (
    looks_like_skin,
    palette_from_picture,
    palette_of,
)
from avatarforge.forge.pictures.doll.character.parts_text import (
    MAX_SIDE,
    MAX_TEXT,
    parts_from_text,
    parts_to_text,
)
from avatarforge.forge.pictures.doll.character.reference import weighted
from avatarforge.forge.pictures.doll.parts import PARTS
from avatarforge.forge.pictures.doll.words.vocabulary.colours import COLOURS, HAIR_COLOURS, SKIN_COLOURS

pytestmark = [pytest.mark.slow, pytest.mark.doll]

OUTLINE = (30, 26, 34)
WHITE = (255, 255, 255)
WALL = (150, 165, 180)


def shade(colour: Colour) -> Colour:
    red, green, blue = (channel * 3 // 4 for channel in colour)
    return (red, green, blue)


def drawn_parts(colours: dict[str, Colour]) -> tuple[Image.Image, Image.Image]:
    """A picture of one box per part, with an outline and a shaded third, and its mask."""
    size = (40 * len(colours), 60)
    picture, mask = Image.new("RGB", size, WHITE), Image.new("L", size)
    for at, (part, colour) in enumerate(colours.items()):
        box = (at * 40 + 4, 4, at * 40 + 35, 55)
        ImageDraw.Draw(picture).rectangle(box, colour, OUTLINE, 2)
        ImageDraw.Draw(picture).rectangle((box[0] + 22, box[1] + 2, box[2] - 2, box[3] - 2), shade(colour))
        ImageDraw.Draw(mask).rectangle(box, PARTS.index(part))
    return picture, mask


def test_each_part_has_exactly_its_flat_colour() -> None:
    names = list(COLOURS.values())
    colours = {part: names[at * 2] for at, part in enumerate(PARTS) if part != "background"}
    picture, mask = drawn_parts(colours)
    assert palette_of(picture, mask) == {"background": WHITE, **colours}
    smooth = picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.BICUBIC)
    # The mask is scaled to the picture.
    assert palette_of(smooth, mask) == {"background": WHITE, **colours}


def test_small_parts_unknown_values_and_thin_parts() -> None:
    picture, mask = Image.new("RGB", (100, 100), WHITE), Image.new("L", (100, 100))
    for value, box, colour in (
        (PARTS.index("belt"), (10, 50, 89, 51), (90, 60, 30)),
        (PARTS.index("nose"), (10, 10, 12, 12), (1, 2, 3)),
        (200, (60, 60, 90, 90), (9, 9, 200)),
    ):
        ImageDraw.Draw(picture).rectangle(box, colour)
        ImageDraw.Draw(mask).rectangle(box, value)
    assert palette_of(picture, mask) == {"background": WHITE, "belt": (90, 60, 30)}


def test_the_noise_of_a_photo_does_not_hide_a_colour() -> None:
    numbers = random.Random(5)  # noqa: S311
    colour = (180, 60, 70)
    picture = Image.new("RGB", (64, 64))
    picture.putdata([tuple(channel + numbers.randint(-9, 9) for channel in colour) for _ in range(64 * 64)])
    mask = Image.new("L", (64, 64), PARTS.index("top"))
    assert colour_difference(palette_of(picture, mask)["top"], colour) < 6


def person(
    skin: Colour,
    hair: Colour,
    top: Colour,
    bottom: Colour,
    feet: Colour,
    *,
    back: bool = False,
    bald: bool = False,
    wall: Colour = WALL,
) -> Image.Image:
    """A simple figure of 8 heads, with outlines and shades."""
    picture = Image.new("RGB", (400, 600), wall)
    draw = ImageDraw.Draw(picture)

    def box(left: int, upper: int, right: int, lower: int, colour: Colour) -> None:
        draw.rectangle((left, upper, right, lower), colour, OUTLINE, 2)
        draw.rectangle((right - (right - left) // 4, upper + 2, right - 2, lower - 2), shade(colour))

    for left in (120, 254):
        box(left, 130, left + 26, 300, top)
        box(left, 300, left + 26, 325, skin)
    box(184, 90, 216, 120, skin)
    box(150, 110, 250, 300, top)
    for left in (152, 206):
        box(left, 300, left + 42, 550, bottom)
        box(left, 545, left + 46, 580, feet)
    draw.ellipse((166, 20, 234, 110), skin if bald else hair, OUTLINE, 2)
    if not back:
        draw.ellipse((174, 46, 226, 106), skin)
        for x in (186, 206):
            draw.rectangle((x, 66, x + 6, 74), (40, 60, 90))
    return picture


COMBINATIONS = [
    (skin, hair, clothes)
    for skin in ("pale", "fair", "medium", "olive", "tan", "brown", "dark")
    for hair, clothes in (
        ("black", ("red", "denim", "brown")),
        ("brown", ("white", "black", "charcoal")),
        ("blonde", ("teal", "navy", "chocolate")),
        ("ginger", ("forest green", "burgundy", "black")),
        ("white", ("purple", "grey", "maroon")),
    )
    if colour_difference(SKIN_COLOURS[skin].colour, HAIR_COLOURS[hair].colour) > 18
]


@pytest.mark.parametrize("view", ["front", "back"])
@pytest.mark.parametrize(("skin", "hair", "clothes"), COMBINATIONS)
def test_a_figure_gives_its_colours(view: str, skin: str, hair: str, clothes: tuple[str, str, str]) -> None:
    expected = {
        "skin": SKIN_COLOURS[skin].colour,
        "hair": HAIR_COLOURS[hair].colour,
        **{part: COLOURS[name] for part, name in zip(("top", "bottom", "feet"), clothes, strict=True)},
    }
    picture = person(*expected.values(), back=view == "back")
    assert palette_from_picture(picture) == expected


def test_a_bald_head_has_no_hair() -> None:
    skin = SKIN_COLOURS["medium"].colour
    found = palette_from_picture(person(skin, skin, (60, 90, 160), (60, 60, 60), (20, 20, 20), bald=True))
    assert found["skin"] == skin
    assert "hair" not in found or colour_difference(found["hair"], OUTLINE) < 10


@pytest.mark.parametrize("mode", ["RGBA", "P", "LA"])
def test_other_modes_and_transparency(mode: str) -> None:
    picture = person((246, 214, 190), (44, 38, 42), (196, 58, 58), (74, 102, 146), (122, 82, 56)).convert(
        "RGBA"
    )
    clear = Image.new("L", picture.size, 255)
    ImageDraw.floodfill(picture, (0, 0), (0, 0, 0, 0))
    clear = picture.getchannel("A")
    picture.putalpha(clear)
    found = palette_from_picture(picture.convert(mode))
    assert set(found) >= {"top", "bottom", "hair"}
    if mode == "RGBA":
        assert found["top"] == (196, 58, 58)


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("RGB", (300, 400), WHITE),
        Image.new("RGB", (1, 1)),
        Image.effect_noise((200, 300), 90).convert("RGB"),
        Image.new("RGBA", (50, 50), (0, 0, 0, 0)),
    ],
)
def test_a_picture_without_a_figure_gives_nothing(picture: Image.Image) -> None:
    assert palette_from_picture(picture) == {}


def test_a_jpeg_like_picture_gives_nearly_its_colours() -> None:
    colours = [(246, 214, 190), (112, 74, 50), (42, 126, 130), (68, 71, 82), (86, 57, 44)]
    picture = (
        person(*colours).resize((1000, 1500), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(2))
    )
    found = palette_from_picture(picture)
    for part, colour in zip(("skin", "hair", "top", "bottom", "feet"), colours, strict=True):
        assert colour_difference(found[part], colour) < 5, part


@pytest.mark.parametrize("name", SKIN_COLOURS)
def test_the_doll_s_own_skin_counts_as_skin(name: str) -> None:
    assert looks_like_skin(SKIN_COLOURS[name].colour)


@pytest.mark.parametrize(
    "name", ["white", "grey", "black", "blue", "green", "red", "purple", "yellow", "navy"]
)
def test_other_colours_do_not_count_as_skin(name: str) -> None:
    assert not looks_like_skin(COLOURS[name])


DOLLS = (
    "woman in a red dress, long blonde hair, boots",
    "knight in silver armour, red cape, short brown hair, medium skin",
    "man, black hair, dark skin, green tunic, grey trousers, boots",
    "pale woman, white shirt, black skirt, ginger hair, sneakers",
    "blue coat, pink hat, green scarf, white trousers, teal hair",
)


@pytest.mark.parametrize("turn", [0, 90, 180])
@pytest.mark.parametrize("text", DOLLS)
def test_a_doll_gives_its_colours_part_by_part(text: str, turn: float) -> None:
    character = character_of(text)
    drawing = doll(character, turn)
    found = palette_of(drawing.picture, drawing.parts)
    expected = {"skin": character.skin_colour, "hair": character.hair_colour}
    expected |= {slot: worn.colour for slot, worn in character.garments.items()}
    for part, colour in expected.items():
        if part in found:
            assert colour_difference(found[part], colour) < 2, part
    assert {"hair", "feet"} <= found.keys()
    assert found.keys() & {"top", "dress", "outer"}
    # The character of other words in these colours looks the same.
    other = choose_character(Description(), seed=99, palette=weighted(found, 1.0))
    assert colour_difference(other.hair_colour, character.hair_colour) < 2


@pytest.mark.parametrize("text", DOLLS[:4])
def test_a_doll_gives_its_colours_without_its_mask(text: str) -> None:
    character = character_of(text)
    found = palette_from_picture(doll(character).picture)
    assert colour_difference(found["hair"], character.hair_colour) < 2
    assert colour_difference(found["skin"], character.skin_colour) < 2
    worn = {slot: item.colour for slot, item in character.garments.items()}
    for part in ("top", "bottom", "feet"):
        expected = worn.get(part) or worn["dress"]
        assert colour_difference(found[part], expected) < 2, part


# The mask as text.


def test_a_mask_comes_back_from_its_text() -> None:
    _, mask = drawn_parts({"skin": (1, 2, 3), "cape": (4, 5, 6)})
    text = parts_to_text(mask)
    assert text.startswith("doll1:80x60:")
    assert text.isascii()
    read = parts_from_text(text, mask.size)
    assert read is not None
    assert (read.mode, read.size, read.tobytes()) == ("L", mask.size, mask.tobytes())
    assert len(parts_to_text(Image.new("L", (MAX_SIDE, MAX_SIDE), 3))) < MAX_TEXT


@given(st.binary(min_size=35, max_size=35).map(lambda data: bytes(value % len(PARTS) for value in data)))
def test_any_mask_comes_back(data: bytes) -> None:
    read = parts_from_text(parts_to_text(Image.frombytes("L", (7, 5), data)), (7, 5))
    assert read is not None
    assert read.tobytes() == data


def packed(data: bytes, size: str = "4x2", version: str = "doll1") -> str:
    return f"{version}:{size}:" + base64.b64encode(data).decode()


GOOD = packed(zlib.compress(bytes(8)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "doll1",
        "doll1:",
        "doll1:4x2",
        "doll1:4x2:",
        "doll1:4x2:!!!!",
        "doll1:4x2:AAA",
        packed(zlib.compress(bytes(8)), version="doll2"),
        packed(zlib.compress(bytes(8)), size="2x4"),
        packed(zlib.compress(bytes(8)), size="04x2"),
        packed(zlib.compress(bytes(8)), size="-4x2"),
        packed(zlib.compress(bytes(8)), size="٤x2"),
        packed(zlib.compress(bytes(8)), size="99999x99999"),
        packed(zlib.compress(bytes(7))),
        packed(zlib.compress(bytes(9))),
        packed(zlib.compress(bytes(50_000_000))),
        packed(zlib.compress(bytes(8))[:-1]),
        packed(zlib.compress(bytes(8)) + b"more"),
        packed(zlib.compress(bytes([0, 1, 2, 3, len(PARTS), 0, 0, 0]))),
        packed(b"not zlib at all"),
        " " + GOOD,
        GOOD + "\n",
        GOOD + "é",
        GOOD + "\ud800",
        "A" * (MAX_TEXT + 1),
        "doll1:4x2:" + "A" * MAX_TEXT,
    ],
)
def test_other_texts_give_nothing(text: str) -> None:
    assert parts_from_text(text, (4, 2)) is None


def test_only_a_mask_of_the_picture_s_size_is_read() -> None:
    assert parts_from_text(GOOD, (4, 2)) is not None
    assert parts_from_text(GOOD, (2, 4)) is None
    assert (
        parts_from_text(packed(zlib.compress(bytes(8)), size=f"{MAX_SIDE + 1}x1"), (MAX_SIDE + 1, 1)) is None
    )


@given(st.text() | st.binary().map(packed) | st.text().map(lambda text: "doll1:4x2:" + text))
def test_no_text_raises(text: str) -> None:
    read = parts_from_text(text, (4, 2))
    assert read is None or read.size == (4, 2)


@pytest.mark.parametrize(
    "mask", [Image.new("RGB", (4, 2)), Image.new("L", (MAX_SIDE + 1, 1)), Image.new("L", (0, 2))]
)
def test_only_masks_are_rendered(mask: Image.Image) -> None:
    with pytest.raises(ValueError, match="part mask"):
        parts_to_text(mask)
