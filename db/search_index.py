"""The index along which characters are searched: in SQLite, a full-text index of the trigrams of their texts.

It finds a text of three letters or more wherever it stands, exactly like `LIKE '%text%'`, if up to `MOST`
characters have it: the cost does not grow with the other characters. Texts that more of them have, shorter
texts, other databases and an SQLite without FTS5 go along the covering index of `characters`, with the same
result.

`characters.created_at` is the row number of the index: it grows with each character, and no two have the
same. So matches come newest first by themselves. Triggers keep it up to date. As long as they exist the index
is complete; an SQLite that cannot write it drops them, and the next one that can rebuilds it.
"""

from __future__ import annotations

import logging

from sqlalchemy import Connection, delete, insert, select, text

from .tables import tallies

log = logging.getLogger("avatarforge")

#: Letters of the shortest text that the index finds.
SHORTEST = 3
#: Of a longer text, the index finds this many letters at one end: each further one makes it look into another
#: list of characters, which costs more than to look at the few that have these.
LONGEST = 8
#: Characters that a search along the index finds.
MOST = 1_000
TABLE = "character_search"
_OLDEST = (3, 34)  # of SQLite: the first with trigrams

_ADD = f"INSERT INTO {TABLE}(rowid, search_key) VALUES (NEW.created_at, NEW.search_key);"  # noqa: S608
_REMOVE = (
    f"INSERT INTO {TABLE}({TABLE}, rowid, search_key) "  # noqa: S608
    "VALUES ('delete', OLD.created_at, OLD.search_key);"
)
_CHANGED = "OLD.search_key IS NOT NEW.search_key"
#: Name -> when it fires, under which condition, and what it does.
_TRIGGERS = {
    f"{TABLE}_insert": ("INSERT", "NEW.search_key IS NOT NULL", _ADD),
    # Exactly one of the next three fires: SQLite promises no order for several.
    f"{TABLE}_update": (
        "UPDATE OF search_key",
        f"{_CHANGED} AND OLD.search_key IS NOT NULL AND NEW.search_key IS NOT NULL",
        f"{_REMOVE} {_ADD}",
    ),
    f"{TABLE}_hide": (
        "UPDATE OF search_key",
        "OLD.search_key IS NOT NULL AND NEW.search_key IS NULL",
        _REMOVE,
    ),
    f"{TABLE}_show": (
        "UPDATE OF search_key",
        "OLD.search_key IS NULL AND NEW.search_key IS NOT NULL",
        _ADD,
    ),
    f"{TABLE}_delete": ("DELETE", "OLD.search_key IS NOT NULL", _REMOVE),
}
_PRESENT = text(
    "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'characters' "
    "AND substr(name, 1, :size) = :start"
)
#: Its row in `tallies`, so that a search need not look for triggers.
_MARK = "search index"
_IS_MARKED = select(tallies.c.number).where(tallies.c.what == _MARK)
_NEWEST = text(
    f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH :wanted ORDER BY rowid DESC LIMIT :most"  # noqa: S608
)


def prepare(connection: Connection) -> None:
    """Build the index if it is not there, or drop its triggers if this SQLite cannot write it. At every
    start, after the migrations."""
    if connection.dialect.name != "sqlite":
        return
    supported = is_supported(connection)
    if not supported:
        for name in _TRIGGERS:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
    elif not _has_triggers(connection):
        _build(connection)
    if supported != _is_usable(connection):
        connection.execute(delete(tallies).where(tallies.c.what == _MARK))
        connection.execute(insert(tallies).values(what=_MARK, number=int(supported), bytes=0))


def is_supported(connection: Connection) -> bool:
    """Whether this SQLite has trigrams."""
    version = connection.exec_driver_sql("SELECT sqlite_version()").scalar_one()
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        return False
    modules = connection.exec_driver_sql("SELECT count(*) FROM pragma_module_list WHERE name = 'fts5'")
    number: int = modules.scalar_one()
    return number > 0


def covers(connection: Connection, key: str) -> bool:
    """Whether the index finds this text, which is in the form of `characters.search_key`."""
    return len(key) >= SHORTEST and connection.dialect.name == "sqlite" and _is_usable(connection)


def find(connection: Connection, key: str) -> list[int] | None:
    """`created_at` of the characters that have the first or the last `LONGEST` letters of this text, newest
    first: all that have the text are among them. None if these are more than `MOST`."""
    for part in dict.fromkeys((key[:LONGEST], key[-LONGEST:])):
        values = {"wanted": _phrase(part), "most": MOST + 1}
        found = list(connection.execute(_NEWEST, values).scalars())
        if len(found) <= MOST:
            return found
    return None


def _phrase(key: str) -> str:
    """The text in the query language of FTS5, where it is nothing but text."""
    doubled = key.replace('"', '""')
    return f'"{doubled}"'


def _is_usable(connection: Connection) -> bool:
    return bool(connection.execute(_IS_MARKED).scalar_one_or_none())


def _has_triggers(connection: Connection) -> bool:
    start = f"{TABLE}_"
    present: int = connection.execute(_PRESENT, {"start": start, "size": len(start)}).scalar_one()
    return present == len(_TRIGGERS)


def _build(connection: Connection) -> None:
    log.info("AvatarForge: building the index for searches of characters")
    for name in _TRIGGERS:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {TABLE}")
    # It stores no texts, because those of `characters` are the same. Their letters are in one case already.
    connection.exec_driver_sql(
        f"CREATE VIRTUAL TABLE {TABLE} USING fts5(search_key, content='characters', "
        "content_rowid='created_at', columnsize=0, tokenize='trigram case_sensitive 1')"
    )
    connection.exec_driver_sql(
        f"INSERT INTO {TABLE}(rowid, search_key) "  # noqa: S608
        "SELECT created_at, search_key FROM characters WHERE search_key IS NOT NULL ORDER BY created_at"
    )
    for name, (event, condition, steps) in _TRIGGERS.items():
        connection.exec_driver_sql(
            f"CREATE TRIGGER {name} AFTER {event} ON characters WHEN {condition} BEGIN {steps} END"
        )
