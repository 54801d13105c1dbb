"""Words for the way in which the picture is drawn."""

from __future__ import annotations

from collections.abc import Mapping

from ...character.description import StyleName

STYLES: Mapping[StyleName, tuple[str, ...]] = {
    "clean": (
        *("clean", "anime", "cel", "cel shading", "cel shaded", "cell shading", "cell shaded", "toon"),
        *("toon shading", "cartoon", "illustration", "clean lines", "anime style", "cartoon style"),
    ),
    "flat": (
        *("flat", "flat colours", "flat colour", "flat design", "flat shading", "vector", "vector art"),
        *("minimalist", "minimalistic", "paper cutout", "papercut", "no outlines", "lineless"),
    ),
    "ink": (
        *("ink", "inked", "ink drawing", "sketch", "pencil", "pencil sketch", "pencil drawing", "manga"),
        *("line art", "lineart", "line drawing", "black and white", "monochrome", "comic", "comic book"),
        *("pen and ink", "hatching", "cross hatching", "charcoal drawing", "sketchy", "woodcut"),
    ),
    "watercolour": (
        *("watercolour", "watercolours", "water colour", "aquarelle", "watercolour painting", "gouache"),
        *("watercolour wash", "ink wash", "painterly"),
    ),
    "pixel art": (
        *("pixel art", "pixelart", "pixel", "pixels", "pixelated", "8 bit", "16 bit", "8bit", "16bit"),
        *("sprite", "retro game"),
    ),
    "low poly": ("low poly", "lowpoly", "polygonal", "polygon", "polygons", "faceted", "low polygon"),
}
#: Words that ask for soft shading, as `realism` does.
REALISM: tuple[str, ...] = (
    *("realistic", "photorealistic", "realism", "lifelike", "semi realistic", "soft shading", "soft shaded"),
    *("photo", "photograph", "photographic", "hyperrealistic"),
)
