"""Paper dolls for tests: drawn from words, and measured by their pixels and masks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image, ImageChops

from avatarforge.forge.pictures.body import seen_from, standing_body
from avatarforge.forge.pictures.doll.character.character import Character, choose_character
from avatarforge.forge.pictures.doll.character.palette import palette_of
from avatarforge.forge.pictures.doll.drawing import DollOrder, Drawing, draw_doll
from avatarforge.forge.pictures.doll.parts import LIMBS, PARTS
from avatarforge.forge.pictures.doll.poses.person import Person, Point
from avatarforge.forge.pictures.doll.words.reader import read_description

SIZE = (512, 768)
EIGHT_TURNS = (0, 40, 90, 135, 180, -135, -90, -40)
#: A character without clothes, in the plainest style.
PLAIN = Character(
    hair_length="short",
    hair_style="loose",
    hair_colour=(122, 72, 44),
    eye_colour=(70, 120, 160),
    skin_colour=(244, 205, 176),
    build="average",
    age="adult",
    figure="feminine",
    beard="none",
    ears="round",
    expression="neutral",
    garments={},
    background=(243, 240, 233),
    style="clean",
    realism=False,
)
#: Part masks that show a face.
FACE_PARTS = ("left_eye", "right_eye", "left_iris", "right_iris", "brows", "nose", "mouth")


def person_at(turn: float, size: tuple[int, int] = SIZE) -> Person:
    """The standing body in the middle of a picture."""
    width, height = size
    unit = height * 0.86
    return Person(
        {
            name: (width / 2 + x * unit, height * 0.95 - y * unit)
            for name, (x, y) in seen_from(standing_body(), turn).items()
        }
    )


def character_of(
    prompt: str,
    *,
    seed: int = 1,
    clothing: str = "",
    style: str = "",
    realism: bool = False,
    negative: str = "",
) -> Character:
    return choose_character(read_description(prompt, clothing, style, realism, negative), seed=seed)


def doll(
    character: Character,
    turn: float = 0,
    *,
    person: Person | None = None,
    size: tuple[int, int] = SIZE,
    seed: int = 1,
    passes: int = 4,
    fresh: bool = False,
) -> Drawing:
    """A drawing of one person. Equal orders share one, unless it has to be `fresh`."""
    order = DollOrder((person or person_at(turn, size),), turn, character, size, seed, passes)
    key = repr(order)
    if fresh or key not in _DRAWN:
        _DRAWN[key] = draw_doll(order)
    return _DRAWN[key]


_DRAWN: dict[str, Drawing] = {}


def part_mask(drawing: Drawing, *parts: str) -> Image.Image:
    """255 where the drawing shows one of these parts."""
    values = {PARTS.index(part) for part in parts}
    return drawing.parts.point([255 if value in values else 0 for value in range(256)])


def limb_mask(drawing: Drawing, *limbs: str) -> Image.Image:
    values = {LIMBS.index(limb) for limb in limbs}
    return drawing.limbs.point([255 if value in values else 0 for value in range(256)])


def count(mask: Image.Image) -> int:
    return mask.histogram()[255]


def centre(mask: Image.Image) -> Point:
    """The centroid of a mask, in pixels."""
    rows, columns = numpy.nonzero(numpy.asarray(mask))
    return float(columns.mean()), float(rows.mean())


def grown(mask: Image.Image, pixels: int) -> Image.Image:
    """The mask with everything within so many pixels of it."""
    values = numpy.pad(numpy.asarray(mask), pixels)
    for axis in (0, 1):
        values = sliding_window_view(values, 2 * pixels + 1, axis).max(axis=-1)
    return Image.fromarray(values)


def changed(first: Drawing, second: Drawing) -> Image.Image:
    """255 where the pictures differ."""
    red, green, blue = ImageChops.difference(first.picture, second.picture).split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue).point([0] + [255] * 255)


def main_colours(drawing: Drawing) -> Mapping[str, tuple[int, int, int]]:
    """The flat colour of each part, read from the pixels."""
    return palette_of(drawing.picture, drawing.parts)
