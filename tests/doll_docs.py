"""The tables of docs/doll.md, from the doll's vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from avatarforge.forge.pictures.doll.words.vocabulary import (
    colours,
    filler,
    garment_words,
    hair,
    outfits,
    person,
    roles,
    sets,
    styles,
)
from avatarforge.forge.pictures.doll.words.vocabulary.garments import GARMENTS
from avatarforge.forge.pictures.doll.words.vocabulary.pieces import Piece

_SLOTS = {
    **{"top": "Top", "bottom": "Bottom", "dress": "Dress (covers top and bottom)", "outer": "Over these"},
    **{"cape": "Back", "feet": "Feet", "hands": "Hands", "head": "Head", "eyes": "Eyes", "neck": "Neck"},
    **{"belt": "Waist", "right_hand": "In the right hand", "left_hand": "In the left hand"},
}
_TONES = {
    **{"main": "scheme: main", "second": "scheme: second", "neutral": "scheme: neutral"},
    **{"light": "scheme: light", "accent": "scheme: accent", "metal": "a metal", "leather": "a leather"},
}


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _by_name(first: str, table: Mapping[Any, Iterable[str]]) -> str:
    return _table((first, "Words"), ((str(name), ", ".join(words)) for name, words in table.items()))


def _hex(colour: tuple[int, int, int]) -> str:
    return "`#{:02x}{:02x}{:02x}`".format(*colour)


def _shades(table: Mapping[str, colours.Shade]) -> str:
    rows = ((name, _hex(shade.colour), ", ".join(shade.words)) for name, shade in table.items())
    return _table(("Colour", "sRGB", "Words"), rows)


def _hair() -> str:
    cuts = (
        (name, style or "", length or "", ", ".join(words))
        for name, (style, length, words) in hair.HAIRCUTS.items()
    )
    return "\n\n".join(
        [
            _by_name("Length", hair.HAIR_LENGTHS),
            _by_name("Style", hair.HAIR_STYLES),
            _table(("Noun", "Style", "Length", "Words"), cuts),
            _shades(colours.HAIR_COLOURS),
        ]
    )


def _face() -> str:
    return "\n\n".join(
        [
            _shades(colours.EYE_COLOURS),
            _shades(colours.SKIN_COLOURS),
            _by_name("Expression", person.EXPRESSIONS),
            _by_name("Beard", hair.BEARDS),
            _by_name("Ears", hair.EARS),
        ]
    )


def _person() -> str:
    figures: dict[tuple[str, str], list[str]] = {}
    for word, (figure, age) in person.PERSONS.items():
        figures.setdefault((figure or "", age or ""), []).append(word)
    rows = ((figure, age, ", ".join(words)) for (figure, age), words in figures.items())
    return "\n\n".join(
        [
            _table(("Figure", "Age", "Words"), rows),
            _by_name("Age", person.AGES),
            _by_name("Build", person.BUILDS),
        ]
    )


def _garments() -> str:
    rows = [
        (
            _SLOTS[kind.slot],
            name,
            kind.material,
            _TONES.get(kind.tone) or ", ".join(kind.colours),
            ", ".join(kind.words),
        )
        for name, kind in GARMENTS.items()
    ]
    variants = (
        (word, kind, material or "", colour or "")
        for word, (kind, material, colour) in garment_words.VARIANTS.items()
    )
    return "\n\n".join(
        [
            _table(("Worn", "Kind", "Material", "Colour by the seed", "Words"), rows),
            _table(("Word", "Kind", "Material", "Usual colour"), variants),
            _table(
                ("Where it is not wanted", "Means all of"),
                ((word, ", ".join(kinds)) for word, kinds in garment_words.GROUPS.items()),
            ),
            _by_name("Material", garment_words.MATERIALS),
            _by_name(
                "Use",
                {
                    'second colour ("with gold trim")': garment_words.TRIM,
                    'second colour ("gold trimmed")': garment_words.TRIMMED,
                },
            ),
            _table(
                ("Word", "Leaves empty"),
                (
                    (word, ", ".join(_SLOTS[slot].lower() for slot in slots))
                    for word, slots in garment_words.BARE.items()
                ),
            ),
        ]
    )


def _pieces(pieces: Iterable[Piece]) -> str:
    return ", ".join(" ".join(filter(None, (piece.colour, piece.material, piece.kind))) for piece in pieces)


def _sets() -> str:
    clothing = ((", ".join(row.words), _pieces(row.pieces)) for row in sets.SETS.values())
    people = (
        (
            ", ".join(role.words),
            _pieces(role.pieces),
            ", ".join(value for value in (role.features or {}).values()),
        )
        for role in roles.ROLES.values()
    )
    return "\n\n".join(
        [
            _table(("Words", "Garments"), clothing),
            _table(("Words", "Garments", "And"), people),
        ]
    )


def _colours() -> str:
    others: dict[str, list[str]] = {}
    for word, name in colours.COLOUR_SYNONYMS.items():
        others.setdefault(name, []).append(word)
    rows = ((name, _hex(colour), ", ".join(others.get(name, []))) for name, colour in colours.COLOURS.items())
    return "\n\n".join([_table(("Colour", "sRGB", "Also"), rows), _by_name("Modifier", colours.MODIFIERS)])


def _styles() -> str:
    return "\n\n".join(
        [_by_name("Style", styles.STYLES), _by_name("As", {"`realism: true`": styles.REALISM})]
    )


def _seed() -> str:
    schemes = (
        (scheme.main, scheme.second, scheme.neutral, scheme.light, scheme.accent)
        for scheme in outfits.SCHEMES
    )
    clothes = (
        (name, ", ".join(outfit.kinds.values()), outfit.figure or "all")
        for name, outfit in outfits.OUTFITS.items()
    )
    return "\n\n".join(
        [
            _table(("Outfit", "Garments", "Figures"), clothes),
            _table(("Main", "Second", "Neutral", "Light", "Accent"), schemes),
            f"Metals: {', '.join(outfits.METALS)}. Leathers: {', '.join(outfits.LEATHERS)}.",
        ]
    )


def _grammar() -> str:
    return _by_name(
        "Use",
        {
            "back to the noun before": sorted(filler.LINKS),
            "something new begins": sorted(filler.PREPOSITIONS),
            "not wanted": sorted(filler.NEGATORS),
            "no meaning": sorted(filler.FILLER | filler.BODY) + list(filler.FILLER_PHRASES),
        },
    )


#: The tables of each section, by its name in the page.
SECTIONS: Mapping[str, Callable[[], str]] = {
    "hair": _hair,
    "face": _face,
    "person": _person,
    "garments": _garments,
    "sets": _sets,
    "colours": _colours,
    "styles": _styles,
    "seed": _seed,
    "grammar": _grammar,
}
