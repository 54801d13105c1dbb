"""Words for clothes that belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .pieces import Piece, pieces_of


@dataclass(frozen=True)
class ClothingSet:
    """Garments that one word stands for. A colour in front of the word is that of the kinds in `coloured`."""

    pieces: tuple[Piece, ...]
    coloured: tuple[str, ...]
    words: tuple[str, ...]


PLATES = ("cuirass", "platelegs", "sabatons", "gauntlets")

SETS: Mapping[str, ClothingSet] = {
    "armour": ClothingSet(
        pieces_of("cuirass, platelegs, sabatons, gauntlets"),
        PLATES,
        (
            *("armour", "armoured", "plate armour", "full armour", "plate mail", "plate", "full plate"),
            *("full plate armour", "suit of armour", "plate suit", "knight armour", "battle armour"),
        ),
    ),
    "leather armour": ClothingSet(
        pieces_of("cuirass=/leather, trousers, boots, gloves"),
        ("cuirass", "boots", "gloves"),
        ("leather armour", "light armour"),
    ),
    "suit": ClothingSet(
        pieces_of("jacket=charcoal, trousers=charcoal, shirt=white, tie, shoes=black"),
        ("jacket", "trousers"),
        ("suit", "business suit", "tuxedo", "tux", "suit and tie", "formal suit", "three piece suit"),
    ),
    "uniform": ClothingSet(
        pieces_of("jacket=navy, shirt=white, tie, shoes=brown"),
        ("jacket",),
        ("uniform", "school uniform", "schoolwear"),
    ),
    "tracksuit": ClothingSet(
        pieces_of("jacket=navy, tshirt=white, trousers=navy, sneakers"),
        ("jacket", "trousers"),
        ("tracksuit", "track suit", "sportswear", "gym clothes"),
    ),
    "pyjamas": ClothingSet(
        pieces_of("shirt=sky blue, trousers=sky blue, shoes=grey"),
        ("shirt", "trousers"),
        ("pyjamas", "pajamas", "nightwear"),
    ),
    "swimsuit": ClothingSet(
        pieces_of("tanktop, shorts, sandals"),
        ("tanktop", "shorts"),
        ("swimsuit", "swimwear", "bikini", "bathing suit", "leotard"),
    ),
    "outfit": ClothingSet(
        pieces_of("tunic, trousers"),
        ("tunic", "trousers"),
        (
            *("outfit", "clothes", "clothing", "garb", "attire", "costume", "garments", "garment", "apparel"),
            *("outfits", "costumes", "jumpsuit", "bodysuit"),
        ),
    ),
}
