"""A character: what the words say, and what the seed and the reference decide where they say nothing."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from .description import (
    Age,
    Beard,
    Build,
    Colour,
    Description,
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


def choose_character(
    description: Description,
    *,
    seed: int,
    view_seed: int | None = None,
    view: str = "",
    consistency: float = 1.0,
    palette: Mapping[str, Colour] | None = None,
    palette_strength: float = 0.0,
) -> Character:
    """Stand-in until it is merged."""
    rng = random.Random(seed)  # noqa: S311
    own = random.Random(f"{view_seed}-{view}")  # noqa: S311
    first = [rng.randrange(256) for _ in range(6)]
    second = [own.randrange(256) for _ in range(6)]
    one = [round(a * consistency + b * (1 - consistency)) for a, b in zip(first, second, strict=True)]
    hair = (one[0], one[1], one[2])
    if palette and palette_strength:
        other = palette["hair"]
        hair = tuple(round(a * (1 - palette_strength) + b * palette_strength) for a, b in zip(hair, other))  # type: ignore[assignment]
    return Character(
        "short",
        "loose",
        hair,
        (0, 0, 0),
        (200, 180, 160),
        "average",
        "adult",
        "feminine",
        "none",
        "round",
        "neutral",
        {},
        (one[3], one[4], one[5]),
        "clean",
        description.realism,
    )
