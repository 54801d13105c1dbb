"""The formats rpgmaker and renpy: each frame as a picture of its own, under the name by which the engine
finds it.

Sources: "Standards for asset files" of RPG Maker MZ's help, and "Displaying images" of Ren'Py's
documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from PIL import Image

from ..pictures.png_strips import png_bytes
from .frames import CLEAR, FrameSet
from .material import DrawnPart, Material, Plan, animations_of
from .naming import is_device, unique
from .picture_manifest import FrameEntry, ImageEntry

#: The rows of a walking character in RPG Maker: which view faces down, left, right and up.
WALKING_ROWS = (("front",), ("left", "side"), ("right",), ("back",))
WALKING_COLUMNS = 3
#: Pixels of a frame of such a character, which is as large as it stands on the map.
WALKING_HEIGHT = 96
#: Words of Ren'Py's language, which no part of an image's name may be.
# fmt: off
RENPY_WORDS = frozenset({
    "and", "as", "assert", "at", "async", "await", "behind", "break", "call", "class", "continue",
    "def", "default", "define", "del", "elif", "else", "except", "exec", "expression", "false",
    "finally", "for", "from", "global", "hide", "if", "image", "import", "in", "init", "is", "jump",
    "label", "lambda", "layer", "menu", "none", "nonlocal", "not", "onlayer", "or", "pass", "pause",
    "play", "print", "python", "raise", "return", "scene", "screen", "show", "stop", "style",
    "transform", "translate", "true", "try", "voice", "while", "window", "with", "yield", "zorder",
})
# fmt: on


def plan_rpgmaker(material: Material) -> Plan:
    """Pictures, and the animations that have the four directions as walking characters."""
    frames = material.frames()
    stem = camel(material.slug)
    names = unique(f"{stem}_{camel(picture.name)}" for picture in material.pictures)
    members = {index: f"img/pictures/{name}.png" for index, name in enumerate(names)}
    parts = [material.frame_part(members[index], index, frames) for index in members]
    images: list[ImageEntry] = []
    characters: list[str] = []
    small = material.frames(WALKING_HEIGHT)
    for animation, indices in animations_of(material.pictures).items():
        rows = _directions(material, indices)
        if rows is None:
            continue
        # "$": the file has one character, in three columns and four rows.
        characters.append(f"${stem}_{camel(animation)}" if characters else f"${stem}")
        name = f"img/characters/{unique(characters)[-1]}.png"
        parts.append(DrawnPart(name, partial(_walking, material, rows, small)))
        images.append(
            ImageEntry(
                member=name, width=WALKING_COLUMNS * small.width, height=len(WALKING_ROWS) * small.height
            )
        )
    manifest = material.manifest(places=_whole(members, frames), frames=frames, images=images)
    return Plan(manifest, parts)


def plan_renpy(material: Material) -> Plan:
    """`images/TAG/TAG ATTRIBUTE ....png`, which Ren'Py defines as images by itself."""
    frames = material.frames()
    tag = renpy_word(material.slug)
    names = unique(" ".join((tag, *renpy_words(picture.name))) for picture in material.pictures)
    members = {index: f"images/{tag}/{name}.png" for index, name in enumerate(names)}
    parts = [material.frame_part(members[index], index, frames) for index in members]
    return Plan(material.manifest(places=_whole(members, frames), frames=frames), parts)


def camel(name: str) -> str:
    """Letters, digits and underscores: "winter-coat_happy" is "WinterCoat_Happy"."""
    return "_".join(
        "".join(word[:1].upper() + word[1:] for word in part.split("-")) for part in name.split("_")
    )


def renpy_words(name: str) -> list[str]:
    """The attributes of an image, one for each part of its name."""
    return [renpy_word(part) for part in name.split("_")]


def renpy_word(part: str) -> str:
    """A part of an image's name: letters, digits and underscores, no word of the language, no device's name,
    and no digit first, which the name of a variable could not have."""
    word = re.sub("[^a-z0-9]+", "_", part).strip("_")
    if word[:1].isdigit():
        word = f"n{word}"
    return f"{word}_" if word in RENPY_WORDS or is_device(word) else word


def _whole(members: dict[int, str], frames: FrameSet) -> dict[int, FrameEntry]:
    return {
        index: FrameEntry(image=name, x=0, y=0, width=frames.width, height=frames.height)
        for index, name in members.items()
    }


def _directions(material: Material, indices: Sequence[int]) -> list[int] | None:
    """The picture of each row of a walking character; None if a direction is missing."""
    by_view: dict[str | None, int] = {}
    for index in indices:
        by_view.setdefault(material.pictures[index].shows.view, index)
    rows = [next((by_view[view] for view in views if view in by_view), None) for views in WALKING_ROWS]
    found = [index for index in rows if index is not None]
    return found if len(found) == len(rows) else None


def _walking(material: Material, rows: Sequence[int], frames: FrameSet) -> Iterator[bytes]:
    size = WALKING_COLUMNS * frames.width, len(rows) * frames.height
    sheet = Image.new("RGBA", size, CLEAR)
    for row, index in enumerate(rows):
        frame = material.draw(index, frames)
        for column in range(WALKING_COLUMNS):
            sheet.paste(frame, (column * frames.width, row * frames.height))
    yield png_bytes(sheet)
