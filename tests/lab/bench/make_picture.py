"""Makes pictures for benchmarks. A script for ComfyUI's Python, because it needs numpy and Pillow.

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
    """Write a picture. A ``photo`` is smooth with fine grain, so its PNG shrinks to half, like a real one."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(side)
    if content == "noise":
        pixels = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
    else:
        coarse = Image.fromarray(rng.integers(0, 256, (side // 64, side // 64, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), dtype=np.int16)
        grain = rng.integers(-3, 4, (side, side, 1), dtype=np.int16)
        pixels = np.clip(smooth + grain, 0, 255).astype(np.uint8)
    options = OPTIONS[kind] if content == "noise" or kind != "PNG" else {"compress_level": 6}
    Image.fromarray(pixels).save(target, kind, **options)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
