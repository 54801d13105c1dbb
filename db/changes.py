"""Tracks what writes change, to invalidate caches.

It sees every statement of the writer, so no write is missed: a statement that does not say which generation
it changes counts as changing all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from sqlalchemy import Connection, Delete, Engine, Insert, Select, Update, event

from .tables import (
    character_files,
    character_versions,
    characters,
    extracted_poses,
    files,
    generation_inputs,
    generations,
    library_poses,
    outputs,
    picture_scores,
    template_files,
    template_versions,
)

_OPTION = "avatarforge_generation"
_CHANGED = "avatarforge_changed"
#: Tables that responses about generations depend on.
_OF_GENERATIONS = (generations, outputs, picture_scores)
#: Tables that responses about files depend on. Deleting a generation deletes its rows of `generation_inputs`,
#: and deleting a version of a template or a character its rows of `template_files` or `character_files`.
_OF_FILES = (
    files,
    generation_inputs,
    extracted_poses,
    generations,
    template_files,
    template_versions,
    library_poses,
    character_files,
    character_versions,
)
_ALL = None
_FILES, _CHARACTERS = "files", "characters"


def of_generation(*generation_ids: str) -> dict[str, Any]:
    """The execution options of a statement that changes only these generations."""
    return {_OPTION: generation_ids}


class Invalidation(Protocol):
    """A cache of generations to be invalidated. Called in the writer's thread."""

    def begin(self, generation_ids: frozenset[str] | None) -> None:
        """These generations (None: all) are about to change: drop them, and cache nothing until `end`."""

    def end(self) -> None:
        """The change is committed, and reads see it."""


class Version:
    """A counter of changes that is odd while a change is being committed.

    Data that was read at an even number is current for as long as the number stays the same.
    """

    def __init__(self) -> None:
        self.number = 0

    def is_current(self, number: int) -> bool:
        """Whether data that was read at this number is still current."""
        return number == self.number and number % 2 == 0


class ChangeTracker:
    """Tracks the writer's changes; there is one writer, and one write at a time. `files` is the version of
    the tables that responses about files depend on, and `characters` that of the list of characters."""

    def __init__(self, writer: Engine) -> None:
        self._caches: list[Invalidation] = []
        self.files = Version()
        self.characters = Version()
        event.listen(writer, "before_cursor_execute", _record_statement)

    def subscribe(self, cache: Invalidation) -> None:
        """Invalidate this cache from now on. Call it before the first write."""
        self._caches.append(cache)

    @staticmethod
    def begin(connection: Connection) -> None:
        connection.info[_CHANGED] = set()

    @contextmanager
    def committing(self, connection: Connection) -> Iterator[None]:
        """While this write is being committed, nothing that it changes is cached."""
        changed: set[str | None] = connection.info[_CHANGED]
        versions = [
            version
            for name, version in ((_FILES, self.files), (_CHARACTERS, self.characters))
            if name in changed
        ]
        changed -= {_FILES, _CHARACTERS}
        for version in versions:
            version.number += 1
        if changed:
            ids = None if _ALL in changed else frozenset(name for name in changed if name is not None)
            for cache in self._caches:
                cache.begin(ids)
        try:
            yield
        finally:
            if changed:
                for cache in self._caches:
                    cache.end()
            for version in versions:
                version.number += 1


def _record_statement(
    connection: Connection, _cursor: object, _sql: str, _values: object, context: Any, _many: bool
) -> None:
    changed = connection.info.get(_CHANGED)
    if changed is None:
        return
    statement = context.compiled.statement if context.compiled is not None else None
    if isinstance(statement, (Insert, Update, Delete)):
        if statement.table in _OF_GENERATIONS:
            changed.update(context.execution_options.get(_OPTION, (_ALL,)))
        if statement.table in _OF_FILES and not (statement.table is generations and statement.is_update):
            changed.add(_FILES)
        if statement.table is characters:
            changed.add(_CHARACTERS)
    elif not isinstance(statement, Select):
        changed.update((_ALL, _FILES, _CHARACTERS))
