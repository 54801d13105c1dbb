"""Checks generated pictures: rows against files.

Files without a row are ignored: they belong to the user, because the folder is in ComfyUI's output.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from ...db import takes as take_queries
from ...db import verify as queries
from ...db.records import OutputRecord
from ..errors import NotFoundError
from ..generations.outputs import OutputFolder
from .report import Problem
from .run import PAGE, CheckRun, FileState, describe_difference, file_state


async def check_outputs(run: CheckRun, outputs: OutputFolder) -> None:
    """Check the pictures of generations that are not active, the current takes and then the others; active
    ones are still being written."""
    after = ("", -1)
    while page := await run.read(partial(queries.outputs_after, after=after, limit=PAGE)):
        await _check_page(run, outputs, page)
        after = (page[-1].generation_id, page[-1].position)
    after_take = ("", -1, -1)
    while page := await run.read(partial(take_queries.after, after=after_take, limit=PAGE)):
        await _check_page(run, outputs, page)
        after_take = (page[-1].generation_id, page[-1].position, page[-1].take)


async def _check_page(run: CheckRun, outputs: OutputFolder, page: list[OutputRecord]) -> None:
    async for record, state in run.file_states(page, outputs.file_of):
        await _check(run, outputs, record, state)


async def _check(run: CheckRun, outputs: OutputFolder, record: OutputRecord, state: FileState | None) -> None:
    kind = _verdict(record, state)
    if kind is not None:
        # Read again, the row last: the generation may have been deleted, or the view re-rolled.
        state = await run.in_thread(file_state, outputs.file_of(record))
        kind = _verdict(record, state)
        if await run.read(partial(queries.resting_output, record=record)) != record:
            return
    run.findings.outputs += 1
    if state is not None and state.content_hash == record.content_hash:
        run.findings.output_bytes += state.size
    elif state is None and record.lost_at is not None:
        run.findings.lost_outputs += 1
    if kind is not None:
        done = await _repair(run, outputs, record, kind, state) if run.repair else None
        detail = _describe(record, kind, state)
        run.findings.add(
            Problem(kind, detail, generation_id=record.generation_id, name=record.filename, repaired=done)
        )


def _verdict(record: OutputRecord, state: FileState | None) -> str | None:
    if state is None:
        return "output_missing" if record.lost_at is None else None
    if (state.content_hash, state.size) != (record.content_hash, record.size):
        return "output_altered"
    return None if record.lost_at is None else "output_returned"


def _describe(record: OutputRecord, kind: str, state: FileState | None) -> str:
    of_it = f"icture {record.position + 1} of generation {record.generation_id}"
    which = f"P{of_it}" if record.take == 1 else f"Take {record.take} of p{of_it}"
    if state is None:
        return f"{which} is gone."
    return (
        f"{which} {describe_difference(state)}."
        if kind == "output_altered"
        else f"{which}, which was lost, is back."
    )


async def _repair(
    run: CheckRun, outputs: OutputFolder, record: OutputRecord, kind: str, state: FileState | None
) -> str | None:
    if state is not None and state.content_hash is None:
        return None  # a read error may be temporary
    lose = partial(queries.set_output_lost, record=record, lost_at=run.parts.database.now())
    if kind == "output_missing":
        return "marked lost" if await _change(run, record, lose) else None
    if kind == "output_returned":
        unmark = partial(queries.set_output_lost, record=record, lost_at=None)
        return "no longer marked lost" if await _change(run, record, unmark) else None
    try:
        key = (record.generation_id, record.position, record.view, record.take)
        current = await run.in_thread(outputs.measure, *key)
    except NotFoundError:
        if not await _change(run, record, lose):
            return None
        path = outputs.file_of(record)
        name = await run.in_thread(run.parts.blobs.try_quarantine, path)
        # If it cannot be moved now, the next check finds it again.
        return f"moved to quarantine/{name} and marked lost" if name else None
    updated = await _change(run, record, partial(queries.replace_picture, record=current))
    return "row updated to the present picture" if updated else None


async def _change(run: CheckRun, record: OutputRecord, change: Callable[[Connection], None]) -> bool:
    """Apply the change if the row is still the same; returns whether it was applied."""

    def only_if_unchanged(connection: Connection) -> bool:
        if queries.resting_output(connection, record) != record:
            return False
        change(connection)
        return True

    return await run.parts.database.write(only_if_unchanged)
