"""All words and phrases that the doll understands, by their text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from ...character.description import Slot
from . import filler, garment_words, hair, person, styles
from .colours import COLOUR_SYNONYMS, COLOURS, EYE_COLOURS, HAIR_COLOURS, MODIFIERS, SKIN_COLOURS
from .garments import GARMENTS
from .pieces import Piece
from .roles import ROLES
from .sets import SETS

#: What a term does in a sentence. From "hair" to "trim" are nouns, which take adjectives.
Part = Literal[
    "hair",
    "eyes",
    "skin",
    "clothes",
    "person",
    "background",
    "trim",
    "body",
    "adjective",
    "trimmed",
    "feature",
    "bare",
    "style",
    "realism",
    "determiner",
    "preposition",
    "link",
    "and",
    "or",
    "negator",
    "filler",
]
NOUNS: frozenset[str] = frozenset(("hair", "eyes", "skin", "clothes", "person", "background", "trim"))

#: How firmly something is said: by a role ("knight"), a set ("armour"), or a word of its own.
ROLE, SET, WORD = 1, 2, 3


@dataclass(frozen=True)
class Term:
    """A word or phrase. `features` are fields of Description with their values. `pieces` are the garments of
    clothes, `coloured` the kinds of them that adjectives change, and `kinds` what is ruled out where the
    words are not wanted."""

    part: Part
    text: str
    features: tuple[tuple[str, str], ...] = ()
    pieces: tuple[Piece, ...] = ()
    coloured: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    strength: int = WORD
    slots: tuple[Slot, ...] = ()


EYE_WORDS = ("eyes", "eye", "eyed", "irises", "iris", "pupils")
SKIN_WORDS = ("skin", "skinned", "complexion", "skin tone", "skin colour")
BACKGROUND_WORDS = ("background", "backdrop", "backgrounds", "background colour")


@cache
def terms() -> Mapping[str, Term]:
    """Every term by its text: words in lower case with spaces between them. Where tables share a word, the
    first in the order below has it."""
    found: dict[str, Term] = {}
    for term in _all_terms():
        found.setdefault(term.text, term)
    return found


@cache
def longest_term() -> int:
    """Words in the longest term."""
    return max(text.count(" ") + 1 for text in terms())


@cache
def _words_of(
    table: Literal["hair", "eyes", "skin", "length", "style", "age", "build", "material"],
) -> Mapping[str, str]:
    tables: dict[str, Mapping[str, tuple[str, ...]]] = {
        "hair": {name: shade.words for name, shade in HAIR_COLOURS.items()},
        "eyes": {name: shade.words for name, shade in EYE_COLOURS.items()},
        "skin": {name: shade.words for name, shade in SKIN_COLOURS.items()},
        "length": _plain(hair.HAIR_LENGTHS),
        "style": _plain(hair.HAIR_STYLES),
        "age": _plain(person.AGES),
        "build": _plain(person.BUILDS),
        "material": _plain(garment_words.MATERIALS),
    }
    return {word: name for name, words in tables[table].items() for word in words}


def _plain(table: Mapping[Any, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    return table


def hair_colour_words() -> Mapping[str, str]:
    """Name in HAIR_COLOURS by word. The others below are the same for their tables."""
    return _words_of("hair")


def eye_colour_words() -> Mapping[str, str]:
    return _words_of("eyes")


def skin_colour_words() -> Mapping[str, str]:
    return _words_of("skin")


def hair_length_words() -> Mapping[str, str]:
    return _words_of("length")


def hair_style_words() -> Mapping[str, str]:
    return _words_of("style")


def age_words() -> Mapping[str, str]:
    return _words_of("age")


def build_words() -> Mapping[str, str]:
    return _words_of("build")


def material_words() -> Mapping[str, str]:
    return _words_of("material")


@cache
def modifier_words() -> Mapping[str, str]:
    return {word: name for name, words in MODIFIERS.items() for word in words}


def _all_terms() -> Iterator[Term]:
    yield from _grammar()
    yield from _nouns()
    yield from _clothes()
    for words in styles.STYLES.items():
        for word in words[1]:
            yield Term("style", word, (("style", words[0]),))
    for word in styles.REALISM:
        yield Term("realism", word)
    for text in _adjectives():
        # "dark brown" is read as two words, since it is a colour of some things and not of others.
        if " " not in text or text.split(" ")[0] not in modifier_words():
            yield Term("adjective", text)
    for word in filler.BODY:
        yield Term("body", word)
    for word in garment_words.TRIMMED:
        yield Term("trimmed", word)
    for word in sorted(filler.FILLER) + list(filler.FILLER_PHRASES):
        yield Term("filler", word)


def _grammar() -> Iterator[Term]:
    parts: tuple[tuple[Part, Iterable[str]], ...] = (
        ("determiner", filler.DETERMINERS),
        ("preposition", filler.PREPOSITIONS),
        ("link", filler.LINKS),
        ("and", filler.AND),
        ("or", filler.OR),
        ("negator", filler.NEGATORS),
    )
    for part, words in parts:
        for word in words:
            yield Term(part, word)


def _nouns() -> Iterator[Term]:
    for style, length, words in hair.HAIRCUTS.values():
        said = [("hair_style", style), ("hair_length", length)]
        features = tuple((field, value) for field, value in said if value is not None)
        for word in words:
            yield Term("hair", word, features)
    for word in EYE_WORDS:
        yield Term("eyes", word)
    for word in SKIN_WORDS:
        yield Term("skin", word)
    for word in BACKGROUND_WORDS:
        yield Term("background", word)
    for word in garment_words.TRIM:
        yield Term("trim", word)
    for word, (figure, age) in person.PERSONS.items():
        person_said = [("figure", figure), ("age", age)]
        yield Term("person", word, tuple((field, value) for field, value in person_said if value is not None))
    features_of: tuple[tuple[str, Mapping[str, tuple[str, ...]]], ...] = (
        ("beard", _plain(hair.BEARDS)),
        ("ears", hair.EARS),
        ("expression", _plain(person.EXPRESSIONS)),
    )
    for field, table in features_of:
        for value, words in table.items():
            for word in words:
                yield Term("feature", word, ((field, value),))
    yield Term("feature", "bald", (("hair_length", "bald"),))
    for word, slots in garment_words.BARE.items():
        yield Term("bare", word, slots=slots)


def _clothes() -> Iterator[Term]:
    for word, (kind, material, colour) in garment_words.VARIANTS.items():
        yield Term("clothes", word, (), (Piece(kind, colour, material),), (kind,), _ruled_out(word, kind))
    for kind, row in GARMENTS.items():
        for word in row.words:
            yield Term("clothes", word, (), (Piece(kind),), (kind,), _ruled_out(word, kind))
    for word, group in garment_words.GROUP_WORDS.items():
        kind = garment_words.GROUPS[group][0]
        yield Term("clothes", word, (), (Piece(kind),), (kind,), garment_words.GROUPS[group])
    for name, clothing in SETS.items():
        # Nobody is left without clothes: "no clothes" rules nothing out.
        kinds = () if name == "outfit" else garment_words.GROUPS.get(name, clothing.coloured)
        for word in clothing.words:
            yield Term("clothes", word, (), clothing.pieces, clothing.coloured, kinds, SET)
    for role in ROLES.values():
        features = tuple((role.features or {}).items())
        for word in role.words:
            part: Part = "clothes" if role.pieces else "person"
            yield Term(part, word, features, role.pieces, role.coloured, (), ROLE)


def _ruled_out(word: str, kind: str) -> tuple[str, ...]:
    return garment_words.GROUPS.get(garment_words.GROUP_WORDS.get(word, word), (kind,))


def _adjectives() -> Iterator[str]:
    yield from COLOURS
    yield from COLOUR_SYNONYMS
    yield from modifier_words()
    for words in (hair_colour_words(), eye_colour_words(), skin_colour_words(), hair_length_words()):
        yield from words
    for words in (hair_style_words(), age_words(), build_words(), material_words()):
        yield from words
