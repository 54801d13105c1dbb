"""The index along which generations are searched: in SQLite, a full-text index of trigrams of their words.

It finds a word of three letters or more wherever it stands, exactly like `LIKE '%word%'`, newest first.
Shorter words, other databases and an SQLite without FTS5 look through `generation_texts`, with the same
result. As `search_index` does for characters, triggers keep the index up to date, and an SQLite that cannot
write it drops them, so that the next one that can rebuilds it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select, text

from . import search_index
from .tables import tallies

log = logging.getLogger("avatarforge")

TABLE = "generation_search"
_ADD = f"INSERT INTO {TABLE}(rowid, search_key) VALUES (NEW.sequence, NEW.search_key);"  # noqa: S608
_REMOVE = (
    f"INSERT INTO {TABLE}({TABLE}, rowid, search_key) "  # noqa: S608
    "VALUES ('delete', OLD.sequence, OLD.search_key);"
)
#: Name -> when it fires, and what it does.
_TRIGGERS = {
    f"{TABLE}_insert": ("INSERT", _ADD),
    f"{TABLE}_update": ("UPDATE", f"{_REMOVE} {_ADD}"),
    f"{TABLE}_delete": ("DELETE", _REMOVE),
}
_PRESENT = text(
    "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'generation_texts' "
    "AND substr(name, 1, :size) = :start"
)
#: Its row in `tallies`, so that a search need not look for triggers.
_MARK = "generation search"
_IS_MARKED = select(tallies.c.number).where(tallies.c.what == _MARK)


def prepare(connection: Connection) -> None:
    """Build the index if it is not there, or drop its triggers if this SQLite cannot write it. At every
    start, after the migrations."""
    if connection.dialect.name != "sqlite":
        return
    supported = search_index.is_supported(connection)
    if not supported:
        for name in _TRIGGERS:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
    elif not _has_triggers(connection):
        _build(connection)
    if supported != is_usable(connection):
        connection.execute(delete(tallies).where(tallies.c.what == _MARK))
        connection.execute(insert(tallies).values(what=_MARK, number=int(supported), bytes=0))


def is_usable(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite" and bool(connection.execute(_IS_MARKED).scalar_one_or_none())


def covers(word: str) -> bool:
    """Whether the index finds this word, which is in the form of `generation_texts.search_key`."""
    return len(word) >= search_index.SHORTEST


def match_all(words: Sequence[str]) -> str:
    """The query of FTS5 for texts that have each of these words."""
    return " AND ".join('"{}"'.format(word.replace('"', '""')) for word in words)


def _has_triggers(connection: Connection) -> bool:
    start = f"{TABLE}_"
    present: int = connection.execute(_PRESENT, {"start": start, "size": len(start)}).scalar_one()
    return present == len(_TRIGGERS)


def _build(connection: Connection) -> None:
    log.info("AvatarForge: building the index for searches of generations")
    for name in _TRIGGERS:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {TABLE}")
    # It stores no texts, because those of `generation_texts` are the same. Their letters are in one case.
    connection.exec_driver_sql(
        f"CREATE VIRTUAL TABLE {TABLE} USING fts5(search_key, content='generation_texts', "
        "content_rowid='sequence', columnsize=0, tokenize='trigram case_sensitive 1')"
    )
    connection.exec_driver_sql(
        f"INSERT INTO {TABLE}(rowid, search_key) "  # noqa: S608
        "SELECT sequence, search_key FROM generation_texts ORDER BY sequence"
    )
    for name, (event, steps) in _TRIGGERS.items():
        connection.exec_driver_sql(
            f"CREATE TRIGGER {name} AFTER {event} ON generation_texts BEGIN {steps} END"
        )
