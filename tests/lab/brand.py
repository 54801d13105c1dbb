"""Draws the pack's icon and banner for ComfyUI's registry: a knight in four views, drawn as a paper doll.

Needs an interpreter with Pillow, and the loaded pack.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from .doll_poses import RELAXED, person_in
from .dolls import BACK, FRONT, KNIGHT, QUARTER, SIDE, Colour, drawing_of, largest_scale, picture_of

#: Limits of the registry (docs.comfy.org, "Specifications"): an icon of at most 800x400, a banner of 21:9.
ICON_SIZE = (400, 400)
BANNER_SIZE = (1260, 540)

NIGHT, CARD = (30, 34, 54), (240, 238, 233)
TITLE, SUBTITLE = (240, 242, 248), (178, 188, 206)
#: Where the icon lies in a picture of the whole figure: left and top, and the size of that picture.
ICON_CUT = (250, -62, 900, 900)
RADIUS = 18  # pixels
#: Of the banner's four cards, in pixels.
CARD_SIZE, CARD_GAP, CARD_LEFT = (196, 430), 10, 424
VIEWS = (FRONT, QUARTER, SIDE, BACK)


def draw_brand(folder: Path) -> list[Path]:
    """Write ``icon.png`` and ``banner.png`` into ``folder``. Returns their paths."""
    icon, banner = folder / "icon.png", folder / "banner.png"
    _icon().save(icon, optimize=True)
    _banner().save(banner, optimize=True)
    return [icon, banner]


def _icon() -> Image.Image:
    """Head and shoulders."""
    wide, tall = ICON_CUT[2:]
    person = person_in(RELAXED, FRONT, (wide, tall), 1.0)
    moved = {name: (x - ICON_CUT[0], y - ICON_CUT[1]) for name, (x, y) in person.body.items()}
    doll = drawing_of(KNIGHT, ICON_SIZE, replace(person, body=moved), CARD)
    return _on_card(doll.picture, NIGHT, 60)


def _banner() -> Image.Image:
    banner = Image.new("RGB", BANNER_SIZE, NIGHT)
    top = (BANNER_SIZE[1] - CARD_SIZE[1]) // 2
    views = [replace(KNIGHT, pose=RELAXED, turn=turn) for turn in VIEWS]
    scale = min(largest_scale(view, CARD_SIZE) for view in views)  # the same for all
    for number, view in enumerate(views):
        doll = picture_of(view, CARD_SIZE, background=CARD, scale=scale)
        at = (CARD_LEFT + number * (CARD_SIZE[0] + CARD_GAP), top)
        banner.paste(_on_card(doll, NIGHT, RADIUS), at)
    text = ImageDraw.Draw(banner)
    text.text((48, 196), "AvatarForge", TITLE, ImageFont.load_default(62))
    text.text((50, 286), "A character API inside ComfyUI", SUBTITLE, ImageFont.load_default(23))
    return banner


def _on_card(picture: Image.Image, around: Colour, radius: int) -> Image.Image:
    """The picture with round corners."""
    scale = 4
    mask = Image.new("L", (picture.width * scale, picture.height * scale))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), radius * scale, 255)
    mask = mask.resize(picture.size, Image.Resampling.LANCZOS)
    return Image.composite(picture, Image.new("RGB", picture.size, around), mask)
