"""Draws the contact sheet of paper dolls in the documentation, with the pack's own code and without ComfyUI.

Needs an interpreter with Pillow, and the loaded pack.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from . import doll_poses as poses
from .demo import KNIGHT_SEED, KNIGHT_WORDS
from .doll_poses import Pose

Colour = tuple[int, int, int]

COLUMNS = 8
CELL = (224, 312)  # pixels
GAP, LABEL_LINES, LABEL_SIZE = 10, 2, 13
MARGIN = 4  # pixels between a figure and the edge of its picture
SHARE = 0.86  # of the cell's height that a standing figure takes
PAPER, TEXT = (250, 249, 246), (70, 68, 80)
QUALITY = 82  # of the JPEG file, which should stay below 600 KB
FRONT, QUARTER, SIDE, BACK = 0.0, 40.0, 90.0, 180.0


@dataclass(frozen=True)
class Doll:
    """One picture: the words of a request, and the pose seen from `turn` degrees. Without a `seed`, the words
    decide what they leave open."""

    prompt: str
    pose: Pose = poses.STANDING
    turn: float = FRONT
    style: str = ""
    realism: bool = False
    seed: int | None = None

    @property
    def label(self) -> str:
        look = [self.style] if self.style else []
        return ", ".join([self.prompt, *look, *(["realistic"] if self.realism else [])])

    @property
    def own_seed(self) -> int:
        return zlib.crc32(self.label.encode()) if self.seed is None else self.seed


#: The character of the demo, the banner and the screenshots.
KNIGHT = Doll(KNIGHT_WORDS, seed=KNIGHT_SEED)


DOLLS: tuple[Doll, ...] = (
    replace(KNIGHT, pose=poses.HANDS_ON_HIPS),
    Doll("old wizard, long grey beard, blue robe, pointed hat, staff", poses.WAVING),
    Doll("pirate, black coat, hat, eyepatch", poses.POINTING),
    Doll("elf archer, green tunic, brown boots, bow", poses.GUARD, QUARTER),
    Doll("happy girl, pigtails, yellow dress", poses.CHEERING),
    Doll("detective, trench coat, hat, glasses", poses.THINKING, -QUARTER),
    Doll("ninja, black outfit, sword", poses.GUARD),
    Doll("queen, crown, purple gown, blonde hair", poses.OPEN_ARMS),
    Doll("athletic woman, white t-shirt, red shorts, sneakers", poses.RUNNING, SIDE),
    Doll("witch, black dress, pointed hat, red hair", poses.STANDING, QUARTER, "watercolour"),
    Doll("viking, fur cloak, helmet, axe, red beard", poses.WIDE),
    Doll("surprised boy, green hoodie, jeans", poses.OPEN_ARMS),
    Doll("doctor, white lab coat, glasses, black hair", poses.STANDING, -QUARTER, realism=True),
    Doll("samurai, red armor, sword", poses.GUARD, -QUARTER, "ink"),
    Doll("angry man, black leather jacket, mohawk", poses.POINTING),
    Doll("fairy, long blue hair, teal dress, wings", poses.WAVING, FRONT, "watercolour"),
    Doll("angel, white robe, wings, curly hair", poses.WAVING, QUARTER),
    Doll("cowboy, brown hat, blue jeans, vest, boots", poses.HANDS_ON_HIPS, -QUARTER),
    Doll("woman from behind, red hair, braid, green coat", poses.STANDING, BACK),
    Doll("student, school uniform, blue skirt, white shirt, tie", poses.WAVING, QUARTER),
    Doll("monk, bald, orange robe", poses.STANDING, FRONT, "flat"),
    Doll("ranger, green hood, cloak, bow", poses.WALKING, -SIDE, "flat"),
    Doll("princess, pink dress, tiara, curly blonde hair", poses.OPEN_ARMS, FRONT, "pixel art"),
    Doll("knight, golden armor, helmet, shield, sword", poses.GUARD, QUARTER, "pixel art"),
    Doll("slim woman, pink top, skirt, bun", poses.KICK),
    Doll("grandmother, white hair, bun, purple cardigan, glasses", poses.STANDING, QUARTER),
    Doll("soldier, green uniform, helmet, boots", poses.WALKING, SIDE, "low poly"),
    Doll("girl, orange hair, white kimono", poses.STANDING, -QUARTER, "low poly"),
    Doll("cook, white jacket, moustache", poses.POINTING, -QUARTER),
    Doll("sad boy, blue sweater, brown trousers", poses.STANDING, QUARTER),
    Doll("bare chest, red shorts, gloves, beard", poses.GUARD, FRONT),
    Doll("vampire, black cape, red vest, white shirt", poses.OPEN_ARMS, FRONT, "ink"),
    Doll("woman, grey jacket, white shirt", poses.WALKING, QUARTER, realism=True),
    Doll("teenager, beanie, purple hoodie, black trousers", poses.WIDE, FRONT),
    Doll("druid, green cloak, hood, staff", poses.STANDING, -QUARTER, "watercolour"),
    Doll("embarrassed maid, black dress", poses.STANDING, FRONT),
    Doll("barbarian, muscular, long black hair, axe", poses.CHEERING, FRONT),
    Doll("stout man, cap, orange shirt, blue trousers", poses.POINTING, QUARTER),
    Doll("bard, red scarf, brown jacket, curly hair", poses.SITTING, SIDE),
    Doll("afraid man, blue pajamas", poses.OPEN_ARMS, -QUARTER),
    Doll("king, crown, red cape, gold tunic, white beard", poses.STANDING, BACK),
    Doll("superhero, red cape", poses.HANDS_ON_HIPS, QUARTER, "flat"),
    Doll("gardener, straw hat, green shirt, jeans", poses.WAVING, -QUARTER, "watercolour"),
    Doll("disgusted teen, pink hair, black hoodie, jeans", poses.STANDING, FRONT),
    Doll("adventurer, khaki shirt, shorts, hat", poses.WALKING, -QUARTER),
    Doll("white gown, tiara, long brown hair", poses.STANDING, QUARTER, realism=True),
    Doll("goblin, brown vest, dagger", poses.CHEERING, QUARTER),
    Doll("happy child, red coat, yellow boots", poses.CHEERING, FRONT, "watercolour"),
)


def draw_dolls(path: Path, dolls: Sequence[Doll] = DOLLS) -> Path:
    """Write the contact sheet as a JPEG file. Returns its path."""
    cell_height = CELL[1] + LABEL_LINES * (LABEL_SIZE + 3) + GAP
    rows = -(-len(dolls) // COLUMNS)
    size = (COLUMNS * (CELL[0] + GAP) + GAP, rows * cell_height + GAP)
    sheet = Image.new("RGB", size, PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(LABEL_SIZE)
    for number, doll in enumerate(dolls):
        row, column = divmod(number, COLUMNS)
        left, top = GAP + column * (CELL[0] + GAP), GAP + row * cell_height
        sheet.paste(picture_of(doll, CELL), (left, top))
        for line, text in enumerate(_wrapped(doll.label, font, CELL[0], LABEL_LINES)):
            at = (left + CELL[0] / 2, top + CELL[1] + 2 + line * (LABEL_SIZE + 2))
            draw.text(at, text, TEXT, font, anchor="ma")
    sheet.save(path, "JPEG", quality=QUALITY, optimize=True)
    return path


def picture_of(
    doll: Doll,
    size: tuple[int, int],
    *,
    share: float = SHARE,
    background: Colour | None = None,
    scale: float | None = None,
) -> Image.Image:
    """The drawing of one doll, `size` pixels large. `scale` is `largest_scale`, if it is None."""
    left, _top, right, _bottom = _measured(doll, size, share)
    scale = largest_scale(doll, size, share=share) if scale is None else scale
    middle, ground = (left + right) / 2, size[1] * poses.GROUND
    person = poses.person_in(doll.pose, doll.turn, size, share)
    body = {
        name: (size[0] / 2 + (x - middle) * scale, ground + (y - ground) * scale)
        for name, (x, y) in person.body.items()
    }
    picture: Image.Image = drawing_of(doll, size, replace(person, body=body), background).picture
    return picture


def largest_scale(doll: Doll, size: tuple[int, int], *, share: float = SHARE) -> float:
    """How much smaller than `share` a figure is drawn so that what it wears and holds fits; at most 1."""
    left, top, right, _bottom = _measured(doll, size, share)
    ground = size[1] * poses.GROUND
    return min(1.0, (size[0] - 2 * MARGIN) / (right - left), (ground - MARGIN) / (ground - top))


@cache
def _measured(doll: Doll, size: tuple[int, int], share: float) -> tuple[float, float, float, float]:
    """The box of everything drawn, in the pixels of a picture, which it may exceed."""
    width, height = size
    person = poses.person_in(doll.pose, doll.turn, size, share)
    moved = {name: (x + width, y + height) for name, (x, y) in person.body.items()}
    drawing = drawing_of(doll, (3 * width, 3 * height), replace(person, body=moved), passes=1)
    left, top, right, bottom = drawing.parts.getbbox()
    return left - width, top - height, right - width, bottom - height


def drawing_of(
    doll: Doll, size: tuple[int, int], person: Any, background: Colour | None = None, passes: int = 4
) -> Any:
    """The `Drawing` of one doll in the pose of a person, in the pixels of the picture."""
    words = importlib.import_module("avatarforge.forge.pictures.doll.words.reader")
    characters = importlib.import_module("avatarforge.forge.pictures.doll.character.character")
    drawing = importlib.import_module("avatarforge.forge.pictures.doll.drawing")
    description = words.read_description(doll.prompt, "", doll.style, doll.realism, "")
    character = characters.choose_character(description, seed=doll.own_seed)
    order = drawing.DollOrder(
        people=(person,),
        turn=doll.turn,
        character=replace(character, background=background or character.background),
        size=size,
        seed=doll.own_seed,
        passes=passes,
    )
    return drawing.draw_doll(order)


def knight_sheet() -> Image.Image:
    """The knight from four sides on one sheet, as a request for all views and the sheet node give it."""
    drawn = importlib.import_module("avatarforge.forge.pictures.doll.views")
    words = importlib.import_module("avatarforge.forge.pictures.doll.words.reader")
    sheets = importlib.import_module("avatarforge.forge.pictures.sheet")
    names = importlib.import_module("avatarforge.forge.spec.views").SHEET_VIEWS
    order = drawn.ViewsOrder(
        description=words.read_description(KNIGHT.prompt, "", "", False, ""),
        views=names,
        size=(512, 768),
        seed=KNIGHT.own_seed,
        view_seed=drawn.SAME_SEED,
        consistency=1.0,
        passes=4,
    )
    views = zip(names, drawn.draw_views(order, lambda *_: None), strict=True)
    sheet: Image.Image = sheets.character_sheet([(name, view.picture, None) for name, view in views])
    return sheet


def _wrapped(text: str, font: Any, width: int, lines: int) -> list[str]:
    """The text in at most so many lines of this width; a last line that is too long ends with dots."""
    found: list[str] = []
    for word in text.split():
        longer = f"{found[-1]} {word}" if found else word
        if found and font.getlength(longer) <= width:
            found[-1] = longer
        elif len(found) < lines:
            found.append(word)
        else:
            found[-1] += "..."
            break
    return found
