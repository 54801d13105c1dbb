"""How many rows there are, without counting them. Each function takes the connection first.

SQLite keeps the numbers itself, by triggers, in the transaction of every change. Elsewhere they are counted.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, select, update

from .tables import files, generations, tallies

LISTED, STORED = "files listed", "files stored"
STATUSES = ("queued", "processing", "completed", "failed")

#: What lists of files show: not soft-deleted, not lost, and no skeleton that we read from a photo ourselves.
is_listed = (files.c.deleted_at.is_(None), files.c.lost_at.is_(None), files.c.derived.is_(False))

_KEPT = select(tallies.c.what, tallies.c.number, tallies.c.bytes)
_KEPT_OF_GENERATIONS = _KEPT.where(tallies.c.what.in_(STATUSES))
_KEPT_OF_FILES = _KEPT.where(tallies.c.what == bindparam("what"))
_BY_STATUS = select(generations.c.status, func.count()).group_by(generations.c.status)
_size = func.coalesce(func.sum(files.c.size), 0)
_FILES = {
    LISTED: select(func.count(), _size).select_from(files).where(*is_listed),
    STORED: select(func.count(), _size).select_from(files).where(files.c.lost_at.is_(None)),
}


def generations_by_status(connection: Connection) -> dict[str, int]:
    """Those states that some generation is in."""
    if not _has_triggers(connection):
        return {row[0]: row[1] for row in connection.execute(_BY_STATUS)}
    return {row[0]: row[1] for row in connection.execute(_KEPT_OF_GENERATIONS) if row[1]}


def count_generations(connection: Connection, status: str | None) -> int:
    found = generations_by_status(connection)
    return sum(found.values()) if status is None else found.get(status, 0)


def listed_files(connection: Connection) -> int:
    return _file_counts(connection, LISTED)[0]


def stored_files(connection: Connection) -> tuple[int, int]:
    """(number of stored contents, their bytes together), soft-deleted ones included, lost ones not."""
    return _file_counts(connection, STORED)


def find_mismatches(connection: Connection) -> list[str]:
    """Which of the kept numbers are not those of the rows, in words."""
    if not _has_triggers(connection):
        return []
    kept = {row[0]: (row[1], row[2]) for row in connection.execute(_KEPT)}
    counted = _count_rows(connection)
    return [
        f"The total of {what!r} is written down as {kept.get(what)}, and is {found} (number, bytes)."
        for what, found in counted.items()
        if kept.get(what) != found
    ]


def update_counts(connection: Connection) -> None:
    """Write down what there is."""
    for what, (number, size) in _count_rows(connection).items():
        connection.execute(update(tallies).where(tallies.c.what == what).values(number=number, bytes=size))


def _count_rows(connection: Connection) -> dict[str, tuple[int, int]]:
    by_status = {row[0]: row[1] for row in connection.execute(_BY_STATUS)}
    found = {status: (by_status.get(status, 0), 0) for status in STATUSES}
    for what, query in _FILES.items():
        row = connection.execute(query).one()
        found[what] = (row[0], row[1])
    return found


def _file_counts(connection: Connection, what: str) -> tuple[int, int]:
    if _has_triggers(connection):
        row = connection.execute(_KEPT_OF_FILES, {"what": what}).one()
        return row[1], row[2]
    row = connection.execute(_FILES[what]).one()
    return row[0], row[1]


def _has_triggers(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"
