"""Deletes generations: their rows, their prompts in ComfyUI's queue, and their pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from ...db.engine import Database
from ...db.records import GenerationRecord
from ..errors import AvatarForgeError
from ..live.live import Live
from ..store.files import FileStore
from ..webhooks.outbox import Outbox
from ..workers import Workers
from .batch_transactions import remove_many
from .outputs import OutputFolder, outputs_entry
from .tracker import GenerationTracker

# How long a response waits for a running prompt to stop. A node checks for an interruption at least once per
# sampling step.
STOP_SECONDS = 5.0


class GenerationRemover:
    """Deletes rows first, so that no crash leaves a row whose pictures are gone."""

    def __init__(
        self,
        database: Database,
        files: FileStore,
        workers: Workers,
        outputs: OutputFolder,
        tracker: GenerationTracker,
        live: Live,
        outbox: Outbox,
    ) -> None:
        self._database = database
        self._files = files
        self._workers = workers
        self._outputs = outputs
        self._tracker = tracker
        self._live = live
        self._outbox = outbox
        self._removals: set[asyncio.Task[None]] = set()

    async def delete_rows(
        self, records: Sequence[GenerationRecord], *, keep_outputs: bool, of_batch: bool = False
    ) -> None:
        """Delete the rows of generations in one transaction, and stop their prompts. Call it with
        `queue_lock` held and with the records as they are now. `of_batch`: their batch is being deleted, too,
        so that its end is not told. If it raises, nothing has changed."""
        for record in records:
            self._tracker.mark_deleted(record)
        entries = () if keep_outputs else tuple(outputs_entry(record.id) for record in records)
        delete = partial(
            remove_many,
            generation_ids=[record.id for record in records],
            batch_ids=[] if of_batch else sorted(filter(None, {record.batch_id for record in records})),
            outbox=self._outbox,
            now=self._database.now(),
        )
        try:
            await self._files.release(delete, entries=entries)
        except (AvatarForgeError, SQLAlchemyError):
            for record in records:
                self._tracker.unmark_deleted(record)
            raise
        for record in records:
            await self._tracker.stop_deleted(record)
            self._live.deleted(record)

    async def remove_outputs(self, records: Sequence[GenerationRecord], *, keep_outputs: bool) -> None:
        """Remove the pictures of deleted generations, each after its prompt has ended. Returns after
        STOP_SECONDS at the latest; the rest is then done later."""
        removal = asyncio.create_task(self._remove_all(records, keep_outputs=keep_outputs))
        self._removals.add(removal)  # the event loop keeps only a weak reference to a task
        removal.add_done_callback(self._removals.discard)
        await asyncio.wait({removal}, timeout=STOP_SECONDS)

    async def _remove_all(self, records: Sequence[GenerationRecord], *, keep_outputs: bool) -> None:
        for record in records:
            await self._tracker.wait_finished(record.prompt_id, None)
            if keep_outputs:
                continue
            removed = await self._workers.disk(self._outputs.remove, record.id)
            update_entry = self._files.clear_entry if removed else self._files.keep_entry
            await update_entry(outputs_entry(record.id))
