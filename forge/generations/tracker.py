"""Follows AvatarForge's prompts in ComfyUI and records what happens to them.

Events report changes immediately. Whenever the queue changes, and on a timer, the tracker also reconciles its
runs with queue and history, because no event reports a cleared queue, a deleted item or a dead worker thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from ...db import generations as queries
from ...db.engine import Database
from ...db.records import GenerationRecord
from ..errors import NotFoundError
from ..live.live import Live
from ..ports import CheckedPrompt, Host, PromptEvent
from ..waiting import wait_at_most
from ..webhooks.outbox import Outbox
from ..workers import Workers
from .completion import RunFinisher
from .end_transactions import expected_positions
from .failures import CANCELLED, INTERRUPTED, REMOVED
from .outputs import OutputFolder
from .rerolls import remove_waiting
from .resume import Resumption
from .run import ActiveRun

RECONCILE_SECONDS = 3.0
# How long the last picture waits for the end of its prompt, so that one transaction writes both. ComfyUI
# reports both within milliseconds.
LAST_PICTURE_SECONDS = 0.2

_ENDS = ("succeeded", "failed", "interrupted")

Result = TypeVar("Result")

log = logging.getLogger("avatarforge")


class GenerationTracker:
    """Owns the life cycle of generations after they are submitted. The constructor blocks, because it reads
    the database; methods run on the event loop unless stated otherwise.

    Hold `queue_lock` to change a row and ComfyUI's queue together. A cancel or a delete then sees a
    generation before or after both changes, and no prompt enters the queue after its row was deleted.
    """

    def __init__(
        self,
        database: Database,
        host: Host,
        workers: Workers,
        outputs: OutputFolder,
        live: Live,
        outbox: Outbox,
    ) -> None:
        self.queue_lock = asyncio.Lock()
        self._database = database
        self._host = host
        self._live = live
        self._finisher = RunFinisher(database, workers, outputs, live, outbox)
        self._runs: dict[str, ActiveRun] = {}  # by prompt_id
        self._resumption = Resumption(
            database,
            host,
            self._finisher,
            self.queue_lock,
            enqueue=self._enqueue,
            is_active=self._runs.__contains__,
        )
        self._events: asyncio.Queue[PromptEvent] = asyncio.Queue()
        self._reconcile_queued = False
        self._end_callbacks: list[Callable[[], None]] = []
        host.listen(self._handle_host_event)

    @property
    def active(self) -> int:
        """How many generations are queued or processing. One that is being resumed briefly counts twice."""
        return len(self._runs) + len(self._resumption)

    @property
    def is_resuming(self) -> bool:
        """Whether generations of an earlier ComfyUI are still to be resumed."""
        return bool(self._resumption)

    @property
    def batch_items(self) -> int:
        """How many generations of batches are in ComfyUI's queue."""
        return sum(run.record.batch_id is not None for run in self._runs.values())

    def on_end(self, callback: Callable[[], None]) -> None:
        """Call `callback` whenever a prompt has left ComfyUI's queue and its end is written."""
        self._end_callbacks.append(callback)

    async def fail_waiting(self, record: GenerationRecord, error: str, reason: str) -> None:
        """End a waiting generation that cannot be handed to ComfyUI: of a batch, or between two tries.
        `error` is for clients, `reason` for the log."""
        try:
            await self._finisher.fail(record, error, reason)
        except (LookupError, TypeError, ValueError):  # a row that cannot be read must not stop the others
            log.exception("AvatarForge: the row of generation %s cannot be read", record.id)
            await self._finisher.give_up(record, error)

    async def run_exclusively(self, step: Callable[[], Awaitable[Result]]) -> Result:
        """Run `step` with `queue_lock` held. It finishes even if the caller is cancelled: a committed row
        without its prompt would never run."""

        async def locked() -> Result:
            async with self.queue_lock:
                return await step()

        return await asyncio.shield(asyncio.create_task(locked()))

    def enqueue(self, record: GenerationRecord, checked: CheckedPrompt) -> None:
        """Put a committed generation into ComfyUI's queue, after those that are still to be resumed. Call it
        with `queue_lock` held. If the host raises, the tracker is unchanged."""
        if self._resumption:
            self._resumption.append(record.id)
            self._live.announce(record)
        else:
            self._enqueue(record, checked)

    async def cancel(self, record: GenerationRecord) -> None:
        """Stop an active generation, and let no re-roll of it wait. Call it with `queue_lock` held. A running
        one ends when ComfyUI reports it; see `wait_finished`."""
        if record.waiting_rerolls_json is not None:
            after = await self._database.write(partial(remove_waiting, generation_id=record.id))
            if after is not None:
                self._live.takes_changed(after)
        if record.status not in queries.ACTIVE:
            return
        run = self._runs.get(record.prompt_id)
        if run is None:  # from an earlier ComfyUI and not resumed yet, or waiting in a batch
            await self._finisher.fail(record, CANCELLED, CANCELLED)
            return
        run.cancelled = True
        self._host.cancel(record.prompt_id)
        await self._reconcile_one(record.prompt_id, run)

    def mark_deleted(self, record: GenerationRecord) -> None:
        """Mark the run before its row is deleted: pictures that the prompt saves from now on are not
        recorded. Call it with `queue_lock` held."""
        run = self._runs.get(record.prompt_id)
        if run is not None:
            run.deleted = True

    def unmark_deleted(self, record: GenerationRecord) -> None:
        """Undo `mark_deleted`, because the row could not be deleted. Call it with `queue_lock` held."""
        run = self._runs.get(record.prompt_id)
        if run is not None:
            run.deleted = False

    async def stop_deleted(self, record: GenerationRecord) -> None:
        """Stop the prompt of a deleted row. Call it with `queue_lock` held."""
        run = self._runs.get(record.prompt_id)
        if run is not None:
            self._host.cancel(record.prompt_id)
            await self._reconcile_one(record.prompt_id, run)

    def is_deleted(self, prompt_id: str) -> bool:
        """Whether this is the prompt of a deleted generation. Thread-safe."""
        run = self._runs.get(prompt_id)
        return run is not None and run.deleted

    def record_start(self, prompt_id: str) -> None:
        """Record that ComfyUI has started this prompt, if it is a generation's. Blocks until that is
        committed: call it from any thread except the event loop's."""
        run = self._runs.get(prompt_id)
        if run is not None:
            run.record_start(self._database).result()

    async def wait_finished(self, prompt_id: str, seconds: float | None) -> bool:
        """Wait until the end of a prompt is written, at most `seconds` (None: no limit); returns whether it
        is."""
        run = self._runs.get(prompt_id)
        if run is None:
            return True
        try:
            await wait_at_most(run.finished.wait(), seconds)
        except (TimeoutError, asyncio.TimeoutError):
            return False
        return True

    async def run(self) -> None:
        """Resume what an earlier ComfyUI left, and process events, until cancelled."""
        self._host.stopped()  # the first call makes the host remember the worker thread
        tasks = [asyncio.create_task(self._tick()), asyncio.create_task(self._resumption.run())]
        try:
            while True:
                event = await self._events.get()
                try:
                    await self._process(event)
                except Exception:  # must not stop the next events; reconciliation handles this one's prompt
                    log.exception("AvatarForge: a generation's state could not be written; trying again soon")
        finally:
            for task in tasks:
                task.cancel()

    def _handle_host_event(self, event: PromptEvent) -> None:
        if event.kind == "queue_changed":
            if self._reconcile_queued:
                return  # one reconciliation covers all changes
            self._reconcile_queued = True
        elif event.prompt_id not in self._runs:
            return
        elif event.kind in _ENDS:
            run = self._runs[event.prompt_id]
            run.end, run.end_queued = event, True
        self._events.put_nowait(event)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(RECONCILE_SECONDS)
            if self._runs:
                self._handle_host_event(PromptEvent("queue_changed"))

    async def _process(self, event: PromptEvent) -> None:
        if event.kind == "queue_changed":
            self._reconcile_queued = False
            await self._reconcile()
            return
        run = self._runs.get(event.prompt_id)
        if run is None:
            return
        run.end_queued = run.end_queued and event.kind not in _ENDS
        if event.kind == "started":
            run.stopwatch.start()
            if run.cancelled or run.deleted:
                # ComfyUI forgets interruptions when it starts a prompt, so an earlier one may have been lost.
                self._host.cancel(event.prompt_id)
            # The save node records the start, too, except in a ComfyUI that runs without a cache.
            started = await asyncio.wrap_future(run.record_start(self._database))
            if started is not None:
                run.record = started
                self._live.announce(started)
        elif event.kind == "saved":
            await self._record_outputs(event, run)
        else:
            await self._finish(event.prompt_id, run, event)

    async def _record_outputs(self, event: PromptEvent, run: ActiveRun) -> None:
        """Publish pictures as soon as they are saved.

        The last one is written together with the end, which normally follows within milliseconds. If it does
        not, this is called again without filenames.
        """
        if run.deleted:
            return
        if event.filenames:
            with contextlib.suppress(NotFoundError):  # `_finish` reports a missing picture
                run.pictures |= await self._finisher.measure(run.record, event.filenames)
        if run.end is not None:
            return
        if event.filenames and run.pictures.keys() >= set(expected_positions(run.record)):
            later = replace(event, filenames=())
            asyncio.get_running_loop().call_later(LAST_PICTURE_SECONDS, self._handle_host_event, later)
            return
        recorded = {replace(output, scores_json=None) for output in run.record.outputs}
        new = [measured.picture for measured in run.pictures.values() if measured.picture not in recorded]
        # A judge names no pictures, and has written what it found.
        judged = not event.filenames and (run.record.spec.judge is not None or run.record.judging is not None)
        updated = await self._finisher.record_outputs(run.record, new) if new or judged else None
        if updated is not None:
            run.record = updated

    async def _finish(self, prompt_id: str, run: ActiveRun, end: PromptEvent) -> None:
        """Write how a prompt ended, and stop following it."""
        if run.finished.is_set():
            return
        timing = run.stopwatch.summary()
        if run.deleted:
            pass
        elif end.kind == "succeeded":
            await self._finisher.complete(run.record, timing, run.pictures)
        elif end.kind == "interrupted":
            error = CANCELLED if run.cancelled else INTERRUPTED
            await self._finisher.fail(run.record, error, error, timing, run.pictures)
        else:
            error = end.error or "ComfyUI gave no reason."
            await self._finisher.fail(run.record, error, end.reason, timing, run.pictures)
        self._runs.pop(prompt_id, None)
        run.finished.set()
        for callback in self._end_callbacks:
            callback()

    async def _reconcile(self) -> None:
        stopped = self._host.stopped() if self._runs else None
        present = self._queued_prompts()
        for prompt_id, run in list(self._runs.items()):
            if not run.end_queued and (stopped is not None or prompt_id not in present):
                await self._reconcile_one(prompt_id, run)

    async def _reconcile_one(self, prompt_id: str, run: ActiveRun) -> None:
        """Finish a run that ComfyUI will not finish: it left the queue, or the worker thread is dead."""
        end = run.end or self._host.verdict(prompt_id)
        if end is None:
            stopped = self._host.stopped()
            if prompt_id not in self._queued_prompts():
                error = CANCELLED if run.cancelled else REMOVED
            elif stopped is not None:
                error = stopped
                self._host.cancel(prompt_id)
            else:
                return
            # It may have ended normally between the two checks.
            end = self._host.verdict(prompt_id) or PromptEvent("failed", prompt_id, error=error, reason=error)
        await self._finish(prompt_id, run, end)

    def _queued_prompts(self) -> frozenset[str]:
        state = self._host.queue_state()
        return state.running.union(state.waiting)

    def _enqueue(self, record: GenerationRecord, checked: CheckedPrompt) -> None:
        self._runs[record.prompt_id] = ActiveRun(record)
        try:
            self._live.track(record, checked.prompt)
            self._host.enqueue(checked)
        except BaseException:  # whatever refused it, it is not followed
            del self._runs[record.prompt_id]
            self._live.untrack(record)
            raise
        self._live.announce(record)
