"""Publishes batches: counts and progress, a few times a second, with one read for all that have changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from ...db import batches as queries
from ...db.engine import Database
from ...db.records import BatchSummary
from .log import EventLog
from .long_polls import LongPolls
from .state import BatchEvent, BatchState

#: Seconds between two events of one batch: at most four a second.
INTERVAL = 0.25

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class RunningItem:
    """A running generation of a batch. `progress` is 0..1; `seconds_left` and the `usual_seconds` of such a
    generation are None if they cannot be estimated."""

    progress: float
    seconds_left: float | None
    usual_seconds: float | None


class LiveBatches:
    """The live states of batches. `running` returns the running generations of a batch. All methods run on
    the event loop."""

    def __init__(
        self,
        log: EventLog,
        database: Database,
        long_polls: LongPolls,
        running: Callable[[str], Sequence[RunningItem]],
    ) -> None:
        self._log = log
        self._database = database
        self._long_polls = long_polls
        self._running = running
        self._changed: set[str] = set()
        self._woken = asyncio.Event()
        # Seconds that a generation of each active batch usually takes, as last estimated.
        self._usual: dict[str, float] = {}

    async def run(self) -> None:
        """Publish the batches that have changed, until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            changed, self._changed = self._changed, set()
            try:
                for summary in await self._database.read(partial(read_summaries, batch_ids=changed)):
                    self.publish(summary)
            except Exception:  # a database that is locked for a while must not stop the events for good
                log.exception("AvatarForge: the state of batches could not be published; trying again soon")
                self._changed |= changed
                self._woken.set()
            await asyncio.sleep(INTERVAL)

    def changed(self, batch_id: str) -> None:
        """Publish this batch soon: one of its generations has changed."""
        self._changed.add(batch_id)
        self._woken.set()

    def publish(self, summary: BatchSummary) -> None:
        """Publish a batch as it was just read, and answer the requests that wait for its end."""
        state = self.state(summary)
        event = BatchEvent("batch", self._database.now(), state)
        self._log.add(event, transient=bool(summary.counts.active))
        if not summary.counts.active:
            self._usual.pop(summary.record.id, None)
            self._long_polls.wake(summary.record.id)

    def deleted(self, summary: BatchSummary) -> None:
        """Publish that a batch was deleted."""
        self._changed.discard(summary.record.id)
        self._usual.pop(summary.record.id, None)
        self._log.add(BatchEvent("batch_deleted", self._database.now(), self.state(summary)))
        self._long_polls.wake(summary.record.id)

    def state(self, summary: BatchSummary) -> BatchState:
        """The live state of a batch."""
        counts, total = summary.counts, max(1, summary.record.total)
        if not counts.active:
            return BatchState(summary, 1.0)
        running = self._running(summary.record.id)
        done = summary.ended + sum(item.progress for item in running)
        return BatchState(summary, min(1.0, done / total), self._seconds_left(summary, running))

    def _seconds_left(self, summary: BatchSummary, running: Sequence[RunningItem]) -> float | None:
        known = [item.usual_seconds for item in running if item.usual_seconds is not None]
        if known:
            self._usual[summary.record.id] = sum(known) / len(known)
        usual = self._usual.get(summary.record.id)
        if usual is None:
            return None
        left = [usual if item.seconds_left is None else item.seconds_left for item in running]
        return round(sum(left) + usual * max(0, summary.counts.active - len(running)), 1)


def read_summaries(connection: Connection, batch_ids: Collection[str]) -> list[BatchSummary]:
    """Those of these batches that exist, in two queries."""
    counts = queries.counts(connection, batch_ids)
    return [BatchSummary(record, counts[record.id]) for record in queries.get_many(connection, batch_ids)]
