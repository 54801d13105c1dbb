"""Queries on generations and their outputs. Each takes the connection first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from itertools import combinations
from typing import Any

from sqlalchemy import (
    Case,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from . import row_counts, terms
from .changes import of_generation
from .records import GenerationRecord, OutputRecord
from .tables import generation_inputs, generations, outputs, picture_scores

ACTIVE = ("queued", "processing")

# Statements are built once: building one takes SQLAlchemy longer than running it takes SQLite. The compiled
# prompt, by far the largest column, is left out: only a restart needs it.
#: Field of a record -> column, for every column that a record holds.
_COLUMN_OF = {item.name: item.name.removesuffix("_json") for item in fields(GenerationRecord)}
del _COLUMN_OF["outputs"]
_FIELD_OF = {column: name for name, column in _COLUMN_OF.items()}
_COLUMNS = [generations.c[column] for column in _COLUMN_OF.values()]
#: What the row of a picture holds; its scores are rows of their own.
_OF_OUTPUTS = tuple(field.name for field in fields(OutputRecord) if field.name != "scores_json")
_ROW = select(*_COLUMNS)
_BY_ID = _ROW.where(generations.c.id == bindparam("generation_id"))
_BY_SEQUENCE = _ROW.where(generations.c.sequence.in_(bindparam("sequences", expanding=True)))
# Of those that wait, in a batch or between two tries, only the small indexes are read.
_waiting = select(generations.c.sequence).where(generations.c.waiting_place.is_not(None))
_between_tries = select(generations.c.sequence).where(generations.c.next_try.is_not(None))
_in_queue = (
    generations.c.status.in_(ACTIVE),
    generations.c.sequence.not_in(_waiting),
    generations.c.sequence.not_in(_between_tries),
)
_ACTIVE = select(generations.c.sequence).where(*_in_queue)
_OUTPUTS = (
    select(*(outputs.c[name] for name in _OF_OUTPUTS), picture_scores.c.scores)
    .select_from(
        outputs.outerjoin(
            picture_scores,
            and_(
                picture_scores.c.generation_id == outputs.c.generation_id,
                picture_scores.c.position == outputs.c.position,
                picture_scores.c.take == outputs.c.take,
            ),
        )
    )
    .where(outputs.c.generation_id.in_(bindparam("generation_ids", expanding=True)))
    .order_by(outputs.c.generation_id, outputs.c.position)
)


#: The columns by which a page can be filtered.
_FILTERS = {
    "status": generations.c.status,
    "character_id": generations.c.character_id,
    "batch_id": generations.c.batch_id,
}


def _page_query(names: Collection[str], *, before: bool) -> Select[tuple[int]]:
    """The sequences of a page, newest first. An index covers the query, whatever the offset."""
    query = select(generations.c.sequence).where(*_matching(names))
    if before:
        query = query.where(generations.c.sequence < bindparam("before"))
    query = query.order_by(generations.c.sequence.desc())
    return query.limit(bindparam("most")).offset(bindparam("skipped"))


def _matching(names: Collection[str]) -> list[ColumnElement[bool]]:
    return [_FILTERS[name] == bindparam(name) for name in names]


_CHOICES = [frozenset(names) for size in range(len(_FILTERS) + 1) for names in combinations(_FILTERS, size)]
_PAGES = {
    (names, before): _page_query(names, before=before) for names in _CHOICES for before in (False, True)
}
_COUNTS = {
    names: select(func.count()).select_from(generations).where(*_matching(names)) for names in _CHOICES
}

# Older SQLite takes 999 values in a statement.
_AT_ONCE = 500
_ADD = insert(generations)
_ADD_INPUTS = insert(generation_inputs)
_ADD_OUTPUTS = insert(outputs)
_COUNT_ACTIVE = select(func.count()).select_from(generations).where(*_in_queue)

#: Column of a time -> the earliest value that it can have.
_EARLIEST = {
    "started_at": generations.c.created_at,
    "completed_at": func.coalesce(generations.c.started_at, generations.c.created_at),
}


def _not_before(name: str, time: int) -> Case[int]:
    """The time, or the earliest possible one if the clock was set back: durations are never negative."""
    earliest = _EARLIEST[name]
    return case((earliest > time, earliest), else_=time)


def _with_outputs(connection: Connection, rows: Sequence[Row[Any]]) -> list[GenerationRecord]:
    pictures: dict[str, list[OutputRecord]] = {row.id: [] for row in rows}
    if pictures:
        for row in connection.execute(_OUTPUTS, {"generation_ids": list(pictures)}):
            pictures[row.generation_id].append(OutputRecord(*row))
    complete: list[tuple[Any, ...]] = [(*row, tuple(pictures[row.id])) for row in rows]
    return [GenerationRecord(*values) for values in complete]


def add(
    connection: Connection, values: Mapping[str, Any], prompt: str, inputs: Mapping[str, str]
) -> GenerationRecord:
    """Insert a generation, with all columns except `sequence`, and the files that it uses (role -> file
    id)."""
    row = {**values, "prompt": prompt}
    added = connection.execute(_ADD, row, execution_options=of_generation(values["id"]))
    used = [
        {"generation_id": values["id"], "role": role, "file_id": file_id} for role, file_id in inputs.items()
    ]
    if used:
        connection.execute(_ADD_INPUTS, used)
    terms.add_rows(connection, [row])
    (sequence,) = added.inserted_primary_key or (0,)
    return GenerationRecord(sequence=sequence, **{_FIELD_OF[name]: value for name, value in values.items()})


def add_many(
    connection: Connection, rows: Sequence[Mapping[str, Any]], inputs: Sequence[Mapping[str, str]]
) -> None:
    """Insert generations, with all columns except `sequence`, and the files that they use: rows of
    `generation_inputs`."""
    connection.execute(_ADD, rows, execution_options=of_generation(*(row["id"] for row in rows)))
    if inputs:
        connection.execute(_ADD_INPUTS, inputs)
    terms.add_rows(connection, rows)


def columns_of(record: GenerationRecord) -> dict[str, Any]:
    """The row of this record: column -> value."""
    return {column: getattr(record, name) for name, column in _COLUMN_OF.items()}


def get(connection: Connection, generation_id: str) -> GenerationRecord | None:
    rows = connection.execute(_BY_ID, {"generation_id": generation_id}).all()
    return _with_outputs(connection, rows)[0] if rows else None


def get_many(connection: Connection, generation_ids: Sequence[str]) -> list[GenerationRecord]:
    """Those of these generations that exist, in the order of their ids here."""
    found: dict[str, GenerationRecord] = {}
    for start in range(0, len(generation_ids), _AT_ONCE):
        some = generation_ids[start : start + _AT_ONCE]
        rows = connection.execute(_ROW.where(generations.c.id.in_(some))).all()
        found.update({record.id: record for record in _with_outputs(connection, rows)})
    return [found[generation_id] for generation_id in generation_ids if generation_id in found]


def prompt_of(connection: Connection, generation_id: str) -> str | None:
    """The compiled prompt, as JSON."""
    query = select(generations.c.prompt).where(generations.c.id == generation_id)
    prompt: str | None = connection.execute(query).scalar_one_or_none()
    return prompt


def page(
    connection: Connection,
    *,
    status: str | None,
    limit: int,
    offset: int,
    before: int | None,
    character_id: str | None = None,
    batch_id: str | None = None,
) -> list[int]:
    """The sequences of a page, newest first. `before` limits it to lower sequences, so that new rows do not
    shift the pages."""
    filters = _given(status=status, character_id=character_id, batch_id=batch_id)
    values = filters if before is None else {**filters, "before": before}
    query = _PAGES[frozenset(filters), before is not None]
    return [row.sequence for row in connection.execute(query, {"most": limit, "skipped": offset, **values})]


def count(
    connection: Connection,
    *,
    status: str | None = None,
    character_id: str | None = None,
    batch_id: str | None = None,
) -> int:
    """The number of matching generations. Those of a batch are counted along their index."""
    if batch_id is None and character_id is not None:
        return row_counts.generations_of_character(connection, character_id, status)
    if batch_id is None:
        return row_counts.count_generations(connection, status)
    filters = _given(status=status, character_id=character_id, batch_id=batch_id)
    return connection.execute(_COUNTS[frozenset(filters)], filters).scalar_one()


def _given(**filters: str | None) -> dict[str, Any]:
    return {name: value for name, value in filters.items() if value is not None}


def by_sequence(connection: Connection, sequences: Iterable[int]) -> dict[int, GenerationRecord]:
    """The existing generations with these sequences, by sequence."""
    wanted = list(sequences)
    if not wanted:
        return {}
    rows = connection.execute(_BY_SEQUENCE, {"sequences": wanted}).all()
    return {record.sequence: record for record in _with_outputs(connection, rows)}


def active(connection: Connection, limit: int | None = None) -> list[GenerationRecord]:
    """Queued and processing generations, oldest first, without those of batches that wait and those between
    two tries: no prompt of them is in ComfyUI's queue."""
    sequences = sorted(connection.execute(_ACTIVE).scalars())[:limit]
    records = by_sequence(connection, sequences)
    return [records[sequence] for sequence in sequences]


