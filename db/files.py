"""Queries on stored files. Each takes the connection first; none begins or ends a transaction.

References are never counted in a column: they are the rows of `generation_inputs`, `template_files`,
`character_files` and `library_poses`, and those of `extracted_poses` for the skeleton of a photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    ScalarSelect,
    Select,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from . import poses, row_counts
from .clock import after_newest
from .records import FileRecord, ListedFile
from .tables import (
    character_files,
    extracted_poses,
    files,
    generation_inputs,
    library_poses,
    template_files,
)

referenced = or_(
    exists().where(generation_inputs.c.file_id == files.c.id),
    exists().where(template_files.c.file_id == files.c.id),
    exists().where(library_poses.c.file_id == files.c.id),
    exists().where(character_files.c.file_id == files.c.id),
    exists().where(extracted_poses.c.file_id == files.c.id),
)


def _users_of(file_id: str | Column[str]) -> ColumnElement[int]:
    """The number of generations, templates, characters and poses of the library that use the file of that id,
    or of each row of a query on files."""
    # DISTINCT, because a generation can use a file twice. Equal rows are adjacent in the index.
    users = select(generation_inputs.c.generation_id).where(generation_inputs.c.file_id == file_id)
    users = users.distinct().correlate(files)
    named = select(template_files.c.template_id).where(template_files.c.file_id == file_id)
    named = named.distinct().correlate(files)
    shown = select(character_files.c.character_id).where(character_files.c.file_id == file_id)
    shown = shown.distinct().correlate(files)
    saved = select(library_poses.c.id).where(library_poses.c.file_id == file_id).correlate(files)
    return _count(users) + _count(named) + _count(shown) + _count(saved)


def _count(users: Select[Any]) -> ScalarSelect[int]:
    return select(func.count()).select_from(users.subquery("users")).scalar_subquery()


# Built once, because SQLAlchemy takes longer to build a statement than SQLite to run it.
_COLUMNS = [files.c[field.name] for field in fields(FileRecord)]
_ALL = select(*_COLUMNS)
# Older SQLite takes 999 values in a statement.
_AT_ONCE = 500
_BY_ID = select(*_COLUMNS).where(files.c.id == bindparam("file_id"))
_BY_HASH = select(*_COLUMNS).where(files.c.content_hash == bindparam("content_hash"))
_FIRST_PAGE = (
    select(*_COLUMNS, _users_of(files.c.id).label("users"))
    .where(*row_counts.is_listed)
    .order_by(files.c.created_at.desc(), files.c.id.desc())
    .limit(bindparam("most"))
)
_NEXT_PAGE = _FIRST_PAGE.where(
    tuple_(files.c.created_at, files.c.id) < tuple_(bindparam("created_at"), bindparam("file_id"))
)


def _record(row: Row[Any] | None) -> FileRecord | None:
    return FileRecord(*tuple(row)) if row is not None else None


def get_any(connection: Connection, file_id: str) -> FileRecord | None:
    """The file, soft-deleted or not."""
    return _record(connection.execute(_BY_ID, {"file_id": file_id}).one_or_none())


def get_live(connection: Connection, file_id: str) -> FileRecord | None:
    record = get_any(connection, file_id)
    return record if record is not None and record.deleted_at is None else None


def live_ones(connection: Connection, file_ids: Sequence[str]) -> dict[str, FileRecord]:
    """Those of these files that are not soft-deleted, by id."""
    query = select(*_COLUMNS).where(files.c.id.in_(file_ids), files.c.deleted_at.is_(None))
    return {row.id: FileRecord(*tuple(row)) for row in connection.execute(query)}


def get_many(connection: Connection, file_ids: Sequence[str]) -> dict[str, FileRecord]:
    """Those of these files that exist, soft-deleted or not, by id."""
    found = {}
    for start in range(0, len(file_ids), _AT_ONCE):
        rows = connection.execute(_ALL.where(files.c.id.in_(file_ids[start : start + _AT_ONCE])))
        found.update({row.id: FileRecord(*tuple(row)) for row in rows})
    return found


def page(
    connection: Connection, *, limit: int, before: tuple[int, str] | None
) -> tuple[int, list[ListedFile]]:
    """(number of all listed files, one page, newest first), without soft-deleted files, lost files, and
    extracted skeletons. `before` starts after that (created_at, id), so that new files do not shift the
    pages."""
    if before is None:
        rows = connection.execute(_FIRST_PAGE, {"most": limit})
    else:
        position = {"created_at": before[0], "file_id": before[1]}
        rows = connection.execute(_NEXT_PAGE, {"most": limit, **position})
    listed = [ListedFile(FileRecord(*tuple(row)[:-1]), row.users) for row in rows]
    return row_counts.listed_files(connection), listed


def by_hash(connection: Connection, content_hash: str) -> FileRecord | None:
    """The file of that content, soft-deleted or not."""
    return _record(connection.execute(_BY_HASH, {"content_hash": content_hash}).one_or_none())


def known_hashes(connection: Connection, content_hashes: Sequence[str]) -> set[str]:
    """The hashes among these that have a row, soft-deleted or not."""
    query = select(files.c.content_hash).where(files.c.content_hash.in_(content_hashes))
    return set(connection.execute(query).scalars())


def add_or_restore(connection: Connection, record: FileRecord) -> tuple[FileRecord, bool]:
    """Insert the file, or restore the row of its content; returns the file and whether the content had a row.

    A soft-deleted or lost file is restored under its own id.
    """
    existing = by_hash(connection, record.content_hash)
    if existing is None:
        newest = connection.execute(select(func.max(files.c.created_at))).scalar_one()
        record = replace(record, created_at=after_newest(newest, record.created_at))
        connection.execute(insert(files).values(**vars(record)))
        return record, False
    restored = replace(
        existing,
        deleted_at=None,
        lost_at=None,
        last_used_at=max(record.last_used_at, existing.last_used_at),
        derived=existing.derived and record.derived,
    )
    connection.execute(update(files).where(files.c.id == existing.id).values(**vars(restored)))
    return restored, True


def use_again(connection: Connection, content_hash: str, now: int) -> FileRecord | None:
    """Mark the live file of that content as used now, and as uploaded, no longer derived. Returns None if
    there is none."""
    existing = by_hash(connection, content_hash)
    if existing is None or existing.deleted_at is not None or existing.lost_at is not None:
        return None
    used_at = max(now, existing.last_used_at + 1)  # always later, which `take_untouched` relies on
    return add_or_restore(connection, replace(existing, last_used_at=used_at, derived=False))[0]


def reference_count(connection: Connection, file_id: str) -> int:
    """The number of generations, templates, characters and poses of the library that use the file."""
    return connection.execute(select(_users_of(file_id))).scalar_one()


def hide(connection: Connection, file_id: str, now: int) -> None:
    connection.execute(update(files).where(files.c.id == file_id).values(deleted_at=now))
    # A skeleton that a user deleted must not be reused for its photo.
    connection.execute(delete(extracted_poses).where(extracted_poses.c.file_id == file_id))


def remove(connection: Connection, records: Sequence[FileRecord]) -> list[FileRecord]:
    """Delete the files and their skeletons; returns the skeletons."""
    skeletons = poses.take_skeletons(connection, records)
    connection.execute(delete(files).where(files.c.id.in_([record.id for record in records])))
    return skeletons


# Built once, because building the statement takes longer than running it.
_TOUCH = (
    update(files)
    .where(files.c.id.in_(bindparam("file_ids", expanding=True)), files.c.deleted_at.is_(None))
    .values(last_used_at=bindparam("now"))
)


def touch(connection: Connection, file_ids: Sequence[str], now: int) -> bool:
    """Mark files as used now. Returns False if one of them no longer exists."""
    wanted = list(set(file_ids))
    touched = sum(
        connection.execute(_TOUCH, {"file_ids": wanted[start : start + _AT_ONCE], "now": now}).rowcount
        for start in range(0, len(wanted), _AT_ONCE)
    )
    return touched == len(wanted)


def untouch(connection: Connection, record: FileRecord, touched_at: int) -> None:
    """Undo the `touch` made at that time, unless the file was used since."""
    connection.execute(
        update(files)
        .where(files.c.id == record.id, files.c.last_used_at == touched_at)
        .values(last_used_at=record.last_used_at)
    )


def take_unreferenced(connection: Connection, among: Select[Any]) -> list[FileRecord]:
    """Delete and return the files of `among` (a select of file ids) without references, and their
    skeletons."""
    rows = connection.execute(select(files).where(files.c.id.in_(among), ~referenced))
    unreferenced = [FileRecord(**row._mapping) for row in rows]
    return [*unreferenced, *remove(connection, unreferenced)] if unreferenced else []


def take_untouched(connection: Connection, record: FileRecord) -> bool:
    """Delete the file if it was not used since `record` was read and has no references; returns whether it
    was deleted."""
    removed = connection.execute(
        delete(files).where(files.c.id == record.id, files.c.last_used_at == record.last_used_at, ~referenced)
    )
    return removed.rowcount > 0


def take_released(connection: Connection, file_ids: Sequence[str]) -> list[FileRecord]:
    """Delete and return those of these files that are soft-deleted and no longer used."""
    return take_unreferenced(
        connection, select(files.c.id).where(files.c.id.in_(file_ids), files.c.deleted_at.is_not(None))
    )


def unused_since(connection: Connection, *, begin: int, before: int, limit: int) -> tuple[list[str], int]:
    """(ids of up to `limit` unreferenced files with `begin` <= last use < `before`, ordered by last use; last
    use of the last one)."""
    query = select(files.c.id, files.c.last_used_at).where(
        files.c.last_used_at >= begin, files.c.last_used_at < before, ~referenced
    )
    file_ids = []
    for file_id, used_at in connection.execute(query.order_by(files.c.last_used_at).limit(limit)):
        file_ids.append(file_id)
        begin = used_at
    return file_ids, begin


def take_unused(connection: Connection, file_ids: Sequence[str], before: int) -> list[FileRecord]:
    """Delete and return those of these files that have no references and were last used before `before`."""
    return take_unreferenced(
        connection, select(files.c.id).where(files.c.id.in_(file_ids), files.c.last_used_at < before)
    )


def end_future_use(connection: Connection, now: int) -> None:
    """Set times of use in the future, from a wrong clock, to now: otherwise cleanup would keep these files
    until then."""
    connection.execute(update(files).where(files.c.last_used_at > now).values(last_used_at=now))


def totals(connection: Connection) -> tuple[int, int]:
    """(number of stored contents, their total size in bytes), with soft-deleted but without lost ones."""
    return row_counts.stored_files(connection)
