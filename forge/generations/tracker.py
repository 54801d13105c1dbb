"""Follows what ComfyUI does with our prompts, and writes it down.

Events tell at once; a reconciliation against queue and history, whenever the queue changes and on
a timer, catches what no event tells: a wiped queue, a deleted item, a dead worker thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Coroutine
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from ...db import generations as queries
from ...db.engine import Database
from ...db.records import GenerationRecord, OutputRecord
from .. import clock
from ..errors import NotFoundError, PromptRefusedError
from ..graphs.compile import output_names
from ..ports import Host, PromptEvent
from ..workers import Workers
from .outputs import OutputFolder
from .reroll import Reroll
from .spec import AvatarSpec

RECONCILE_SECONDS = 15.0
MAX_ATTEMPTS = 3
CANCELLED = "Cancelled on request."
INTERRUPTED = "Cancelled: it was interrupted in ComfyUI."
REMOVED = "Cancelled: it was removed from ComfyUI's queue before it finished."
GAVE_UP = f"ComfyUI stopped {MAX_ATTEMPTS} times while this generation ran, so it was given up."

log = logging.getLogger("avatarforge")


class GenerationTracker:
    """Owns the life cycle after submission. Made in a thread (it reads the database); all methods run
    on the event loop."""

    def __init__(self, database: Database, host: Host, workers: Workers, outputs: OutputFolder) -> None:
        self._database = database
        self._host = host
        self._workers = workers
        self._outputs = outputs
        # Read before anything can be submitted: what is active now is an earlier ComfyUI's.
        self._unfinished = database.read_here(queries.active)
        self._active: dict[str, str] = {}
        self._cancelled: set[str] = set()
        self._discarded: dict[str, str] = {}
        self._events: asyncio.Queue[PromptEvent] = asyncio.Queue()
        host.listen(self._events.put_nowait)

    def follow(self, record: GenerationRecord) -> None:
        """From now on, expect events of this generation. Call before it is enqueued."""
        self._active[record.prompt_id] = record.id

    def cancel(self, record: GenerationRecord) -> None:
        """Ask ComfyUI to stop it; the event or the reconciliation that follows writes the end."""
        self._cancelled.add(record.prompt_id)
        self._host.cancel(record.prompt_id)

    def discard(self, record: GenerationRecord) -> None:
        """Stop it and forget it: its row is gone; pictures that it still writes are removed."""
        self._active.pop(record.prompt_id, None)
        self._host.cancel(record.prompt_id)
        if record.prompt_id in self._host.queue_state().running:
            self._discarded[record.prompt_id] = record.id

    async def run(self) -> None:
        """Resume what an earlier ComfyUI left, then follow events until cancelled."""
        await self._guarded(self._resume())
        ticking = asyncio.create_task(self._tick())
        try:
            while True:
                await self._guarded(self._handle(await self._events.get()))
        finally:
            ticking.cancel()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(RECONCILE_SECONDS)
            self._events.put_nowait(PromptEvent("queue_changed"))

    async def _guarded(self, step: Coroutine[None, None, None]) -> None:
        try:
            await step
        except SQLAlchemyError:
            # The reconciliation comes back to it: nothing is lost by going on.
            log.exception("AvatarForge: a generation's state could not be written; trying again soon")

    async def _handle(self, event: PromptEvent) -> None:
        if event.kind == "queue_changed":
            await self._reconcile()
        elif event.prompt_id in self._discarded:
            if event.kind != "started":
                await self._workers.disk(self._outputs.remove, self._discarded.pop(event.prompt_id))
        elif event.prompt_id in self._active:
            await self._apply(event)

    async def _apply(self, event: PromptEvent) -> None:
        generation_id = self._active[event.prompt_id]
        if event.kind == "started":
            await self._change(generation_id, ["queued"], status="processing", started_at=clock.now())
            return
        if event.kind == "saved":
            await self._show(generation_id, event.filenames)
            return
        if event.kind == "succeeded":
            await self._complete(generation_id)
        elif event.kind == "interrupted":
            await self._fail(generation_id, CANCELLED if event.prompt_id in self._cancelled else INTERRUPTED)
        else:
            await self._fail(generation_id, event.error or "ComfyUI gave no reason.")
        self._active.pop(event.prompt_id, None)
        self._cancelled.discard(event.prompt_id)

    async def _complete(self, generation_id: str) -> None:
        record = await self._database.read(partial(queries.get, generation_id=generation_id))
        if record is None:
            return
        try:
            pictures = [await self._measure(record, position) for position in _made(record)]
        except NotFoundError as error:
            await self._fail(generation_id, str(error))
            return
        now = clock.now()
        await self._database.write(partial(_write_completion, record=record, pictures=pictures, now=now))
        seconds = (now - (record.started_at or record.created_at)) / 1e6
        log.info("AvatarForge: generation %s completed in %.1f s", generation_id, seconds)

    async def _show(self, generation_id: str, filenames: tuple[str, ...]) -> None:
        """Each picture appears as soon as it is saved."""
        record = await self._database.read(partial(queries.get, generation_id=generation_id))
        if record is None or record.reroll:
            return
        names = output_names(AvatarSpec.from_json(record.spec))
        for position in [names[name] for name in filenames if name in names]:
            picture = await self._measure(record, position)
            await self._database.write(partial(queries.set_output, record=picture))

    async def _measure(self, record: GenerationRecord, position: int) -> OutputRecord:
        view = AvatarSpec.from_json(record.spec).views[position]
        return await self._workers.disk(self._outputs.measure, record.id, position, view)

    async def _fail(self, generation_id: str, error: str) -> None:
        if await self._database.write(partial(_write_failure, generation_id=generation_id, error=error)):
            log.warning("AvatarForge: generation %s failed", generation_id)

    async def _change(
        self, generation_id: str, only_if: tuple[str, ...] | list[str], **values: object
    ) -> bool:
        def change(connection: Connection) -> bool:
            return queries.change(connection, generation_id, only_if, **values)

        return await self._database.write(change)

    async def _reconcile(self) -> None:
        if not self._active:
            return
        state = self._host.queue_state()
        present = state.running.union(state.waiting)
        for prompt_id in [one for one in self._active if one not in present]:
            # Between leaving the queue and its last event a prompt is in the history only.
            verdict = self._host.verdict(prompt_id)
            if verdict is None and not self._events.empty():
                continue
            if verdict is None:
                error = CANCELLED if prompt_id in self._cancelled else REMOVED
                verdict = PromptEvent("failed", prompt_id, error)
            await self._apply(verdict)

    async def _resume(self) -> None:
        for record in self._unfinished:
            if record.attempts >= MAX_ATTEMPTS:
                await self._fail(record.id, GAVE_UP)
                continue
            text = await self._database.read(partial(queries.prompt_of, generation_id=record.id))
            if text is None:
                continue  # deleted meanwhile
            try:
                checked = await self._host.check(record.prompt_id, json.loads(text))
            except PromptRefusedError as error:
                await self._fail(record.id, f"It could not be resumed after a restart. {error}")
                continue
            again = {"status": "queued", "started_at": None, "attempts": record.attempts + 1}
            if await self._change(record.id, queries.ACTIVE, **again):
                self.follow(record)
                self._host.enqueue(checked)
                log.info("AvatarForge: generation %s goes on after a restart", record.id)


def _made(record: GenerationRecord) -> list[int]:
    """The places of the pictures that the prompt makes."""
    if record.reroll:
        return [Reroll.from_json(record.reroll).position]
    return list(range(len(AvatarSpec.from_json(record.spec).views)))


def _write_completion(
    connection: Connection, record: GenerationRecord, pictures: list[OutputRecord], now: int
) -> None:
    settled = Reroll.from_json(record.reroll).settle(record.spec, record.receipt) if record.reroll else {}
    if queries.change(
        connection,
        record.id,
        queries.ACTIVE,
        status="completed",
        completed_at=now,
        reroll=None,
        **settled,
    ):
        for picture in pictures:
            queries.set_output(connection, picture)


def _write_failure(connection: Connection, generation_id: str, error: str) -> bool:
    record = queries.get(connection, generation_id)
    if record is None:
        return False
    end: dict[str, str | None] = {"status": "failed", "error": error}
    if record.reroll:  # the picture that was there is still there
        reroll = Reroll.from_json(record.reroll)
        end = {"status": "completed", "reroll": None, **reroll.fail(record.receipt, error)}
    return queries.change(connection, generation_id, queries.ACTIVE, completed_at=clock.now(), **end)
