"""The pictures that the code of the seed document opens."""

from __future__ import annotations

import os
from pathlib import Path

from pictures import picture
from PIL import Image
from PIL.PngImagePlugin import PngInfo

POSE_PICTURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "pose.png"


def make_seed_folder(place: Path) -> Path:
    """Make this folder, with the pictures that the document opens; their bytes are new each time."""
    place.mkdir()
    for name in ("pose.png", "reference_pose.png"):
        marked = PngInfo()
        marked.add_text("comment", os.urandom(16).hex())
        with Image.open(POSE_PICTURE) as pose:
            pose.save(place / name, pnginfo=marked)
    (place / "image.png").write_bytes(picture(int.from_bytes(os.urandom(8), "big")))
    return place
