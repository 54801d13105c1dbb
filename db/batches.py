"""Batches: groups of generations, and which of these wait to be handed to ComfyUI. Each query takes the
connection first.

Nothing is counted in a column: the counts of a batch come from the index of its generations.
"""

from __future__ import annotations

import uuid
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

from .changes import of_generation
from .clock import after_newest
from .generations import ACTIVE
from .records import BatchCounts, BatchItem, BatchRecord
from .tables import batches, generations, outputs, picture_scores
from .templates import name_key

_ROW = select(*(batches.c[field.name] for field in fields(BatchRecord)))
_BY_ID = _ROW.where(batches.c.id == bindparam("batch_id"))
_COUNTS = (
    select(generations.c.batch_id, generations.c.status, func.count())
    .where(generations.c.batch_id.in_(bindparam("batch_ids", expanding=True)))
    .group_by(generations.c.batch_id, generations.c.status)
)
_ITEMS = (
    select(generations.c.id, generations.c.status)
    .where(generations.c.batch_id == bindparam("batch_id"))
    .order_by(generations.c.batch_position)
)
_SPECS = select(generations.c.id, generations.c.spec).where(generations.c.batch_id == bindparam("batch_id"))
_OF_CHARACTER = select(generations.c.batch_id).where(generations.c.batch_id.is_not(None))
_WAITS = generations.c.waiting_place.is_not(None)
_COUNT_WAITING = select(func.count()).select_from(generations).where(_WAITS)
_NEXT = select(generations.c.id).where(_WAITS).order_by(generations.c.waiting_place).limit(1)
_LAST_PLACE = select(func.max(generations.c.waiting_place)).where(_WAITS)
_IS_ACTIVE = exists().where(generations.c.batch_id == bindparam("batch_id"), generations.c.status.in_(ACTIVE))
# An id has 36 characters, and older SQLite takes 999 values in a statement.
_AT_ONCE = 500


def add(connection: Connection, record: BatchRecord) -> BatchRecord:
    """Insert a batch; returns it with the time of its creation, which is after that of every other batch."""
    newest = connection.execute(select(func.max(batches.c.created_at))).scalar_one()
    values = {**vars(record), "created_at": after_newest(newest, record.created_at)}
    key = name_key(record.name) if record.name is not None else None
    connection.execute(insert(batches).values(**values, name_key=key))
    return BatchRecord(**values)


def get(connection: Connection, batch_id: str) -> BatchRecord | None:
    row = connection.execute(_BY_ID, {"batch_id": batch_id}).one_or_none()
    return BatchRecord(*row) if row is not None else None


def get_many(connection: Connection, batch_ids: Collection[str]) -> list[BatchRecord]:
    """Those of these batches that exist."""
    return [BatchRecord(*row) for row in connection.execute(_ROW.where(batches.c.id.in_(batch_ids)))]


