"""A garment of a set or a role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...character.description import Material


@dataclass(frozen=True)
class Piece:
    """A garment of a set, a role or an outfit. `colour` (a name in COLOURS) is used unless words or a
    reference name another."""

    kind: str
    colour: str | None = None
    material: Material | None = None


def pieces_of(text: str) -> tuple[Piece, ...]:
    """Read "kind=colour/material, kind, ..."."""
    pieces = []
    for item in text.split(","):
        kind, _, rest = item.strip().partition("=")
        colour, _, material = rest.partition("/")
        pieces.append(Piece(kind, colour or None, _MATERIAL[material] if material else None))
    return tuple(pieces)


_MATERIAL: Mapping[str, Material] = {"leather": "leather", "denim": "denim", "fur": "fur", "metal": "metal"}
