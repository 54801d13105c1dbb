"""The cards of the example workflows in ComfyUI's Templates view: what goes in and what comes out.

The editor shows a card about 300 pixels wide, and has no other text about a workflow of an extension than its
name. The pictures are paper dolls, drawn without a model. Need the loaded pack.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from . import doll_poses as poses
from .dolls import (
    BACK,
    FRONT,
    KNIGHT,
    PAPER,
    QUARTER,
    SIDE,
    TEXT,
    Colour,
    Doll,
    knight_in_large_pixels,
    knight_sheet,
    largest_scale,
    picture_of,
)
from .example_prompts import LARGE_PIXELS
from .overview import POSE, pose_picture

SIZE, WRITTEN = (768, 480), (512, 320)  # pixels: of the drawing, and of the file
CAPTION_TOP, CAPTION_SIZE = 392, 32  # pixels; the text is 12 pixels high on a card of 300
MARGIN, GAP, SYMBOL_WIDTH = 24, 14, 40
QUALITY = 82
CELL, NARROW = (224, 344), (112, 260)
WORDS_BOX = (236, 344)
FACE = 0.34  # of the height of a picture, from the top, that shows the head
DARK: Colour = (24, 24, 28)

ARCHER = Doll("elf archer, green tunic, brown boots, bow", poses.HANDS_ON_HIPS)
MIRA = Doll("young woman, red hair, green eyes, green dress", seed=9)
PHOTO = Doll("woman, grey jacket, white shirt", poses.GUARD, realism=True)
ARROW = "->"
#: The part of a card: a picture, or "+" or ARROW between two.
Part = Image.Image | str


@dataclass(frozen=True)
class Card:
    text: str
    draw_parts: Callable[[], Sequence[Part]]


def write_card(card: Card, path: Path) -> None:
    """Draw it as a JPEG file."""
    image = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(image)
    parts = _fitted(card.draw_parts())
    left = (SIZE[0] - _width(parts)) // 2
    for part in parts:
        if isinstance(part, str):
            _draw_symbol(draw, part, (left, CAPTION_TOP // 2))
            left += SYMBOL_WIDTH + GAP
        else:
            image.paste(part, (left, (CAPTION_TOP - part.height) // 2))
            left += part.width + GAP
    middle = (SIZE[0] / 2, (CAPTION_TOP + SIZE[1]) / 2 - 4)
    draw.text(middle, card.text, DARK, _font_for(card.text), anchor="mm")
    image.thumbnail(WRITTEN, Image.Resampling.LANCZOS)
    image.save(path, "JPEG", quality=QUALITY, optimize=True)


def _draw_symbol(draw: ImageDraw.ImageDraw, symbol: str, at: tuple[int, int]) -> None:
    """In a box of SYMBOL_WIDTH, whose left edge has its middle at ``at``."""
    (x, y), half = at, SYMBOL_WIDTH // 2
    draw.line((x, y, x + SYMBOL_WIDTH - 4, y), TEXT, 5)
    if symbol == ARROW:
        tip = x + SYMBOL_WIDTH
        draw.polygon(((tip, y), (tip - half, y - half // 2 - 4), (tip - half, y + half // 2 + 4)), TEXT)
    else:
        draw.line((x + half - 2, y - half + 2, x + half - 2, y + half - 2), TEXT, 5)


def _font_for(text: str) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The largest font in which the text takes one line."""
    size = CAPTION_SIZE
    while ImageFont.load_default(size).getlength(text) > SIZE[0] - 2 * MARGIN:
        size -= 1
    return ImageFont.load_default(size)


def _width(parts: Sequence[Part]) -> int:
    return sum(SYMBOL_WIDTH if isinstance(part, str) else part.width for part in parts) + GAP * (
        len(parts) - 1
    )


def _fitted(parts: Sequence[Part]) -> list[Part]:
    """The parts, with all pictures reduced by one factor so that they fit beside each other."""
    pictures = [part for part in parts if isinstance(part, Image.Image)]
    fixed = _width(parts) - sum(picture.width for picture in pictures)
    wide = (SIZE[0] - 2 * MARGIN - fixed) / sum(picture.width for picture in pictures)
    scale = min(wide, (CAPTION_TOP - 2 * MARGIN) / max(picture.height for picture in pictures))
    return [
        part
        if isinstance(part, str)
        else part.resize((round(part.width * scale), round(part.height * scale)), Image.Resampling.LANCZOS)
        for part in parts
    ]


