"""Draws the contact sheet of paper dolls in the documentation, with the pack's own code and without ComfyUI.

Needs an interpreter with Pillow, and the loaded pack.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from . import doll_poses as poses
from .doll_poses import Pose

COLUMNS = 8
CELL = (224, 312)  # pixels
GAP, LABEL_LINES, LABEL_SIZE = 10, 2, 13
SHARE = 0.86  # of the cell's height that a standing figure takes
PAPER, TEXT = (250, 249, 246), (70, 68, 80)
QUALITY = 82  # of the JPEG file, which should stay below 600 KB
FRONT, QUARTER, SIDE, BACK = 0.0, 40.0, 90.0, 180.0


@dataclass(frozen=True)
class Doll:
    """One picture of the sheet: the words of a request, its seed, and the pose seen from `turn` degrees."""

    prompt: str
    pose: Pose = poses.STANDING
    turn: float = FRONT
    style: str = ""
    realism: bool = False
    seed: int = 1

    @property
    def label(self) -> str:
        look = [self.style] if self.style else []
        return ", ".join([self.prompt, *look, *(["realistic"] if self.realism else [])])


DOLLS: tuple[Doll, ...] = (
    Doll("female knight, silver armor, red cape", poses.HANDS_ON_HIPS, seed=42),
    Doll("old wizard, long grey beard, blue robe, pointed hat, staff", poses.WAVING),
    Doll("pirate captain, black coat, hat, eyepatch", poses.POINTING, seed=4),
    Doll("elf archer, green tunic, brown boots, bow", poses.GUARD, QUARTER),
    Doll("happy girl, pigtails, yellow dress", poses.CHEERING, seed=3),
    Doll("detective, trench coat, hat, glasses", poses.THINKING, -QUARTER),
    Doll("ninja, black outfit, sword", poses.GUARD, seed=7),
    Doll("queen, crown, purple gown, blonde hair", poses.OPEN_ARMS, seed=2),
    Doll("runner, white t-shirt, red shorts, sneakers", poses.RUNNING, SIDE, seed=5),
    Doll("witch, black dress, pointed hat, red hair", poses.STANDING, QUARTER, "watercolour"),
    Doll("viking, fur cloak, horned helmet, axe, red beard", poses.WIDE),
    Doll("surprised boy, green hoodie, jeans", poses.OPEN_ARMS, seed=8),
    Doll("doctor, white lab coat, glasses, black hair", poses.STANDING, -QUARTER, realism=True),
    Doll("samurai, red armor, sword", poses.GUARD, -QUARTER, "ink"),
    Doll("angry man, black leather jacket, mohawk", poses.POINTING, seed=6),
    Doll("mermaid blue hair, teal top, long skirt", poses.WAVING, FRONT, "watercolour"),
    Doll("astronaut, white suit, helmet", poses.WAVING, QUARTER),
    Doll("cowboy, brown hat, blue jeans, vest, boots", poses.HANDS_ON_HIPS, -QUARTER, seed=3),
    Doll("woman from behind, red hair, braid, green coat", poses.STANDING, BACK),
    Doll("student, school uniform, blue skirt, white shirt, tie", poses.WAVING, QUARTER, seed=9),
    Doll("monk, bald, orange robe", poses.STANDING, FRONT, "flat"),
    Doll("robin hood, green hat, cape, bow", poses.WALKING, -SIDE, "flat"),
    Doll("princess, pink dress, tiara, curly blonde hair", poses.OPEN_ARMS, FRONT, "pixel art"),
    Doll("knight, golden armor, helmet, shield, sword", poses.GUARD, QUARTER, "pixel art"),
    Doll("ballet dancer, pink leotard, tutu, bun", poses.KICK, seed=5),
    Doll("grandmother, white hair, bun, purple cardigan, glasses", poses.STANDING, QUARTER, seed=2),
    Doll("soldier, green uniform, helmet, boots", poses.WALKING, SIDE, "low poly"),
    Doll("fox girl, orange hair, white kimono", poses.STANDING, -QUARTER, "low poly", seed=4),
    Doll("chef, white jacket, hat, moustache", poses.POINTING, -QUARTER, seed=7),
    Doll("sad boy, blue sweater, brown trousers", poses.STANDING, QUARTER, seed=2),
    Doll("boxer, bare chest, red shorts, gloves", poses.GUARD, FRONT, seed=11),
    Doll("vampire, black cape, red vest, white shirt", poses.OPEN_ARMS, FRONT, "ink", seed=6),
    Doll("business woman, grey suit, white blouse", poses.WALKING, QUARTER, realism=True),
    Doll("skater, beanie, purple hoodie, black trousers", poses.WIDE, FRONT, seed=5),
    Doll("druid, green cloak, hood, staff", poses.STANDING, -QUARTER, "watercolour", seed=3),
    Doll("embarrassed maid, black dress, white apron", poses.STANDING, FRONT, seed=12),
    Doll("barbarian, muscular, fur, long black hair, axe", poses.CHEERING, FRONT, seed=13),
    Doll("painter, beret, striped shirt, blue overalls", poses.POINTING, QUARTER, seed=4),
    Doll("musician, red scarf, brown jacket, curly hair", poses.SITTING, SIDE, seed=2),
    Doll("afraid man, striped pajamas", poses.OPEN_ARMS, -QUARTER, seed=10),
    Doll("king, crown, red cape, gold tunic, white beard", poses.STANDING, BACK, seed=2),
    Doll("superhero, blue suit, red cape, mask", poses.HANDS_ON_HIPS, QUARTER, "flat", seed=8),
    Doll("gardener, straw hat, dungarees, green shirt", poses.WAVING, -QUARTER, "watercolour", seed=6),
    Doll("disgusted teen, pink hair, black hoodie, ripped jeans", poses.STANDING, FRONT, seed=4),
    Doll("explorer, khaki shirt, shorts, hat, backpack", poses.WALKING, -QUARTER, seed=3),
    Doll("bride, white gown, veil, brown hair", poses.STANDING, QUARTER, realism=True, seed=5),
    Doll("swimmer, blue swimsuit, goggles", poses.CHEERING, QUARTER, seed=7),
    Doll("child, red raincoat, yellow boots", poses.CHEERING, FRONT, "watercolour", seed=2),
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


def picture_of(doll: Doll, size: tuple[int, int], *, share: float = SHARE) -> Image.Image:
    """The drawing of one doll, `size` pixels large."""
    person = poses.person_in(doll.pose, doll.turn, size, share)
    return drawing_of(doll, size, person).picture


def drawing_of(doll: Doll, size: tuple[int, int], person: Any) -> Any:
    """The `Drawing` of one doll in the pose of the person."""
    words = importlib.import_module("avatarforge.forge.pictures.doll.words")
    character = importlib.import_module("avatarforge.forge.pictures.doll.character")
    drawing = importlib.import_module("avatarforge.forge.pictures.doll.drawing")
    description = words.read_description(doll.prompt, "", doll.style, doll.realism, "")
    return drawing.draw_doll(
        drawing.DollOrder(
            people=(person,),
            turn=doll.turn,
            character=character.choose_character(description, seed=doll.seed),
            size=size,
            seed=doll.seed,
        )
    )


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
