"""Totals of rows without counting them. Each function takes the connection first.

In SQLite, triggers update the totals in the transaction of every change. In other databases, the rows are
counted.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from . import terms
from .tables import character_tallies, characters, files, generations, tallies

LISTED, STORED = "files listed", "files stored"
CHARACTERS = "characters listed"
STATUSES = ("queued", "processing", "completed", "failed")

#: The files that lists show: not soft-deleted, not lost, and no skeleton that AvatarForge extracted itself.
is_listed = (files.c.deleted_at.is_(None), files.c.lost_at.is_(None), files.c.derived.is_(False))

_TOTALS = select(tallies.c.what, tallies.c.number, tallies.c.bytes)
_TOTALS_OF_GENERATIONS = _TOTALS.where(tallies.c.what.in_(STATUSES))
_TOTAL = _TOTALS.where(tallies.c.what == bindparam("what"))
_BY_STATUS = select(generations.c.status, func.count()).group_by(generations.c.status)
_OF_A_CHARACTER = select(func.coalesce(func.sum(character_tallies.c.number), 0)).where(
    character_tallies.c.character_id == bindparam("character_id")
)
_OF_A_STATUS = _OF_A_CHARACTER.where(character_tallies.c.status == bindparam("status"))
_BY_CHARACTER = (
    select(generations.c.character_id, generations.c.status, func.count())
    .where(generations.c.character_id.is_not(None))
    .group_by(generations.c.character_id, generations.c.status)
)
_size = func.coalesce(func.sum(files.c.size), 0)
_CHARACTERS = select(func.count()).select_from(characters).where(characters.c.name_key.is_not(None))
_FILES = {
    LISTED: select(func.count(), _size).select_from(files).where(*is_listed),
    STORED: select(func.count(), _size).select_from(files).where(files.c.lost_at.is_(None)),
}


def generations_by_status(connection: Connection) -> dict[str, int]:
    """Number of generations per status, without statuses that none has."""
    if not _has_triggers(connection):
        return {row[0]: row[1] for row in connection.execute(_BY_STATUS)}
    return {row[0]: row[1] for row in connection.execute(_TOTALS_OF_GENERATIONS) if row[1]}


def count_generations(connection: Connection, status: str | None) -> int:
    counts = generations_by_status(connection)
    return sum(counts.values()) if status is None else counts.get(status, 0)


def generations_of_character(connection: Connection, character_id: str, status: str | None) -> int:
    """Number of generations that show a character."""
    of_it = {"character_id": character_id}
    if _has_triggers(connection):
        query = _OF_A_CHARACTER if status is None else _OF_A_STATUS
        values = of_it if status is None else {**of_it, "status": status}
        return int(connection.execute(query, values).scalar_one())
    counted = select(func.count()).select_from(generations)
    counted = counted.where(generations.c.character_id == character_id)
    if status is not None:
        counted = counted.where(generations.c.status == status)
    return connection.execute(counted).scalar_one()


def listed_files(connection: Connection) -> int:
    return _file_counts(connection, LISTED)[0]


def stored_files(connection: Connection) -> tuple[int, int]:
    """(number of stored contents, their total size in bytes), with soft-deleted but without lost ones."""
    return _file_counts(connection, STORED)


def listed_characters(connection: Connection) -> int:
    """Number of characters that were not deleted."""
    if not _has_triggers(connection):
        return connection.execute(_CHARACTERS).scalar_one()
    row = connection.execute(_TOTAL, {"what": CHARACTERS}).one()
    return int(row[1])


def find_mismatches(connection: Connection) -> list[str]:
    """A sentence for each stored total that differs from the rows."""
    if not _has_triggers(connection):
        return []
    stored = {row[0]: (row[1], row[2]) for row in connection.execute(_TOTALS)}
    counted = _count_rows(connection)
    wrong = [
        f"The stored total of {what!r} is {stored.get(what)}, but the rows give {count} (number, bytes)."
        for what, count in counted.items()
        if stored.get(what) != count
    ]
    kept = {row[:2]: row[2] for row in connection.execute(select(character_tallies))}
    rows = {row[:2]: row[2] for row in connection.execute(_BY_CHARACTER)}
    differing = {key[0] for key in kept.keys() | rows.keys() if kept.get(key) != rows.get(key)}
    if differing:
        wrong.append(f"The stored totals of {len(differing)} characters are not those of their generations.")
    wrong_terms = terms.count_wrong(connection)
    if wrong_terms:
        wrong.append(f"The stored totals of {wrong_terms} filters of the gallery are not those of the rows.")
    return wrong


def update_counts(connection: Connection) -> None:
    """Set the stored totals to those of the rows."""
    for what, (number, size) in _count_rows(connection).items():
        connection.execute(update(tallies).where(tallies.c.what == what).values(number=number, bytes=size))
    connection.execute(delete(character_tallies))
    columns = ["character_id", "status", "number"]
    connection.execute(insert(character_tallies).from_select(columns, _BY_CHARACTER))
    terms.update_numbers(connection)


def _count_rows(connection: Connection) -> dict[str, tuple[int, int]]:
    by_status = {row[0]: row[1] for row in connection.execute(_BY_STATUS)}
    counts = {status: (by_status.get(status, 0), 0) for status in STATUSES}
    for what, query in _FILES.items():
        row = connection.execute(query).one()
        counts[what] = (row[0], row[1])
    counts[CHARACTERS] = (connection.execute(_CHARACTERS).scalar_one(), 0)
    return counts


def _file_counts(connection: Connection, what: str) -> tuple[int, int]:
    if _has_triggers(connection):
        row = connection.execute(_TOTAL, {"what": what}).one()
        return row[1], row[2]
    row = connection.execute(_FILES[what]).one()
    return row[0], row[1]


def _has_triggers(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"
