"""Generations as users know them: submit, get, list, re-roll, cancel, retry, delete."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from ...db import generations as queries
from ...db import takes as take_queries
from ...db.engine import Database
from ...db.gallery import GalleryFilter
from ...db.records import GenerationRecord, OutputRecord
from ..errors import (
    ConflictError,
    NotFoundError,
    UnavailableError,
)
from ..idempotency import Claim, with_claim, without_claim
from ..live.live import Live
from ..ports import Host, Prompt
from ..settings import Settings
from ..spec.avatar import Kind
from ..spec.request import AvatarRequest
from ..spec.reroll import RequestedReroll
from ..store.listing import read_number_cursor
from ..webhooks.targets import Targets
from ..workers import run_uncancellable
from .cache import GenerationCache, PageQuery
from .example import example_prompt
from .judging import JudgePreparer
from .outputs import OutputFolder
from .preparation import PreparedRun, RunPreparer
from .redraw import RedrawPreparer, RedrawRequest
from .removal import STOP_SECONDS, GenerationRemover
from .reroll_dispatcher import RerollDispatcher
from .rerolls import RerollChangedError, add_waiting, check_has_room, choose_reroll
from .run_log import RunLogger
from .tracker import GenerationTracker
from .transactions import check_queue_limit

__all__ = [
    "AvatarRequest",
    "GenerationRecord",
    "GenerationService",
    "OutputRecord",
    "Page",
]

#: How often a re-roll looks at its generation again, because another request changed it meanwhile.
REROLL_ATTEMPTS = 5

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class Page:
    """A page of the list. `total` counts all matching generations; `next_cursor` is None on the last page."""

    total: int
    records: list[GenerationRecord]
    next_cursor: str | None


class GenerationService:
    """What the routes do with generations. Every method raises the errors of `forge.errors`."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        host: Host,
        outputs: OutputFolder,
        tracker: GenerationTracker,
        live: Live,
        targets: Targets,
        cache: GenerationCache,
        preparer: RunPreparer,
        redraws: RedrawPreparer,
        remover: GenerationRemover,
        rerolls: RerollDispatcher,
        judges: JudgePreparer,
    ) -> None:
        self._settings = settings
        self._database = database
        self._host = host
        self._outputs = outputs
        self._tracker = tracker
        self._live = live
        self._targets = targets
        self._cache = cache
        self._preparer = preparer
        self._redraws = redraws
        self._remover = remover
        self._rerolls = rerolls
        self._judges = judges
        self._run_logger = RunLogger(log_prompts=settings.log_prompts)

    async def submit(
        self,
        request: AvatarRequest,
        kind: Kind,
        views: tuple[str, ...] | None,
        claim: Claim | None = None,
    ) -> GenerationRecord:
        """Accept a request: when this returns, the generation is committed and in ComfyUI's queue.

        If `views` is None, it has one picture: the view of the pose image, or the front. `claim` is committed
        in the same transaction. An error leaves no trace of the request.
        """
        if request.callback_url is not None:
            self._targets.require(request.callback_url)
        await self._check_worker_alive()
        async with AsyncExitStack() as undo:
            prepared = await self._preparer.prepare_new(request, kind, views, undo)
            record = await self._commit_and_enqueue(prepared, claim)
            undo.pop_all()
        return record

    async def redraw(
        self, character_id: str, wanted: RedrawRequest, claim: Claim | None = None
    ) -> GenerationRecord:
        """Accept a redraw of the face of a finished picture, as `submit` accepts a request. May also raise
        ConflictError."""
        if wanted.callback_url is not None:
            self._targets.require(wanted.callback_url)
        await self._check_worker_alive()
        async with AsyncExitStack() as undo:
            prepared = await self._redraws.prepare(character_id, wanted, undo)
            record = await self._commit_and_enqueue(prepared, claim)
            undo.pop_all()
        return record

    async def reroll(
        self,
        generation_id: str,
        view: str | None,
        seed: int | None,
        claim: Claim | None = None,
        *,
        position: int | None = None,
    ) -> GenerationRecord:
        """Generate one picture again, that of a view or that at a position, from 1: it gets one more take,
        and the others stay. While another re-roll of the generation runs or waits, this one waits for it.

        Raises NotFoundError, ConflictError, UnprocessableError, UnavailableError, PromptRefusedError,
        BusyError.
        """
        for _ in range(REROLL_ATTEMPTS):
            record = await self.get(generation_id)
            if record.is_manual or not (record.status == "completed" or _is_rerolled_now(record)):
                raise ConflictError(
                    f"Only a completed generation of the API can be re-rolled; this one is {_state(record)}.",
                    code="generation_not_completed",
                )
            await self._check_worker_alive()
            wanted = choose_reroll(record.spec, view, position, seed)
            check_has_room(record, wanted)
            # Also if it waits, so that the answer tells why it could not run.
            prepared = await self._preparer.prepare_reroll(record, wanted)
            try:
                if record.is_rerolling:
                    return await self._let_wait(record, wanted, claim)
                return await self._commit_and_enqueue(prepared, claim)
            except RerollChangedError:
                continue
        raise RerollChangedError

    async def judge(
        self, generation_id: str, views: Sequence[str] | None, claim: Claim | None = None
    ) -> GenerationRecord:
        """Judge the current pictures of a completed generation: those that show these views, or all. It is
        queued, and complete again when they are judged.

        Raises NotFoundError, ConflictError, UnprocessableError, UnavailableError, PromptRefusedError,
        BusyError.
        """
        for _ in range(REROLL_ATTEMPTS):
            record = await self.get(generation_id)
            await self._check_worker_alive()
            prepared = await self._judges.prepare(record, views)
            try:
                return await self._commit_and_enqueue(prepared, claim)
            except RerollChangedError:
                continue
        raise RerollChangedError

    async def _let_wait(
        self, record: GenerationRecord, wanted: RequestedReroll, claim: Claim | None
    ) -> GenerationRecord:
        add = partial(add_waiting, generation_id=record.id, wanted=wanted)
        commit = with_claim(add, claim, self._database.now())

        async def write() -> GenerationRecord:
            after = await self._database.write(commit)
            self._live.takes_changed(after)
            return after

        after = await self._tracker.run_exclusively(write)
        self._rerolls.wake()
        return after

    async def retry(self, generation_id: str, claim: Claim | None = None) -> GenerationRecord:
        """Run a failed generation again, with the same id, seed and graph.

        Raises NotFoundError, ConflictError, UnavailableError, PromptRefusedError, BusyError.
        """
        record = await self.get(generation_id)
        if record.status != "failed" or record.is_manual:
            raise ConflictError(
                f"Only a failed generation can be retried; this one is {_state(record)}.",
                code="generation_not_failed",
            )
        await self._check_worker_alive()
        return await self._commit_and_enqueue(await self._preparer.prepare_retry(record), claim)

    async def cancel(self, generation_id: str) -> GenerationRecord:
        """Stop a queued or running generation, and let no re-roll of it wait; return its new record.

        Waits up to STOP_SECONDS for a running one, which may also complete or fail in that time. Raises
        NotFoundError, ConflictError.
        """
        record = await self._tracker.run_exclusively(partial(self._cancel, generation_id))
        await self._tracker.wait_finished(record.prompt_id, STOP_SECONDS)
        return await self.get(generation_id)

    async def get(self, generation_id: str) -> GenerationRecord:
        """Read the record from the database. Raises NotFoundError."""
        record = await self._database.read(partial(queries.get, generation_id=generation_id))
        if record is None:
            raise unknown_generation(generation_id)
        return record

    async def get_cached(self, generation_id: str) -> GenerationRecord:
        """Return the record from the cache, which is never older than the database. Raises NotFoundError."""
        record = await self._cache.get(generation_id)
        if record is None:
            raise unknown_generation(generation_id)
        return record

    async def active(self, limit: int) -> list[GenerationRecord]:
        """The queued and processing generations, oldest first, without those of batches that wait."""
        return await self._database.read(partial(queries.active, limit=limit))

    async def prompt(self, generation_id: str) -> Prompt:
        """The graph of the last run, in ComfyUI's API format; of a generation that waits in a batch, the
        graph that would run now. Raises NotFoundError, UnavailableError."""
        return await self._preparer.prompt_of(await self.get(generation_id))

    async def page(
        self,
        *,
        status: str | None,
        limit: int,
        offset: int,
        cursor: str | None,
        character_id: str | None = None,
        batch_id: str | None = None,
        gallery: GalleryFilter | None = None,
    ) -> Page:
        """One page of the generations, newest first. `cursor` is the `next_cursor` of the previous page.
        `gallery` takes the place of the other filters, and has its own order."""
        before = read_number_cursor(cursor, 18)
        query = PageQuery(status, limit + 1, offset, before, character_id, batch_id, gallery)
        total, records = await self._cache.page(query)
        has_more = len(records) > limit
        records = records[:limit]
        return Page(total, records, str(records[-1].sequence) if has_more else None)

    async def example_prompt(self, family: str) -> Prompt:
        """The graph of a family for a plain request. Raises NotFoundError, UnavailableError."""
        return example_prompt(family, await self._host.installed_models(fresh=False), self._settings)

    async def delete(self, generation_id: str, *, keep_outputs: bool) -> None:
        """Delete a generation and release its files; cancel it first if it is active. Its pictures are
        removed unless `keep_outputs`. Raises NotFoundError."""
        await asyncio.shield(asyncio.create_task(self._delete(generation_id, keep_outputs=keep_outputs)))
        log.info("AvatarForge: generation %s deleted", generation_id)

    async def output(self, generation_id: str, filename: str) -> tuple[OutputRecord, Path]:
        """The row and the path of a picture, also of a take that is not the current one. Raises
        NotFoundError."""

        def find(connection: Connection) -> OutputRecord | None:
            current = queries.output(connection, generation_id, filename)
            return current or take_queries.picture(connection, generation_id, filename)

        record = await self._database.read(find)
        if record is None:
            raise NotFoundError(
                f"Generation {generation_id} has no picture of that name.", code="output_not_found"
            )
        return record, self._outputs.file_of(record)

    async def _commit_and_enqueue(self, prepared: PreparedRun, claim: Claim | None) -> GenerationRecord:
        """Commit the row, then enqueue the prompt: so every prompt that runs has a row, and an accepted
        request survives a crash.

        Both steps finish even if the caller is cancelled. Nothing is awaited after the prompt is enqueued:
        each await would let ComfyUI's worker thread start on the new prompt, and delay the response.
        """
        async with self._tracker.queue_lock:
            await self._check_queue_limit()  # again, because the lock now keeps other requests out
            commit = with_claim(prepared.commit, claim, self._database.now())
            record = await run_uncancellable(self._database.write(commit))
            try:
                self._tracker.enqueue(record, prepared.checked)
            except Exception:  # whatever refused it, nothing of it may stay
                await run_uncancellable(self._database.write(without_claim(prepared.undo, claim)))
                raise
        # Writing to the log can block, too, so it happens after the response is on its way.
        asyncio.get_running_loop().call_soon(self._run_logger.accepted, record)
        return record

    async def _cancel(self, generation_id: str) -> GenerationRecord:
        record = await self.get(generation_id)
        if record.status not in queries.ACTIVE and not record.waiting_rerolls:
            raise ConflictError(
                f"Only a queued or running generation can be cancelled; this one is {_state(record)}.",
                code="generation_not_active",
            )
        await self._tracker.cancel(record)
        return record

    async def _delete(self, generation_id: str, *, keep_outputs: bool) -> None:
        record = await self._tracker.run_exclusively(
            partial(self._delete_row, generation_id, keep_outputs=keep_outputs)
        )
        await self._remover.remove_outputs([record], keep_outputs=keep_outputs)

    async def _delete_row(self, generation_id: str, *, keep_outputs: bool) -> GenerationRecord:
        record = await self.get(generation_id)
        await self._remover.delete_rows([record], keep_outputs=keep_outputs)
        return record

    async def _check_worker_alive(self) -> None:
        """Refuse a request before any work is done for it. `_commit_and_enqueue` checks the limit again."""
        reason = self._host.stopped()
        if reason is not None:
            raise UnavailableError(reason, code="worker_stopped")
        await self._check_queue_limit()

    async def _check_queue_limit(self) -> None:
        # The tracker's count is quick but includes runs that have just ended, so the rows have the last word.
        if self._tracker.active >= self._settings.max_active_generations:
            await self._database.read(partial(check_queue_limit, limit=self._settings.max_active_generations))


def unknown_generation(generation_id: str) -> NotFoundError:
    return NotFoundError(f"No generation {generation_id} exists.", code="generation_not_found")


def _is_rerolled_now(record: GenerationRecord) -> bool:
    """Whether its pictures are complete, and one of them is being made again, or they are judged."""
    return record.status in queries.ACTIVE and record.keeps_pictures


def _state(record: GenerationRecord) -> str:
    return "a graph that was queued by hand" if record.is_manual else record.status
