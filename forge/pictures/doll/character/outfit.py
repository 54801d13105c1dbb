"""Dresses a character: what the words name, completed by one of the outfits that belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..words.vocabulary.colours import COLOURS
from ..words.vocabulary.garments import GARMENTS
from ..words.vocabulary.kinds import Tone
from ..words.vocabulary.outfits import (
    BOTTOMS,
    FEMININE_BOTTOMS,
    LEATHERS,
    METALS,
    OUTFITS,
    SCHEMES,
    SHOES,
    TOPS,
    Scheme,
)
from .choices import Choices, blend, is_excluded
from .description import Age, Colour, Description, Figure, Garment, Slot
from .reference import Weighted, WeightedPalette, reference_colour_of_garment
from .worn import Worn

_ORDER: tuple[Slot, ...] = tuple(dict.fromkeys(kind.slot for kind in GARMENTS.values()))
_BODY: tuple[Slot, ...] = ("top", "bottom", "dress")
_EXTRAS: tuple[Slot, ...] = ("outer", "neck", "belt")


def dress(
    description: Description,
    choices: Choices,
    figure: Figure,
    age: Age,
    palette: WeightedPalette,
) -> Mapping[Slot, Worn]:
    """Everything that the character wears, by slot. `palette` as in `choose_character`."""
    garments = {GARMENTS[garment.kind].slot: garment for garment in description.garments}
    kinds = {slot: garment.kind for slot, garment in garments.items()}
    _complete(kinds, description, choices, figure, age)
    colours = _Colours(description, choices)
    worn: dict[Slot, Worn] = {}
    for slot in _ORDER:
        if slot in kinds:
            garment = garments.get(slot, Garment(kinds[slot]))
            reference = reference_colour_of_garment(slot, kinds.keys(), palette)
            worn[slot] = colours.worn(garment, reference)
    return worn


def _complete(
    kinds: dict[Slot, str], description: Description, choices: Choices, figure: Figure, age: Age
) -> None:
    """Add what the words leave open. Clothes that they name are seen: nothing is worn over them, then."""
    excluded = description.excluded
    outfits = {
        name: outfit.weight
        for name, outfit in OUTFITS.items()
        if outfit.figure in (None, figure) and not any(outfit.kinds.get(slot) in excluded for slot in _BODY)
    }
    # Where every outfit has something that is ruled out, its parts are chosen one by one.
    chosen = OUTFITS[choices.pick("outfit", outfits)].kinds if outfits else {}
    named = any(slot in kinds for slot in _BODY)
    bare = set(description.bare)
    if figure != "masculine" or age not in ("adult", "old"):
        bare.discard("top")
    if "dress" not in kinds and ("dress" not in chosen or named or "top" in bare):
        bottoms = FEMININE_BOTTOMS if figure == "feminine" else BOTTOMS
        if "top" not in kinds and "top" not in bare:
            kinds["top"] = chosen.get("top") or choices.pick("top", TOPS, excluded)
        if "bottom" not in kinds:
            kinds["bottom"] = chosen.get("bottom") or choices.pick("bottom", bottoms, excluded)
    elif "dress" not in kinds:
        kinds["dress"] = chosen["dress"]
    if "feet" not in kinds and "feet" not in bare:
        feet = chosen.get("feet", "")
        kinds["feet"] = feet if feet and feet not in excluded else choices.pick("feet", SHOES, excluded)
    for slot in () if named else _EXTRAS:
        if slot not in kinds and slot not in bare and slot in chosen and chosen[slot] not in excluded:
            kinds[slot] = chosen[slot]


@dataclass(frozen=True)
class _Colours:
    description: Description
    choices: Choices

    def worn(self, garment: Garment, reference: Weighted | None) -> Worn:
        kind = GARMENTS[garment.kind]
        material = garment.material or kind.material
        if garment.colour is not None:
            colour = garment.colour
        else:
            excluded = [colour for what, colour in self.description.excluded_colours if what == garment.kind]
            tone = kind.tone
            if garment.material in ("leather", "metal") and tone != "own":
                tone = "leather" if garment.material == "leather" else "metal"
            usual = garment.usual_colour
            if usual is None and material == "denim":
                usual = COLOURS["denim"]
            if usual is None or is_excluded(usual, excluded):
                usual = self._tone(garment.kind, tone, kind.colours, excluded)
            colour = usual if reference is None else blend(usual, *reference)
        accent = garment.accent
        if accent is None and kind.trim == "darker":
            accent = _darker(colour)
        elif accent is None:
            accent = self._tone(f"{garment.kind} trim", kind.trim, kind.trims, ())
            if is_excluded(accent, [colour]):
                accent = _darker(colour)
        return Worn(garment.kind, colour, accent, material)

    def _tone(
        self, name: str, tone: Tone, own: tuple[str, ...], excluded: list[Colour] | tuple[()]
    ) -> Colour:
        if tone == "metal":
            return self.choices.colour("metal", _weighted(METALS), excluded)
        if tone == "leather":
            return self.choices.colour("leather", _weighted(LEATHERS), excluded)
        if tone == "own":
            return self.choices.colour(name, _weighted(dict.fromkeys(own, 1)), excluded)
        # All tones of a scheme are chosen as one, so that they go together.
        schemes = {str(at): (COLOURS[_of(scheme, tone)], 1) for at, scheme in enumerate(SCHEMES)}
        return self.choices.colour("scheme", schemes, excluded)


def _of(scheme: Scheme, tone: Tone) -> str:
    names = {
        "main": scheme.main,
        "second": scheme.second,
        "neutral": scheme.neutral,
        "light": scheme.light,
        "accent": scheme.accent,
    }
    return names[tone]


def _weighted(names: Mapping[str, int]) -> Mapping[str, tuple[Colour, int]]:
    return {name: (COLOURS[name], weight) for name, weight in names.items()}


def _darker(colour: Colour) -> Colour:
    """A tone of the same colour that is seen beside it: darker, or lighter than a dark one."""
    return blend(colour, (255, 250, 240), 0.25) if max(colour) < 90 else blend(colour, (20, 16, 30), 0.3)
