"""Batches as users know them: submit, get, list, cancel, retry, delete."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from ...db import batches as queries
from ...db import generations as generation_queries
from ...db import takes as take_queries
from ...db.engine import Database
from ...db.records import BatchCounts, BatchItem, BatchRecord, BatchSummary, GenerationRecord
from ..errors import ConflictError, UnavailableError
from ..idempotency import Claim, with_claim
from ..live.live import Live
from ..live.state import BatchState
from ..ports import Host
from ..settings import Settings
from ..spec.cell import Cell
from ..store.listing import read_cursor
from ..webhooks.outbox import Outbox
from ..webhooks.targets import Targets
from . import batch_transactions as transactions
from .batch_cells import BatchCells, Cells
from .batch_order import run_order
from .batch_preparation import BatchPreparer
from .batch_request import BatchRequest, about_request
from .dispatcher import BatchDispatcher
from .removal import STOP_SECONDS, GenerationRemover
from .tracker import GenerationTracker

__all__ = ["Batch", "BatchPage", "BatchRequest", "BatchService", "BatchSummary"]

#: Generations that are deleted in one transaction.
DELETED_AT_ONCE = 100
#: Generations whose end is published before other tasks have their turn, at about 0.2 ms each.
PUBLISHED_AT_ONCE = 10

Result = TypeVar("Result")

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class Batch:
    """A batch with its live state and its generations, in the order of the request. `cells` are what these
    show, by their ids."""

    state: BatchState
    items: tuple[BatchItem, ...]
    cells: Cells

    @property
    def id(self) -> str:
        return self.state.summary.record.id

    @property
    def status(self) -> str:
        return self.state.status

    @property
    def is_at_rest(self) -> bool:
        """Whether all its generations have ended."""
        return self.status not in generation_queries.ACTIVE

    def cell_of(self, item: BatchItem) -> Cell:
        return self.cells.get(item.generation_id, Cell())


@dataclass(frozen=True)
class BatchPage:
    """A page of the list. `total` counts all matching batches; `next_cursor` is None on the last page."""

    total: int
    states: tuple[BatchState, ...]
    next_cursor: str | None


class BatchService:
    """What the routes do with batches. Every method raises the errors of `forge.errors`."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        host: Host,
        preparer: BatchPreparer,
        dispatcher: BatchDispatcher,
        tracker: GenerationTracker,
        live: Live,
        outbox: Outbox,
        targets: Targets,
        remover: GenerationRemover,
    ) -> None:
        self._settings = settings
        self._database = database
        self._host = host
        self._preparer = preparer
        self._dispatcher = dispatcher
        self._tracker = tracker
        self._live = live
        self._outbox = outbox
        self._targets = targets
        self._remover = remover
        self._cells = BatchCells(database)

    async def submit(
        self,
        requests: Sequence[BatchRequest],
        name: str | None,
        callback_url: str | None,
        claim: Claim | None = None,
    ) -> Batch:
        """Accept all requests or none: when this returns, a generation of each is committed and waits.

        `claim` is committed in the same transaction. An error leaves no trace, and names the request that it
        is about.
        """
        self._check_worker_alive()
        self._check_targets(requests, callback_url)
        limit = self._settings.max_waiting_items
        check = partial(transactions.check_waiting_limit, more=len(requests), limit=limit)
        await self._database.read(check)  # before any work is done for it
        now = self._database.now()
        record = BatchRecord(str(uuid.uuid4()), name, len(requests), callback_url, now)
        prepared = await self._preparer.prepare(record, requests)
        now = self._database.now()
        commit = partial(transactions.commit_batch, batch=prepared, limit=limit, now=now)
        record = await self._database.write(with_claim(commit, claim, now))
        self._dispatcher.wake()
        summary = BatchSummary(record, BatchCounts(queued=record.total))
        self._live.batches.publish(summary)
        log.info("AvatarForge: batch %s accepted: %d generations", record.id, record.total)
        items = tuple(BatchItem(item.columns["id"], "queued") for item in prepared.items)
        cells = {item.columns["id"]: item.cell for item in prepared.items}
        self._cells.keep(record.id, cells)
        return Batch(self._live.batches.state(summary), items, cells)

    async def get(self, batch_id: str) -> Batch:
        """The batch as it is now. Raises NotFoundError."""
        read = partial(transactions.read_batch, batch_id=batch_id)
        summary, items = await self._database.read(read)
        cells = await self._cells.of(batch_id) if items else {}
        return Batch(self._live.batches.state(summary), items, cells)

    async def get_when_ended(self, batch_id: str, seconds: float) -> Batch:
        """The batch once it has ended, or after `seconds`. Raises NotFoundError and BusyError."""
        return await self._live.long_polls.wait_ended(batch_id, seconds, partial(self.get, batch_id))

    async def page(
        self, *, limit: int, cursor: str | None, text: str | None, character_id: str | None = None
    ) -> BatchPage:
        """Newest first. `text` is searched in names. `character_id`: only those with a picture of it.
        `cursor` is the `next_cursor` of the page before."""
        read = partial(
            _read_page, limit=limit + 1, before=read_cursor(cursor), text=text, character_id=character_id
        )
        total, summaries = await self._database.read(read)
        last = summaries[limit - 1].record if len(summaries) > limit else None
        states = tuple(self._live.batches.state(summary) for summary in summaries[:limit])
        return BatchPage(total, states, f"{last.created_at}-{last.id}" if last else None)

    async def cancel(self, batch_id: str) -> Batch:
        """Stop all generations of a batch that have not ended. Waits up to STOP_SECONDS for those that run.

        Raises NotFoundError, and ConflictError if all have ended.
        """
        stopped = await _shielded(self._cancel(batch_id))
        deadline = time.monotonic() + STOP_SECONDS
        for record in stopped:
            await self._tracker.wait_finished(record.prompt_id, max(0.0, deadline - time.monotonic()))
        log.info("AvatarForge: batch %s cancelled", batch_id)
        return await self.get(batch_id)

    async def retry(self, batch_id: str, claim: Claim | None = None) -> Batch:
        """Let the failed generations of a batch wait again, each with its id, seed and graph.

        Raises NotFoundError, BusyError, UnavailableError, and ConflictError if none has failed.
        """
        self._check_worker_alive()
        ordered = await self._database.read(partial(_failed_in_order, batch_id=batch_id))
        commit = partial(
            transactions.retry_failed,
            batch_id=batch_id,
            ordered=ordered,
            limit=self._settings.max_waiting_items,
        )
        now = self._database.now()
        await self._tracker.run_exclusively(lambda: self._database.write(with_claim(commit, claim, now)))
        self._dispatcher.wake()
        self._live.batches.changed(batch_id)
        return await self.get(batch_id)

    async def delete(self, batch_id: str, *, keep_generations: bool) -> None:
        """Delete a batch; what has not ended is cancelled first. Its generations and their pictures are
        deleted unless `keep_generations`. Raises NotFoundError."""
        await _shielded(self._delete(batch_id, keep_generations=keep_generations))
        log.info("AvatarForge: batch %s deleted", batch_id)

    async def _cancel(self, batch_id: str) -> list[GenerationRecord]:
        """Cancel all; returns those that were in ComfyUI's queue."""
        cancel = partial(
            transactions.cancel_waiting,
            batch_id=batch_id,
            outbox=self._outbox,
            now=self._database.now(),
        )
        async with self._tracker.queue_lock:
            await self._database.read(partial(transactions.require, batch_id=batch_id))
            cancelled = await self._database.write(cancel)
            running = await self._database.read(partial(_active, batch_id=batch_id))
            for record in running:
                await self._tracker.cancel(record)
        if not cancelled and not running:
            raise ConflictError(
                "All generations of this batch have ended, so there is nothing to cancel.",
                code="batch_not_active",
            )
        await self._publish_ends(cancelled)
        self._live.batches.changed(batch_id)
        return running

    async def _publish_ends(self, generation_ids: Sequence[str]) -> None:
        for start in range(0, len(generation_ids), PUBLISHED_AT_ONCE):
            some = generation_ids[start : start + PUBLISHED_AT_ONCE]
            for record in await self._database.read(
                partial(generation_queries.get_many, generation_ids=some)
            ):
                # One that was retried at once is published by its next run.
                if record.status not in generation_queries.ACTIVE:
                    self._live.announce_unstarted(record)

    async def _delete(self, batch_id: str, *, keep_generations: bool) -> None:
        batch = await self.get(batch_id)
        if keep_generations:
            if batch.state.summary.counts.active:
                await self._cancel_if_active(batch_id)
            await self._tracker.run_exclusively(
                lambda: self._database.write(partial(transactions.remove_batch, batch_id=batch_id))
            )
        else:
            await self._delete_generations(batch_id)
        self._live.batches.deleted(batch.state.summary)

    async def _cancel_if_active(self, batch_id: str) -> None:
        try:
            await self._cancel(batch_id)
        except ConflictError:
            return  # they ended meanwhile

    async def _delete_generations(self, batch_id: str) -> None:
        """Delete a part of the generations at a time, so that other writes have their turn. The batch goes
        last: what a crash interrupts can be repeated."""
        deleted: list[GenerationRecord] = []
        while True:
            async with self._tracker.queue_lock:
                read = partial(_first_items, batch_id=batch_id, limit=DELETED_AT_ONCE)
                records = await self._database.read(read)
                if not records:
                    await self._database.write(partial(transactions.remove_batch, batch_id=batch_id))
                    break
                await self._remover.delete_rows(records, keep_outputs=False, of_batch=True)
            deleted += records
        await self._remover.remove_outputs(deleted, keep_outputs=False)

    def _check_worker_alive(self) -> None:
        reason = self._host.stopped()
        if reason is not None:
            raise UnavailableError(reason, code="worker_stopped")

    def _check_targets(self, requests: Sequence[BatchRequest], callback_url: str | None) -> None:
        if callback_url is not None:
            self._targets.require(callback_url)
        allowed: set[str] = set()
        for position, item in enumerate(requests):
            url = item.request.callback_url
            if url is not None and url not in allowed:
                with about_request(position):
                    self._targets.require(url)
                allowed.add(url)


