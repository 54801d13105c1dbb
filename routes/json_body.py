"""Answers as rendered JSON, and the cache of those that many clients poll."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Generic, TypeVar
from weakref import ref

from ..forge.characters.saved import CharacterPage
from ..forge.generations.service import GenerationRecord
from ..forge.live.state import LiveState
from ..forge.store.files import FilePage

Key = TypeVar("Key")
Value = TypeVar("Value")


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


class IdentityCache(Generic[Key, Value]):
    """Values for objects, kept as long as the objects live.

    Keys are compared by identity: hashing a record with all its fields takes longer than everything else in
    the response to a poll.
    """

    def __init__(self) -> None:
        self._entries: dict[int, tuple[ref[Key], Value]] = {}

    def get(self, key: Key) -> Value | None:
        entry = self._entries.get(id(key))
        return entry[1] if entry is not None else None

    def put(self, key: Key, value: Value) -> None:
        number = id(key)
        # The entry goes with its object, before another object can get the same id.
        self._entries[number] = (ref(key, lambda _: self._entries.pop(number, None)), value)

    def __len__(self) -> int:
        return len(self._entries)


class JsonCache:
    """Rendered JSON, kept as long as `forge` caches the record or page. Use it only on the event loop."""

    def __init__(self) -> None:
        self.generations: IdentityCache[GenerationRecord, RenderedGeneration] = IdentityCache()
        self.file_pages: IdentityCache[FilePage, JsonBody] = IdentityCache()
        self.character_pages: IdentityCache[CharacterPage, JsonBody] = IdentityCache()
