"""Draws one character in the poses of one or more people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PIL import Image, ImageDraw

from .character import Character
from .description import Colour
from .person import Person, Point

#: The passes, in their order. Each adds to what the earlier ones drew.
PASSES = ("sketch", "flats", "shade", "line")

#: Names of the values in `Drawing.parts`. Stored pictures have these values: append only.
PARTS: tuple[str, ...] = (
    "background",
    "skin",
    "hair",
    "left_eye",
    "right_eye",
    "left_iris",
    "right_iris",
    "brows",
    "nose",
    "mouth",
    "beard",
    "top",
    "bottom",
    "dress",
    "outer",
    "cape",
    "feet",
    "hands",
    "head",
    "eyes",
    "neck",
    "belt",
    "right_hand",
    "left_hand",
)
#: Names of the values in `Drawing.limbs`: the segment of the body that a pixel belongs to, clothed or not.
LIMBS: tuple[str, ...] = (
    "none",
    "head",
    "neck",
    "torso",
    "right_upper_arm",
    "right_forearm",
    "right_hand",
    "left_upper_arm",
    "left_forearm",
    "left_hand",
    "right_thigh",
    "right_shank",
    "right_foot",
    "left_thigh",
    "left_shank",
    "left_foot",
)


@dataclass(frozen=True)
class DollOrder:
    """What to draw: `size` is (width, height) in pixels, in which the people's keypoints are. `turn` is in
    degrees from the front towards the picture's left, as in `body.seen_from`. `seed` decides folds, strands
    and other details that are not part of the character. `passes` is how many of PASSES to draw."""

    people: tuple[Person, ...]
    turn: float
    character: Character
    size: tuple[int, int]
    seed: int
    passes: int = len(PASSES)


@dataclass(frozen=True)
class Drawing:
    """A drawing: an RGB picture, and of its size two masks in mode L, whose values are positions in PARTS and
    LIMBS. `joints` are those drawn, per person, in pixels, by name. `palette` has the flat colour of each
    part that was drawn."""

    picture: Image.Image
    parts: Image.Image
    limbs: Image.Image
    joints: tuple[Mapping[str, Point], ...]
    palette: Mapping[str, Colour]


#: Called after each pass with the number of passes drawn and a preview. May raise, which ends the drawing.
AfterPass = Callable[[int, Image.Image], None]


def draw_doll(order: DollOrder, after_pass: AfterPass | None = None) -> Drawing:
    """Draw the character."""
    picture = Image.new("RGB", order.size, order.character.background)
    draw = ImageDraw.Draw(picture)
    for person in order.people:
        for point in person.body.values():
            x, y = point
            draw.polygon([(x - 9, y - 9), (x + 9, y - 9), (x + 9, y + 9), (x - 9, y + 9)], order.character.hair_colour)
    for done in range(1, order.passes + 1):
        if after_pass is not None:
            after_pass(done, picture)
    empty = Image.new("L", order.size)
    return Drawing(
        picture,
        empty,
        empty,
        tuple(person.body for person in order.people),
        {"hair": order.character.hair_colour},
    )
