"""Which colour of a reference belongs to which part of a character."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .description import Colour, Slot

#: Parts of `parts.PARTS` that decide a colour: the first that the reference has.
_PARTS: Mapping[str, tuple[str, ...]] = {
    "hair": ("hair", "beard"),
    "eyes": ("left_iris", "right_iris"),
    "skin": ("skin",),
}
_HEAD = frozenset(part for parts in _PARTS.values() for part in parts)
#: The same for garments. A reference in a dress colours both top and bottom of others, and the reverse.
_GARMENTS: Mapping[Slot, tuple[str, ...]] = {
    "top": ("top", "dress", "outer"),
    "bottom": ("bottom", "dress"),
    "dress": ("dress", "top", "outer", "bottom"),
    "outer": ("outer",),
}


#: A colour of a reference, and its weight: 0 is not at all, 1 is exactly the reference's.
Weighted = tuple[Colour, float]
#: The colours of references by the names of `parts.PARTS`.
WeightedPalette = Mapping[str, Weighted]


def weighted(palette: Mapping[str, Colour] | None, strength: float) -> WeightedPalette:
    """The colours of a reference with its strength; none without one, or of strength 0."""
    return {part: (colour, strength) for part, colour in (palette or {}).items()} if strength else {}


def by_role(person: WeightedPalette, face: WeightedPalette, outfit: WeightedPalette) -> WeightedPalette:
    """The colours of up to three references: of the whole person, of the head alone, and of the clothes.

    Each colour of a face replaces the person's. Clothes replace all that the person wears, since colours of
    two outfits do not go together.
    """
    found = dict(person)
    for parts in _PARTS.values():
        given = {part: face[part] for part in parts if part in face}
        if given:
            found = {part: colour for part, colour in found.items() if part not in parts} | given
    worn = {part: colour for part, colour in outfit.items() if part not in _HEAD}
    if worn:
        found = {part: colour for part, colour in found.items() if part in _HEAD} | worn
    return found


def reference_colour(of: str, palette: WeightedPalette) -> Weighted | None:
    """The reference's colour of "hair", "eyes" (the irises) or "skin"."""
    if of == "eyes":
        # Of a small iris, little but the pupil may be left.
        irises = [palette[part] for part in _PARTS[of] if part in palette]
        return max(irises, key=lambda found: max(found[0]) - min(found[0]), default=None)
    return _first(_PARTS[of], palette)


def reference_colour_of_garment(
    slot: Slot, worn: Collection[Slot], palette: WeightedPalette
) -> Weighted | None:
    """The reference's colour for the garment in a slot. `worn` are all slots that the character fills.

    A coat in front hides what is below: it takes the colour of the reference's top, if the reference has no
    outer garment, and the top below keeps its own.
    """
    parts = _GARMENTS.get(slot, (slot,))
    if "outer" in worn and "outer" not in palette:
        if slot == "outer":
            parts = ("top", "dress")
        elif slot in ("top", "dress"):
            parts = ("bottom",) if slot == "dress" else ()
    return _first(parts, palette)


def _first(parts: tuple[str, ...], palette: WeightedPalette) -> Weighted | None:
    return next((palette[part] for part in parts if part in palette), None)
