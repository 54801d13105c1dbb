"""Colours by name, in sRGB: chosen to look well together in a drawing rather than to be pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...character.description import Colour


@dataclass(frozen=True)
class Shade:
    """A named colour of hair, eyes or skin. `weight` is how often a seed chooses it: 0 is never."""

    colour: Colour
    words: tuple[str, ...]
    weight: int = 0


#: Colours of garments and backgrounds, and of everything else that has no table of its own.
COLOURS: Mapping[str, Colour] = {
    "black": (45, 45, 54),
    "charcoal": (68, 71, 82),
    "iron": (104, 111, 122),
    "grey": (140, 145, 154),
    "steel": (156, 167, 181),
    "silver": (196, 203, 213),
    "pearl": (228, 224, 218),
    "white": (245, 243, 238),
    "ivory": (248, 240, 222),
    "cream": (243, 230, 203),
    "beige": (219, 200, 168),
    "sand": (222, 194, 142),
    "khaki": (177, 163, 118),
    "tan": (196, 154, 108),
    "brown": (122, 82, 56),
    "chestnut": (138, 76, 52),
    "chocolate": (86, 57, 44),
    "rust": (170, 86, 50),
    "terracotta": (202, 112, 80),
    "copper": (186, 116, 76),
    "bronze": (160, 120, 70),
    "brass": (194, 162, 92),
    "gold": (224, 180, 76),
    "straw": (230, 206, 138),
    "yellow": (243, 208, 88),
    "lemon": (247, 229, 120),
    "mustard": (206, 160, 56),
    "amber": (226, 160, 58),
    "orange": (232, 138, 64),
    "peach": (246, 192, 158),
    "coral": (236, 124, 106),
    "salmon": (238, 152, 132),
    "red": (196, 58, 58),
    "scarlet": (216, 62, 50),
    "crimson": (168, 38, 56),
    "ruby": (178, 34, 76),
    "burgundy": (116, 36, 54),
    "maroon": (106, 40, 44),
    "rose": (214, 106, 130),
    "pink": (240, 156, 182),
    "hot pink": (228, 88, 150),
    "magenta": (190, 64, 140),
    "plum": (106, 56, 104),
    "purple": (122, 78, 160),
    "violet": (138, 96, 188),
    "lilac": (198, 172, 220),
    "lavender": (178, 166, 222),
    "indigo": (74, 66, 142),
    "navy": (44, 58, 102),
    "royal blue": (54, 82, 172),
    "sapphire": (38, 92, 160),
    "blue": (64, 108, 182),
    "azure": (78, 152, 214),
    "sky blue": (136, 190, 230),
    "cyan": (88, 194, 210),
    "turquoise": (72, 182, 174),
    "teal": (42, 126, 130),
    "mint": (166, 218, 190),
    "emerald": (44, 142, 102),
    "green": (84, 148, 90),
    "forest green": (50, 98, 68),
    "moss": (100, 118, 70),
    "olive": (120, 124, 66),
    "sage": (152, 172, 140),
    "lime": (162, 202, 80),
    "denim": (74, 102, 146),
}
#: Other names of these colours.
COLOUR_SYNONYMS: Mapping[str, str] = {
    "aqua": "cyan",
    "aquamarine": "turquoise",
    "blood red": "crimson",
    "bluish": "blue",
    "bordeaux": "burgundy",
    "cobalt": "royal blue",
    "cobalt blue": "royal blue",
    "cherry": "crimson",
    "ebony": "black",
    "fuchsia": "magenta",
    "golden": "gold",
    "greenish": "green",
    "gunmetal": "iron",
    "hunter green": "forest green",
    "jade": "emerald",
    "jet black": "black",
    "midnight blue": "navy",
    "navy blue": "navy",
    "obsidian": "black",
    "ochre": "mustard",
    "olive green": "olive",
    "pitch black": "black",
    "reddish": "red",
    "silvery": "silver",
    "sky": "sky blue",
    "snow white": "white",
    "steel blue": "denim",
    "ultramarine": "royal blue",
    "vermilion": "scarlet",
    "wine": "burgundy",
    "wine red": "burgundy",
}
#: Words in front of a colour that change it.
MODIFIERS: Mapping[str, tuple[str, ...]] = {
    "dark": ("dark", "darker"),
    "light": ("light", "lighter"),
    "pale": ("pale", "pastel", "soft", "faded"),
    "bright": ("bright", "vivid", "vibrant", "neon"),
    "deep": ("deep", "rich"),
}

HAIR_COLOURS: Mapping[str, Shade] = {
    "black": Shade((44, 38, 42), ("black", "jet black", "raven", "raven black", "ebony"), 4),
    "dark brown": Shade((74, 50, 40), ("dark brown", "dark", "brunette", "chocolate", "espresso"), 5),
    "brown": Shade((112, 74, 50), ("brown", "brunet", "chestnut"), 5),
    "light brown": Shade((152, 112, 76), ("light brown", "sandy brown", "hazelnut"), 3),
    "auburn": Shade((134, 62, 44), ("auburn", "dark red", "copper", "mahogany"), 3),
    "ginger": Shade((190, 94, 50), ("ginger", "red", "redhead", "red head", "orange red"), 3),
    "strawberry blonde": Shade((220, 158, 108), ("strawberry blonde",), 1),
    "dark blonde": Shade((186, 148, 94), ("dark blonde", "dirty blonde", "ash blonde", "sandy"), 2),
    "blonde": Shade(
        (228, 192, 118),
        ("blonde", "yellow", "gold", "fair", "light", "golden blonde", "honey blonde", "flaxen"),
        4,
    ),
    "platinum": Shade((240, 226, 190), ("platinum", "platinum blonde", "light blonde", "pale blonde"), 1),
    "grey": Shade((152, 152, 158), ("grey", "salt and pepper", "greying"), 0),
    "silver": Shade((200, 204, 214), ("silver",), 0),
    "white": Shade((240, 239, 236), ("white", "snow white"), 0),
    "bright red": Shade((204, 52, 52), ("bright red", "scarlet"), 0),
}
#: Names of HAIR_COLOURS that a seed chooses for an old character, with weights.
OLD_HAIR_COLOURS: Mapping[str, int] = {"grey": 4, "silver": 3, "white": 3}

EYE_COLOURS: Mapping[str, Shade] = {
    "brown": Shade((122, 80, 50), ("brown", "chestnut"), 5),
    "dark brown": Shade((78, 52, 40), ("dark brown", "black", "dark"), 3),
    "hazel": Shade((142, 110, 58), ("hazel",), 3),
    "amber": Shade((204, 140, 50), ("amber", "gold", "yellow"), 1),
    "green": Shade((82, 142, 92), ("green",), 3),
    "blue": Shade((72, 124, 186), ("blue",), 4),
    "light blue": Shade((122, 178, 216), ("light blue", "light", "icy blue", "pale", "ice blue"), 2),
    "grey": Shade((130, 142, 154), ("grey", "steel", "silver"), 2),
    "violet": Shade((134, 96, 180), ("violet", "purple"), 0),
    "red": Shade((184, 52, 52), ("red", "crimson"), 0),
}

SKIN_COLOURS: Mapping[str, Shade] = {
    "pale": Shade((250, 228, 212), ("pale", "porcelain", "ivory", "white", "very pale"), 2),
    "fair": Shade((246, 214, 190), ("fair", "light", "peach", "pink", "rosy"), 4),
    "medium": Shade((232, 190, 156), ("medium", "beige", "warm"), 4),
    "olive": Shade((214, 172, 130), ("olive",), 3),
    "tan": Shade((202, 150, 110), ("tan", "tanned", "bronze", "sun kissed", "suntanned", "golden"), 3),
    "brown": Shade((160, 108, 76), ("brown", "light brown", "caramel"), 3),
    "dark": Shade((118, 78, 58), ("dark", "dark brown", "deep brown", "chocolate"), 3),
    "deep": Shade((84, 56, 46), ("deep", "black", "ebony", "very dark"), 2),
}


def modify(colour: Colour, modifier: str) -> Colour:
    """The colour that a modifier (a key of MODIFIERS) makes of another."""
    if modifier == "dark":
        return _mix(colour, (24, 22, 34), 42)
    if modifier == "light":
        return _mix(colour, (255, 252, 246), 42)
    if modifier == "pale":
        return _mix(colour, (248, 244, 240), 62)
    grey = sum(colour) // 3
    stronger = tuple(min(255, max(0, channel + (channel - grey) * 35 // 100)) for channel in colour)
    vivid = (stronger[0], stronger[1], stronger[2])
    return _mix(vivid, (255, 255, 255), 6) if modifier == "bright" else _mix(vivid, (20, 16, 30), 25)


def _mix(one: Colour, other: Colour, percent: int) -> Colour:
    red, green, blue = ((a * (100 - percent) + b * percent) // 100 for a, b in zip(one, other, strict=True))
    return (red, green, blue)
