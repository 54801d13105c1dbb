"""Makes the pictures that are measured with. Needs numpy and Pillow, so it runs in ComfyUI's Python.

``python make_picture.py PNG|JPEG|WEBP noise|photo SIDE TARGET``
"""

from __future__ import annotations

import sys

OPTIONS = {
    "PNG": {"compress_level": 1},
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 90},
}


def main(kind: str, content: str, side: int, target: str) -> None:
    """``photo`` is smooth with fine grain, so that a PNG of it packs to about half, as photographs do."""
    import numpy as np
    from PIL import Image

    chance = np.random.default_rng(side)
    if content == "noise":
        pixels = chance.integers(0, 256, (side, side, 3), dtype=np.uint8)
    else:
        coarse = Image.fromarray(chance.integers(0, 256, (side // 64, side // 64, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), dtype=np.int16)
        grain = chance.integers(-3, 4, (side, side, 1), dtype=np.int16)
        pixels = np.clip(smooth + grain, 0, 255).astype(np.uint8)
    options = OPTIONS[kind] if content == "noise" or kind != "PNG" else {"compress_level": 6}
    Image.fromarray(pixels).save(target, kind, **options)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
