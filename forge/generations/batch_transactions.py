"""The transactions on batches. Each is atomic: if it raises, nothing has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from ...db import batches as queries
from ...db import characters as character_queries
from ...db import files as file_queries
from ...db import generations as generation_queries
from ...db import templates as template_queries
from ...db.records import BatchItem, BatchRecord, BatchSummary, FileRecord
from ..errors import BusyError, ConflictError, NotFoundError
from ..store.files import unknown_file
from ..webhooks.outbox import Outbox
from .batch_preparation import PreparedBatch
from .batch_request import about_request
from .failures import CANCELLED
from .transactions import remove

FULL_LINE_SECONDS = 60


def unknown_batch(batch_id: str) -> NotFoundError:
    return NotFoundError(f"No batch {batch_id} exists.", code="batch_not_found")


def require(connection: Connection, batch_id: str) -> BatchRecord:
    """Raises NotFoundError."""
    record = queries.get(connection, batch_id)
    if record is None:
        raise unknown_batch(batch_id)
    return record


def read_batch(connection: Connection, batch_id: str) -> tuple[BatchSummary, tuple[BatchItem, ...]]:
    """A batch with its counts and its generations. Raises NotFoundError."""
    record = require(connection, batch_id)
    items = queries.items(connection, batch_id)
    return BatchSummary(record, queries.counts(connection, [batch_id])[batch_id]), items


def check_waiting_limit(connection: Connection, more: int, limit: int) -> None:
    """Raises BusyError if more than `limit` generations would wait with these."""
    waiting = queries.count_waiting(connection)
    if waiting + more > limit:
        raise BusyError(
            f"{waiting} generations of batches wait already, and with these {more} there would be more than "
            f"{limit}, which is the limit (MAX_WAITING_ITEMS). Send it again when some of them have ended.",
            FULL_LINE_SECONDS,
            code="waiting_full",
            parameters={"limit": limit},
        )


def commit_batch(connection: Connection, batch: PreparedBatch, limit: int, now: int) -> BatchRecord:
    """Add a batch and all its generations, which wait from now on. Raises BusyError, and NotFoundError if one
    of the files or templates has been deleted since."""
    check_waiting_limit(connection, len(batch.items), limit)
    _touch_files(connection, batch, now)
    record = queries.add(connection, replace(batch.record, created_at=now))
    first = queries.first_free_place(connection)
    rows = [{**item.columns, "created_at": now, "waiting_place": first + item.order} for item in batch.items]
    inputs = [
        {"generation_id": item.columns["id"], "role": role, "file_id": file_id}
        for item in batch.items
        for role, file_id in item.used.items()
    ]
    generation_queries.add_many(connection, rows, inputs)
    _use_templates(connection, batch)
    _check_characters(connection, batch)
    return record


def cancel_waiting(connection: Connection, batch_id: str, outbox: Outbox, now: int) -> list[str]:
    """Cancel all generations of a batch that wait, with their webhooks; returns their ids."""
    ids = queries.fail_waiting(connection, batch_id, CANCELLED, now)
    for generation_id in queries.with_callback(connection, ids):
        record = generation_queries.get(connection, generation_id)
        if record is not None:
            outbox.add(connection, record, now)
    outbox.end_batch(connection, batch_id, now)
    return ids


def retry_failed(connection: Connection, batch_id: str, ordered: Sequence[str], limit: int) -> BatchRecord:
    """Let the failed generations of a batch wait again, in the order of `ordered`, which was read before.
    Raises NotFoundError, BusyError, and ConflictError if none has failed."""
    record = require(connection, batch_id)
    failed = set(queries.ids_with_status(connection, batch_id, ["failed"]))
    ids = [generation_id for generation_id in ordered if generation_id in failed]
    if not ids:
        raise ConflictError(
            "None of the generations of this batch has failed, so there is nothing to retry.",
            code="batch_not_failed",
        )
    check_waiting_limit(connection, len(ids), limit)
    queries.wait_again(connection, ids)
    queries.reopen(connection, batch_id)
    return replace(record, completed_at=None)


def remove_many(
    connection: Connection, generation_ids: Sequence[str], batch_ids: Sequence[str], outbox: Outbox, now: int
) -> list[FileRecord]:
    """Delete generations; returns the files that are released by that. Batches that end by it are told."""
    released = remove(connection, generation_ids)
    for batch_id in batch_ids:
        outbox.end_batch(connection, batch_id, now)
    return released


def remove_batch(connection: Connection, batch_id: str) -> None:
    """Delete a batch; what is left of its generations stays, as single ones. Raises NotFoundError."""
    queries.detach(connection, batch_id)
    if not queries.remove(connection, batch_id):
        raise unknown_batch(batch_id)


def _touch_files(connection: Connection, batch: PreparedBatch, now: int) -> None:
    """Mark the files of a batch as used now. Raises NotFoundError if one has been deleted since."""
    live = {file_id for item in batch.items for file_id in item.used.values() if file_id not in item.kept}
    kept = {file_id for item in batch.items for file_id in item.used.values() if file_id in item.kept}
    present = file_queries.get_many(connection, sorted(live | kept))
    for position, item in enumerate(batch.items):
        for file_id in item.used.values():
            record = present.get(file_id)
            if record is None or (record.deleted_at is not None and file_id not in item.kept):
                with about_request(position):
                    raise unknown_file(file_id)
    file_queries.touch(connection, sorted(live), now)


def _use_templates(connection: Connection, batch: PreparedBatch) -> None:
    uses = {
        item.columns["id"]: (position, item.template)
        for position, item in enumerate(batch.items)
        if item.template is not None
    }
    missing = template_queries.use_many(
        connection, [(generation_id, *template) for generation_id, (_, template) in uses.items() if template]
    )
    if missing is not None:
        with about_request(uses[missing[0]][0]):
            raise NotFoundError(
                "Its template was changed or deleted meanwhile. Send it again.", code="template_not_found"
            )


def _check_characters(connection: Connection, batch: PreparedBatch) -> None:
    """Raises NotFoundError if a character that a request shows was deleted since."""
    usable: dict[tuple[str, int], bool] = {}
    for position, item in enumerate(batch.items):
        if item.character is None:
            continue
        key = (item.character.id, item.character.version)
        if key not in usable:
            usable[key] = character_queries.is_usable(connection, *key)
        if not usable[key]:
            with about_request(position):
                raise NotFoundError(
                    f"The character {item.character.name!r} was changed or deleted meanwhile. Send it again.",
                    code="character_version_not_found",
                )
