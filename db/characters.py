"""Queries on characters, their versions and what uses them. Each takes the connection first.

A version that a generation uses is never deleted: neither with its character nor because it is old.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    tuple_,
    update,
)

from . import row_counts, search_index
from .clock import after_newest
from .files import take_released
from .records import CharacterRecord, CharacterVersionRecord, FileRecord
from .tables import character_files, character_versions, characters, files, generations
from .templates import name_key

#: Characters of the name and the beginning of the description that a search looks at.
SEARCHED = 600

_is_live = characters.c.search_key.is_not(None)
_shown = (files.c.id == characters.c.portrait) & files.c.deleted_at.is_(None) & files.c.lost_at.is_(None)
_COLUMNS = [
    files.c.id.label("portrait") if field.name == "portrait" else characters.c[field.name]
    for field in fields(CharacterRecord)
]
_ROW = select(*_COLUMNS).select_from(characters.outerjoin(files, _shown))
_BY_ID = _ROW.where(characters.c.id == bindparam("character_id"), characters.c.name_key.is_not(None))
_BY_IDS = _ROW.where(characters.c.id.in_(bindparam("character_ids", expanding=True)))
_BY_TIMES = _ROW.where(characters.c.created_at.in_(bindparam("times", expanding=True)), _is_live)
_BY_NAME = _ROW.where(characters.c.name_key == bindparam("key"))
_VERSION = select(
    *(character_versions.c[field.name.removesuffix("_json")] for field in fields(CharacterVersionRecord))
)
_is_used = exists().where(
    generations.c.character_id == character_versions.c.character_id,
    generations.c.character_version == character_versions.c.number,
)


def search_key(name: str, description: str) -> str:
    """What a search looks at, in the form in which names are compared."""
    return f"{name_key(name)}\n{name_key(description[:SEARCHED])}"[:SEARCHED]


def get(connection: Connection, character_id: str) -> CharacterRecord | None:
    """The character with this id, unless it was deleted."""
    row = connection.execute(_BY_ID, {"character_id": character_id}).one_or_none()
    return CharacterRecord(*row) if row is not None else None


def by_name(connection: Connection, name: str) -> CharacterRecord | None:
    row = connection.execute(_BY_NAME, {"key": name_key(name)}).one_or_none()
    return CharacterRecord(*row) if row is not None else None


def page(
    connection: Connection, *, limit: int, before: tuple[int, str] | None, text: str | None
) -> tuple[int, list[CharacterRecord]]:
    """(number of matching characters, one page, newest first). `text` is searched in names and in the
    beginnings of descriptions. `before` starts after that (created_at, id).

    One index has all that a page is found by: rows are read of the page alone.
    """
    key = name_key(text) if text else ""
    if search_index.covers(connection, key):
        times = search_index.find(connection, key)
        if times is not None:
            return _page_of(connection, times, key, limit=limit, before=before)
    matching: list[ColumnElement[bool]] = [_is_live]
    if key:
        matching.append(characters.c.search_key.contains(key, autoescape=True))
    query = select(characters.c.id).where(*matching)
    if before is not None:
        query = query.where(tuple_(characters.c.created_at, characters.c.id) < tuple_(*before))
    query = query.order_by(characters.c.created_at.desc(), characters.c.id.desc()).limit(limit)
    ids = list(connection.execute(query).scalars())
    by_id = connection.execute(_BY_IDS, {"character_ids": ids}) if ids else ()
    records = {row.id: CharacterRecord(*row) for row in by_id}
    total = row_counts.listed_characters(connection)
    if key:
        counted = select(func.count()).select_from(characters).where(*matching)
        total = connection.execute(counted).scalar_one()
    return total, [records[character_id] for character_id in ids]


def _page_of(
    connection: Connection, times: list[int], key: str, *, limit: int, before: tuple[int, str] | None
) -> tuple[int, list[CharacterRecord]]:
    """A page of the characters with these `created_at` that have a text. `times` are newest first."""
    if len(key) > search_index.LONGEST and times:
        has_it = characters.c.search_key.contains(key, autoescape=True)
        query = select(characters.c.created_at).where(characters.c.created_at.in_(times), has_it)
        having = set(connection.execute(query).scalars())
        times = [time for time in times if time in having]
    page = [time for time in times if before is None or time < before[0]][:limit]
    rows = connection.execute(_BY_TIMES, {"times": page}) if page else ()
    found = {row.created_at: CharacterRecord(*row) for row in rows}
    return len(times), [found[time] for time in page]


def version(connection: Connection, character_id: str, number: int) -> CharacterVersionRecord | None:
    """A version, also of a character that was deleted, as long as a generation uses it."""
    row = connection.execute(
        _VERSION.where(
            character_versions.c.character_id == character_id, character_versions.c.number == number
        )
    ).one_or_none()
    return CharacterVersionRecord(*row) if row is not None else None


def version_for_use(
    connection: Connection, character_id: str, number: int | None
) -> CharacterVersionRecord | None:
    """A version of a character that was not deleted, its newest if `number` is None."""
    query = _VERSION.join(characters, characters.c.id == character_versions.c.character_id).where(
        characters.c.id == character_id,
        characters.c.name_key.is_not(None),
        character_versions.c.number == (characters.c.version if number is None else number),
    )
    row = connection.execute(query).one_or_none()
    return CharacterVersionRecord(*row) if row is not None else None


def versions(
    connection: Connection, character_id: str, *, limit: int, before: int | None
) -> tuple[int, list[CharacterVersionRecord]]:
    """(number of versions, one page, newest first). `before` limits it to lower numbers."""
    of_this = character_versions.c.character_id == character_id
    total = connection.execute(select(func.count()).select_from(character_versions).where(of_this))
    query = _VERSION.where(of_this).order_by(character_versions.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(character_versions.c.number < before)
    return total.scalar_one(), [CharacterVersionRecord(*row) for row in connection.execute(query)]


def all_versions(connection: Connection, character_id: str) -> list[CharacterVersionRecord]:
    """All versions that are kept, in the order of their numbers; also those of a deleted character."""
    query = _VERSION.where(character_versions.c.character_id == character_id)
    return [
        CharacterVersionRecord(*row)
        for row in connection.execute(query.order_by(character_versions.c.number))
    ]


def find_any(connection: Connection, character_id: str) -> tuple[int, bool] | None:
    """(its newest version, whether it was deleted) of a character; a deleted one stays while generations use
    it."""
    row = connection.execute(
        select(characters.c.version, characters.c.deleted_at).where(characters.c.id == character_id)
    ).one_or_none()
    return (row.version, row.deleted_at is not None) if row is not None else None


def restore(
    connection: Connection,
    record: CharacterRecord,
    added: Sequence[tuple[CharacterVersionRecord, Sequence[str]]],
    keep: int,
) -> list[FileRecord]:
    """Save a character with several versions, each with the files that it names, or add these versions to the
    one that has this id, deleted or not. Only the newest `keep` versions stay, and those in use. Returns
    files that are released by that."""
    if find_any(connection, record.id) is None:
        newest = connection.execute(select(func.max(characters.c.created_at))).scalar_one()
        created_at = after_newest(newest, record.created_at)
        connection.execute(insert(characters).values(**{**_values(record), "created_at": created_at}))
    else:
        values = {**_values(record), "deleted_at": None}
        del values["created_at"]
        connection.execute(update(characters).where(characters.c.id == record.id).values(**values))
    for version_record, file_ids in added:
        _add_version(connection, version_record, file_ids)
    return _take_versions(connection, record.id, up_to=record.version - keep)


def add(
    connection: Connection, record: CharacterRecord, content: CharacterVersionRecord, file_ids: Sequence[str]
) -> None:
    """Insert a character with its first version and the files that this names."""
    newest = connection.execute(select(func.max(characters.c.created_at))).scalar_one()
    created_at = after_newest(newest, record.created_at)
    connection.execute(insert(characters).values(**{**_values(record), "created_at": created_at}))
    _add_version(connection, content, file_ids)


def replace(
    connection: Connection,
    record: CharacterRecord,
    content: CharacterVersionRecord,
    file_ids: Sequence[str],
    keep: int,
) -> list[FileRecord]:
    """Add a version, the newest one from now on. Only the newest `keep` versions stay, and those in use.
    Returns files that are released by that."""
    _add_version(connection, content, file_ids)
    connection.execute(update(characters).where(characters.c.id == record.id).values(**_values(record)))
    return _take_versions(connection, record.id, up_to=record.version - keep)


def remove(connection: Connection, character_id: str, now: int) -> list[FileRecord]:
    """Delete a character; versions in use stay until `release`. Returns files that are released by that."""
    connection.execute(
        update(characters)
        .where(characters.c.id == character_id)
        .values(name_key=None, search_key=None, deleted_at=now)
    )
    return release(connection, character_id)


def is_usable(connection: Connection, character_id: str, number: int) -> bool:
    """Whether a generation can begin to use a version."""
    return version_for_use(connection, character_id, number) is not None


def used_by(connection: Connection, generation_ids: Sequence[str]) -> list[str]:
    """The ids of the characters that generations show."""
    query = select(generations.c.character_id).where(
        generations.c.id.in_(generation_ids), generations.c.character_id.is_not(None)
    )
    return list(connection.execute(query.distinct()).scalars())


def release(connection: Connection, character_id: str) -> list[FileRecord]:
    """If this character was deleted: delete the versions that no generation uses any more, and with the last
    of them the character. Returns files that are released by that."""
    row = connection.execute(
        select(characters.c.deleted_at).where(characters.c.id == character_id)
    ).one_or_none()
    if row is None or row.deleted_at is None:
        return []
    released = _take_versions(connection, character_id, up_to=None)
    rest = exists().where(character_versions.c.character_id == character_id)
    connection.execute(delete(characters).where(characters.c.id == character_id, ~rest))
    return released


def _values(record: CharacterRecord) -> dict[str, object]:
    keys = {"name_key": name_key(record.name), "search_key": search_key(record.name, record.description)}
    return {**vars(record), **keys}


def _add_version(connection: Connection, record: CharacterVersionRecord, file_ids: Collection[str]) -> None:
    key = {"character_id": record.character_id, "number": record.number}
    connection.execute(
        insert(character_versions).values(**key, content=record.content_json, created_at=record.created_at)
    )
    if file_ids:
        connection.execute(insert(character_files), [{**key, "file_id": file_id} for file_id in file_ids])


def _take_versions(connection: Connection, character_id: str, up_to: int | None) -> list[FileRecord]:
    """Delete the versions up to a number (None: all) that no generation uses; returns released files."""
    gone = [character_versions.c.character_id == character_id, ~_is_used]
    if up_to is not None:
        gone.append(character_versions.c.number <= up_to)
    numbers = list(connection.execute(select(character_versions.c.number).where(*gone)).scalars())
    if not numbers:
        return []
    of_these = (character_files.c.character_id == character_id) & character_files.c.number.in_(numbers)
    named = list(connection.execute(select(character_files.c.file_id).where(of_these).distinct()).scalars())
    # Their rows of `character_files` go with them.
    connection.execute(
        delete(character_versions).where(
            character_versions.c.character_id == character_id, character_versions.c.number.in_(numbers)
        )
    )
    return take_released(connection, named) if named else []
