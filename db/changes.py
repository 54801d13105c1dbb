"""Tells caches what a write changes.

Every statement of the writer is seen, so that no write can be forgotten: one that does not say which
generation it is about counts as being about all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from sqlalchemy import Connection, Delete, Engine, Insert, Select, Update, event

from .tables import extracted_poses, files, generation_inputs, generations, outputs

_OPTION = "avatarforge_generation"
_NOTED = "avatarforge_changed"
#: What the answers about a generation are made of.
_OF_GENERATIONS = (generations, outputs)
#: What the answers about files are made of. With a generation go the lines that say what it uses.
_OF_FILES = (files, generation_inputs, extracted_poses, generations)
_ALL = None
_FILES = "files"


def of_generation(generation_id: str) -> dict[str, Any]:
    """The execution options of a statement that changes this generation alone."""
    return {_OPTION: generation_id}


class Invalidation(Protocol):
    """Keeps what was read of generations. Called in the thread that writes."""

    def begin(self, generation_ids: frozenset[str] | None) -> None:
        """These are about to change (None: any of them): forget them, and keep nothing until `let_go`."""

    def end(self) -> None:
        """What was changed can be read now."""


class Version:
    """How often something was changed, and whether a change is becoming visible now (then it is odd).

    What was read while it was the same and even is what stands there as long as it stays so.
    """

    def __init__(self) -> None:
        self.number = 0

    def is_current(self, begun: int) -> bool:
        """Whether nothing has changed since it was `begun`."""
        return begun == self.number and begun % 2 == 0


class ChangeTracker:
    """Sees what the writer does. There is one writer, and one write at a time. `files`: the version of all
    that answers about files are made of."""

    def __init__(self, writer: Engine) -> None:
        self._keepers: list[Invalidation] = []
        self.files = Version()
        event.listen(writer, "before_cursor_execute", _record_statement)

    def subscribe(self, keeper: Invalidation) -> None:
        """From now on. Before the first write, or what is kept already may be old."""
        self._keepers.append(keeper)

    @staticmethod
    def begin(connection: Connection) -> None:
        connection.info[_NOTED] = set()

    @contextmanager
    def committing(self, connection: Connection) -> Iterator[None]:
        """While this write becomes visible, nobody keeps what it changes."""
        noted: set[str | None] = connection.info[_NOTED]
        of_files = _FILES in noted
        noted.discard(_FILES)
        if of_files:
            self.files.number += 1
        if noted:
            for keeper in self._keepers:
                keeper.begin(None if _ALL in noted else frozenset(one for one in noted if one is not None))
        try:
            yield
        finally:
            if noted:
                for keeper in self._keepers:
                    keeper.end()
            if of_files:
                self.files.number += 1


def _record_statement(
    connection: Connection, _cursor: object, _sql: str, _values: object, context: Any, _many: bool
) -> None:
    noted = connection.info.get(_NOTED)
    if noted is None:
        return
    statement = context.compiled.statement if context.compiled is not None else None
    if isinstance(statement, (Insert, Update, Delete)):
        if statement.table in _OF_GENERATIONS:
            noted.add(context.execution_options.get(_OPTION, _ALL))
        if statement.table in _OF_FILES and not (statement.table is generations and statement.is_update):
            noted.add(_FILES)
    elif not isinstance(statement, Select):
        noted.update((_ALL, _FILES))
