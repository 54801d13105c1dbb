"""A character as it is stored."""

from __future__ import annotations

from dataclasses import dataclass

from ...db.records import CharacterRecord, CharacterVersionRecord
from ..spec.character_content import CharacterContent


@dataclass(frozen=True)
class SavedCharacter:
    """A character with one of its versions."""

    record: CharacterRecord
    version: CharacterVersionRecord

    @property
    def content(self) -> CharacterContent:
        return self.version.content


@dataclass(frozen=True)
class CharacterPage:
    """A page of the list. `next_cursor` is None on the last page."""

    total: int
    characters: tuple[CharacterRecord, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class VersionPage:
    """A page of the versions of a character. `next_cursor` is None on the last page."""

    total: int
    versions: tuple[CharacterVersionRecord, ...]
    next_cursor: str | None
