"""Queries on the takes of pictures that are not the current ones, and on re-rolls that wait. Each takes the
connection first.

The current take of a picture is its row of `outputs`. A picture that was never re-rolled has no row here.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, func, insert, select, tuple_

from .generations import ACTIVE, by_sequence
from .records import GenerationRecord, OutputRecord, TakeRecord
from .tables import generations, outputs, picture_scores, takes

_AT_ONCE = 500  # older SQLite takes 999 values in a statement
_OTHERS = ("takes", "last_take", "scores_json")
_OF_TAKES = [name for field in fields(OutputRecord) if (name := field.name) not in _OTHERS]
_COLUMNS = [takes.c[name] for name in _OF_TAKES]
_WITH_SCORES = takes.outerjoin(
    picture_scores,
    and_(
        picture_scores.c.generation_id == takes.c.generation_id,
        picture_scores.c.position == takes.c.position,
        picture_scores.c.take == takes.c.take,
    ),
)
# Without a condition on the status, so that only the small index is read.
_WAITING = select(generations.c.sequence).where(generations.c.waiting_rerolls.is_not(None))
_BETWEEN_TRIES = select(generations.c.sequence).where(generations.c.next_try.is_not(None))


def of_picture(connection: Connection, generation_id: str, position: int) -> list[TakeRecord]:
    """The takes of a picture without the current one, oldest first."""
    columns = [*_COLUMNS, takes.c.made, picture_scores.c.scores.label("scores_json")]
    query = select(*columns).select_from(_WITH_SCORES)
    query = query.where(takes.c.generation_id == generation_id, takes.c.position == position)
    return [_record(row._mapping) for row in connection.execute(query.order_by(takes.c.take))]


def get(connection: Connection, generation_id: str, position: int, take: int) -> TakeRecord | None:
    query = select(*_COLUMNS, takes.c.made).where(*_is(generation_id, position, take))
    row = connection.execute(query).one_or_none()
    return _record(row._mapping) if row is not None else None


def count(connection: Connection, generation_id: str, position: int) -> int:
    """The number of takes of a picture without the current one."""
    query = select(func.count()).select_from(takes)
    query = query.where(takes.c.generation_id == generation_id, takes.c.position == position)
    return connection.execute(query).scalar_one()


def add(connection: Connection, picture: OutputRecord, made: str) -> None:
    """Keep a picture that is no longer the current one. `made` is the stored form of the `Reroll` that brings
    it back."""
    row = {name: getattr(picture, name) for name in _OF_TAKES}
    connection.execute(insert(takes).values(**row, made=made))


def remove(connection: Connection, picture: OutputRecord) -> None:
    """Remove the row of a take that is not the current one."""
    key = _is(picture.generation_id, picture.position, picture.take)
    connection.execute(delete(takes).where(*key))


def exists(connection: Connection, generation_id: str, position: int, take: int) -> bool:
    """Whether there is this take of a picture, current or not."""
    if get(connection, generation_id, position, take) is not None:
        return True
    current = select(outputs.c.take).where(
        outputs.c.generation_id == generation_id, outputs.c.position == position
    )
    return connection.execute(current).scalar_one_or_none() == take


def picture(connection: Connection, generation_id: str, filename: str) -> OutputRecord | None:
    """The picture of a generation with this file name, if it is not a current one."""
    query = select(*_COLUMNS).where(takes.c.generation_id == generation_id, takes.c.filename == filename)
    row = connection.execute(query).one_or_none()
    return OutputRecord(**row._mapping) if row is not None else None


def after(
    connection: Connection, after: tuple[str, int, int], limit: int, *, resting: bool = True
) -> list[OutputRecord]:
    """Up to `limit` pictures after a (generation_id, position, take), in that order, without the current
    ones. `resting` leaves out active generations."""
    key = (takes.c.generation_id, takes.c.position, takes.c.take)
    query = select(*_COLUMNS).where(tuple_(*key) > after)
    if resting:
        query = query.join(generations, generations.c.id == takes.c.generation_id)
        query = query.where(generations.c.status.not_in(ACTIVE))
    rows = connection.execute(query.order_by(*key).limit(limit))
    return [OutputRecord(**row._mapping) for row in rows]


def waiting_generations(connection: Connection) -> list[GenerationRecord]:
    """The generations whose next re-roll can begin, oldest first. Re-rolls wait only where others run, so
    there are few."""
    sequences = sorted(connection.execute(_WAITING).scalars())
    found: list[GenerationRecord] = []
    for start in range(0, len(sequences), _AT_ONCE):
        found += by_sequence(connection, sequences[start : start + _AT_ONCE]).values()
    can_begin = (record for record in found if record.status == "completed")
    return sorted(can_begin, key=lambda record: record.sequence)


def next_tries(connection: Connection) -> list[GenerationRecord]:
    """The generations that wait between two tries, oldest first."""
    sequences = sorted(connection.execute(_BETWEEN_TRIES).scalars())
    found: list[GenerationRecord] = []
    for start in range(0, len(sequences), _AT_ONCE):
        records = by_sequence(connection, sequences[start : start + _AT_ONCE])
        found += (records[sequence] for sequence in sorted(records))
    return found


def _is(generation_id: str, position: int, take: int) -> tuple[ColumnElement[bool], ...]:
    return (takes.c.generation_id == generation_id, takes.c.position == position, takes.c.take == take)


def _record(row: RowMapping) -> TakeRecord:
    values: dict[str, Any] = {str(name): value for name, value in row.items()}
    made = values.pop("made")
    return TakeRecord(OutputRecord(**values), made)
