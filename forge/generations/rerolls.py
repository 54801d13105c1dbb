"""Re-rolls that begin at once or wait for one another: which picture, its seed, and their transactions.

A generation runs one re-roll at a time. The next ones are in its row, in order, so that they outlive ComfyUI;
`RerollDispatcher` begins each when the one before it has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from ...db import generations as queries
from ...db import scores as score_queries
from ...db.records import GenerationRecord
from ..errors import ConflictError, NotFoundError
from ..spec.avatar import AvatarSpec
from ..spec.reroll import (
    MOST_TAKES,
    MOST_WAITING_REROLLS,
    RequestedReroll,
    Reroll,
    waiting_to_json,
)
from .applicability import check_rerollable, position_of
from .template import draw_seed, require_seed_slot
from .transactions import requeue


class RerollChangedError(ConflictError):
    """The generation has changed since it was read: look again."""

    def __init__(self) -> None:
        super().__init__("Another request changed this generation at the same time. Send it again.")


def choose_reroll(
    spec: AvatarSpec, view: str | None, number: int | None, seed: int | None
) -> RequestedReroll:
    """The re-roll of the picture that `position_of` finds. A `seed` of None draws a new one. Raises
    UnprocessableError."""
    position = position_of(spec, view, number)
    require_seed_slot(spec)
    check_rerollable(spec)
    return RequestedReroll(position, draw_seed(template=spec.template is not None) if seed is None else seed)


def check_has_room(record: GenerationRecord, wanted: RequestedReroll) -> None:
    """Raises ConflictError if a picture has as many takes as it may have, with those that run and wait, or if
    too many re-rolls wait."""
    expected = [waiting.position for waiting in record.waiting_rerolls]
    if record.reroll is not None:
        expected.append(record.reroll.position)
    current = record.output_at(wanted.position)
    takes = current.takes if current is not None else 0
    if takes + expected.count(wanted.position) >= MOST_TAKES:
        raise ConflictError(
            f"A picture has {MOST_TAKES} takes at most, with those that are still to be made. Delete some.",
            code="too_many_takes",
            parameters={"limit": MOST_TAKES},
        )
    if len(record.waiting_rerolls) >= MOST_WAITING_REROLLS:
        raise ConflictError(
            f"{MOST_WAITING_REROLLS} re-rolls of this generation wait, which is the limit. Send it again "
            "when some of them have ended.",
            code="too_many_rerolls",
            parameters={"limit": MOST_WAITING_REROLLS},
        )


def begin_reroll(connection: Connection, before: GenerationRecord, **values: Any) -> GenerationRecord:
    """Queue a completed generation with the prompt of a re-roll. Raises RerollChangedError if its row is not
    as it was in `before`: then spec, receipt, take and what waits may be others."""
    ready = before.status == "completed" or before.next_try_json is not None
    if not ready or queries.get(connection, before.id) != before:
        raise RerollChangedError
    made = Reroll.from_json(values["reroll"])
    # Those of an earlier re-roll that failed after it was judged: its number is free again.
    score_queries.remove(connection, before.id, made.position, made.take)
    return requeue(connection, before, "Another re-roll of this generation has just begun.", **values)


def add_waiting(connection: Connection, generation_id: str, wanted: RequestedReroll) -> GenerationRecord:
    """Let a re-roll wait for those before it. Raises NotFoundError, ConflictError, or RerollChangedError if
    none is left before it."""
    record = queries.get(connection, generation_id)
    if record is None:
        raise NotFoundError(f"No generation {generation_id} exists.", code="generation_not_found")
    if not record.is_rerolling:
        raise RerollChangedError
    check_has_room(record, wanted)
    return _set_waiting(connection, record, (*record.waiting_rerolls, wanted))


def remove_waiting(connection: Connection, generation_id: str) -> GenerationRecord | None:
    """Let no re-roll of a generation wait any more; returns the generation, or None if none waited."""
    record = queries.get(connection, generation_id)
    if record is None or record.waiting_rerolls_json is None:
        return None
    return _set_waiting(connection, record, ())


def fail_waiting(connection: Connection, before: GenerationRecord, error: str) -> GenerationRecord | None:
    """End the first re-roll that waits, because it cannot begin; its picture stays as it is. Returns the
    generation, or None if it has changed since `before` was read."""
    if queries.get(connection, before.id) != before:
        return None
    wanted, *others = before.waiting_rerolls
    view = before.spec.pictures[wanted.position]
    receipt = Reroll(wanted.position, view, wanted.seed, ()).fail(before.spec, before.receipt, error)
    return _set_waiting(connection, before, others, receipt=receipt.to_json())


def _set_waiting(
    connection: Connection,
    record: GenerationRecord,
    waiting: Sequence[RequestedReroll],
    **values: Any,
) -> GenerationRecord:
    queries.update_row(
        connection,
        record.id,
        [record.status],
        running=record.prompt_id,
        waiting_rerolls=waiting_to_json(waiting),
        **values,
    )
    return queries.get(connection, record.id) or record
