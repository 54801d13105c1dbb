"""Draws the demo's contact sheet. Needs an interpreter that has Pillow.

python -m lab.make_sheet ROOT OUTPUT CAPTION LABEL=PICTURE [LABEL=PICTURE …]
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from .pack import load_pack


def main(root: str, output: str, caption: str, *labelled: str) -> None:
    from PIL import Image

    load_pack(Path(root))
    sheet = importlib.import_module("avatarforge.forge.pictures.sheet")
    pictures = []
    for argument in labelled:
        label, _equals, path = argument.partition("=")
        with Image.open(path) as picture:
            pictures.append((label, picture.convert("RGB")))
    sheet.contact_sheet(pictures, caption=caption or None).save(output)


if __name__ == "__main__":
    main(*sys.argv[1:])
