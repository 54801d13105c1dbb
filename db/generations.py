"""Queries on generations and their outputs. Each takes the connection first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Case, Connection, Row, case, delete, exists, func, insert, select, update

from .records import GenerationRecord, OutputRecord
from .tables import generation_inputs, generations, outputs

ACTIVE = ("queued", "processing")

# The compiled prompt is by far the largest column; only a restart needs it.
_columns = [column for column in generations.c if column.name != "prompt"]

# Made once: to put a statement together costs more than to run it.
_ADD = insert(generations)
_ADD_INPUTS = insert(generation_inputs)
_ADD_OUTPUTS = insert(outputs)
_COUNT_ACTIVE = select(func.count()).select_from(generations).where(generations.c.status.in_(ACTIVE))

#: A time of a generation -> the earliest that it can be.
_BEGINS = {
    "started_at": generations.c.created_at,
    "completed_at": func.coalesce(generations.c.started_at, generations.c.created_at),
}


def _not_before(name: str, moment: int) -> Case[int]:
    """When the clock was set back meanwhile, a thing ends when it began: nothing takes less than no time."""
    begin = _BEGINS[name]
    return case((begin > moment, begin), else_=moment)


def _with_outputs(connection: Connection, rows: Sequence[Row[Any]]) -> list[GenerationRecord]:
    found: dict[str, list[OutputRecord]] = {row.id: [] for row in rows}
    if found:
        query = select(outputs).where(outputs.c.generation_id.in_(found)).order_by(outputs.c.position)
        for row in connection.execute(query):
            found[row.generation_id].append(OutputRecord(**row._mapping))
    return [GenerationRecord(**row._mapping, outputs=tuple(found[row.id])) for row in rows]


def add(
    connection: Connection, values: Mapping[str, Any], prompt: str, inputs: Mapping[str, str]
) -> GenerationRecord:
    """Write a new generation, all columns but the growing one, and what it uses (role -> file id)."""
    added = connection.execute(_ADD, {**values, "prompt": prompt})
    used = [
        {"generation_id": values["id"], "role": role, "file_id": file_id} for role, file_id in inputs.items()
    ]
    if used:
        connection.execute(_ADD_INPUTS, used)
    (sequence,) = added.inserted_primary_key or (0,)
    return GenerationRecord(sequence=sequence, **values)


def get(connection: Connection, generation_id: str) -> GenerationRecord | None:
    rows = connection.execute(select(*_columns).where(generations.c.id == generation_id)).all()
    return _with_outputs(connection, rows)[0] if rows else None


def prompt_of(connection: Connection, generation_id: str) -> str | None:
    """The compiled prompt, JSON."""
    query = select(generations.c.prompt).where(generations.c.id == generation_id)
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def page(
    connection: Connection, *, status: str | None, limit: int, offset: int, before: int | None
) -> tuple[int, list[GenerationRecord]]:
    """(how many match, newest first). `before` keeps to sequences below it, so that rows which
    arrive meanwhile do not shift the pages."""
    matching = select(*_columns)
    counting = select(func.count()).select_from(generations)
    if status is not None:
        matching = matching.where(generations.c.status == status)
        counting = counting.where(generations.c.status == status)
    if before is not None:
        matching = matching.where(generations.c.sequence < before)
    rows = connection.execute(
        matching.order_by(generations.c.sequence.desc()).limit(limit).offset(offset)
    ).all()
    return connection.execute(counting).scalar_one(), _with_outputs(connection, rows)


def active(connection: Connection, limit: int | None = None) -> list[GenerationRecord]:
    """Queued and processing ones, oldest first."""
    rows = connection.execute(
        select(*_columns)
        .where(generations.c.status.in_(ACTIVE))
        .order_by(generations.c.sequence)
        .limit(limit)
    ).all()
    return _with_outputs(connection, rows)


def status_of_prompt(connection: Connection, prompt_id: str) -> str | None:
    """The status of the generation that runs this prompt; None where it is no generation's."""
    query = select(generations.c.status).where(generations.c.prompt_id == prompt_id)
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def completed(connection: Connection, limit: int) -> list[GenerationRecord]:
    """The newest completed ones, newest first."""
    rows = connection.execute(
        select(*_columns)
        .where(generations.c.status == "completed")
        .order_by(generations.c.sequence.desc())
        .limit(limit)
    ).all()
    return _with_outputs(connection, rows)


