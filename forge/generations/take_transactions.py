"""The write transactions that add, choose and delete takes of a picture.

Each is atomic: if it raises, nothing has changed. The current take is the picture's row of `outputs`; the
others are rows of `takes`. No transaction touches a file: each take has one of its own.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from ...db import generations as queries
from ...db import scores as score_queries
from ...db import takes as take_queries
from ...db.records import GenerationRecord, OutputRecord, TakeRecord
from ..errors import ConflictError, NotFoundError
from ..spec.reroll import Reroll


def add_take(connection: Connection, before: GenerationRecord, picture: OutputRecord) -> None:
    """Make a new picture the current take of its position, and keep the one that was. `before` is the
    generation with the seed and the receipt of that one."""
    old = before.output_at(picture.position)
    last = picture.take
    if old is not None and old.take != picture.take:
        last = max(last, old.last_take)
        take_queries.add(connection, old, _way_back(before, old))
    _set_current(connection, replace(picture, last_take=last))


def choose_take(connection: Connection, generation_id: str, position: int, take: int) -> GenerationRecord:
    """Make an earlier take the current one; returns the generation. Nothing changes if it is that already.
    Raises NotFoundError."""
    record, current = _find(connection, generation_id, position)
    if current.take == take:
        return record
    wanted = _require(connection, current, take)
    if wanted.picture.lost_at is not None:
        raise NotFoundError("The bytes of this take are gone from the disk.", code="file_lost")
    spec, receipt = wanted.made.apply(record.spec, record.receipt)
    queries.update_row(
        connection,
        record.id,
        [record.status],
        running=record.prompt_id,
        spec=spec.to_json(),
        receipt=receipt.to_json(),
    )
    take_queries.remove(connection, wanted.picture)
    take_queries.add(connection, current, _way_back(record, current))
    _set_current(connection, replace(wanted.picture, last_take=current.last_take))
    return queries.get(connection, generation_id) or record


def delete_take(connection: Connection, generation_id: str, position: int, take: int) -> GenerationRecord:
    """Delete the row of a take; returns the generation. Raises NotFoundError, or ConflictError for the
    current one."""
    record, current = _find(connection, generation_id, position)
    if current.take == take:
        raise ConflictError(
            f"Take {take} is the current one. Choose another one first.",
            code="take_is_current",
            parameters={"take": take},
        )
    take_queries.remove(connection, _require(connection, current, take).picture)
    score_queries.remove(connection, generation_id, position, take)
    _set_current(connection, current)
    return queries.get(connection, generation_id) or record


def _find(connection: Connection, generation_id: str, position: int) -> tuple[GenerationRecord, OutputRecord]:
    record = queries.get(connection, generation_id)
    if record is None:
        raise NotFoundError(f"No generation {generation_id} exists.", code="generation_not_found")
    current = record.output_at(position)
    if current is None:
        raise NotFoundError(
            f"Generation {generation_id} has no picture {position + 1}.", code="output_not_found"
        )
    return record, current


def _require(connection: Connection, current: OutputRecord, take: int) -> TakeRecord:
    found = take_queries.get(connection, current.generation_id, current.position, take)
    if found is None:
        raise NotFoundError(
            f"This picture has no take {take}. It may have been deleted.",
            code="take_not_found",
            parameters={"take": take},
        )
    return found


def _way_back(record: GenerationRecord, current: OutputRecord) -> str:
    return Reroll.of_current(record.spec, record.receipt, current.position, current.take).to_json()


def _set_current(connection: Connection, picture: OutputRecord) -> None:
    """Write the row of the current take, with the number of takes that are kept now."""
    kept = take_queries.count(connection, picture.generation_id, picture.position) + 1
    queries.upsert_outputs(connection, picture.generation_id, [replace(picture, takes=kept)])
