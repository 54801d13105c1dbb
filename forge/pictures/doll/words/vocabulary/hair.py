"""Words for hair, beard and ears."""

from __future__ import annotations

from collections.abc import Mapping

from ...character.description import Beard, HairLength, HairStyle

#: Adjectives of hair.
HAIR_LENGTHS: Mapping[HairLength, tuple[str, ...]] = {
    "bald": ("bald", "shaved", "hairless"),
    "short": ("short", "cropped", "close cropped", "ear length", "very short"),
    "medium": ("medium", "medium length", "shoulder length", "chin length", "neck length", "mid length"),
    "long": ("long", "waist length", "floor length", "hip length", "knee length", "flowing", "very long"),
}
HAIR_STYLES: Mapping[HairStyle, tuple[str, ...]] = {
    "loose": ("loose", "messy", "tousled", "unkempt", "windswept", "shaggy"),
    "straight": ("straight", "sleek", "slicked back"),
    "wavy": ("wavy", "wavey"),
    "curly": ("curly", "frizzy", "curled", "coily"),
    "spiky": ("spiky", "spiked"),
    "braid": ("braided", "plaited"),
}
#: Nouns that name hair and its style, and its length where the style has one.
HAIRCUTS: Mapping[str, tuple[HairStyle | None, HairLength | None, tuple[str, ...]]] = {
    "hair": (None, None, ("hair", "haired", "hairs", "hairstyle", "hairdo", "haircut", "locks", "tresses")),
    "curls": ("curly", None, ("curls", "ringlets")),
    "waves": ("wavy", None, ("hair waves",)),
    "ponytail": ("ponytail", None, ("ponytail", "pony tail", "high ponytail", "side ponytail", "ponytails")),
    "pigtails": ("pigtails", None, ("pigtails", "pigtail", "twintails", "twin tails", "twintail", "bunches")),
    "braid": ("braid", None, ("braid", "braids", "plait", "plaits", "twin braids", "french braid")),
    "bun": ("bun", None, ("bun", "hair bun", "topknot", "top knot", "man bun", "updo", "chignon")),
    "bob": ("bob", None, ("bob", "bob cut", "bobcut", "bobbed hair", "pageboy")),
    "mohawk": ("mohawk", None, ("mohawk", "mohican", "iroquois cut")),
    "pixie cut": ("straight", "short", ("pixie cut", "pixie haircut", "pixie hair")),
    "buzz cut": ("straight", "short", ("buzz cut", "buzzcut", "crew cut", "crewcut")),
    "afro": ("curly", "medium", ("afro",)),
    "hime cut": ("straight", "long", ("hime cut",)),
}
#: What each style needs: a style by itself is only chosen for these lengths, and the other way round.
LENGTHS_OF_STYLES: Mapping[HairStyle, tuple[HairLength, ...]] = {
    "loose": ("short", "medium", "long"),
    "straight": ("short", "medium", "long"),
    "wavy": ("short", "medium", "long"),
    "curly": ("short", "medium", "long"),
    "spiky": ("short", "medium"),
    "ponytail": ("medium", "long"),
    "pigtails": ("medium", "long"),
    "braid": ("medium", "long"),
    "bun": ("medium", "long"),
    "bob": ("short", "medium"),
    "mohawk": ("short", "medium"),
}

#: Nouns. "none" are words for a shaved face.
BEARDS: Mapping[Beard, tuple[str, ...]] = {
    "none": ("clean shaven", "cleanshaven", "beardless", "shaven", "smooth shaven"),
    "stubble": ("stubble", "stubbly", "unshaven", "five oclock shadow"),
    "moustache": ("moustache", "moustached", "moustaches", "moustachioed"),
    "goatee": ("goatee", "chin beard"),
    "full": ("beard", "bearded", "full beard", "bushy beard", "beards", "facial hair", "whiskers"),
}
EARS: Mapping[str, tuple[str, ...]] = {
    "pointed": ("pointed ears", "pointy ears", "elf ears", "elven ears", "elfin ears", "long ears"),
    "round": ("round ears", "human ears", "normal ears"),
}