def status_of_prompt(connection: Connection, prompt_id: str) -> str | None:
    """The status of the generation with this prompt; None if there is none."""
    query = select(generations.c.status).where(generations.c.prompt_id == prompt_id)
    status: str | None = connection.execute(query).scalar_one_or_none()
    return status


def completed(connection: Connection, limit: int) -> list[GenerationRecord]:
    """The newest completed generations, newest first."""
    rows = connection.execute(
        _ROW.where(generations.c.status == "completed").order_by(generations.c.sequence.desc()).limit(limit)
    ).all()
    return _with_outputs(connection, rows)


def count_active(connection: Connection) -> int:
    """The number of queued and processing generations, without those that `active` leaves out."""
    return connection.execute(_COUNT_ACTIVE).scalar_one()


def set_started(connection: Connection, prompt_id: str, now: int) -> bool:
    """Record that ComfyUI has started this prompt; returns False if that was recorded already."""
    query = select(generations.c.id).where(generations.c.prompt_id == prompt_id)
    generation_id: str | None = connection.execute(query).scalar_one_or_none()
    if generation_id is None:
        return False
    updated = connection.execute(
        update(generations)
        .where(generations.c.prompt_id == prompt_id, generations.c.status == "queued")
        .values(
            status="processing",
            started_at=_not_before("started_at", now),
            attempts=generations.c.attempts + 1,
        ),
        execution_options=of_generation(generation_id),
    )
    return updated.rowcount > 0