def count_active(connection: Connection) -> int:
    """How many are queued or processing."""
    return connection.execute(_COUNT_ACTIVE).scalar_one()


def begin(connection: Connection, prompt_id: str, now: int) -> bool:
    """Write down, once for each time in the queue, that ComfyUI has started this prompt."""
    begun = connection.execute(
        update(generations)
        .where(generations.c.prompt_id == prompt_id, generations.c.status == "queued")
        .values(
            status="processing",
            started_at=_not_before("started_at", now),
            attempts=generations.c.attempts + 1,
        )
    )
    return begun.rowcount > 0


def change(
    connection: Connection,
    generation_id: str,
    only_if: Iterable[str],
    *,
    running: str | None = None,
    **values: Any,
) -> bool:
    """Change a generation that is still in one of the states `only_if`; say whether it was.

    `running`: only while that prompt_id is its prompt, so that what is told of an earlier prompt does
    not reach a re-roll or a retry that came after it.
    """
    for name in _BEGINS:
        if values.get(name) is not None:
            values[name] = _not_before(name, values[name])
    matching = [generations.c.id == generation_id, generations.c.status.in_(tuple(only_if))]
    if running is not None:
        matching.append(generations.c.prompt_id == running)
    return connection.execute(update(generations).where(*matching).values(**values)).rowcount > 0


def put_outputs(connection: Connection, generation_id: str, records: Sequence[OutputRecord]) -> None:
    """Write pictures of a generation that is there, each in the place of the one that was there."""
    if records:
        positions = [record.position for record in records]
        connection.execute(
            delete(outputs).where(outputs.c.generation_id == generation_id, outputs.c.position.in_(positions))
        )
        connection.execute(_ADD_OUTPUTS, [vars(record) for record in records])


def set_output(connection: Connection, record: OutputRecord) -> None:
    """Write one picture in the place of the one that was there; nothing when its generation is gone."""
    if not connection.execute(select(exists().where(generations.c.id == record.generation_id))).scalar():
        return
    connection.execute(
        delete(outputs).where(
            outputs.c.generation_id == record.generation_id, outputs.c.position == record.position
        )
    )
    connection.execute(insert(outputs).values(**vars(record)))


def set_outputs(connection: Connection, generation_id: str, records: Iterable[OutputRecord]) -> None:
    """Write all pictures of a generation in the place of those that were there."""
    connection.execute(delete(outputs).where(outputs.c.generation_id == generation_id))
    rows = [vars(record) for record in records]
    if rows:
        connection.execute(_ADD_OUTPUTS, rows)


def output(connection: Connection, generation_id: str, filename: str) -> OutputRecord | None:
    row = connection.execute(
        select(outputs).where(outputs.c.generation_id == generation_id, outputs.c.filename == filename)
    ).one_or_none()
    return OutputRecord(**row._mapping) if row is not None else None


def remove(connection: Connection, generation_id: str) -> list[str]:
    """Remove a generation; give back the ids of the files that it used."""
    used = connection.execute(
        select(generation_inputs.c.file_id)
        .where(generation_inputs.c.generation_id == generation_id)
        .distinct()
    )
    file_ids = list(used.scalars())
    connection.execute(delete(generations).where(generations.c.id == generation_id))
    return file_ids


def count_by_status(connection: Connection) -> dict[str, int]:
    query = select(generations.c.status, func.count()).group_by(generations.c.status)
    return {row[0]: row[1] for row in connection.execute(query)}
