"""What a kind of garment is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...character.description import Material, Slot

#: Where a colour comes from that nobody chose. The first five are a scheme's (`outfits.Scheme`), so that the
#: parts of an outfit go together; "metal" and "leather" are the same for all that a character wears; "own"
#: is one of the kind's own; "darker" is a darker tone of the garment's colour.
Tone = Literal["main", "second", "neutral", "light", "accent", "metal", "leather", "own", "darker"]


@dataclass(frozen=True)
class Kind:
    """A kind of garment. `tone` says where its colour comes from when neither words nor a reference decide
    it, `trim` the same for its second colour. `colours` and `trims` are names in COLOURS, for "own"."""

    slot: Slot
    material: Material
    tone: Tone
    trim: Tone
    words: tuple[str, ...]
    colours: tuple[str, ...] = ()
    trims: tuple[str, ...] = ()
