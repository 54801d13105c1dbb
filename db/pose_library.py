"""Queries on the poses that users saved. Each takes the connection first; none begins or ends a
transaction."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, tuple_, update

from .clock import after_newest
from .files import take_released
from .records import FileRecord, LibraryPoseRecord
from .tables import library_poses
from .templates import name_key

_ROW = select(
    library_poses.c.id,
    library_poses.c.name,
    library_poses.c.file_id,
    library_poses.c.drawing,
    library_poses.c.created_at,
)


def get(connection: Connection, pose_id: str) -> LibraryPoseRecord | None:
    return _one(connection, library_poses.c.id == pose_id)


def by_name(connection: Connection, name: str) -> LibraryPoseRecord | None:
    return _one(connection, library_poses.c.name_key == name_key(name))


def by_file(connection: Connection, file_id: str) -> LibraryPoseRecord | None:
    """The first pose that was saved of this file."""
    oldest_first = (library_poses.c.created_at, library_poses.c.id)
    query = _ROW.where(library_poses.c.file_id == file_id).order_by(*oldest_first).limit(1)
    row = connection.execute(query).one_or_none()
    return LibraryPoseRecord(*row) if row is not None else None


def page(
    connection: Connection, *, limit: int, before: tuple[int, str] | None, text: str | None
) -> tuple[int, list[LibraryPoseRecord]]:
    """(number of matching poses, one page, newest first). `text` is searched in names. `before` starts after
    that (created_at, id)."""
    matching: list[ColumnElement[bool]] = []
    if text:
        matching.append(library_poses.c.name_key.contains(name_key(text), autoescape=True))
    total = connection.execute(select(func.count()).select_from(library_poses).where(*matching)).scalar_one()
    newest_first = (library_poses.c.created_at.desc(), library_poses.c.id.desc())
    query = _ROW.where(*matching).order_by(*newest_first).limit(limit)
    if before is not None:
        query = query.where(tuple_(library_poses.c.created_at, library_poses.c.id) < tuple_(*before))
    return total, [LibraryPoseRecord(*row) for row in connection.execute(query)]


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(library_poses)).scalar_one()


def add(connection: Connection, record: LibraryPoseRecord) -> None:
    newest = connection.execute(select(func.max(library_poses.c.created_at))).scalar_one()
    connection.execute(
        insert(library_poses).values(
            id=record.id,
            name=record.name,
            name_key=name_key(record.name),
            file_id=record.file_id,
            drawing=record.drawing_json,
            created_at=after_newest(newest, record.created_at),
        )
    )


def replace(
    connection: Connection, record: LibraryPoseRecord, *, file_id: str, drawing_json: str
) -> list[FileRecord]:
    """Give a pose another file; returns its old file if that is released by it."""
    connection.execute(
        update(library_poses)
        .where(library_poses.c.id == record.id)
        .values(file_id=file_id, drawing=drawing_json)
    )
    return take_released(connection, [record.file_id])


def remove(connection: Connection, record: LibraryPoseRecord) -> list[FileRecord]:
    """Delete a pose; returns its file if that is released by it."""
    connection.execute(delete(library_poses).where(library_poses.c.id == record.id))
    return take_released(connection, [record.file_id])


def _one(connection: Connection, *matching: ColumnElement[bool]) -> LibraryPoseRecord | None:
    row = connection.execute(_ROW.where(*matching)).one_or_none()
    return LibraryPoseRecord(*row) if row is not None else None
