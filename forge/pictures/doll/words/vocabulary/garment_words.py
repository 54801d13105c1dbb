"""Words about garments that are not just another name of a kind."""

from __future__ import annotations

from collections.abc import Mapping

from ...character.description import Material, Slot

#: Words for a kind in a certain material, or colour where the words name none: (kind, material, colour).
VARIANTS: Mapping[str, tuple[str, Material | None, str | None]] = {
    "jeans": ("trousers", "denim", "denim"),
    "blue jeans": ("trousers", "denim", "denim"),
    "dungarees": ("trousers", "denim", "denim"),
    "overalls": ("trousers", "denim", "denim"),
    "cutoffs": ("shorts", "denim", "denim"),
    "lab coat": ("coat", "cloth", "white"),
    "labcoat": ("coat", "cloth", "white"),
    "wedding dress": ("gown", "silk", "white"),
    "wedding gown": ("gown", "silk", "white"),
    "little black dress": ("dress", "cloth", "black"),
    "chef hat": ("hat", "cloth", "white"),
    "tuxedo jacket": ("jacket", "cloth", "black"),
    "torch": ("lantern", "wood", "brown"),
}
#: What a word means where it is not wanted ("no hat"), if that is more than its own kind.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "hat": ("hat", "wizardhat", "cap", "beanie", "strawhat"),
    "headwear": (
        "hat",
        "wizardhat",
        "cap",
        "beanie",
        "helmet",
        "crown",
        "tiara",
        "headband",
        "hood",
        "strawhat",
    ),
    "shoes": ("shoes", "boots", "highboots", "sandals", "sneakers", "sabatons"),
    "boots": ("boots", "highboots"),
    "glasses": ("glasses", "sunglasses"),
    "eyewear": ("glasses", "sunglasses", "eyepatch"),
    "cape": ("cape", "cloak"),
    "dress": ("dress", "gown"),
    "skirt": ("skirt", "longskirt"),
    "trousers": ("trousers", "leggings"),
    "belt": ("belt", "sash"),
    "crown": ("crown", "tiara"),
    "jewellery": ("necklace", "crown", "tiara"),
    "weapon": ("sword", "staff", "axe", "spear", "bow", "wand", "dagger", "hammer"),
    "armour": ("cuirass", "chainmail", "platelegs", "sabatons", "gauntlets", "helmet"),
    "coat": ("coat", "jacket"),
}
GROUP_WORDS: Mapping[str, str] = {
    **{"headgear": "headwear", "footwear": "shoes", "pants": "trousers", "spectacles": "glasses"},
    **{"eyeglasses": "glasses", "weapons": "weapon", "cloak": "cape"},
}
#: Words for slots that are left empty.
BARE: Mapping[str, tuple[Slot, ...]] = {
    **{word: ("feet",) for word in ("barefoot", "barefooted", "bare feet", "bare foot", "shoeless")},
    **{word: ("head",) for word in ("bareheaded", "bare headed", "hatless", "bare head")},
    **{word: ("hands",) for word in ("bare hands", "barehanded", "bare handed", "gloveless")},
    **{word: ("top",) for word in ("shirtless", "bare chested", "barechested", "bare chest", "topless")},
    **{word: ("right_hand",) for word in ("unarmed", "weaponless")},
    **{word: ("right_hand", "left_hand") for word in ("empty handed", "empty hands")},
}
#: Adjectives. Some name a colour too, which is used where the words name no other.
MATERIALS: Mapping[Material, tuple[str, ...]] = {
    "cloth": ("cloth", "cotton", "linen", "fabric", "canvas"),
    "leather": ("leather", "leathern", "suede"),
    "metal": ("metal", "metallic", "iron", "steel", "plated"),
    "fur": ("fur", "furry", "fluffy"),
    "silk": ("silk", "silken", "satin", "velvet"),
    "wool": ("wool", "woollen", "woolen", "knitted", "knit", "woolly"),
    "denim": ("denim",),
    "wood": ("wood", "wooden", "oak"),
}
#: Nouns for the second colour of the garment before them ("with gold trim").
TRIM: tuple[str, ...] = (
    *("trim", "trims", "trimming", "edging", "edges", "lining", "border", "borders", "piping", "embroidery"),
    *("accents", "accent", "details", "detail", "buttons", "buckle", "buckles", "stripes", "pattern", "hem"),
    *("lace", "filigree", "ornaments", "cuffs", "collar", "clasp", "decorations", "patterns", "ornament"),
)
#: Adjectives that make the colour before them a second colour ("gold trimmed").
TRIMMED: tuple[str, ...] = ("trimmed", "edged", "lined", "embroidered", "striped", "bordered")