async def _shielded(work: Awaitable[Result]) -> Result:
    """Finish `work` even if the caller is cancelled: a half-done change would not fit ComfyUI's queue."""
    return await asyncio.shield(asyncio.ensure_future(work))


def _read_page(
    connection: Connection,
    limit: int,
    before: tuple[int, str] | None,
    text: str | None,
    character_id: str | None,
) -> tuple[int, list[BatchSummary]]:
    total, records = queries.page(
        connection, limit=limit, before=before, text=text, character_id=character_id
    )
    counts = queries.counts(connection, [record.id for record in records])
    return total, [BatchSummary(record, counts[record.id]) for record in records]


def _active(connection: Connection, batch_id: str) -> list[GenerationRecord]:
    """The generations of a batch that are in ComfyUI's queue, and those whose next re-roll waits for it."""
    ids = queries.ids_with_status(connection, batch_id, generation_queries.ACTIVE, waiting=False)
    waiting = [one for one in take_queries.waiting_generations(connection) if one.batch_id == batch_id]
    return [*generation_queries.get_many(connection, ids), *waiting]


def _failed_in_order(connection: Connection, batch_id: str) -> list[str]:
    """The failed generations of a batch, in the order in which they are to run. Raises NotFoundError."""
    transactions.require(connection, batch_id)
    ids = queries.ids_with_status(connection, batch_id, ["failed"])
    records = generation_queries.get_many(connection, ids)
    return [records[position].id for position in run_order([record.spec for record in records])]


def _first_items(connection: Connection, batch_id: str, limit: int) -> list[GenerationRecord]:
    """The first generations of a batch, those that wait before the others. Raises NotFoundError."""
    transactions.require(connection, batch_id)
    ids = queries.ids_with_status(connection, batch_id, ["queued"], waiting=True)
    if len(ids) < limit:
        waiting = set(ids)
        items = [item.generation_id for item in queries.items(connection, batch_id)]
        ids += [generation_id for generation_id in items if generation_id not in waiting]
    return generation_queries.get_many(connection, ids[:limit])