def page(
    connection: Connection,
    *,
    limit: int,
    before: tuple[int, str] | None,
    text: str | None = None,
    character_id: str | None = None,
) -> tuple[int, list[BatchRecord]]:
    """(number of matching batches, one page, newest first). `text` is searched in names. `character_id`: only
    those with a generation of it. `before` starts after that (created_at, id)."""
    matching: list[ColumnElement[bool]] = []
    if text:
        matching.append(batches.c.name_key.contains(name_key(text), autoescape=True))
    if character_id is not None:
        matching.append(batches.c.id.in_(_OF_CHARACTER.where(generations.c.character_id == character_id)))
    total = connection.execute(select(func.count()).select_from(batches).where(*matching)).scalar_one()
    query = _ROW.where(*matching).order_by(batches.c.created_at.desc(), batches.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(tuple_(batches.c.created_at, batches.c.id) < tuple_(*before))
    return total, [BatchRecord(*row) for row in connection.execute(query)]


def counts(connection: Connection, batch_ids: Collection[str]) -> dict[str, BatchCounts]:
    """The counts of each of these batches, in one query that reads only an index."""
    found: dict[str, dict[str, int]] = {batch_id: {} for batch_id in batch_ids}
    if found:
        for batch_id, status, number in connection.execute(_COUNTS, {"batch_ids": list(found)}):
            found[batch_id][status] = number
    return {batch_id: BatchCounts(**numbers) for batch_id, numbers in found.items()}


def items(connection: Connection, batch_id: str) -> tuple[BatchItem, ...]:
    """The generations of a batch, in the order of its request. Reads only an index."""
    return tuple(BatchItem(*row) for row in connection.execute(_ITEMS, {"batch_id": batch_id}))


def specs(connection: Connection, batch_id: str) -> list[tuple[str, str]]:
    """(id, stored spec) of the generations of a batch, in one query."""
    return [(row[0], row[1]) for row in connection.execute(_SPECS, {"batch_id": batch_id})]


def ids_with_status(
    connection: Connection, batch_id: str, statuses: Collection[str], *, waiting: bool | None = None
) -> list[str]:
    """The ids of generations of a batch with one of these statuses, in order. `waiting`: only those that
    wait, or only those that do not."""
    query = _ITEMS.where(generations.c.status.in_(tuple(statuses)))
    if waiting is not None:
        query = query.where(_WAITS if waiting else ~_WAITS)
    return list(connection.execute(query, {"batch_id": batch_id}).scalars())


def with_callback(connection: Connection, generation_ids: Sequence[str]) -> list[str]:
    """Those of these generations that have a callback URL of their own."""
    found: list[str] = []
    for some in _slices(generation_ids):
        query = select(generations.c.id).where(
            generations.c.id.in_(some), generations.c.callback_url.is_not(None)
        )
        found += connection.execute(query).scalars()
    return found


def count_waiting(connection: Connection) -> int:
    """How many generations of all batches wait."""
    return connection.execute(_COUNT_WAITING).scalar_one()


def next_waiting(connection: Connection) -> str | None:
    """The id of the generation that is handed to ComfyUI next."""
    return connection.execute(_NEXT).scalar_one_or_none()


def first_free_place(connection: Connection) -> int:
    """The place after all that wait."""
    last: int | None = connection.execute(_LAST_PLACE).scalar_one()
    return 0 if last is None else last + 1


def end(connection: Connection, batch_id: str, now: int) -> BatchRecord | None:
    """Note the end of a batch if none of its generations is active any more. Returns it if it has ended by
    that."""
    record = get(connection, batch_id)
    if record is None or record.completed_at is not None:
        return None
    if connection.execute(select(_IS_ACTIVE), {"batch_id": batch_id}).scalar():
        return None
    connection.execute(
        update(batches).where(batches.c.id == batch_id).values(completed_at=max(now, record.created_at))
    )
    return get(connection, batch_id)


def reopen(connection: Connection, batch_id: str) -> None:
    """Forget the end of a batch, because one of its generations runs again."""
    connection.execute(
        update(batches)
        .where(batches.c.id == batch_id, batches.c.completed_at.is_not(None))
        .values(completed_at=None)
    )


def fail_waiting(connection: Connection, batch_id: str, error: str, now: int) -> list[str]:
    """End all generations of a batch that wait, with this error; returns their ids, in order."""
    ids = ids_with_status(connection, batch_id, ["queued"], waiting=True)
    for some in _slices(ids):
        connection.execute(
            update(generations)
            .where(generations.c.id.in_(some))
            .values(
                status="failed",
                error=error,
                waiting_place=None,
                completed_at=func.max(generations.c.created_at, now)
                if connection.dialect.name == "sqlite"
                else func.greatest(generations.c.created_at, now),
            ),
            execution_options=of_generation(*some),
        )
    return ids


def wait_again(connection: Connection, generation_ids: Sequence[str]) -> None:
    """Let failed generations wait again, after all others, in this order: without pictures, and each with a
    new prompt id."""
    first = first_free_place(connection)
    for some in _slices(generation_ids):
        options = of_generation(*some)
        for table in (outputs, picture_scores):
            connection.execute(
                delete(table).where(table.c.generation_id.in_(some)), execution_options=options
            )
    rows = [
        {"of": generation_id, "place": first + number, "new_prompt_id": str(uuid.uuid4())}
        for number, generation_id in enumerate(generation_ids)
    ]
    connection.execute(
        update(generations)
        .where(generations.c.id == bindparam("of"))
        .values(
            status="queued",
            attempts=0,
            error=None,
            started_at=None,
            completed_at=None,
            waiting_place=bindparam("place"),
            prompt_id=bindparam("new_prompt_id"),
        ),
        rows,
        execution_options=of_generation(*generation_ids),
    )


def detach(connection: Connection, batch_id: str) -> None:
    """Make the generations of a batch single ones."""
    ids = [item.generation_id for item in items(connection, batch_id)]
    for some in _slices(ids):
        connection.execute(
            update(generations).where(generations.c.id.in_(some)).values(batch_id=None, batch_position=None),
            execution_options=of_generation(*some),
        )


def remove(connection: Connection, batch_id: str) -> bool:
    """Delete the row of a batch; returns whether it existed."""
    return connection.execute(delete(batches).where(batches.c.id == batch_id)).rowcount > 0


def _slices(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]
