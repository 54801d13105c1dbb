"""Follows what ComfyUI does with our prompts, and writes it down.

Events tell at once; a reconciliation against queue and history, whenever the queue changes and on
a timer, catches what no event tells: a wiped queue, a deleted item, a dead worker thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import Counter, deque
from collections.abc import Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from ...db import generations as queries
from ...db.engine import Database
from ...db.records import GenerationRecord
from ..errors import NotFoundError, PromptRefusedError, UnavailableError
from ..graphs.models import with_installed_names
from ..live.live import Live
from ..ports import CheckedPrompt, Host, PromptEvent
from ..webhooks.outbox import Outbox
from ..workers import Workers
from .completion import RunFinisher, expected_positions
from .outputs import OutputFolder
from .run import ActiveRun

RECONCILE_SECONDS = 3.0
# How long the last picture waits for the end of its prompt, to be written down with it. ComfyUI tells both
# within milliseconds.
LAST_PICTURE_SECONDS = 0.2
MAX_ATTEMPTS = 3
# How often the queue may refuse one that is resumed, RECONCILE_SECONDS apart: a minute.
MAX_REFUSALS = 20
CANCELLED = "Cancelled on request."
INTERRUPTED = "Cancelled: it was interrupted in ComfyUI."
REMOVED = "Cancelled: it was removed from ComfyUI's queue before it finished."
GAVE_UP = f"ComfyUI stopped {MAX_ATTEMPTS} times while this generation ran, so it was given up."
NOT_RESUMED = "It could not be resumed after a restart."

_ENDS = ("succeeded", "failed", "interrupted")

log = logging.getLogger("avatarforge")


class GenerationTracker:
    """Owns the life cycle after submission. Made in a thread (it reads the database); all methods run
    on the event loop, unless they say otherwise.

    `queue_lock` is held to change a row and ComfyUI's queue together. So a cancel or a delete finds
    a generation either before both or after both, and nothing enters the queue whose row has gone.
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
        # Read before anything can be submitted: what is active now is an earlier ComfyUI's.
        self._pending_resume = deque(record.id for record in database.read_here(queries.active))
        self._refusals: Counter[str] = Counter()  # by prompt_id
        self._runs: dict[str, ActiveRun] = {}
        self._events: asyncio.Queue[PromptEvent] = asyncio.Queue()
        self._reconcile_queued = False
        host.listen(self._handle_host_event)

    @property
    def active(self) -> int:
        """How many are queued or processing: exact but for a moment of the resume, in which one counts
        twice."""
        return len(self._runs) + len(self._pending_resume)

    def enqueue(self, record: GenerationRecord, checked: CheckedPrompt) -> None:
        """Put a committed generation into ComfyUI's queue, behind those of an earlier ComfyUI that are
        still on their way there. `queue_lock` is held. What the host raises leaves nothing behind."""
        if self._pending_resume:
            self._pending_resume.append(record.id)
            self._live.announce(record)
        else:
            self._enqueue(record, checked)

    async def cancel(self, record: GenerationRecord) -> None:
        """Stop an active generation; `queue_lock` is held. A running one ends when ComfyUI says so, see
        `wait_finished`."""
        followed = self._runs.get(record.prompt_id)
        if followed is None:  # of an earlier ComfyUI, not resumed yet
            await self._finisher.fail(record, CANCELLED, CANCELLED)
            return
        followed.cancelled = True
        self._host.cancel(record.prompt_id)
        await self._reconcile_one(record.prompt_id, followed)

    def mark_deleted(self, record: GenerationRecord) -> None:
        """Say that the row is about to go: whatever the prompt still saves is of no generation any more.
        `queue_lock` is held."""
        followed = self._runs.get(record.prompt_id)
        if followed is not None:
            followed.deleted = True

    def unmark_deleted(self, record: GenerationRecord) -> None:
        """The row has stayed after all. `queue_lock` is held."""
        followed = self._runs.get(record.prompt_id)
        if followed is not None:
            followed.deleted = False

    async def stop_deleted(self, record: GenerationRecord) -> None:
        """Stop the prompt of a row that is gone; `queue_lock` is held."""
        followed = self._runs.get(record.prompt_id)
        if followed is not None:
            self._host.cancel(record.prompt_id)
            await self._reconcile_one(record.prompt_id, followed)

    def is_deleted(self, prompt_id: str) -> bool:
        """Whether it is the prompt of a deleted generation. From any thread."""
        followed = self._runs.get(prompt_id)
        return followed is not None and followed.deleted

    def record_start(self, prompt_id: str) -> None:
        """Write down that ComfyUI has started this prompt, if it is one of ours. From any thread but the
        event loop's; it blocks until that is committed."""
        followed = self._runs.get(prompt_id)
        if followed is not None:
            followed.record_start(self._database).result()

    async def wait_finished(self, prompt_id: str, seconds: float | None) -> bool:
        """Wait for the end of a prompt to be written down, up to `seconds` or as long as it takes; say
        whether it is."""
        followed = self._runs.get(prompt_id)
        if followed is None:
            return True
        try:
            await asyncio.wait_for(followed.finished.wait(), seconds)
        except (TimeoutError, asyncio.TimeoutError):
            return False
        return True

    async def run(self) -> None:
        """Resume what an earlier ComfyUI left, and follow events, until cancelled."""
        self._host.stopped()  # it remembers the worker thread that it sees
        helpers = [asyncio.create_task(self._tick()), asyncio.create_task(self._resume())]
        try:
            while True:
                await self._log_errors(self._process(await self._events.get()))
        finally:
            for helper in helpers:
                helper.cancel()

    def _handle_host_event(self, event: PromptEvent) -> None:
        if event.kind == "queue_changed":
            if self._reconcile_queued:
                return  # one look sees all changes
            self._reconcile_queued = True
        elif event.prompt_id not in self._runs:
            return
        elif event.kind in _ENDS:
            followed = self._runs[event.prompt_id]
            followed.end, followed.end_queued = event, True
        self._events.put_nowait(event)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(RECONCILE_SECONDS)
            if self._runs:
                self._handle_host_event(PromptEvent("queue_changed"))

    async def _log_errors(self, step: Coroutine[None, None, None]) -> bool:
        try:
            await step
        except Exception:
            # One event must not stop those that follow it. The reconciliation comes back to it.
            log.exception("AvatarForge: a generation's state could not be written; trying again soon")
            return False
        return True

    async def _process(self, event: PromptEvent) -> None:
        if event.kind == "queue_changed":
            self._reconcile_queued = False
            await self._reconcile()
            return
        followed = self._runs.get(event.prompt_id)
        if followed is None:
            return
        followed.end_queued = followed.end_queued and event.kind not in _ENDS
        if event.kind == "started":
            followed.stopwatch.start()
            if followed.cancelled or followed.deleted:
                # ComfyUI forgets interruptions when it starts a prompt, so one may have been lost.
                self._host.cancel(event.prompt_id)
            # The save node asks for it too; not in a ComfyUI that caches nothing.
            begun = await asyncio.wrap_future(followed.record_start(self._database))
            if begun is not None:
                followed.record = begun
                self._live.announce(begun)
        elif event.kind == "saved":
            await self._record_outputs(event, followed)
        else:
            await self._finish(event.prompt_id, followed, event)

    async def _record_outputs(self, event: PromptEvent, followed: ActiveRun) -> None:
        """Let pictures appear as soon as they are saved. The last one is written down with the end, which
        follows at once; should it not, this is called again, without names."""
        if followed.deleted:
            return
        if event.filenames:
            with contextlib.suppress(NotFoundError):  # the end will say it
                followed.pictures |= await self._finisher.measure(followed.record, event.filenames)
        if followed.end is not None:
            return
        if event.filenames and followed.pictures.keys() >= set(expected_positions(followed.record)):
            later = replace(event, filenames=())
            asyncio.get_running_loop().call_later(LAST_PICTURE_SECONDS, self._handle_host_event, later)
            return
        shown = followed.record.outputs
        new = [one.picture for one in followed.pictures.values() if one.picture not in shown]
        written = await self._finisher.record_outputs(followed.record, new) if new else None
        if written is not None:
            followed.record = written

    async def _finish(self, prompt_id: str, followed: ActiveRun, end: PromptEvent) -> None:
        """Write down how a prompt ended, and follow it no more."""
        if followed.finished.is_set():
            return
        record, pictures = followed.record, followed.pictures
        timing = followed.stopwatch.summary()
        if followed.deleted:
            pass
        elif end.kind == "succeeded":
            await self._finisher.complete(record, timing, pictures)
        elif end.kind == "interrupted":
            error = CANCELLED if followed.cancelled else INTERRUPTED
            await self._finisher.fail(record, error, error, timing, pictures)
        else:
            error = end.error or "ComfyUI gave no reason."
            await self._finisher.fail(record, error, end.reason, timing, pictures)
        self._runs.pop(prompt_id, None)
        followed.finished.set()

    async def _reconcile(self) -> None:
        stopped = self._host.stopped() if self._runs else None
        present = self._queued_prompts()
        for prompt_id, followed in list(self._runs.items()):
            if not followed.end_queued and (stopped is not None or prompt_id not in present):
                await self._reconcile_one(prompt_id, followed)

    async def _reconcile_one(self, prompt_id: str, followed: ActiveRun) -> None:
        """End what can no longer end by itself: it has left the queue, or nobody works on that."""
        end = followed.end or self._host.verdict(prompt_id)
        if end is None:
            stopped = self._host.stopped()
            if prompt_id not in self._queued_prompts():
                error = CANCELLED if followed.cancelled else REMOVED
            elif stopped is not None:
                error = stopped
                self._host.cancel(prompt_id)
            else:
                return
            # Between the two looks it may have ended as others do.
            end = self._host.verdict(prompt_id) or PromptEvent("failed", prompt_id, error=error, reason=error)
        await self._finish(prompt_id, followed, end)

    def _queued_prompts(self) -> frozenset[str]:
        state = self._host.queue_state()
        return state.running.union(state.waiting)

    def _enqueue(self, record: GenerationRecord, checked: CheckedPrompt) -> None:
        self._runs[record.prompt_id] = ActiveRun(record)
        try:
            self._live.track(record, checked.prompt)
            self._host.enqueue(checked)
        except BaseException:
            del self._runs[record.prompt_id]
            self._live.untrack(record)
            raise
        self._live.announce(record)

    async def _resume(self) -> None:
        """Bring what an earlier ComfyUI left into the queue again, in its order."""
        while self._pending_resume:
            if await self._log_errors(self._resume_next()):
                continue
            await asyncio.sleep(RECONCILE_SECONDS)

    async def _resume_next(self) -> None:
        again = False
        async with self.queue_lock:
            record = await self._database.read(partial(queries.get, generation_id=self._pending_resume[0]))
            # It may have been deleted, cancelled, or retried under another prompt since.
            if record is not None and record.status in queries.ACTIVE and record.prompt_id not in self._runs:
                try:
                    await self._resume_one(record)
                except SQLAlchemyError:
                    raise
                except UnavailableError as error:
                    again = await self._put_off(record, str(error))
                except Exception:
                    # Whatever is wrong with this one, those behind it go on.
                    log.exception("AvatarForge: generation %s could not be resumed", record.id)
                    end = {"status": "failed", "error": NOT_RESUMED, "completed_at": self._database.now()}
                    await self._change(record, **end)
            resumed = self._pending_resume.popleft()
            if again:
                self._pending_resume.append(resumed)
        if again:
            await asyncio.sleep(RECONCILE_SECONDS)

    async def _put_off(self, record: GenerationRecord, reason: str) -> bool:
        """ComfyUI's queue did not take it. Say whether to try it again, behind the others; the last time it
        ends with the reason."""
        self._refusals[record.prompt_id] += 1
        if self._refusals[record.prompt_id] < MAX_REFUSALS:
            return True
        del self._refusals[record.prompt_id]
        await self._finisher.fail(record, f"{NOT_RESUMED} {reason}", NOT_RESUMED)
        return False

    async def _resume_one(self, record: GenerationRecord) -> None:
        if record.status == "processing":
            if await self._finisher.complete_if_saved(record):
                return
            if record.attempts >= MAX_ATTEMPTS:
                await self._finisher.fail(record, GAVE_UP, GAVE_UP)
                return
        text = await self._database.read(partial(queries.prompt_of, generation_id=record.id))
        try:
            installed = await self._host.installed_models(fresh=False)
            prompt = with_installed_names(json.loads(text or "{}"), installed)
            checked = await self._host.check(record.prompt_id, prompt)
        except PromptRefusedError as error:
            await self._finisher.fail(record, f"{NOT_RESUMED} {error}", NOT_RESUMED)
            return
        await self._change(record, status="queued", started_at=None)
        self._enqueue(replace(record, status="queued", started_at=None), checked)
        del self._refusals[record.prompt_id]
        log.info("AvatarForge: generation %s goes on after a restart", record.id)

    async def _change(self, record: GenerationRecord, **values: Any) -> None:
        change = partial(queries.update_row, generation_id=record.id, only_if=queries.ACTIVE)
        await self._database.write(partial(change, running=record.prompt_id, **values))
