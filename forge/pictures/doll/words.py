"""Stand-in until the vocabulary is merged."""

from __future__ import annotations

import re

from .description import Description

_KNOWN = frozenset(
    [
        "a",
        "an",
        "the",
        "with",
        "and",
        "in",
        "of",
        "knight",
        "woman",
        "man",
        "girl",
        "boy",
        "female",
        "silver",
        "armor",
        "armour",
        "red",
        "cape",
        "plate",
    ]
)


def read_description(
    prompt: str, clothing: str = "", style: str = "", realism: bool = False, negative_prompt: str = ""
) -> Description:
    words = re.findall(r"[a-z]+", " ".join((prompt, clothing, style, negative_prompt)).lower())
    return Description(realism=realism, unknown=tuple(dict.fromkeys(w for w in words if w not in _KNOWN)))
