"""The write transactions that end a prompt of a generation: its pictures, its verdict, and what follows.

Each applies only to the prompt that ended, and is atomic: if it raises, nothing has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from ...db import generations as queries
from ...db import scores as score_queries
from ...db.records import GenerationRecord, OutputRecord
from ..spec.reroll import Reroll
from ..spec.scores import not_measured
from ..spec.warning import make_warning
from ..webhooks.outbox import Outbox
from .failures import stops_tries
from .take_transactions import add_take
from .tries import go_on

_NO_SCORES = "The prompt ended without scores for this picture."


def expected_positions(record: GenerationRecord) -> list[int]:
    """The positions of the pictures that the current prompt produces."""
    if record.judging:
        return []
    if record.reroll:
        return [record.reroll.position]
    return list(range(len(record.spec.pictures)))


def write_pictures(
    connection: Connection, record: GenerationRecord, pictures: Sequence[OutputRecord]
) -> GenerationRecord | None:
    """Write the rows of pictures of a running generation; returns it, or None if it no longer runs."""
    if queries.status_of_prompt(connection, record.prompt_id) not in queries.ACTIVE:
        return None
    queries.upsert_outputs(connection, record.id, pictures)
    return queries.get(connection, record.id)


def write_completion(
    connection: Connection,
    record: GenerationRecord,
    pictures: Sequence[OutputRecord],
    error: str | None,
    outbox: Outbox,
    now: int,
) -> GenerationRecord | None:
    """Complete a generation, or let it make another picture (`tries.go_on`). `error` is what ended the prompt
    after its pictures were saved. Returns the generation, or None if another prompt has taken over."""
    # Read again, because another take may have been chosen since the prompt was queued.
    before = queries.get(connection, record.id)
    if before is None:
        return None
    end: dict[str, Any] = {"status": "completed", "reroll": None, "judging": None}
    receipt = before.receipt
    if record.reroll:
        spec, receipt = record.reroll.apply(before.spec, receipt)
        end["spec"] = spec.to_json()
    if record.judging:  # judging is no part of the time that it took
        started = {"started_at": record.judging.started_at}
        # Before the end, which is never before the start that the row has.
        queries.update_row(connection, record.id, queries.ACTIVE, running=record.prompt_id, **started)
        end["completed_at"] = record.judging.completed_at
    if error is not None and (record.judging or record.spec.judge):
        detail = f"The pictures could not be judged: {error}"
        receipt = receipt.with_warnings(
            [*receipt.warnings, make_warning("judge_failed", detail, error=error)]
        )
    if receipt is not before.receipt:
        end["receipt"] = receipt.to_json()
    if not write_end(connection, record, end, now):
        return None
    if record.reroll:
        for picture in pictures:
            add_take(connection, before, picture)
    else:
        queries.upsert_outputs(connection, record.id, pictures)
    _explain_missing_scores(connection, record, error or _NO_SCORES)
    return _go_on(connection, record, outbox, now, stops=stops_tries(error))


def _explain_missing_scores(connection: Connection, record: GenerationRecord, reason: str) -> None:
    """Say of each picture that was to be judged, and was not, why."""
    if record.judging:
        takes: Iterable[tuple[int, int]] = record.judging.takes
    elif record.spec.judge is None:
        return
    else:
        take = record.reroll.take if record.reroll else 1
        takes = [(position, take) for position in expected_positions(record)]
    scores = not_measured(reason, record.prompt_id).to_json()
    for position, take in takes:
        if score_queries.get(connection, record.id, position, take) is None:
            score_queries.put(connection, record.id, position, take, scores)


def _go_on(
    connection: Connection, record: GenerationRecord, outbox: Outbox, now: int, *, stops: bool
) -> GenerationRecord | None:
    """Let a generation whose prompt has ended make another picture, if the last one is not good enough, or
    tell its end."""
    ended = queries.get(connection, record.id)
    if ended is not None and ended.tries_json is not None and not record.judging:
        last = record.reroll or record.next_try
        after = go_on(connection, ended, last.position if last else None, stops=stops)
        if after.next_try_json is not None:
            return after
    return _queue_webhook(connection, record, outbox, now)


def write_failure(
    connection: Connection,
    record: GenerationRecord,
    error: str,
    pictures: Sequence[OutputRecord],
    outbox: Outbox,
    now: int,
) -> GenerationRecord | None:
    """Fail a generation with the pictures that are there; one whose pictures are complete keeps them and is
    completed. Returns the generation, or None if another prompt has taken over."""
    if record.keeps_pictures:  # the generation is still complete, with its old picture
        before = queries.get(connection, record.id) or record  # with what was chosen since
        end: dict[str, Any] = {"status": "completed", "reroll": None, "next_try": None}
        failed = record.reroll
        if record.next_try:
            view = before.spec.pictures[record.next_try.position]
            failed = Reroll(record.next_try.position, view, record.next_try.seed, ())
        if failed:
            end["receipt"] = failed.fail(before.spec, before.receipt, error).to_json()
        if not write_end(connection, record, end, now):
            return None
        return _go_on(connection, record, outbox, now, stops=stops_tries(error))
    if not write_end(connection, record, {"status": "failed", "error": error}, now):
        return None
    queries.set_outputs(connection, record.id, pictures)
    return _queue_webhook(connection, record, outbox, now)


def write_end(connection: Connection, record: GenerationRecord, values: Mapping[str, Any], now: int) -> bool:
    """Write how a prompt ended; returns whether it was still that of the generation."""
    columns = {"completed_at": now, "waiting_place": None, **values}
    return queries.update_row(connection, record.id, queries.ACTIVE, running=record.prompt_id, **columns)


def _queue_webhook(
    connection: Connection, record: GenerationRecord, outbox: Outbox, now: int
) -> GenerationRecord | None:
    after = queries.get(connection, record.id)
    if after is not None:
        outbox.add(connection, after, now)
        outbox.end_batch(connection, after.batch_id, now)
    return after
