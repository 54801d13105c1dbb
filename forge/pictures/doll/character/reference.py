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
#: The same for garments. A reference in a dress colours both top and bottom of others, and the reverse.
_GARMENTS: Mapping[Slot, tuple[str, ...]] = {
    "top": ("top", "dress", "outer"),
    "bottom": ("bottom", "dress"),
    "dress": ("dress", "top", "outer", "bottom"),
    "outer": ("outer",),
}


def reference_colour(of: str, palette: Mapping[str, Colour]) -> Colour | None:
    """The reference's colour of "hair", "eyes" (the irises) or "skin"."""
    if of == "eyes":
        # Of a small iris, little but the pupil may be left.
        irises = [palette[part] for part in _PARTS[of] if part in palette]
        return max(irises, key=lambda colour: max(colour) - min(colour), default=None)
    return _first(_PARTS[of], palette)


def reference_colour_of_garment(
    slot: Slot, worn: Collection[Slot], palette: Mapping[str, Colour]
) -> Colour | None:
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


def _first(parts: tuple[str, ...], palette: Mapping[str, Colour]) -> Colour | None:
    return next((palette[part] for part in parts if part in palette), None)
