"""Kinds of what is worn or held besides clothes, with the words for them."""

from __future__ import annotations

from collections.abc import Mapping

from .kinds import Kind

_GOLD = ("gold", "silver", "brass")
_WOOD = ("brown", "chestnut", "chocolate", "tan")

ACCESSORIES: Mapping[str, Kind] = {
    "gloves": Kind(
        *("hands", "leather", "leather", "darker"), ("gloves", "glove", "gloved", "mittens", "mitts")
    ),
    "gauntlets": Kind(
        *("hands", "metal", "metal", "accent"),
        ("gauntlets", "gauntlet", "vambraces", "bracers", "armoured gloves", "plate gloves"),
    ),
    "hat": Kind(
        *("head", "cloth", "second", "accent"),
        (
            *(
                "hat",
                "fedora",
                "top hat",
                "bowler hat",
                "bowler",
                "trilby",
                "cowboy hat",
                "tricorne",
                "tricorn",
            ),
            *("pirate hat", "feathered hat", "stetson", "headwear", "headgear"),
        ),
    ),
    "wizardhat": Kind(
        *("head", "cloth", "main", "accent"),
        ("wizard hat", "witch hat", "pointed hat", "pointy hat", "wizardhat", "magician hat", "mage hat"),
    ),
    "cap": Kind(
        "head", "cloth", "accent", "darker", ("cap", "baseball cap", "flat cap", "peaked cap", "visor cap")
    ),
    "beanie": Kind(
        "head",
        "wool",
        "accent",
        "darker",
        ("beanie", "knit cap", "woolly hat", "knitted hat", "bobble hat", "beret"),
    ),
    "helmet": Kind(
        *("head", "metal", "metal", "accent"),
        ("helmet", "helm", "great helm", "helmeted", "viking helmet", "knight helmet", "bascinet", "sallet"),
    ),
    "crown": Kind("head", "metal", "own", "accent", ("crown", "crowned", "royal crown"), _GOLD),
    "tiara": Kind("head", "metal", "own", "accent", ("tiara", "diadem", "circlet", "coronet"), _GOLD),
    "headband": Kind(
        *("head", "cloth", "accent", "darker"),
        (
            *("headband", "hairband", "hair band", "bandana", "bandanna", "hair ribbon", "hair bow"),
            *("flower crown", "wreath", "laurel wreath", "alice band", "maid headdress", "ribbon in hair"),
        ),
    ),
    "hood": Kind("head", "cloth", "second", "darker", ("hood", "hooded", "cowl")),
    "strawhat": Kind(
        "head", "cloth", "own", "accent", ("straw hat", "strawhat", "sun hat", "sunhat", "boater"), ("straw",)
    ),
    "glasses": Kind(
        *("eyes", "metal", "own", "darker"),
        ("glasses", "spectacles", "eyeglasses", "bespectacled", "reading glasses", "eyewear", "goggles"),
        ("black", "chocolate", "maroon", "navy"),
    ),
    "sunglasses": Kind(
        "eyes",
        "metal",
        "own",
        "darker",
        ("sunglasses", "sun glasses", "dark glasses"),
        ("black", "chocolate"),
    ),
    "eyepatch": Kind("eyes", "leather", "own", "darker", ("eyepatch", "eye patch"), ("black",)),
    "scarf": Kind(
        *("neck", "wool", "accent", "darker"),
        ("scarf", "scarves", "muffler", "shawl", "neckerchief", "neck scarf", "kerchief"),
    ),
    "necklace": Kind(
        *("neck", "metal", "own", "accent"),
        ("necklace", "pendant", "amulet", "choker", "medallion", "locket", "jewellery", "pearls"),
        _GOLD,
    ),
    "tie": Kind("neck", "silk", "accent", "darker", ("tie", "necktie", "bow tie", "bowtie", "cravat")),
    "belt": Kind("belt", "leather", "leather", "own", ("belt", "girdle", "belts", "waist belt"), (), _GOLD),
    "sash": Kind("belt", "cloth", "accent", "darker", ("sash", "obi", "cummerbund", "waist sash")),
    "sword": Kind(
        *("right_hand", "metal", "metal", "own"),
        (
            *("sword", "longsword", "long sword", "greatsword", "great sword", "katana", "sabre", "rapier"),
            *("blade", "claymore", "scimitar", "broadsword", "cutlass", "weapon", "short sword", "swords"),
        ),
        (),
        _GOLD,
    ),
    "staff": Kind(
        *("right_hand", "wood", "own", "accent"),
        (
            "staff",
            "staves",
            "magic staff",
            "wizard staff",
            "quarterstaff",
            "sceptre",
            "walking stick",
            "cane",
        ),
        _WOOD,
    ),
    "axe": Kind(
        *("right_hand", "metal", "metal", "own"),
        ("axe", "ax", "battle axe", "battleaxe", "hatchet", "war axe", "tomahawk"),
        (),
        _WOOD,
    ),
    "spear": Kind(
        *("right_hand", "metal", "metal", "own"),
        ("spear", "lance", "halberd", "pike", "trident", "javelin", "polearm", "glaive", "naginata"),
        (),
        _WOOD,
    ),
    "bow": Kind(
        "right_hand",
        "wood",
        "own",
        "darker",
        ("bow", "longbow", "long bow", "shortbow", "crossbow", "bows"),
        _WOOD,
    ),
    "wand": Kind("right_hand", "wood", "own", "accent", ("wand", "magic wand", "wands"), _WOOD),
    "dagger": Kind(
        *("right_hand", "metal", "metal", "own"),
        ("dagger", "knife", "dirk", "kunai", "stiletto", "knives", "daggers"),
        (),
        _WOOD,
    ),
    "hammer": Kind(
        *("right_hand", "metal", "metal", "own"),
        ("hammer", "warhammer", "war hammer", "mace", "maul", "cudgel", "morning star"),
        (),
        _WOOD,
    ),
    "shield": Kind(
        *("left_hand", "metal", "main", "metal"),
        ("shield", "buckler", "round shield", "kite shield", "tower shield", "shields"),
    ),
    "book": Kind(
        *("left_hand", "leather", "own", "accent"),
        ("book", "tome", "grimoire", "spellbook", "spell book", "books", "notebook"),
        ("maroon", "navy", "forest green", "brown"),
    ),
    "lantern": Kind(
        "left_hand",
        "metal",
        "own",
        "own",
        ("lantern", "lamp", "oil lamp", "lanterns"),
        ("brass", "copper", "iron"),
        ("amber",),
    ),
}
