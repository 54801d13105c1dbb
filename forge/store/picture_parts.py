"""The parts of a drawn picture, which its PNG has as a text: which part of the character each pixel is."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from ..pictures.doll.character.parts_text import MAX_SIDE, MAX_TEXT, parts_from_text, parts_to_text
from .images import is_png
from .structure import InvalidImage
from .structure_png import png_text

#: The keyword of the text.
PARTS_KEY = "avatarforge_parts"


def parts_text(parts: Image.Image) -> str | None:
    """The text for a picture with these parts (mode L); None for one that is larger than can be read back."""
    return parts_to_text(parts) if max(parts.size) <= MAX_SIDE else None


def read_parts(path: Path, size: tuple[int, int]) -> Image.Image | None:
    """The parts of a stored picture of this size in pixels, as a picture in mode L; None if it has none that
    fit it. Raises OSError."""
    with path.open("rb") as file:
        if not is_png(file.read(8)):
            return None
        try:
            text = png_text(file, PARTS_KEY, len(PARTS_KEY) + 1 + MAX_TEXT)
        except InvalidImage:
            return None
    return parts_from_text(text, size) if text is not None else None
