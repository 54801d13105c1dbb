"""A garment with all of its choices made."""

from __future__ import annotations

from dataclasses import dataclass

from .description import Colour, Material


@dataclass(frozen=True)
class Worn:
    """A garment that the character wears, with all of its choices made."""

    kind: str
    colour: Colour
    accent: Colour
    material: Material