def update_row(
    connection: Connection,
    generation_id: str,
    only_if: Iterable[str],
    *,
    running: str | None = None,
    **values: Any,
) -> bool:
    """Update a generation if its status is one of `only_if`; returns whether it was updated.

    With `running`, also only if that is its prompt_id, so that events of an earlier prompt do not change a
    later re-roll or retry.
    """
    for name in _EARLIEST:
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
    """Insert or replace pictures of an existing generation."""
    if records:
        options = of_generation(generation_id)
        positions = [record.position for record in records]
        connection.execute(
            delete(outputs).where(
                outputs.c.generation_id == generation_id, outputs.c.position.in_(positions)
            ),
            execution_options=options,
        )
        connection.execute(
            _ADD_OUTPUTS, [_output_row(record) for record in records], execution_options=options
        )


def _output_row(record: OutputRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in _OF_OUTPUTS}


def set_output(connection: Connection, record: OutputRecord) -> None:
    """Insert or replace one picture, if its generation still exists."""
    if connection.execute(select(exists().where(generations.c.id == record.generation_id))).scalar():
        upsert_outputs(connection, record.generation_id, [record])


def set_outputs(connection: Connection, generation_id: str, records: Iterable[OutputRecord]) -> None:
    """Replace all pictures of a generation."""
    options = of_generation(generation_id)
    connection.execute(
        delete(outputs).where(outputs.c.generation_id == generation_id), execution_options=options
    )
    rows = [_output_row(record) for record in records]
    if rows:
        connection.execute(_ADD_OUTPUTS, rows, execution_options=options)


def output(connection: Connection, generation_id: str, filename: str) -> OutputRecord | None:
    row = connection.execute(
        select(outputs).where(outputs.c.generation_id == generation_id, outputs.c.filename == filename)
    ).one_or_none()
    return OutputRecord(**row._mapping) if row is not None else None


def remove(connection: Connection, *generation_ids: str) -> list[str]:
    """Delete generations; returns the ids of the files that they used."""
    file_ids: set[str] = set()
    for start in range(0, len(generation_ids), _AT_ONCE):
        some = generation_ids[start : start + _AT_ONCE]
        used = select(generation_inputs.c.file_id).where(generation_inputs.c.generation_id.in_(some))
        file_ids.update(connection.execute(used.distinct()).scalars())
        connection.execute(
            delete(generations).where(generations.c.id.in_(some)), execution_options=of_generation(*some)
        )
    return sorted(file_ids)


def count_by_status(connection: Connection) -> dict[str, int]:
    """Number of generations per status, without statuses that none has."""
    return row_counts.generations_by_status(connection)
