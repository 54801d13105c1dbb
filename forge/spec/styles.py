"""The preset styles: the words that a picture in each of them needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

StyleName = Literal[
    "watercolor",
    "oil painting",
    "pencil sketch",
    "ink drawing",
    "comic book",
    "cel shading",
    "pixel art",
    "low poly",
    "3D render",
    "concept art",
    "vintage photograph",
    "stained glass",
]
STYLE_NAMES: tuple[StyleName, ...] = get_args(StyleName)
#: What the quality words of a family ask for: `realism` chooses one.
Medium = Literal["photo", "anime"]
_PHOTO: frozenset[Medium] = frozenset({"photo"})
_ANIME: frozenset[Medium] = frozenset({"anime"})


@dataclass(frozen=True)
class Style:
    """A style as tags for a picture, as a sentence for text encoders that understand sentences, and as tags
    against it.

    `contradicts`: quality words that ask for one of these are not used together with the style. `drawn`: the
    paper doll paints in it. `pixel_art`: made for a reduction to a grid of large pixels. `spellings` are
    other names, in lower case with spaces.
    """

    name: StyleName
    description: str
    tags: str
    sentence: str
    negative: str
    contradicts: frozenset[Medium]
    drawn: bool = False
    pixel_art: bool = False
    spellings: tuple[str, ...] = ()


STYLES: tuple[Style, ...] = (
    Style(
        "watercolor",
        "Transparent washes that bleed into each other on paper",
        "watercolor painting, wet wash, soft color bleeding, paper texture, traditional media",
        "The picture is a watercolor painting with transparent washes, soft edges and visible paper grain",
        "photo, 3d render",
        _PHOTO,
        drawn=True,
        spellings=(
            "watercolour",
            "water color",
            "water colour",
            "watercolors",
            "watercolours",
            "watercolor painting",
            "watercolour painting",
        ),
    ),
    Style(
        "oil painting",
        "Thick visible brush strokes on canvas, in deep colours",
        "oil painting, visible brush strokes, impasto, rich colors, canvas texture, traditional media",
        "The picture is an oil painting on canvas with thick visible brush strokes and rich, deep colors",
        "photo, 3d render, flat color, line art",
        _PHOTO | _ANIME,
        spellings=("oil paint", "oil on canvas"),
    ),
    Style(
        "pencil sketch",
        "Graphite lines and hatching on white paper",
        "pencil sketch, graphite, hatching, loose lines, monochrome, greyscale, white paper",
        "The picture is a pencil sketch: graphite lines with hatched shading on white paper, without color",
        "photo, 3d render, vivid colors",
        _PHOTO,
        drawn=True,
        spellings=("pencil drawing",),
    ),
    Style(
        "ink drawing",
        "Black ink lines of varying width on white paper",
        "ink drawing, pen and ink, bold black lines, cross-hatching, monochrome, white paper",
        "The picture is drawn in black ink on white paper, with lines of varying width and cross-hatching",
        "photo, 3d render, vivid colors, soft shading",
        _PHOTO,
        drawn=True,
        spellings=("pen and ink", "pen and ink drawing"),
    ),
    Style(
        "comic book",
        "Bold outlines, flat strong colours and halftone shading",
        "comic book art, bold outlines, flat strong colors, heavy black shadows, halftone dots",
        "The picture is comic book art with bold ink outlines, flat strong colors and halftone shadows",
        "photo, 3d render, speech bubble, text, panel border",
        _PHOTO | _ANIME,
        drawn=True,
        spellings=("comic", "comics", "comic book art"),
    ),
    Style(
        "cel shading",
        "Clean lines and flat colours with one hard step of shade",
        "cel shading, clean line art, flat colors, hard-edged shadows",
        "The picture is cel shaded: clean line art, flat colors and shadows with one hard edge",
        "photo, soft shading, gradient, painterly",
        _PHOTO,
        drawn=True,
        spellings=("cel shaded", "cell shading", "cell shaded", "toon shading"),
    ),
    Style(
        "pixel art",
        "Large square pixels in few colours, as in games of 16 bits",
        "pixel art, 16-bit game sprite, large square pixels, limited palette, crisp edges",
        "The picture is pixel art like the sprite of a 16-bit game: large square pixels, few colors and no "
        "smooth edges",
        "photo, blurry, anti-aliasing, smooth gradient",
        _PHOTO | _ANIME,
        drawn=True,
        pixel_art=True,
        spellings=("pixelart", "pixel"),
    ),
    Style(
        "low poly",
        "Few large flat facets, as in a simple 3D model",
        "low poly, faceted geometry, flat shaded triangles, simple shapes",
        "The picture shows a low poly model: few large flat facets with sharp edges and plain colors",
        "photo, line art, fine texture, smooth surface",
        _PHOTO | _ANIME,
        drawn=True,
        spellings=("lowpoly", "low polygon"),
    ),
    Style(
        "3D render",
        "A rendered 3D character with soft studio light",
        "3d render, computer graphics, smooth materials, global illumination, soft studio lighting",
        "The picture is a 3D render of a modeled character with smooth materials and soft studio light",
        "photo, sketch, line art, flat color",
        _PHOTO | _ANIME,
        spellings=("3d", "3d rendering", "cgi"),
    ),
    Style(
        "concept art",
        "A painted design of the character, as made for games and films",
        "concept art, character design, digital painting, painterly brushwork, clear silhouette",
        "The picture is concept art of the character: a digital painting with a clear silhouette and loose, "
        "confident brushwork",
        "photo, text, watermark",
        _PHOTO,
        spellings=("character concept art",),
    ),
    Style(
        "vintage photograph",
        "An old faded photograph with film grain",
        "vintage photograph, film grain, faded colors, sepia tone, soft focus",
        "The picture is a vintage photograph with film grain, faded sepia colors and slightly soft focus",
        "anime, illustration, 3d render, oversaturated",
        _ANIME,
        spellings=("vintage photo", "old photograph", "old photo"),
    ),
    Style(
        "stained glass",
        "Pieces of coloured glass between dark lead lines",
        "stained glass window, colored glass pieces, thick lead lines, glowing light",
        "The picture is a stained glass window: glowing colored glass between thick dark lead lines",
        "photo, 3d render, soft shading, gradient",
        _PHOTO | _ANIME,
        spellings=("stained glass window",),
    ),
)
_SUFFIX = " style"


def find_style(text: str) -> Style | None:
    """The preset with this name or spelling. Capitals, hyphens, surrounding space and "style" at the end make
    no difference."""
    key = " ".join(text.casefold().replace("-", " ").split())
    return _BY_NAME.get(key) or _BY_NAME.get(key.removesuffix(_SUFFIX))


def styles_among(clauses: Sequence[str]) -> tuple[tuple[Style, ...], tuple[str, ...]]:
    """(the presets that clauses name, each once, the other clauses)."""
    found = [(clause, find_style(clause)) for clause in clauses]
    styles = dict.fromkeys(style for _, style in found if style is not None)
    return tuple(styles), tuple(clause for clause, style in found if style is None)


_BY_NAME = {name: style for style in STYLES for name in (style.name.casefold(), *style.spellings)}
