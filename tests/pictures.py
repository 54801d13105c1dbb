"""Small real pictures for tests."""

from __future__ import annotations

import io
import random

from PIL import Image


def picture(seed: int = 0, size: tuple[int, int] = (64, 64), kind: str = "PNG") -> bytes:
    """A small picture of noise. Different seeds give different contents."""
    noise = random.Random(seed).randbytes(size[0] * size[1] * 3)  # noqa: S311 - no secret
    buffer = io.BytesIO()
    Image.frombytes("RGB", size, noise).save(buffer, kind)
    return buffer.getvalue()
