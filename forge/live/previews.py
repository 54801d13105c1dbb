"""The last previews of generations that have just ended.

A client learns of a preview from an event and then requests it. The generation may end in between, and a
request for a picture that was announced a moment ago should not fail.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

MAX_BYTES = 8 * 1024 * 1024
MAX_GENERATIONS = 64


class EndedPreviews:
    """JPEGs by generation and position. The oldest generations leave when a limit is reached."""

    def __init__(self, max_bytes: int = MAX_BYTES, max_generations: int = MAX_GENERATIONS) -> None:
        self._max_bytes = max_bytes
        self._max_generations = max_generations
        self._pictures: OrderedDict[str, dict[int, bytes]] = OrderedDict()
        self._bytes = 0

    def add(self, generation_id: str, pictures: Mapping[int, bytes]) -> None:
        """Replace the previews of a generation."""
        self.discard(generation_id)
        if not pictures:
            return
        self._pictures[generation_id] = dict(pictures)
        self._bytes += _size(pictures)
        while self._bytes > self._max_bytes or len(self._pictures) > self._max_generations:
            self.discard(next(iter(self._pictures)))

    def get(self, generation_id: str, position: int) -> bytes | None:
        return self._pictures.get(generation_id, {}).get(position)

    def discard(self, generation_id: str) -> None:
        """Remove the previews of a generation, if there are any."""
        self._bytes -= _size(self._pictures.pop(generation_id, {}))


def _size(pictures: Mapping[int, bytes]) -> int:
    return sum(len(picture) for picture in pictures.values())