def _words(text: str) -> Image.Image:
    """A sheet of paper with these words, one line for each part between commas."""
    image = Image.new("RGB", WORDS_BOX, (255, 255, 255))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WORDS_BOX[0] - 1, WORDS_BOX[1] - 1), outline=TEXT, width=2)
    for number, line in enumerate(text.split(", ")):
        draw.text((22, 70 + number * 56), line, DARK, ImageFont.load_default(30))
    return image


def _skeleton() -> Image.Image:
    return pose_picture().resize(CELL, Image.Resampling.LANCZOS)


def _drawn(doll: Doll) -> Image.Image:
    return picture_of(doll, CELL)


def _in_pose(doll: Doll) -> Doll:
    """The doll in the pose of `_skeleton`."""
    return replace(doll, pose=POSE)


def words() -> Sequence[Part]:
    return [_words("elf archer, green tunic, brown boots, bow"), ARROW, _drawn(ARCHER)]


def pose_and_reference() -> Sequence[Part]:
    return [_skeleton(), "+", _drawn(KNIGHT), ARROW, _drawn(_in_pose(KNIGHT))]


def doll_pose_and_reference() -> Sequence[Part]:
    return [_skeleton(), "+", _drawn(MIRA), ARROW, _drawn(_in_pose(MIRA))]


def photo() -> Sequence[Part]:
    return [_drawn(PHOTO), ARROW, _drawn(replace(KNIGHT, pose=PHOTO.pose))]


def doll_photo() -> Sequence[Part]:
    return [_drawn(PHOTO), ARROW, _drawn(replace(MIRA, pose=PHOTO.pose))]


def turnaround() -> Sequence[Part]:
    return [_drawn(replace(ARCHER, pose=poses.STANDING, turn=turn)) for turn in (FRONT, QUARTER, SIDE, BACK)]


def seeds() -> Sequence[Part]:
    return [_drawn(Doll("wizard, blue robe, pointed hat", seed=seed)) for seed in (3, 4, 6, 7)]


def doll_sheet() -> Sequence[Part]:
    return [knight_sheet()]


def judged() -> Sequence[Part]:
    sides = [_drawn(replace(KNIGHT, pose=poses.STANDING, turn=turn)) for turn in (FRONT, BACK)]
    return [*sides, ARROW, _words("palette 94, clean")]


def large_pixels() -> Sequence[Part]:
    return [knight_in_large_pixels(*LARGE_PIXELS)]


def library_pose() -> Sequence[Part]:
    return [
        _drawn(replace(KNIGHT, pose=pose, turn=turn))
        for pose, turn in ((poses.SITTING, QUARTER), (poses.RUNNING, SIDE), (poses.WAVING, FRONT))
    ]


def expression() -> Sequence[Part]:
    return [_head(_drawn(replace(MIRA, prompt=f"{mood}{MIRA.prompt}"))) for mood in ("", "happy ")]


def faces() -> Sequence[Part]:
    return [_head(_drawn(replace(MIRA, prompt=f"{mood}{MIRA.prompt}"))) for mood in ("", "happy ", "angry ")]


def eight_sides() -> Sequence[Part]:
    dolls = [replace(MIRA, turn=turn) for turn in range(0, 360, 45)]
    scale = min(largest_scale(doll, NARROW) for doll in dolls)
    return [picture_of(doll, NARROW, scale=scale) for doll in dolls]


def saved() -> Sequence[Part]:
    pirate = Doll("pirate, black coat, hat, eyepatch", seed=4)
    return [_drawn(replace(pirate, turn=turn)) for turn in (FRONT, BACK, SIDE, QUARTER)]


def _head(picture: Image.Image) -> Image.Image:
    """The head and shoulders of a standing figure, enlarged to the height of a cell."""
    side = round(picture.height * FACE)
    left = (picture.width - side) // 2
    return picture.crop((left, 0, left + side, side)).resize((CELL[1], CELL[1]), Image.Resampling.LANCZOS)
