"""Publishes running generations: progress, previews, queue positions, and an event for each change.

It is called after a change is committed, and holds nothing that a restart would need.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from ...db import generations as queries
from ...db.engine import Database
from ...db.records import GenerationRecord
from ..errors import NotFoundError
from ..ports import Host, PreviewPicture, Prompt, PromptEvent, PromptProgress
from .batches import LiveBatches, RunningItem
from .estimate import HISTORY, RunningTimes, kind_of
from .listeners import Listeners
from .live_run import LiveRun, current_node, progress_by_pictures
from .log import EventLog
from .long_polls import LongPolls
from .previews import EndedPreviews
from .state import COMPLETED, GenerationEvent, LiveState, Preview

# Seconds between events of one kind of a generation: at most 10 progress events a second.
INTERVALS = {"progress": 0.1, "preview": 0.25}
# Queue positions are published at most this often, and only up to the last one.
POSITIONS_SECONDS = 0.5
LAST_POSITION = 20
ENDED = 4096  # prompts whose end is remembered
POSITIONS_CACHE_SECONDS = 0.1
PREVIEW_BYTES = 1024 * 1024

log = logging.getLogger("avatarforge")


class Live:
    """The live states of generations and their event log. All methods run on the event loop."""

    def __init__(self, log: EventLog, database: Database, host: Host) -> None:
        self.log = log
        self.listeners = Listeners(log)
        self.long_polls = LongPolls()
        self.times = RunningTimes()
        self.batches = LiveBatches(log, database, self.long_polls, self._batch_runs)
        self._database = database
        self._host = host
        self._runs: dict[str, LiveRun] = {}
        self._by_prompt: dict[str, LiveRun] = {}
        self._ended: OrderedDict[str, float] = OrderedDict()
        self._ended_previews = EndedPreviews()
        self._end_callbacks: list[Callable[[], None]] = []
        self._positions_due = False
        self._positions: Mapping[str, int] = {}
        self._positions_expire_at = 0.0
        host.watch(self._handle_progress)
        host.listen(self._handle_host_event)

    async def run(self) -> None:
        """Learn from earlier runs, then publish batches and send heartbeats to listeners, until cancelled."""
        try:
            completed = await self._database.read(partial(queries.completed, limit=HISTORY))
            self.times.learn_from(completed[::-1])
        except (SQLAlchemyError, KeyError, TypeError, ValueError):
            log.exception("AvatarForge: the running times of earlier generations could not be read")
        publishing = asyncio.create_task(self.batches.run())
        try:
            await self.listeners.run()
        finally:
            publishing.cancel()

    def on_end(self, callback: Callable[[], None]) -> None:
        """Call `callback` whenever a generation has ended."""
        self._end_callbacks.append(callback)

    # Called by the tracker:

    def track(self, record: GenerationRecord, prompt: Prompt) -> None:
        """Expect progress of this prompt from now on. Call it before the prompt is enqueued."""
        run = self._run(record)
        run.prompt = prompt

    def is_tracked(self, record: GenerationRecord) -> bool:
        """Whether this run of a generation was announced and has not ended."""
        return record.prompt_id in self._by_prompt

    def untrack(self, record: GenerationRecord) -> None:
        """Undo `track`: the prompt did not enter the queue."""
        self._drop(record.id)

    def announce(self, record: GenerationRecord) -> None:
        """Publish what is new in a committed record, each change once. Records of a prompt that has ended are
        ignored."""
        self._positions_expire_at = 0.0  # it may have just entered the queue
        if record.status in queries.ACTIVE:
            if record.prompt_id not in self._ended:
                self._announce_active(self._run(record), record)
            return
        run = self._runs.get(record.id)
        if run is None or run.record.prompt_id != record.prompt_id:
            return
        self._learn(run, record)
        self._drop(record.id)
        self._ended_previews.add(record.id, {position: jpeg for position, (_, jpeg) in run.pictures.items()})
        self._remember_end(record.prompt_id, run.progress)
        self._publish_end(record)

    def announce_unstarted(self, record: GenerationRecord) -> None:
        """Publish the end of a generation that waited in a batch and was never announced."""
        self._publish_end(record)

    def takes_changed(self, record: GenerationRecord) -> None:
        """Publish that another take of a picture was chosen, that one was deleted, or that other re-rolls
        wait. Pass the record as it was committed."""
        run = self._by_prompt.get(record.prompt_id)
        if run is not None:
            if run.started is not None:  # perhaps after the record was read
                record = replace(record, status=run.record.status, started_at=run.record.started_at)
            run.record, run.published_outputs = record, record.outputs
        self._publish("output", record)
        if record.status not in queries.ACTIVE:
            self.long_polls.wake(record.id)

    def try_ended(self, record: GenerationRecord) -> None:
        """Publish what a prompt has made of a generation that goes on with another one, because a picture is
        not good enough. Pass the record as it was committed."""
        run = self._by_prompt.get(record.prompt_id)
        if run is not None:
            self._drop(record.id)
            self._remember_end(record.prompt_id, run.progress)
        self._publish("output", record)
        self._batch_changed(record)

    def deleted(self, record: GenerationRecord) -> None:
        """Publish that the row was deleted."""
        progress = self.state(record).progress
        self._drop(record.id)
        self._ended_previews.discard(record.id)
        self._remember_end(record.prompt_id, progress)
        self.log.add(GenerationEvent("deleted", self._database.now(), record.id, record, LiveState(progress)))
        self.long_polls.wake(record.id)
        self._batch_changed(record)
        if record.batch_id is not None:  # that may have ended the batch
            self._call_back()

    # Called for clients:

    def state(self, record: GenerationRecord) -> LiveState:
        (state,) = self.states([record])
        return state

    def states(self, records: Sequence[GenerationRecord]) -> list[LiveState]:
        """The live state of each; reads the queue at most once."""
        queued = any(record.status == "queued" for record in records)
        positions = self._queue_positions() if queued else {}
        return [self._state(record, positions) for record in records]

    def preview(self, generation_id: str, position: int) -> bytes:
        """The newest preview, a JPEG, also of a generation that has just ended. Raises NotFoundError."""
        run = self._runs.get(generation_id)
        if run is not None and position in run.pictures:
            return run.pictures[position][1]
        jpeg = self._ended_previews.get(generation_id, position)
        if jpeg is None:
            raise NotFoundError(
                "There is no such preview now. Previews exist while a generation runs, after its first step.",
                code="preview_not_found",
            )
        return jpeg

    def _run(self, record: GenerationRecord) -> LiveRun:
        run = self._runs.get(record.id)
        if run is None or run.record.prompt_id != record.prompt_id:
            self._drop(record.id)
            spec = record.spec
            pictures = 0 if record.judging else 1 if record.reroll else len(spec.pictures)
            run = LiveRun(record, kind_of(spec, pictures))
            run.published_outputs = record.outputs
            self._runs[record.id] = self._by_prompt[record.prompt_id] = run
        return run

    def _drop(self, generation_id: str) -> None:
        run = self._runs.pop(generation_id, None)
        if run is not None:
            self._by_prompt.pop(run.record.prompt_id, None)
            run.close()

    def _announce_active(self, run: LiveRun, record: GenerationRecord) -> None:
        if record.status == "queued" and run.started is not None:
            return  # an older record: the start was published already
        run.record = record
        if not run.queued_published:
            run.queued_published = True
            if record.status == "queued":
                run.published_position = self._publish("queued", record).queue_position
        if record.status == "processing" and run.started is None:
            run.started = time.monotonic()
            self._publish("started", record)
            self._batch_changed(record)
        if record.outputs != run.published_outputs:
            run.published_outputs = record.outputs
            self._publish("output", record)

    def _publish_end(self, record: GenerationRecord) -> None:
        self._publish(record.status, record)
        self.long_polls.wake(record.id)
        self._batch_changed(record)
        self._call_back()

    def _call_back(self) -> None:
        for callback in self._end_callbacks:
            callback()

    def _batch_changed(self, record: GenerationRecord) -> None:
        if record.batch_id is not None:
            self.batches.changed(record.batch_id)

    def _batch_runs(self, batch_id: str) -> list[RunningItem]:
        """The running generations of a batch."""
        running = [run for run in self._runs.values() if run.started is not None]
        return [
            RunningItem(
                run.progress,
                self.times.seconds_left(run.kind, time.monotonic() - (run.started or 0.0), run.progress),
                self.times.median_seconds(run.kind),
            )
            for run in running
            if run.record.batch_id == batch_id
        ]

    def _learn(self, run: LiveRun, record: GenerationRecord) -> None:
        if record.status != "completed" or record.started_at is None or record.completed_at is None:
            return
        if run.record.judging is not None:  # the times are those of the pictures
            return
        # A failed re-roll is "completed" too, but says nothing about the running time.
        if run.record.reroll is None or run.progress > 0.99:
            self.times.learn(run.kind, (record.completed_at - record.started_at) / 1e6)

    def _remember_end(self, prompt_id: str, progress: float) -> None:
        self._ended[prompt_id] = progress
        if len(self._ended) > ENDED:
            self._ended.popitem(last=False)

    def _state(self, record: GenerationRecord, positions: Mapping[str, int]) -> LiveState:
        run = self._runs.get(record.id)
        if run is not None and run.record.prompt_id != record.prompt_id:
            run = None
        if record.status == "queued":
            median = self.times.median_seconds(run.kind) if run is not None else None
            position = positions.get(record.prompt_id)
            return LiveState(0.0, queue_position=position, eta_seconds=_rounded(median))
        if record.status == "completed":
            return COMPLETED
        if record.status == "failed":
            progress = self._ended.get(record.prompt_id)
            return LiveState(progress_by_pictures(record) if progress is None else progress)
        if run is None:
            return LiveState(progress_by_pictures(record))
        elapsed = 0.0 if run.started is None else time.monotonic() - run.started
        left = self.times.seconds_left(run.kind, elapsed, run.progress)
        previews = tuple(preview for _, (preview, _) in sorted(run.pictures.items()))
        return LiveState(run.progress, run.current, None, _rounded(left), previews)

    def _queue_positions(self) -> Mapping[str, int]:
        """Prompt id -> position of everything that waits in ComfyUI. Cached for thousands of clients, and
        invalidated by every known change of the queue."""
        now = time.monotonic()
        if now >= self._positions_expire_at:
            waiting = self._host.queue_state().waiting
            self._positions = {prompt_id: position for position, prompt_id in enumerate(waiting, start=1)}
            self._positions_expire_at = now + POSITIONS_CACHE_SECONDS
        return self._positions

    def _publish(self, kind: str, record: GenerationRecord) -> LiveState:
        state = self.state(record)
        self.log.add(
            GenerationEvent(kind, self._database.now(), record.id, record, state), transient=kind in INTERVALS
        )
        return state

    def _handle_host_event(self, event: PromptEvent) -> None:
        self._positions_expire_at = 0.0
        if event.kind == "queue_changed" and not self._positions_due:
            self._positions_due = True
            asyncio.get_running_loop().call_later(POSITIONS_SECONDS, self._publish_positions)

    def _publish_positions(self) -> None:
        """Publish the positions of generations near the front of the queue that have moved."""
        self._positions_due = False
        queued = [run for run in self._runs.values() if run.queued_published and run.started is None]
        for run, state in zip(queued, self.states([run.record for run in queued]), strict=True):
            position = state.queue_position
            if position is not None and position <= LAST_POSITION and position != run.published_position:
                run.published_position = position
                self.log.add(
                    GenerationEvent("queued", self._database.now(), run.record.id, run.record, state),
                    transient=True,
                )

    def _handle_progress(self, event: PromptProgress | PreviewPicture) -> None:
        run = self._by_prompt.get(event.prompt_id)
        planned = run.get_plan() if run is not None else None
        if run is None or planned is None:
            return
        if isinstance(event, PreviewPicture):
            position = planned.position_of(event.node_id, event.row)
            if position is None or len(event.jpeg) > PREVIEW_BYTES:
                return
            previous = run.pictures.get(position)
            version = previous[0].version + 1 if previous else 1
            run.pictures[position] = Preview(position, planned.views[position], version), event.jpeg
            self._publish_soon(run, "preview")
            return
        # Progress never decreases, even if a node runs again, as in ComfyUI's loops.
        run.progress = max(run.progress, planned.done(event.nodes))
        run.current = current_node(planned, event.nodes) or run.current
        self._publish_soon(run, "progress")
        self._batch_changed(run.record)

    def _publish_soon(self, run: LiveRun, kind: str) -> None:
        """Publish an event now, or once INTERVALS has passed since the last one of its kind."""
        if run.started is None or kind in run.timers:
            return
        loop = asyncio.get_running_loop()
        due = run.published_at.get(kind, -1e9) + INTERVALS[kind]
        if loop.time() >= due:
            self._publish_now(run, kind)
        else:
            run.timers[kind] = loop.call_at(due, self._publish_now, run, kind)

    def _publish_now(self, run: LiveRun, kind: str) -> None:
        run.timers.pop(kind, None)
        run.published_at[kind] = asyncio.get_running_loop().time()
        self._publish(kind, run.record)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
