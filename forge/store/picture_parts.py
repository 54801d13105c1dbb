"""The parts of a drawn picture, which its PNG has as a text: which part of the character each pixel is."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from ..pictures.doll.parts_text import parts_from_text
from .images import is_png
from .structure import InvalidImage
from .structure_png import png_text

#: The keyword of the text.
PARTS_KEY = "avatarforge_parts"
#: Bytes of the text that are read.
MAX_PARTS_TEXT = 1024 * 1024


def read_parts(path: Path, size: tuple[int, int]) -> Image.Image | None:
    """The parts of a stored picture of this size in pixels, as a picture in mode L; None if it has none that
    fit it. Raises OSError."""
    with path.open("rb") as file:
        if not is_png(file.read(8)):
            return None
        try:
            text = png_text(file, PARTS_KEY, MAX_PARTS_TEXT)
        except InvalidImage:
            return None
    return parts_from_text(text, size) if text is not None else None
