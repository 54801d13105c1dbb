"""Queries on generations and their outputs. Each takes the connection first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import (
    Case,
    Connection,
    Row,
    Select,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from . import row_counts
from .changes import of_generation
from .records import GenerationRecord, OutputRecord
from .tables import generation_inputs, generations, outputs

ACTIVE = ("queued", "processing")

# Made once: SQLAlchemy takes longer to put a statement together than SQLite to answer it. The compiled prompt
# is by far the largest column; only a restart needs it.
#: Field of a record -> column, for every column that a record holds.
_COLUMN_OF = {one.name: one.name.removesuffix("_json") for one in fields(GenerationRecord)}
del _COLUMN_OF["outputs"]
_FIELD_OF = {column: name for name, column in _COLUMN_OF.items()}
_COLUMNS = [generations.c[column] for column in _COLUMN_OF.values()]
_OUTPUT_COLUMNS = [outputs.c[field.name] for field in fields(OutputRecord)]
_ROW = select(*_COLUMNS)
_BY_ID = _ROW.where(generations.c.id == bindparam("generation_id"))
_BY_SEQUENCE = _ROW.where(generations.c.sequence.in_(bindparam("sequences", expanding=True)))
_ACTIVE = select(generations.c.sequence).where(generations.c.status.in_(ACTIVE))
_OUTPUTS = (
    select(*_OUTPUT_COLUMNS)
    .where(outputs.c.generation_id.in_(bindparam("generation_ids", expanding=True)))
    .order_by(outputs.c.generation_id, outputs.c.position)
)


def _placeholders(*, of_status: bool, behind: bool) -> Select[tuple[int]]:
    """The sequences of a page, newest first: an index holds all of it, however far the page is skipped to."""
    query = select(generations.c.sequence)
    if of_status:
        query = query.where(generations.c.status == bindparam("status"))
    if behind:
        query = query.where(generations.c.sequence < bindparam("before"))
    query = query.order_by(generations.c.sequence.desc())
    return query.limit(bindparam("most")).offset(bindparam("skipped"))


_PLACES = {
    (of_status, behind): _placeholders(of_status=of_status, behind=behind)
    for of_status in (False, True)
    for behind in (False, True)
}

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
        for row in connection.execute(_OUTPUTS, {"generation_ids": list(found)}):
            found[row.generation_id].append(OutputRecord(*row))
    whole: list[tuple[Any, ...]] = [(*row, tuple(found[row.id])) for row in rows]
    return [GenerationRecord(*values) for values in whole]


def add(
    connection: Connection, values: Mapping[str, Any], prompt: str, inputs: Mapping[str, str]
) -> GenerationRecord:
    """Write a new generation, all columns but the growing one, and what it uses (role -> file id)."""
    row = {**values, "prompt": prompt}
    added = connection.execute(_ADD, row, execution_options=of_generation(values["id"]))
    used = [
        {"generation_id": values["id"], "role": role, "file_id": file_id} for role, file_id in inputs.items()
    ]
    if used:
        connection.execute(_ADD_INPUTS, used)
    (sequence,) = added.inserted_primary_key or (0,)
    return GenerationRecord(sequence=sequence, **{_FIELD_OF[name]: value for name, value in values.items()})


def columns_of(record: GenerationRecord) -> dict[str, Any]:
    """The row of this record: column -> value."""
    return {column: getattr(record, name) for name, column in _COLUMN_OF.items()}


def get(connection: Connection, generation_id: str) -> GenerationRecord | None:
    rows = connection.execute(_BY_ID, {"generation_id": generation_id}).all()
    return _with_outputs(connection, rows)[0] if rows else None


def prompt_of(connection: Connection, generation_id: str) -> str | None:
    """The compiled prompt, JSON."""
    query = select(generations.c.prompt).where(generations.c.id == generation_id)
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def page(
    connection: Connection, *, status: str | None, limit: int, offset: int, before: int | None
) -> list[int]:
    """The sequences of those that match, newest first. `before` keeps to sequences below it, so that rows
    which arrive meanwhile do not shift the pages."""
    given = {"status": status, "before": before}
    values = {name: value for name, value in given.items() if value is not None}
    query = _PLACES[status is not None, before is not None]
    return [row.sequence for row in connection.execute(query, {"most": limit, "skipped": offset, **values})]


def by_sequence(connection: Connection, sequences: Iterable[int]) -> dict[int, GenerationRecord]:
    """Those that exist, by their sequence."""
    wanted = list(sequences)
    if not wanted:
        return {}
    rows = connection.execute(_BY_SEQUENCE, {"sequences": wanted}).all()
    return {record.sequence: record for record in _with_outputs(connection, rows)}


def active(connection: Connection, limit: int | None = None) -> list[GenerationRecord]:
    """Queued and processing ones, oldest first."""
    sequences = sorted(connection.execute(_ACTIVE).scalars())[:limit]
    found = by_sequence(connection, sequences)
    return [found[sequence] for sequence in sequences]


def status_of_prompt(connection: Connection, prompt_id: str) -> str | None:
    """The status of the generation that runs this prompt; None where it is no generation's."""
    query = select(generations.c.status).where(generations.c.prompt_id == prompt_id)
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def completed(connection: Connection, limit: int) -> list[GenerationRecord]:
    """The newest completed ones, newest first."""
    rows = connection.execute(
        _ROW.where(generations.c.status == "completed").order_by(generations.c.sequence.desc()).limit(limit)
    ).all()
    return _with_outputs(connection, rows)


