"""Answers as rendered JSON, and the cache of those that many clients poll."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from ..forge.generations.service import GenerationRecord
from ..forge.live.state import LiveState
from ..forge.store.files import FilePage


def tag_of(body: bytes) -> str:
    """The ETag for these bytes, without quotes."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()


@dataclass(frozen=True)
class JsonBody:
    """An answer as rendered JSON. `tag` is its ETag, by default the hash of the body."""

    body: bytes
    tag: str = ""

    def __post_init__(self) -> None:
        if not self.tag:
            object.__setattr__(self, "tag", tag_of(self.body))


@dataclass
class RenderedGeneration:
    """The JSON of a record before and after its live fields, and the last complete answer with its state."""

    head: bytes
    tail: bytes
    last: tuple[LiveState, JsonBody] | None = None


@dataclass(frozen=True)
class JsonCache:
    """Rendered JSON, kept as long as `forge` caches the record or page. Use it only on the event loop."""

    generations: WeakKeyDictionary[GenerationRecord, RenderedGeneration] = field(
        default_factory=WeakKeyDictionary
    )
    file_pages: WeakKeyDictionary[FilePage, JsonBody] = field(default_factory=WeakKeyDictionary)
