"""The same request gives the same bytes on every Python and operating system.

Recorded with AVATARFORGE_RECORD=1. Other Pythons run this test, and of those marked `doll` one of each file:
where the bytes are the same, so is everything that the others measure.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import get_args

import PIL
import pytest
from doll_pictures import character_of, doll

from avatarforge.forge.pictures.doll.character.description import StyleName

RECORD = Path(__file__).parent.parent / "data" / "doll_bytes.json"
STYLES: tuple[StyleName, ...] = get_args(StyleName)
Order = tuple[str, float, str, bool]
#: Prompt, turn in degrees, style and realism.
ORDERS: list[Order] = [
    *(("a knight in silver armour with a red cape", 40, style, False) for style in STYLES),
    ("a knight in silver armour with a red cape", 180, "", True),
    ("a stout old wizard, blue robe, pointed hat, staff, full beard, glasses", 0, "", False),
    ("a happy girl with curly red hair, yellow dress, boots, wings", -90, "", False),
    ("an angry elf in a green cloak with bow and shield, ponytail", 135, "watercolour", True),
]
#: Older ones draw a pixel more at some sharp corners; see painting/masks.py.
STABLE_PILLOW = (11, 2)


def name_of(order: Order) -> str:
    prompt, turn, style, realism = order
    return f"{prompt} / {turn} / {style or 'clean'}{' / realism' if realism else ''}"


def digest_of(order: Order) -> str:
    prompt, turn, style, realism = order
    drawing = doll(character_of(prompt, style=style, realism=realism), turn, size=(256, 384))
    return hashlib.sha256(drawing.picture.tobytes() + drawing.parts.tobytes()).hexdigest()


@pytest.mark.skipif(
    tuple(int(number) for number in PIL.__version__.split(".")[:2]) < STABLE_PILLOW,
    reason="this Pillow draws some corners differently",
)
def test_the_bytes_are_those_that_were_recorded() -> None:
    """One test for all orders, so that other Pythons, which thin out tables, run all of them too."""
    found = {name_of(order): digest_of(order) for order in ORDERS}
    if os.environ.get("AVATARFORGE_RECORD"):
        RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    assert found == json.loads(RECORD.read_text(encoding="utf-8"))
