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
Expression = Literal["neutral", "happy", "sad", "angry", "surprised", "afraid", "disgusted", "embarrassed"]
Material = Literal["cloth", "leather", "metal", "fur", "silk", "wool", "denim", "wood"]
StyleName = Literal["clean", "flat", "ink", "watercolour", "pixel art", "low poly"]


@dataclass(frozen=True)
class Garment:
    """A garment or something held. `kind` is a key of `garments.GARMENTS`. `accent` is the colour of its
    second colour area, such as a belt buckle or trim."""

    kind: str
    colour: Colour | None = None
    material: Material | None = None
    accent: Colour | None = None


@dataclass(frozen=True)
class Description:
    """The character that the words describe.

    `garments` have at most one per slot. `bare` are slots that the words leave empty ("barefoot", "no hat"),
    and `removed` are features that the negative prompt names: "beard", "glasses" and other kinds of garments
    are in `bare` by their slot. `unknown` are the words that mean nothing to the doll, in their order.
    """

    hair_length: HairLength | None = None
    hair_style: HairStyle | None = None
    hair_colour: Colour | None = None
    eye_colour: Colour | None = None
    skin_colour: Colour | None = None
    build: Build | None = None
    age: Age | None = None
    figure: Literal["feminine", "masculine"] | None = None
    beard: Beard | None = None
    ears: Literal["round", "pointed"] | None = None
    expression: Expression | None = None
    garments: tuple[Garment, ...] = ()
    bare: frozenset[Slot] = frozenset()
    background: Colour | None = None
    style: StyleName | None = None
    realism: bool = False
    unknown: tuple[str, ...] = ()
