"""Kinds of clothes, from top to feet, with the words for them."""

from __future__ import annotations

from collections.abc import Mapping

from .kinds import Kind

CLOTHES: Mapping[str, Kind] = {
    "tshirt": Kind(
        "top", "cloth", "main", "darker", ("t shirt", "tshirt", "tee", "tee shirt", "top", "jersey")
    ),
    "shirt": Kind(
        *("top", "cloth", "light", "darker"),
        ("shirt", "blouse", "button up shirt", "dress shirt", "polo shirt", "polo", "button down"),
    ),
    "tanktop": Kind(
        *("top", "cloth", "main", "darker"),
        ("tank top", "tanktop", "crop top", "camisole", "singlet", "sports bra", "bikini top", "tube top"),
    ),
    "hoodie": Kind("top", "cloth", "main", "darker", ("hoodie", "hoody", "hooded sweatshirt")),
    "sweater": Kind(
        *("top", "wool", "main", "darker"),
        ("sweater", "jumper", "pullover", "turtleneck", "turtle neck", "sweatshirt", "knitwear"),
    ),
    "tunic": Kind(
        "top", "cloth", "main", "accent", ("tunic", "tabard", "doublet", "surcoat", "smock", "kaftan")
    ),
    "vest": Kind(
        *("top", "leather", "second", "darker"), ("vest", "waistcoat", "jerkin", "corset", "bodice", "gilet")
    ),
    "cuirass": Kind(
        *("top", "metal", "metal", "accent"),
        ("cuirass", "breastplate", "chestplate", "chest plate", "breast plate", "chest armour"),
    ),
    "chainmail": Kind(
        *("top", "metal", "metal", "leather"),
        (
            "chainmail",
            "chain mail",
            "mail",
            "hauberk",
            "scale mail",
            "ring mail",
            "mail shirt",
            "chain armour",
        ),
    ),
    "trousers": Kind(
        *("bottom", "cloth", "neutral", "leather"),
        (
            *("trousers", "pants", "slacks", "chinos", "breeches", "cargo pants", "sweatpants", "joggers"),
            *("dress pants", "jodhpurs", "pantaloons"),
        ),
    ),
    "shorts": Kind(
        *("bottom", "cloth", "neutral", "leather"),
        ("shorts", "hot pants", "bermudas", "swim trunks", "short pants", "loincloth"),
    ),
    "skirt": Kind(
        *("bottom", "cloth", "second", "darker"),
        ("skirt", "miniskirt", "mini skirt", "pleated skirt", "short skirt", "kilt", "pencil skirt"),
    ),
    "longskirt": Kind(
        *("bottom", "cloth", "second", "darker"),
        ("long skirt", "maxi skirt", "longskirt", "hakama", "floor length skirt", "ankle length skirt"),
    ),
    "leggings": Kind(
        *("bottom", "cloth", "neutral", "darker"),
        ("leggings", "tights", "stockings", "pantyhose", "hose", "yoga pants", "jeggings"),
    ),
    "platelegs": Kind(
        *("bottom", "metal", "metal", "accent"),
        ("platelegs", "plate legs", "greaves", "cuisses", "leg armour", "plate leggings"),
    ),
    "dress": Kind(
        *("dress", "cloth", "main", "accent"),
        ("dress", "sundress", "sun dress", "frock", "minidress", "mini dress", "pinafore", "summer dress"),
    ),
    "gown": Kind(
        *("dress", "silk", "main", "accent"),
        ("gown", "ball gown", "ballgown", "evening gown", "evening dress", "nightgown", "ball dress"),
    ),
    "robe": Kind(
        *("dress", "cloth", "main", "accent"), ("robe", "cassock", "toga", "habit", "bathrobe", "vestment")
    ),
    "kimono": Kind("dress", "silk", "main", "accent", ("kimono", "yukata", "furisode", "hanfu")),
    "coat": Kind(
        *("outer", "wool", "second", "accent"),
        (
            "coat",
            "overcoat",
            "trench coat",
            "trenchcoat",
            "greatcoat",
            "raincoat",
            "parka",
            "duster",
            "frock coat",
        ),
    ),
    "jacket": Kind(
        *("outer", "cloth", "second", "darker"),
        ("jacket", "blazer", "bomber jacket", "windbreaker", "bolero", "biker jacket", "anorak"),
    ),
    "cardigan": Kind("outer", "wool", "second", "darker", ("cardigan", "open sweater")),
    "cape": Kind("cape", "cloth", "second", "accent", ("cape", "caped", "capelet", "mantle")),
    "cloak": Kind("cape", "wool", "second", "accent", ("cloak", "cloaked", "poncho")),
    "wings": Kind(
        *("cape", "fur", "own", "darker"),
        ("wings", "wing", "winged", "angel wings", "feathered wings", "fairy wings"),
        ("white", "cream", "pearl"),
    ),
    "shoes": Kind(
        *("feet", "leather", "leather", "darker"),
        (
            *("shoes", "shoe", "loafers", "slippers", "oxfords", "brogues", "high heels", "heels", "pumps"),
            *("ballet flats", "flats", "clogs", "moccasins", "mary janes", "footwear"),
        ),
    ),
    "boots": Kind(
        *("feet", "leather", "leather", "darker"),
        ("boots", "boot", "ankle boots", "combat boots", "hiking boots", "wellingtons", "cowboy boots"),
    ),
    "highboots": Kind(
        *("feet", "leather", "leather", "darker"),
        (
            *(
                "high boots",
                "highboots",
                "knee high boots",
                "thigh high boots",
                "thigh boots",
                "riding boots",
            ),
            *("long boots", "knee boots", "tall boots", "over the knee boots"),
        ),
    ),
    "sandals": Kind(
        "feet", "leather", "leather", "darker", ("sandals", "sandal", "flip flops", "geta", "zori")
    ),
    "sneakers": Kind(
        *("feet", "cloth", "own", "accent"),
        ("sneakers", "sneaker", "trainers", "running shoes", "tennis shoes", "gym shoes", "plimsolls"),
        ("white", "red", "navy", "charcoal"),
    ),
    "sabatons": Kind(
        *("feet", "metal", "metal", "accent"),
        ("sabatons", "sabaton", "plate boots", "armoured boots", "metal boots", "iron boots"),
    ),
}
