"""Colours of lines and shade, derived from a flat colour."""

from __future__ import annotations

from ..character.description import Colour

_LINE = (38, 26, 44)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """The colour at `share` of the way from the first to the second."""
    return (
        round(first[0] + (second[0] - first[0]) * share),
        round(first[1] + (second[1] - first[1]) * share),
        round(first[2] + (second[2] - first[2]) * share),
    )


def shade_of(colour: Colour) -> Colour:
    """Darker, and a little towards violet, as shade on a clear day is."""
    return (round(colour[0] * 0.76), round(colour[1] * 0.72), round(colour[2] * 0.81))


def light_of(colour: Colour) -> Colour:
    return mix(colour, (255, 252, 240), 0.38)


def line_of(colour: Colour) -> Colour:
    """The outline of a colour: dark, and of its hue."""
    dark = (round(colour[0] * 0.34), round(colour[1] * 0.28), round(colour[2] * 0.34))
    return mix(dark, _LINE, 0.45)


def luminance(colour: Colour) -> float:
    """0 (black) to 1 (white), by the weights of ITU-R BT.601."""
    return (0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]) / 255
