"""Hands the waiting generations of batches to ComfyUI, a few at a time.

Only BATCH_ITEMS_AHEAD of them are in ComfyUI's queue at once, so that a single request of somebody else runs
after these few, and not after a thousand. Nothing is kept here that a restart would need: what waits is in
the database, and leaves the line in the transaction before its prompt is enqueued. A generation that was
committed and not enqueued is resumed at the next start like any other (`resume`).
"""

from __future__ import annotations

import logging
from collections import Counter
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from ...db import batches as queries
from ...db import generations as generation_queries
from ...db.engine import Database
from ...db.records import GenerationRecord
from ..errors import AvatarForgeError, ConflictError, UnavailableError
from ..ports import Host
from ..settings import Settings
from ..workers import run_uncancellable
from .dispatch_loop import DispatchLoop
from .failures import NOT_STARTED
from .preparation import PreparedRun, RunPreparer
from .resume import MAX_REFUSALS
from .tracker import GenerationTracker

log = logging.getLogger("avatarforge")


class BatchDispatcher:
    """Runs for as long as ComfyUI. `wake` tells it that something may wait or that there may be room."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        host: Host,
        preparer: RunPreparer,
        tracker: GenerationTracker,
    ) -> None:
        self._settings = settings
        self._database = database
        self._host = host
        self._preparer = preparer
        self._tracker = tracker
        self._refusals: Counter[str] = Counter()  # by prompt_id
        self._loop = DispatchLoop(self._fill, "the next generation of a batch")
        self.wake = self._loop.wake
        self.run = self._loop.run
        tracker.on_end(self.wake)

    async def _fill(self) -> bool:
        """Hand out generations while there is room. Returns whether none waits any more."""
        while True:
            generation_id = await self._database.read(queries.next_waiting)
            if generation_id is None:
                return True
            if not self._has_room():
                return False
            record = await self._database.read(partial(generation_queries.get, generation_id=generation_id))
            if record is not None and record.waiting_place is not None and not await self._hand_out(record):
                return False

    def _has_room(self) -> bool:
        return (
            self._tracker.batch_items < self._settings.batch_items_ahead
            and self._tracker.active < self._settings.max_active_generations
            and not self._tracker.is_resuming
            and self._host.stopped() is None
        )

    async def _hand_out(self, record: GenerationRecord) -> bool:
        """Prepare a waiting generation and enqueue its prompt. What cannot be prepared fails alone, with the
        reason. Returns False to try again later."""
        try:
            prepared = await self._preparer.prepare_waiting(record)
        except SQLAlchemyError:
            raise
        except AvatarForgeError as error:
            await self._tracker.fail_waiting(record, f"{NOT_STARTED} {error.detail}", NOT_STARTED)
            return True
        except Exception:  # one that cannot be prepared must not stop the others
            log.exception("AvatarForge: generation %s could not be prepared", record.id)
            await self._tracker.fail_waiting(record, NOT_STARTED, NOT_STARTED)
            return True
        async with self._tracker.queue_lock:
            return await self._enqueue(record, prepared)

    async def _enqueue(self, record: GenerationRecord, prepared: PreparedRun) -> bool:
        try:
            queued = await run_uncancellable(self._database.write(prepared.commit))
        except ConflictError:
            return True  # cancelled or deleted while it was prepared
        try:
            self._tracker.enqueue(queued, prepared.checked)
        except UnavailableError as error:
            await run_uncancellable(self._database.write(prepared.undo))
            return await self._handle_refusal(record, error)
        self._refusals.pop(record.prompt_id, None)
        return True

    async def _handle_refusal(self, record: GenerationRecord, error: UnavailableError) -> bool:
        """Count a refusal by ComfyUI's queue. After the last one the generation fails, and the next one has
        its turn."""
        self._refusals[record.prompt_id] += 1
        if self._refusals[record.prompt_id] < MAX_REFUSALS:
            return False
        del self._refusals[record.prompt_id]
        await self._tracker.fail_waiting(record, f"{NOT_STARTED} {error.detail}", NOT_STARTED)
        return True
