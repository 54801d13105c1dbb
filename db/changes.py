"""Which generations a write changes, for whoever keeps what was read of them.

Every statement of the writer is seen, so that no write can be forgotten: one that does not say which
generation it is about counts as being about all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from sqlalchemy import Connection, Delete, Engine, Insert, Select, Update, event

from .tables import generations, outputs

_OPTION = "avatarforge_generation"
_NOTED = "avatarforge_changed"
#: What the answers about a generation are made of.
_WATCHED = (generations, outputs)
_ALL = None


def of_generation(generation_id: str) -> dict[str, Any]:
    """The execution options of a statement that changes this generation alone."""
    return {_OPTION: generation_id}


class Keeper(Protocol):
    """Keeps what was read. Called in the thread that writes."""

    def hold(self, generation_ids: frozenset[str] | None) -> None:
        """These are about to change (None: any of them): forget them, and keep nothing until `let_go`."""

    def let_go(self) -> None:
        """What was changed can be read now."""


class Changes:
    """Sees what the writer does. There is one writer, and one write at a time."""

    def __init__(self, writer: Engine) -> None:
        self._keepers: list[Keeper] = []
        event.listen(writer, "before_cursor_execute", _note)

    def tell(self, keeper: Keeper) -> None:
        """From now on. Before the first write, or what is kept already may be old."""
        self._keepers.append(keeper)

    @staticmethod
    def begin(connection: Connection) -> None:
        connection.info[_NOTED] = set()

    @contextmanager
    def committing(self, connection: Connection) -> Iterator[None]:
        """While this write becomes visible, nobody keeps what it changes."""
        noted = connection.info[_NOTED]
        if not noted:
            yield
            return
        for keeper in self._keepers:
            keeper.hold(None if _ALL in noted else frozenset(noted))
        try:
            yield
        finally:
            for keeper in self._keepers:
                keeper.let_go()


def _note(
    connection: Connection, _cursor: object, _sql: str, _values: object, context: Any, _many: bool
) -> None:
    noted = connection.info.get(_NOTED)
    if noted is None:
        return
    statement = context.compiled.statement if context.compiled is not None else None
    if isinstance(statement, (Insert, Update, Delete)):
        if statement.table in _WATCHED:
            noted.add(context.execution_options.get(_OPTION, _ALL))
    elif not isinstance(statement, Select):
        noted.add(_ALL)
