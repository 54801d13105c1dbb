"""What a seed dresses a character in, and the colours that go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...character.description import Slot


@dataclass(frozen=True)
class Scheme:
    """Colours that go together: names in COLOURS."""

    main: str
    second: str
    neutral: str
    light: str
    accent: str


SCHEMES: tuple[Scheme, ...] = (
    Scheme("teal", "navy", "charcoal", "cream", "amber"),
    Scheme("forest green", "brown", "khaki", "ivory", "gold"),
    Scheme("navy", "burgundy", "beige", "white", "gold"),
    Scheme("burgundy", "charcoal", "brown", "cream", "mustard"),
    Scheme("mustard", "forest green", "chocolate", "ivory", "rust"),
    Scheme("azure", "indigo", "charcoal", "white", "coral"),
    Scheme("terracotta", "teal", "beige", "cream", "sand"),
    Scheme("plum", "indigo", "grey", "pearl", "rose"),
    Scheme("sage", "chestnut", "beige", "ivory", "terracotta"),
    Scheme("coral", "denim", "navy", "white", "turquoise"),
    Scheme("royal blue", "crimson", "charcoal", "pearl", "gold"),
    Scheme("rose", "plum", "charcoal", "cream", "mint"),
)
#: Colours that all metal, and all leather, of one character have unless something decides another.
METALS: Mapping[str, int] = {"steel": 4, "silver": 4, "iron": 2, "bronze": 1}
LEATHERS: Mapping[str, int] = {"brown": 4, "chocolate": 4, "chestnut": 3, "charcoal": 3, "tan": 1}


@dataclass(frozen=True)
class Outfit:
    """What a seed dresses a character in: kinds by slot. `figure` is the one that it is for, None for all.
    `weight` is how often it is chosen."""

    kinds: Mapping[Slot, str]
    weight: int
    figure: str | None = None


OUTFITS: Mapping[str, Outfit] = {
    "tunic": Outfit({"top": "tunic", "bottom": "trousers", "feet": "boots", "belt": "belt"}, 4),
    "shirt": Outfit({"top": "shirt", "bottom": "trousers", "feet": "boots"}, 4),
    "waistcoat": Outfit({"top": "vest", "bottom": "trousers", "feet": "shoes"}, 2),
    "sweater": Outfit({"top": "sweater", "bottom": "trousers", "feet": "shoes", "neck": "scarf"}, 3),
    "t-shirt": Outfit({"top": "tshirt", "bottom": "trousers", "feet": "sneakers"}, 3),
    "hoodie": Outfit({"top": "hoodie", "bottom": "trousers", "feet": "sneakers"}, 3),
    "jacket": Outfit({"top": "tshirt", "bottom": "trousers", "outer": "jacket", "feet": "boots"}, 3),
    "coat": Outfit({"top": "shirt", "bottom": "trousers", "outer": "coat", "feet": "highboots"}, 2),
    "shorts": Outfit({"top": "tshirt", "bottom": "shorts", "feet": "sneakers"}, 2),
    "skirt": Outfit({"top": "shirt", "bottom": "skirt", "feet": "boots"}, 3, "feminine"),
    "long skirt": Outfit({"top": "sweater", "bottom": "longskirt", "feet": "shoes"}, 2, "feminine"),
    "leggings": Outfit(
        {"top": "tunic", "bottom": "leggings", "feet": "highboots", "belt": "belt"}, 3, "feminine"
    ),
    "dress": Outfit({"dress": "dress", "feet": "shoes"}, 4, "feminine"),
    "dress and cardigan": Outfit({"dress": "dress", "outer": "cardigan", "feet": "boots"}, 2, "feminine"),
}
#: The tops and bottoms that a seed chooses where the outfit that it chose has none that fits.
TOPS: Mapping[str, int] = {"shirt": 3, "tunic": 3, "tshirt": 2, "sweater": 2, "hoodie": 1}
BOTTOMS: Mapping[str, int] = {"trousers": 5, "shorts": 1, "leggings": 1, "skirt": 1}
FEMININE_BOTTOMS: Mapping[str, int] = {"trousers": 3, "skirt": 3, "leggings": 2, "longskirt": 1}
SHOES: Mapping[str, int] = {"boots": 3, "shoes": 3, "sneakers": 1, "sandals": 1}
