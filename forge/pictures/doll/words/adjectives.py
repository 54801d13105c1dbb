"""Adjectives: what they mean depends on the noun that they belong to ("red hair" is ginger)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..character.description import Colour
from .vocabulary import terms
from .vocabulary.colours import (
    COLOUR_SYNONYMS,
    COLOURS,
    EYE_COLOURS,
    HAIR_COLOURS,
    SKIN_COLOURS,
    Shade,
    modify,
)

#: What has a colour: "things" are garments and backgrounds.
Coloured = Literal["hair", "eyes", "skin", "things"]
#: Colours that, said of a person, are those of the skin.
SKIN_OF_PERSONS = frozenset({"black", "white", "brown", "dark", "pale", "fair", "tan", "olive"})
#: Words of hair that fit other things too.
SHARED_WORDS = frozenset(
    {"short", "medium", "long", "very short", "very long", "flowing", "cropped", "loose", "straight", "messy"}
)


@dataclass(frozen=True)
class Colouring:
    """The colours that adjectives name, in their order, and the adjectives that name none."""

    colours: tuple[Colour, ...]
    rest: tuple[str, ...]


def colouring(adjectives: Sequence[str], of: Coloured) -> Colouring:
    """Split adjectives into colours, with their modifiers applied, and the rest."""
    modifiers: list[str] = []
    colours: list[Colour] = []
    substances: list[Colour] = []
    rest: list[str] = []
    for word in adjectives:
        modifier = terms.modifier_words().get(word)
        if modifier is not None:
            modifiers.append(modifier)
            continue
        colour = _named(modifiers, word, of)
        if colour is None:
            rest.append(word)
        elif of == "things" and word in terms.material_words():
            # "blue steel armour" is blue; "steel armour" has the colour of steel.
            substances.append(colour)
            rest.append(word)
        else:
            colours.append(colour)
            modifiers = []
    colours = colours or substances[:1]
    if modifiers and not colours:
        alone = _named([], modifiers[-1], of)
        if alone is not None:
            colours.append(alone)
        else:
            rest.extend(modifiers)
    return Colouring(tuple(colours), tuple(rest))


def _named(modifiers: Sequence[str], word: str, of: Coloured) -> Colour | None:
    words, shades = _table(of)
    if modifiers and (name := words.get(f"{modifiers[-1]} {word}")) is not None:
        return shades[name].colour
    if (name := words.get(word)) is not None:
        colour = shades[name].colour
    elif word == "dark" and of == "things":
        colour = COLOURS["charcoal"]
    elif (name := COLOUR_SYNONYMS.get(word, word)) in COLOURS:
        colour = COLOURS[name]
    else:
        return None
    for modifier in modifiers[-3:]:
        colour = modify(colour, modifier)
    return colour


def _table(of: Coloured) -> tuple[Mapping[str, str], Mapping[str, Shade]]:
    if of == "hair":
        return terms.hair_colour_words(), HAIR_COLOURS
    if of == "eyes":
        return terms.eye_colour_words(), EYE_COLOURS
    if of == "skin":
        return terms.skin_colour_words(), SKIN_COLOURS
    return {}, {}


def names_colour(word: str) -> bool:
    """Whether the word names a colour of things."""
    return COLOUR_SYNONYMS.get(word, word) in COLOURS


def means_hair(word: str) -> bool:
    """Whether an adjective can only be one of hair ("blonde", "curly")."""
    if word in terms.hair_colour_words():
        others = (terms.eye_colour_words(), terms.skin_colour_words(), terms.modifier_words())
        return not names_colour(word) and not any(word in other for other in others)
    return (
        word in terms.hair_style_words() or word in terms.hair_length_words()
    ) and word not in SHARED_WORDS
