"""Small variations of a drawing, such as folds and strands, which are not part of the character."""

from __future__ import annotations

import hashlib


class Details:
    """Numbers that a seed decides, each by its name. The same on every platform and version of Python."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def number(self, name: str, low: float, high: float) -> float:
        """A number from `low` to `high`."""
        digest = hashlib.sha256(f"{self._seed}/{name}".encode()).digest()
        return low + (high - low) * int.from_bytes(digest[:4], "big") / 0xFFFFFFFF
