"""Queries for the check of the store, in pages, and for its repairs. Each takes the connection first."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Text,
    and_,
    delete,
    exists,
    func,
    not_,
    or_,
    select,
    tuple_,
    update,
)

from . import takes as take_queries
from .changes import of_generation
from .files import referenced
from .generations import ACTIVE
from .records import FileRecord, OutputRecord
from .tables import (
    batches,
    character_files,
    character_versions,
    characters,
    extracted_poses,
    files,
    generation_inputs,
    generation_templates,
    generations,
    library_poses,
    outputs,
    picture_scores,
    takes,
    template_files,
    template_versions,
    templates,
)

_DAMAGES = 20


def files_between(connection: Connection, after: str, before: str, limit: int) -> list[FileRecord]:
    """Up to `limit` files with `after` < content_hash < `before`, in the order of their hashes."""
    query = select(files).where(files.c.content_hash > after, files.c.content_hash < before)
    rows = connection.execute(query.order_by(files.c.content_hash).limit(limit))
    return [FileRecord(**row._mapping) for row in rows]


def prefixes(connection: Connection) -> list[str]:
    """The distinct first two digits of the hashes of files."""
    prefix = func.substr(files.c.content_hash, 1, 2)
    return list(connection.execute(select(prefix).distinct()).scalars())


def outputs_after(
    connection: Connection, after: tuple[str, int], limit: int, *, resting: bool = True
) -> list[OutputRecord]:
    """Up to `limit` pictures after a (generation_id, position), in that order. `resting` leaves out active
    generations, which are still writing pictures."""
    query = select(outputs).where(tuple_(outputs.c.generation_id, outputs.c.position) > after)
    if resting:
        query = query.join(generations, generations.c.id == outputs.c.generation_id)
        query = query.where(generations.c.status.not_in(ACTIVE))
    rows = connection.execute(query.order_by(outputs.c.generation_id, outputs.c.position).limit(limit))
    return [OutputRecord(**row._mapping) for row in rows]


def has_pictures(connection: Connection, generation_id: str | None = None) -> bool:
    """Whether there is a picture that is not lost, of that generation or of any."""
    query = select(outputs.c.generation_id).where(outputs.c.lost_at.is_(None))
    if generation_id is not None:
        query = query.where(outputs.c.generation_id == generation_id)
    return connection.execute(query.limit(1)).first() is not None


def count_stored(connection: Connection) -> int:
    """The number of files that are not lost."""
    query = select(func.count()).select_from(files).where(files.c.lost_at.is_(None))
    return connection.execute(query).scalar_one()


def resting_output(connection: Connection, record: OutputRecord) -> OutputRecord | None:
    """The row of that take as it is now; None if it is gone or its generation is active."""
    row = connection.execute(
        select(outputs)
        .join(generations, generations.c.id == outputs.c.generation_id)
        .where(*_is(outputs, record), generations.c.status.not_in(ACTIVE))
    ).one_or_none()
    if row is not None:
        return OutputRecord(**row._mapping)
    is_resting = exists().where(generations.c.id == record.generation_id, generations.c.status.not_in(ACTIVE))
    if not connection.execute(select(is_resting)).scalar():
        return None
    kept = take_queries.get(connection, record.generation_id, record.position, record.take)
    return kept.picture if kept is not None else None


def replace_picture(connection: Connection, record: OutputRecord) -> None:
    """Write what was measured of a picture, current or not, to its row; it is not lost. Its number and those
    of its other takes stay."""
    names = ("filename", "view", "size", "width", "height", "content_hash")
    measured = {name: getattr(record, name) for name in names}
    _update_picture(connection, record, lost_at=None, **measured)


def unreleased(connection: Connection, after: str, limit: int) -> list[FileRecord]:
    """Soft-deleted files that are no longer used, in the order of their ids."""
    query = select(files).where(files.c.id > after, files.c.deleted_at.is_not(None), not_(referenced))
    rows = connection.execute(query.order_by(files.c.id).limit(limit))
    return [FileRecord(**row._mapping) for row in rows]


_no_generation = ~exists().where(generations.c.id == generation_inputs.c.generation_id)
_no_file = ~exists().where(files.c.id == generation_inputs.c.file_id)
_no_maker = ~exists().where(generations.c.id == outputs.c.generation_id)
_no_skeleton = ~exists().where(files.c.id == extracted_poses.c.file_id)
_no_source = ~exists().where(files.c.content_hash == extracted_poses.c.source_hash)
_no_template = ~exists().where(templates.c.id == template_versions.c.template_id)
_no_character = ~exists().where(characters.c.id == character_versions.c.character_id)
_no_character_version = ~exists().where(
    character_versions.c.character_id == character_files.c.character_id,
    character_versions.c.number == character_files.c.number,
)


# An `IS NOT NULL` of its own, so that only the small index is read.
_of_lost_batch = and_(
    generations.c.batch_id.is_not(None), ~exists().where(batches.c.id == generations.c.batch_id)
)


def _no_version(table: Table) -> ColumnElement[bool]:
    return ~exists().where(
        template_versions.c.template_id == table.c.template_id,
        template_versions.c.number == table.c.number,
    )


_DANGLING = (
    (generation_inputs, or_(_no_generation, _no_file), "The use of a file by a generation"),
    (outputs, _no_maker, "A picture of a generation"),
    (
        takes,
        ~exists().where(generations.c.id == takes.c.generation_id),
        "A take of a picture of a generation",
    ),
    (
        picture_scores,
        ~exists().where(generations.c.id == picture_scores.c.generation_id),
        "The scores of a picture of a generation",
    ),
    (extracted_poses, or_(_no_skeleton, _no_source), "The skeleton of a photo"),
    (template_versions, _no_template, "A version of a template"),
    (
        generation_templates,
        or_(
            ~exists().where(generations.c.id == generation_templates.c.generation_id),
            _no_version(generation_templates),
        ),
        "The use of a template by a generation",
    ),
    (
        template_files,
        or_(~exists().where(files.c.id == template_files.c.file_id), _no_version(template_files)),
        "The use of a file by a template",
    ),
    (
        library_poses,
        ~exists().where(files.c.id == library_poses.c.file_id),
        "A pose of the library",
    ),
    (character_versions, _no_character, "A version of a character"),
    (
        character_files,
        or_(~exists().where(files.c.id == character_files.c.file_id), _no_character_version),
        "The use of a file by a character",
    ),
)


def dangling(connection: Connection, limit: int) -> list[str]:
    """A sentence for each row that refers to a missing row; up to `limit` of each kind."""
    sentences = []
    for table, is_dangling, subject in _DANGLING:
        # Without prompts and workflows.
        columns = [column for column in table.columns if not isinstance(column.type, Text)]
        rows = connection.execute(select(*columns).where(is_dangling).limit(limit))
        sentences += [f"{subject} refers to a missing row: {', '.join(map(str, row))}." for row in rows]
    return sentences + _dangling_items(connection, limit)


def _dangling_items(connection: Connection, limit: int) -> list[str]:
    rows = connection.execute(
        select(generations.c.id, generations.c.batch_id).where(_of_lost_batch).limit(limit)
    )
    return [f"Generation {row.id} belongs to batch {row.batch_id}, which has no row." for row in rows]


def forget_file(connection: Connection, record: FileRecord) -> None:
    connection.execute(delete(files).where(files.c.id == record.id))


def remove_dangling(connection: Connection) -> None:
    for table, is_dangling, _ in _DANGLING:
        connection.execute(delete(table).where(is_dangling))
    # The generation itself is complete, and one that waits still runs.
    connection.execute(update(generations).where(_of_lost_batch).values(batch_id=None, batch_position=None))


def set_lost(connection: Connection, record: FileRecord, lost_at: int) -> None:
    connection.execute(update(files).where(files.c.id == record.id).values(lost_at=lost_at))


def set_found(connection: Connection, record: FileRecord, size: int) -> None:
    connection.execute(update(files).where(files.c.id == record.id).values(lost_at=None, size=size))


def set_output_lost(connection: Connection, record: OutputRecord, lost_at: int | None) -> None:
    _update_picture(connection, record, lost_at=lost_at)


def _update_picture(connection: Connection, record: OutputRecord, **values: Any) -> None:
    """Update the row of a take, whether it is the current one or not."""
    for table in (outputs, takes):
        connection.execute(
            update(table).where(*_is(table, record)).values(**values),
            execution_options=of_generation(record.generation_id),
        )


def _is(table: Table, record: OutputRecord) -> tuple[ColumnElement[bool], ...]:
    return (
        table.c.generation_id == record.generation_id,
        table.c.position == record.position,
        table.c.take == record.take,
    )


def generation_exists(connection: Connection, generation_id: str) -> bool:
    return bool(connection.execute(select(exists().where(generations.c.id == generation_id))).scalar())


def damages(connection: Connection) -> list[str]:
    """Damage that SQLite finds in its pages and indexes; empty for an intact or another database."""
    if connection.dialect.name != "sqlite":
        return []
    rows = connection.exec_driver_sql(f"PRAGMA integrity_check({_DAMAGES})").scalars()
    return [str(row) for row in rows if row != "ok"]