def count_active(connection: Connection) -> int:
    """How many are queued or processing."""
    return connection.execute(_COUNT_ACTIVE).scalar_one()


def set_started(connection: Connection, prompt_id: str, now: int) -> bool:
    """Write down, once for each time in the queue, that ComfyUI has started this prompt."""
    query = select(generations.c.id).where(generations.c.prompt_id == prompt_id)
    generation_id: str | None = connection.execute(query).scalar_one_or_none()
    if generation_id is None:
        return False
    begun = connection.execute(
        update(generations)
        .where(generations.c.prompt_id == prompt_id, generations.c.status == "queued")
        .values(
            status="processing",
            started_at=_not_before("started_at", now),
            attempts=generations.c.attempts + 1,
        ),
        execution_options=of_generation(generation_id),
    )
    return begun.rowcount > 0


def update_row(
    connection: Connection,
    generation_id: str,
    only_if: Iterable[str],
    *,
    running: str | None = None,
    **values: Any,
) -> bool:
    """Change a generation that is still in one of the states `only_if`; say whether it was.

    `running`: only while that prompt_id is its prompt, so that news of an earlier prompt does
    not reach a re-roll or a retry that came after it.
    """
    for name in _BEGINS:
        if values.get(name) is not None:
            values[name] = _not_before(name, values[name])
    matching = [generations.c.id == generation_id, generations.c.status.in_(tuple(only_if))]
    if running is not None:
        matching.append(generations.c.prompt_id == running)
    changed = connection.execute(
        update(generations).where(*matching).values(**values), execution_options=of_generation(generation_id)
    )
    return changed.rowcount > 0


def upsert_outputs(connection: Connection, generation_id: str, records: Sequence[OutputRecord]) -> None:
    """Write pictures of a generation that is there, each in the place of the one that was there."""
    if records:
        ours = of_generation(generation_id)
        positions = [record.position for record in records]
        connection.execute(
            delete(outputs).where(
                outputs.c.generation_id == generation_id, outputs.c.position.in_(positions)
            ),
            execution_options=ours,
        )
        connection.execute(_ADD_OUTPUTS, [vars(record) for record in records], execution_options=ours)


def set_output(connection: Connection, record: OutputRecord) -> None:
    """Write one picture in the place of the one that was there; nothing when its generation is gone."""
    if connection.execute(select(exists().where(generations.c.id == record.generation_id))).scalar():
        upsert_outputs(connection, record.generation_id, [record])


def set_outputs(connection: Connection, generation_id: str, records: Iterable[OutputRecord]) -> None:
    """Write all pictures of a generation in the place of those that were there."""
    ours = of_generation(generation_id)
    connection.execute(
        delete(outputs).where(outputs.c.generation_id == generation_id), execution_options=ours
    )
    rows = [vars(record) for record in records]
    if rows:
        connection.execute(_ADD_OUTPUTS, rows, execution_options=ours)


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
    connection.execute(
        delete(generations).where(generations.c.id == generation_id),
        execution_options=of_generation(generation_id),
    )
    return file_ids


def count_by_status(connection: Connection) -> dict[str, int]:
    """Those states that some generation is in."""
    return row_counts.generations_by_status(connection)
