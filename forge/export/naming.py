"""Names of exported files: the same everywhere, and safe on every system and in every engine."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

LONGEST_PART, LONGEST_NAME = 24, 80  # characters
#: Names of devices, which Windows takes for no file whatever their extension.
_DEVICES = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
#: Of a picture of which nothing is known, and of an animation of which nothing varies.
PICTURE, ALL = "picture", "all"
#: Once around the character, clockwise as seen from above.
_AROUND = (
    "front",
    "quarter",
    "quarter_left",
    "side",
    "left",
    "back_left",
    "back",
    "back_right",
    "right",
    "quarter_right",
)


@dataclass(frozen=True)
class Shows:
    """What a picture shows, as far as it is known."""

    outfit: str | None = None
    expression: str | None = None
    pose: str | None = None
    view: str | None = None

    @property
    def standing(self) -> Shows:
        """The same without the view: pictures that share it are an animation."""
        return replace(self, view=None)


@dataclass(frozen=True)
class Named:
    """A picture's number in the list, its name, and that of its animation. No two pictures share a name, and
    no two animations."""

    index: int
    name: str
    animation: str


def slug(text: str) -> str:
    """Small letters, digits and hyphens for a text, at most LONGEST_PART; never empty and no device's name.
    Of a text without any such letter it is a checksum."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    kept = re.sub("[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_PART].strip("-")
    if not kept:
        return f"x{zlib.crc32(text.encode('utf-8', 'surrogatepass')):08x}"
    return f"{kept}-" if is_device(kept) else kept


def name_pictures(pictures: Sequence[Shows]) -> list[Named]:
    """Names for these pictures, in the order in which they are exported: each animation in the order in which
    it first appears, and its views once around the character. A name has only what varies, and the view."""
    varying = [name for name in ("outfit", "expression", "pose") if _varies(pictures, name)]
    looks = [shows.standing for shows in pictures]
    ranks = {shows: rank for rank, shows in enumerate(dict.fromkeys(looks))}
    animations = unique(_joined(shows, varying) or ALL for shows in ranks)
    order = sorted(
        range(len(pictures)), key=lambda index: (ranks[looks[index]], _place(pictures[index].view), index)
    )
    names = unique(_joined(pictures[index], [*varying, "view"]) or PICTURE for index in order)
    return [
        Named(index, name, animations[ranks[looks[index]]]) for index, name in zip(order, names, strict=True)
    ]


def _varies(pictures: Sequence[Shows], name: str) -> bool:
    return len({getattr(shows, name) for shows in pictures}) > 1


def _joined(shows: Shows, parts: Iterable[str]) -> str:
    values = [getattr(shows, part) for part in parts]
    return "_".join(slug(value) for value in values if value is not None)[:LONGEST_NAME]


def unique(names: Iterable[str]) -> list[str]:
    """The names, with numbers from 2 after those that appeared before; capitals make no difference, as on
    Windows."""
    taken: set[str] = set()
    found = []
    for name in names:
        number, chosen = 1, name
        while chosen.casefold() in taken:
            number += 1
            chosen = f"{name}_{number}"
        taken.add(chosen.casefold())
        found.append(chosen)
    return found


def is_device(name: str) -> bool:
    """Whether Windows takes a file of this name for a device."""
    return _DEVICES.fullmatch(name.casefold()) is not None


def _place(view: str | None) -> int:
    return _AROUND.index(view) if view in _AROUND else len(_AROUND)
