"""A character: what the words say, and what the seed and the reference decide where they say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .description import (
    Age,
    Beard,
    Build,
    Colour,
    Expression,
    HairLength,
    HairStyle,
    Material,
    Slot,
    StyleName,
)


@dataclass(frozen=True)
class Worn:
    """A garment that the character wears, with all of its choices made."""

    kind: str
    colour: Colour
    accent: Colour
    material: Material


@dataclass(frozen=True)
class Character:
    """Everything about a character that its pictures show. `garments` are by slot."""

    hair_length: HairLength
    hair_style: HairStyle
    hair_colour: Colour
    eye_colour: Colour
    skin_colour: Colour
    build: Build
    age: Age
    figure: str
    beard: Beard
    ears: str
    expression: Expression
    garments: Mapping[Slot, Worn]
    background: Colour
    style: StyleName
    realism: bool
