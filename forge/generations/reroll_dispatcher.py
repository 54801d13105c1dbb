"""Begins the re-rolls that wait, when the ones before them have ended, and the next tries of pictures that
are not good enough.

Nothing is kept here that a restart would need: what waits is in the row of its generation, and leaves it in
the transaction that queues its prompt.
"""

from __future__ import annotations

import logging
from collections import Counter

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from ...db import takes as queries
from ...db.engine import Database
from ...db.records import GenerationRecord
from ..errors import AvatarForgeError, UnavailableError
from ..live.live import Live
from ..ports import Host
from ..settings import Settings
from ..webhooks.outbox import Outbox
from ..workers import run_uncancellable
from .dispatch_loop import DispatchLoop
from .failures import NOT_STARTED
from .preparation import PreparedRun, RunPreparer
from .rerolls import RerollChangedError, fail_waiting, remove_waiting
from .resume import MAX_REFUSALS
from .tracker import GenerationTracker

log = logging.getLogger("avatarforge")


class RerollDispatcher:
    """Runs for as long as ComfyUI. `wake` tells it that a re-roll may wait."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        host: Host,
        preparer: RunPreparer,
        tracker: GenerationTracker,
        live: Live,
        outbox: Outbox,
    ) -> None:
        self._settings = settings
        self._database = database
        self._host = host
        self._preparer = preparer
        self._tracker = tracker
        self._live = live
        self._outbox = outbox
        self._refusals: Counter[str] = Counter()  # by generation
        self._loop = DispatchLoop(self._fill, "a re-roll")
        self.wake = self._loop.wake
        self.run = self._loop.run
        tracker.on_end(self.wake)

    async def _fill(self) -> bool:
        """Begin re-rolls while there is room. Returns whether none waits that could begin."""
        while waiting := await self._database.read(_waiting):
            for record in waiting:
                if not self._has_room() or not await self._begin_next(record):
                    return False
        # What is resumed may end without an event, and then its next re-roll can begin.
        return not self._tracker.is_resuming

    def _has_room(self) -> bool:
        return (
            self._tracker.active < self._settings.max_active_generations
            and not self._tracker.is_resuming
            and self._host.stopped() is None
        )

    async def _begin_next(self, record: GenerationRecord) -> bool:
        """Begin the next re-roll of a generation. One that cannot be prepared ends with a warning that says
        why. Returns False to try again later."""
        try:
            if record.next_try is not None:
                prepared = await self._preparer.prepare_reroll(
                    record, record.next_try, record.waiting_rerolls
                )
            else:
                wanted, *others = record.waiting_rerolls
                prepared = await self._preparer.prepare_reroll(record, wanted, others)
        except SQLAlchemyError:
            raise
        except AvatarForgeError as error:
            await self._fail(record, f"{NOT_STARTED} {error.detail}")
            return True
        except Exception:  # one that cannot be prepared must not stop the others
            log.exception("AvatarForge: a re-roll of generation %s could not be prepared", record.id)
            await self._fail(record, NOT_STARTED)
            return True
        async with self._tracker.queue_lock:
            refusal = await self._enqueue(prepared)
        if refusal is None:
            self._refusals.pop(record.id, None)
            return True
        self._refusals[record.id] += 1
        if self._refusals[record.id] < MAX_REFUSALS:
            return False
        del self._refusals[record.id]
        await self._fail(record, f"{NOT_STARTED} {refusal.detail}")
        return True

    async def _enqueue(self, prepared: PreparedRun) -> UnavailableError | None:
        """Commit and enqueue a re-roll. Returns the refusal by ComfyUI's queue, if there is one."""
        try:
            queued = await run_uncancellable(self._database.write(prepared.commit))
        except RerollChangedError:
            return None  # cancelled or deleted while it was prepared, or another take was chosen
        try:
            self._tracker.enqueue(queued, prepared.checked)
        except UnavailableError as error:
            await run_uncancellable(self._database.write(prepared.undo))
            return error
        return None

    async def _fail(self, record: GenerationRecord, error: str) -> None:
        """End the next re-roll of a generation without a new picture, and tell it as any other end."""
        if record.next_try_json is not None:
            await self._fail_try(record, error)
            return
        now = self._database.now()

        def write(connection: Connection) -> GenerationRecord | None:
            try:
                after = fail_waiting(connection, record, error)
                if after is not None:
                    self._outbox.add(connection, after, now)
            except (LookupError, TypeError, ValueError):  # a row that cannot be read must not stop the others
                log.exception("AvatarForge: the re-rolls of generation %s are dropped", record.id)
                remove_waiting(connection, record.id)
                return None
            return after

        async with self._tracker.queue_lock:
            after = await run_uncancellable(self._database.write(write))
        if after is not None:
            log.warning("AvatarForge: a re-roll of generation %s could not start", record.id)
            self._live.announce_unstarted(after)

    async def _fail_try(self, record: GenerationRecord, error: str) -> None:
        """Complete a generation with the best of the pictures that it has."""
        async with self._tracker.queue_lock:
            await self._tracker.fail_waiting(record, error, error)


def _waiting(connection: Connection) -> list[GenerationRecord]:
    """The generations whose next re-roll can begin: those that are still being tried, then the others."""
    return [*queries.next_tries(connection), *queries.waiting_generations(connection)]
