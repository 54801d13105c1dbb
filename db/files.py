"""Queries on stored files. Each takes the connection first; none opens or ends a transaction.

References are never counted in a column: they are the rows of `generation_inputs`, and for the
skeleton of a photo those of `extracted_poses`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import (
    Column,
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
from .records import FileRecord, ListedFile
from .tables import extracted_poses, files, generation_inputs

_DAY = 86_400 * 1_000_000  # microseconds

referenced = or_(
    exists().where(generation_inputs.c.file_id == files.c.id),
    exists().where(extracted_poses.c.file_id == files.c.id),
)


def _users_of(file_id: str | Column[str]) -> ScalarSelect[int]:
    """How many generations use the file of that id, or of each row of a query on files."""
    # One that uses it twice counts once. Along the index, equal ones stand side by side.
    users = select(generation_inputs.c.generation_id).where(generation_inputs.c.file_id == file_id)
    users = users.distinct().correlate(files)
    return select(func.count()).select_from(users.subquery("users")).scalar_subquery()


# Made once: SQLAlchemy takes longer to put a statement together than SQLite to answer it.
_COLUMNS = [files.c[field.name] for field in fields(FileRecord)]
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


def page(
    connection: Connection, *, limit: int, before: tuple[int, str] | None
) -> tuple[int, list[ListedFile]]:
    """(how many there are, newest first), without soft-deleted ones, lost ones, and skeletons that we read
    from photos ourselves. `before` keeps to files behind that (created_at, id), so that what arrives
    meanwhile does not shift the pages."""
    if before is None:
        rows = connection.execute(_FIRST_PAGE, {"most": limit})
    else:
        behind = {"created_at": before[0], "file_id": before[1]}
        rows = connection.execute(_NEXT_PAGE, {"most": limit, **behind})
    found = [ListedFile(FileRecord(*tuple(row)[:-1]), row.users) for row in rows]
    return row_counts.listed_files(connection), found


def by_hash(connection: Connection, content_hash: str) -> FileRecord | None:
    """The file of that content, soft-deleted or not."""
    return _record(connection.execute(_BY_HASH, {"content_hash": content_hash}).one_or_none())


def known_hashes(connection: Connection, content_hashes: Sequence[str]) -> set[str]:
    """Those of them that a file has, soft-deleted or not."""
    query = select(files.c.content_hash).where(files.c.content_hash.in_(content_hashes))
    return set(connection.execute(query).scalars())


def add_or_restore(connection: Connection, record: FileRecord) -> tuple[FileRecord, bool]:
    """Make the content known; give back the file and whether the content was already there.

    A soft-deleted or lost file of that content comes back to life under its own id.
    """
    known = by_hash(connection, record.content_hash)
    if known is None:
        record = replace(record, created_at=_behind_the_newest(connection, record.created_at))
        connection.execute(insert(files).values(**vars(record)))
        return record, False
    restored = replace(
        known,
        deleted_at=None,
        lost_at=None,
        last_used_at=max(record.last_used_at, known.last_used_at),
        derived=known.derived and record.derived,
    )
    connection.execute(update(files).where(files.c.id == known.id).values(**vars(restored)))
    return restored, True


def use_again(connection: Connection, content_hash: str, now: int) -> FileRecord | None:
    """The live file of that content, used now, and no longer only a skeleton that we read ourselves."""
    known = by_hash(connection, content_hash)
    if known is None or known.deleted_at is not None or known.lost_at is not None:
        return None
    used_at = max(now, known.last_used_at + 1)  # later in any case: `take_untouched` goes by that
    return add_or_restore(connection, replace(known, last_used_at=used_at, derived=False))[0]


def _behind_the_newest(connection: Connection, now: int) -> int:
    """Newest first has to hold when the clock was set back a little. When it is off by more than a day, the
    clock that is right now counts: else one wrong year would stay for ever."""
    newest = connection.execute(select(func.max(files.c.created_at))).scalar_one()
    return newest + 1 if newest is not None and now <= newest < now + _DAY else now


def reference_count(connection: Connection, file_id: str) -> int:
    """How many generations use the file."""
    return connection.execute(select(_users_of(file_id))).scalar_one()


def hide(connection: Connection, file_id: str, now: int) -> None:
    connection.execute(update(files).where(files.c.id == file_id).values(deleted_at=now))
    # A skeleton that its user deleted is not to be taken again for its photo.
    connection.execute(delete(extracted_poses).where(extracted_poses.c.file_id == file_id))


def remove(connection: Connection, records: Sequence[FileRecord]) -> list[FileRecord]:
    """Remove the files; give back the skeletons that went with them."""
    skeletons = poses.take_skeletons(connection, records)
    connection.execute(delete(files).where(files.c.id.in_([record.id for record in records])))
    return skeletons


# Made once: to put a statement together costs more than to run it.
_TOUCH = (
    update(files)
    .where(files.c.id.in_(bindparam("file_ids", expanding=True)), files.c.deleted_at.is_(None))
    .values(last_used_at=bindparam("now"))
)


def touch(connection: Connection, file_ids: Sequence[str], now: int) -> bool:
    """Say of files that they are used now; False when one of them is not there any more."""
    wanted = set(file_ids)
    if not wanted:
        return True
    return connection.execute(_TOUCH, {"file_ids": list(wanted), "now": now}).rowcount == len(wanted)


def untouch(connection: Connection, record: FileRecord, touched_at: int) -> None:
    """Take back the `touch` of that moment, unless somebody has used the file since."""
    connection.execute(
        update(files)
        .where(files.c.id == record.id, files.c.last_used_at == touched_at)
        .values(last_used_at=record.last_used_at)
    )


def take_unreferenced(connection: Connection, among: Select[Any]) -> list[FileRecord]:
    """Remove the rows of `among` (a select of file ids) that nothing refers to, and their skeletons;
    give them all back."""
    found = connection.execute(select(files).where(files.c.id.in_(among), ~referenced))
    gone = [FileRecord(**row._mapping) for row in found]
    return [*gone, *remove(connection, gone)] if gone else []


def take_untouched(connection: Connection, record: FileRecord) -> bool:
    """Remove the file if it is still as `record` says and nobody uses it; say whether it went."""
    removed = connection.execute(
        delete(files).where(files.c.id == record.id, files.c.last_used_at == record.last_used_at, ~referenced)
    )
    return removed.rowcount > 0


def take_released(connection: Connection, file_ids: Sequence[str]) -> list[FileRecord]:
    """Of these files, remove those that are soft-deleted and that nobody uses any more."""
    return take_unreferenced(
        connection, select(files.c.id).where(files.c.id.in_(file_ids), files.c.deleted_at.is_not(None))
    )


def unused_since(connection: Connection, *, begin: int, before: int, limit: int) -> tuple[list[str], int]:
    """The ids of up to `limit` files that nobody uses, last used from `begin` on and before `before`, in the
    order of their last use; and when the last of them was used."""
    query = select(files.c.id, files.c.last_used_at).where(
        files.c.last_used_at >= begin, files.c.last_used_at < before, ~referenced
    )
    found = []
    for file_id, used_at in connection.execute(query.order_by(files.c.last_used_at).limit(limit)):
        found.append(file_id)
        begin = used_at
    return found, begin


def take_unused(connection: Connection, file_ids: Sequence[str], before: int) -> list[FileRecord]:
    """Of these files, remove those that nobody uses and nobody has used since `before`."""
    return take_unreferenced(
        connection, select(files.c.id).where(files.c.id.in_(file_ids), files.c.last_used_at < before)
    )


def end_future_use(connection: Connection, now: int) -> None:
    """A time of use that lies ahead, of a clock that was wrong then, would keep a file from the clean-up
    until it has come: from now on it counts as used now."""
    connection.execute(update(files).where(files.c.last_used_at > now).values(last_used_at=now))


def totals(connection: Connection) -> tuple[int, int]:
    """(number of stored contents, their bytes together), soft-deleted ones included, lost ones not"""
    return row_counts.stored_files(connection)
