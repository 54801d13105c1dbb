"""What the words of a request say about a character. Fields are None where the words say nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Colour = tuple[int, int, int]

#: Where a garment is worn. "dress" covers what "top" and "bottom" cover; "outer" is worn over them.
Slot = Literal[
    "top",
    "bottom",
    "dress",
    "outer",
    "cape",
    "feet",
    "hands",
    "head",
    "eyes",
    "neck",
    "belt",
    "right_hand",
    "left_hand",
]
HairLength = Literal["bald", "short", "medium", "long"]
HairStyle = Literal[
    "loose", "straight", "wavy", "curly", "spiky", "ponytail", "pigtails", "braid", "bun", "bob", "mohawk"
]
Build = Literal["slim", "average", "athletic", "stout"]
Age = Literal["child", "teen", "adult", "old"]
Beard = Literal["none", "stubble", "moustache", "goatee", "full"]
Figure = Literal["feminine", "masculine"]
Ears = Literal["round", "pointed"]
Expression = Literal["neutral", "happy", "sad", "angry", "surprised", "afraid", "disgusted", "embarrassed"]
Material = Literal["cloth", "leather", "metal", "fur", "silk", "wool", "denim", "wood"]
StyleName = Literal["clean", "flat", "ink", "watercolour", "pixel art", "low poly"]

MAX_UNKNOWN = 50
MAX_UNKNOWN_LENGTH = 40  # characters


@dataclass(frozen=True)
class Garment:
    """A garment or something held. `kind` is a key of `vocabulary.garments.GARMENTS`. `accent` is the colour
    of its second colour area, such as a belt buckle or trim. `usual_colour` is what the words suggest without
    naming a colour, such as a witch's black dress: a reference replaces it."""

    kind: str
    colour: Colour | None = None
    material: Material | None = None
    accent: Colour | None = None
    usual_colour: Colour | None = None


@dataclass(frozen=True)
class Description:
    """The character that the words describe.

    `garments` have at most one per slot, in the order of `Slot`; a dress never comes with a top or bottom.
    `bare` are slots that the words leave empty ("barefoot", "no hat"). The character is dressed all the same:
    "top" counts for masculine adults only, "bottom" and "dress" never occur.

    `excluded` are kinds of garments ("hat") and values of features ("beard:full", "hair_length:long",
    "expression:happy") that the negative prompt, or "no" in the prompt, rules out. They are gone from the
    other fields already, and the seed must not choose them. `excluded_colours` are the same for colours: the
    first is "hair", "eyes", "skin", "background" or a kind of garment.

    `unknown` are the words that mean nothing to the doll: each once, in their order, at most
    MAX_UNKNOWN of at most MAX_UNKNOWN_LENGTH characters.
    """

    hair_length: HairLength | None = None
    hair_style: HairStyle | None = None
    hair_colour: Colour | None = None
    eye_colour: Colour | None = None
    skin_colour: Colour | None = None
    build: Build | None = None
    age: Age | None = None
    figure: Figure | None = None
    beard: Beard | None = None
    ears: Ears | None = None
    expression: Expression | None = None
    garments: tuple[Garment, ...] = ()
    bare: frozenset[Slot] = frozenset()
    background: Colour | None = None
    style: StyleName | None = None
    realism: bool = False
    unknown: tuple[str, ...] = ()
    excluded: frozenset[str] = frozenset()
    excluded_colours: frozenset[tuple[str, Colour]] = frozenset()
