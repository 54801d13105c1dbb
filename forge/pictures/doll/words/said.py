"""Collects what a text says about a character, and how firmly."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..character.description import MAX_UNKNOWN, MAX_UNKNOWN_LENGTH, Colour, Garment, Slot
from .vocabulary.garments import GARMENTS


@dataclass
class Said:
    """What was read so far. Of two things said equally firmly, the first counts; otherwise the firmer one.

    `features` are fields of Description by name, `slots` what is worn there (None: nothing), each with its
    strength (`vocabulary.terms`). `excluded` and `excluded_colours` are as in Description.
    """

    features: dict[str, tuple[int, str | Colour]] = field(default_factory=dict)
    slots: dict[Slot, tuple[int, Garment | None]] = field(default_factory=dict)
    excluded: set[str] = field(default_factory=set)
    excluded_colours: set[tuple[str, Colour]] = field(default_factory=set)
    realism: bool = False
    unknown: dict[str, None] = field(default_factory=dict)

    def say(self, name: str, value: str | Colour, strength: int) -> None:
        if name not in self.features or self.features[name][0] < strength:
            self.features[name] = (strength, value)

    def wear(self, garment: Garment, strength: int) -> None:
        """A garment of the same kind adds what the other leaves open; of two kinds, the firmer stays."""
        slot = GARMENTS[garment.kind].slot
        if slot not in self.slots:
            self.slots[slot] = (strength, garment)
            return
        before, worn = self.slots[slot]
        if worn is not None and worn.kind == garment.kind:
            first, second = (garment, worn) if strength > before else (worn, garment)
            self.slots[slot] = (max(strength, before), _completed(first, second))
        elif strength > before:
            self.slots[slot] = (strength, garment)

    def trim(self, slots: tuple[Slot, ...], colour: Colour) -> None:
        """Give the garments in these slots a second colour, where they have none."""
        for slot in slots:
            strength, worn = self.slots.get(slot, (0, None))
            if worn is not None and worn.accent is None:
                self.slots[slot] = (strength, replace(worn, accent=colour))

    def leave_bare(self, slots: tuple[Slot, ...], strength: int) -> None:
        for slot in slots:
            if slot not in self.slots or self.slots[slot][0] < strength:
                self.slots[slot] = (strength, None)

    def note_unknown(self, word: str) -> None:
        if len(self.unknown) < MAX_UNKNOWN:
            self.unknown.setdefault(word[:MAX_UNKNOWN_LENGTH])

    def order_unknown(self, words: list[str]) -> None:
        """Put the unknown words in the order of a text. An adjective is known to lack its noun only later."""
        place = {word: -at for at, word in enumerate(reversed(words), 1 - len(words))}
        self.unknown = dict.fromkeys(sorted(self.unknown, key=lambda word: place.get(word.split(" ")[0], -1)))


def _completed(first: Garment, second: Garment) -> Garment:
    return Garment(
        first.kind,
        first.colour or second.colour,
        first.material or second.material,
        first.accent or second.accent,
        first.usual_colour or second.usual_colour,
    )
