"""Answers that are JSON already, and those that are kept because many clients poll them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from ..forge.generations.service import GenerationRecord
from ..forge.live.state import LiveState
from ..forge.store.files import FilePage


def tag_of(body: bytes) -> str:
    """The value of an ETag for these bytes."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()


@dataclass(frozen=True)
class JsonBody:
    """An answer that is JSON already."""

    body: bytes
    tag: str = ""

    def __post_init__(self) -> None:
        if not self.tag:
            object.__setattr__(self, "tag", tag_of(self.body))


@dataclass
class RenderedGeneration:
    """The JSON of a record before and behind its live fields, and the last whole answer with its state."""

    head: bytes
    tail: bytes
    last: tuple[LiveState, JsonBody] | None = None


@dataclass(frozen=True)
class JsonCache:
    """Rendered JSON, for as long as `forge` caches the record or page that it was made from.

    Used on the event loop only.
    """

    generations: WeakKeyDictionary[GenerationRecord, RenderedGeneration] = field(
        default_factory=WeakKeyDictionary
    )
    file_pages: WeakKeyDictionary[FilePage, JsonBody] = field(default_factory=WeakKeyDictionary)
