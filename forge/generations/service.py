"""Generations as users know them: submit, get, list, re-roll, cancel, retry, delete."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from pydantic_core import to_json
from sqlalchemy.exc import SQLAlchemyError

from ...db import generations as queries
from ...db.engine import Database, Query
from ...db.records import GenerationRecord, OutputRecord
from ..errors import (
    AvatarForgeError,
    ConflictError,
    NotFoundError,
    UnavailableError,
    UnprocessableError,
)
from ..graphs.compile import compile_prompt, compile_reroll
from ..graphs.models import require_models, with_installed_names
from ..idempotency import Claim, with_claim, without_claim
from ..live.live import Live
from ..ports import CheckedPrompt, Host, InstalledModels, Prompt
from ..settings import Settings
from ..spec.avatar import AvatarSpec, Kind
from ..spec.receipt import Receipt
from ..spec.request import AvatarRequest
from ..spec.reroll import Reroll
from ..store.files import FileStore
from ..webhooks.targets import Targets
from ..workers import Workers, run_uncancellable
from .cache import GenerationCache, PageQuery
from .inputs import Inputs
from .outputs import OutputFolder, outputs_entry
from .resolve import ResolvedRequest, resolve_request
from .run_log import RunLogger
from .tracker import GenerationTracker
from .transactions import (
    check_queue_limit,
    commit_new,
    receipt_for_reroll,
    receipt_for_retry,
    remove,
    requeue,
    restore,
    withdraw,
)

__all__ = [
    "AvatarRequest",
    "GenerationRecord",
    "GenerationService",
    "OutputRecord",
    "Page",
]

# How long an answer waits for a running prompt to stop. A node looks for an interruption at least once
# in each sampling step.
STOP_SECONDS = 5.0

Result = TypeVar("Result")

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class Page:
    """`total` counts all that match; `next_cursor` is None on the last page."""

    total: int
    records: list[GenerationRecord]
    next_cursor: str | None


class GenerationService:
    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        files: FileStore,
        host: Host,
        workers: Workers,
        outputs: OutputFolder,
        tracker: GenerationTracker,
        live: Live,
        targets: Targets,
        cache: GenerationCache,
    ) -> None:
        self._settings = settings
        self._database = database
        self._files = files
        self._host = host
        self._workers = workers
        self._outputs = outputs
        self._tracker = tracker
        self._live = live
        self._targets = targets
        self._cache = cache
        self._inputs = Inputs(database, files)
        self._journal = RunLogger(log_prompts=settings.log_prompts)
        self._removals: set[asyncio.Task[None]] = set()

    async def submit(
        self,
        request: AvatarRequest,
        kind: Kind,
        views: tuple[str, ...] | None,
        claim: Claim | None = None,
    ) -> GenerationRecord:
        """Accept a request: once this returns, it is committed and stands in ComfyUI's queue.

        `views` None asks for one picture, of the pose image's view, else of the front. `claim` is
        committed with it. Raises the errors of `forge.errors`; then no trace of the request is left.
        """
        if request.callback_url is not None:
            self._targets.require(request.callback_url)
        await self._check_worker_alive()
        async with AsyncExitStack() as undo:
            given, reference = await self._inputs.resolve(request, undo)
            decision = await self._resolve(partial(resolve_request, request, views, given, reference))
            spec = await self._fit(decision.spec, request.turnaround)
            generation_id = str(uuid.uuid4())
            compiled = compile_prompt(spec, generation_id, spare_controlnet=decision.spare_controlnet)
            checked = await self._host.check(generation_id, compiled.prompt)
            receipt = Receipt(compiled.inputs, (*decision.warnings, *compiled.warnings))
            commit = partial(
                commit_new,
                generation_id=generation_id,
                kind=kind,
                spec=spec,
                prompt=to_json(compiled.prompt).decode(),
                receipt=receipt.for_prompt(generation_id),
                callback_url=request.callback_url,
                now=self._database.now(),
            )
            pose = given.record if given is not None else None
            used = [record for record in (pose, reference) if record is not None]
            take_back = partial(withdraw, generation_id=generation_id, used=used)
            record = await self._commit_and_enqueue(commit, checked, take_back, claim)
            undo.pop_all()
        return record

    async def reroll(
        self, generation_id: str, view: str, seed: int | None, claim: Claim | None = None
    ) -> GenerationRecord:
        """Re-roll one view and keep the others. Raises NotFoundError, ConflictError,
        UnprocessableError, UnavailableError, PromptRefusedError, BusyError."""
        record = await self.get(generation_id)
        if record.status != "completed" or record.is_manual:
            raise ConflictError(
                f"Only a completed generation of the API can be re-rolled; this one is {_state(record)}.",
                code="generation_not_completed",
            )
        await self._check_worker_alive()
        spec = record.spec
        if view not in spec.views:
            has = ", ".join(filter(None, spec.views)) or "none"
            raise UnprocessableError(
                f"This generation has no {view} view. It has: {has}.",
                ("query", "pose"),
                code="view_not_found",
            )
        await self._inputs.check_present(spec)
        chosen = secrets.randbits(53) if seed is None else seed
        position = spec.views.index(view)
        planned = replace(spec, reseeded={**spec.reseeded, view: chosen})
        compiled = compile_reroll(planned, generation_id, position)
        installed = await self._host.installed_models()
        require_models(installed, spec.checkpoint, spec.controlnet)
        prompt = with_installed_names(compiled.prompt, installed)
        checked = await self._host.check(str(uuid.uuid4()), prompt)
        lines = Receipt(compiled.inputs).for_prompt(checked.prompt_id)
        again = partial(
            requeue,
            before=record,
            refusal="Another re-roll of this generation has just begun. Wait for it.",
            receipt=receipt_for_reroll(record, installed).to_json(),
            prompt=to_json(prompt).decode(),
            prompt_id=checked.prompt_id,
            reroll=Reroll(position, view, chosen, lines.inputs).to_json(),
        )
        return await self._commit_and_enqueue(again, checked, partial(restore, before=record), claim)

    async def retry(self, generation_id: str, claim: Claim | None = None) -> GenerationRecord:
        """Run a failed generation again: the same id, seed and graph.

        Raises NotFoundError, ConflictError, UnavailableError, PromptRefusedError, BusyError.
        """
        record = await self.get(generation_id)
        if record.status != "failed" or record.is_manual:
            raise ConflictError(
                f"Only a failed generation can be retried; this one is {_state(record)}.",
                code="generation_not_failed",
            )
        await self._check_worker_alive()
        spec = record.spec
        await self._inputs.check_present(spec)
        installed = await self._host.installed_models()
        require_models(installed, spec.checkpoint, spec.controlnet)
        text = await self._database.read(partial(queries.prompt_of, generation_id=generation_id))
        prompt = with_installed_names(json.loads(text or "{}"), installed)
        checked = await self._host.check(str(uuid.uuid4()), prompt)
        again = partial(
            requeue,
            before=record,
            refusal="Another retry of this generation has just begun. Wait for it.",
            prompt_id=checked.prompt_id,
            receipt=receipt_for_retry(record, checked.prompt_id, installed).to_json(),
            started_at=None,
            completed_at=None,
            error=None,
        )
        return await self._commit_and_enqueue(again, checked, partial(restore, before=record), claim)

    async def cancel(self, generation_id: str) -> GenerationRecord:
        """Stop a queued or running generation; give it back as it is then.

        A running one is waited for, up to STOP_SECONDS; it may also have ended otherwise meanwhile.
        Raises NotFoundError, ConflictError.
        """
        record = await self._run_exclusively(partial(self._cancel, generation_id))
        await self._tracker.wait_finished(record.prompt_id, STOP_SECONDS)
        return await self.get(generation_id)

    async def get(self, generation_id: str) -> GenerationRecord:
        """Read now. Raises NotFoundError."""
        record = await self._database.read(partial(queries.get, generation_id=generation_id))
        if record is None:
            raise unknown_generation(generation_id)
        return record

    async def get_cached(self, generation_id: str) -> GenerationRecord:
        """The same record from memory until it changes. Raises NotFoundError."""
        record = await self._cache.get(generation_id)
        if record is None:
            raise unknown_generation(generation_id)
        return record

    async def active(self, limit: int) -> list[GenerationRecord]:
        """Queued and processing ones, oldest first."""
        return await self._database.read(partial(queries.active, limit=limit))

    async def prompt(self, generation_id: str) -> Prompt:
        """The graph of its last run. Raises NotFoundError."""
        text = await self._database.read(partial(queries.prompt_of, generation_id=generation_id))
        if text is None:
            raise unknown_generation(generation_id)
        prompt: Prompt = json.loads(text)
        return prompt

    async def page(self, *, status: str | None, limit: int, offset: int, cursor: str | None) -> Page:
        """Newest first. `cursor` is the `next_cursor` of the page before."""
        query = PageQuery(status, limit + 1, offset, _read_cursor(cursor))
        total, records = await self._cache.page(query)
        more = len(records) > limit
        records = records[:limit]
        return Page(total, records, str(records[-1].sequence) if more else None)

    async def delete(self, generation_id: str, *, keep_outputs: bool) -> None:
        """Remove it: cancelled first when it still runs, its pictures with it, its files released."""
        await asyncio.shield(asyncio.create_task(self._delete(generation_id, keep_outputs=keep_outputs)))
        log.info("AvatarForge: generation %s deleted", generation_id)

    async def output(self, generation_id: str, filename: str) -> tuple[OutputRecord, Path]:
        """One picture of a finished generation. Raises NotFoundError."""
        record = await self._database.read(
            partial(queries.output, generation_id=generation_id, filename=filename)
        )
        if record is None:
            raise NotFoundError(
                f"Generation {generation_id} has no picture of that name.", code="output_not_found"
            )
        return record, self._outputs.folder_of(generation_id) / record.filename

    async def _run_exclusively(self, step: Callable[[], Awaitable[Result]]) -> Result:
        """Change a row and ComfyUI's queue as one step, that nobody else comes between.

        It goes on to its end when the caller goes away meanwhile: a committed row without its prompt would
        be a generation that nobody runs.
        """

        async def alone() -> Result:
            async with self._tracker.queue_lock:
                return await step()

        return await asyncio.shield(asyncio.create_task(alone()))

    async def _commit_and_enqueue(
        self,
        commit: Query[GenerationRecord],
        checked: CheckedPrompt,
        take_back: Query[object],
        claim: Claim | None,
    ) -> GenerationRecord:
        """Commit first, then the queue: what ComfyUI runs has a row, and what is accepted survives.

        Like `_in_order` it goes on to its end. Nothing waits after the queue: each wait would let ComfyUI's
        worker thread run on with the new prompt, and the answer would stand behind it.
        """
        async with self._tracker.queue_lock:
            await self._check_queue_limit()  # nobody else can take it now
            record = await run_uncancellable(
                self._database.write(with_claim(commit, claim, self._database.now()))
            )
            try:
                self._tracker.enqueue(record, checked)
            except Exception:
                await run_uncancellable(self._database.write(without_claim(take_back, claim)))
                raise
        # Writing a line is a wait, too: it comes once the answer is on its way.
        asyncio.get_running_loop().call_soon(self._journal.accepted, record)
        return record

    async def _cancel(self, generation_id: str) -> GenerationRecord:
        record = await self.get(generation_id)
        if record.status not in queries.ACTIVE:
            raise ConflictError(
                f"Only a queued or running generation can be cancelled; this one is {_state(record)}.",
                code="generation_not_active",
            )
        await self._tracker.cancel(record)
        return record

    async def _delete(self, generation_id: str, *, keep_outputs: bool) -> None:
        record = await self._run_exclusively(
            partial(self._delete_row, generation_id, keep_outputs=keep_outputs)
        )
        clearing = asyncio.create_task(self._remove_outputs(record, keep_outputs=keep_outputs))
        self._removals.add(clearing)  # the loop itself keeps no task alive
        clearing.add_done_callback(self._removals.discard)
        await asyncio.wait({clearing}, timeout=STOP_SECONDS)

    async def _delete_row(self, generation_id: str, *, keep_outputs: bool) -> GenerationRecord:
        record = await self.get(generation_id)
        self._tracker.mark_deleted(record)
        noted = () if keep_outputs else (outputs_entry(generation_id),)
        try:
            await self._files.release(partial(remove, generation_id=generation_id), entries=noted)
        except (AvatarForgeError, SQLAlchemyError):
            self._tracker.unmark_deleted(record)
            raise
        await self._tracker.stop_deleted(record)
        self._live.deleted(record)
        return record

    async def _remove_outputs(self, record: GenerationRecord, *, keep_outputs: bool) -> None:
        """Remove the pictures of a deleted generation, once its prompt saves no more."""
        await self._tracker.wait_finished(record.prompt_id, None)
        if not keep_outputs:
            gone = await self._workers.disk(self._outputs.remove, record.id)
            done = self._files.clear_entry if gone else self._files.keep_entry
            await done(outputs_entry(record.id))

    async def _check_worker_alive(self) -> None:
        """Refuse early, before any work is done for the request. What counts is the look in `_enter`."""
        stopped = self._host.stopped()
        if stopped is not None:
            raise UnavailableError(stopped, code="worker_stopped")
        await self._check_queue_limit()

    async def _check_queue_limit(self) -> None:
        # The tracker knows of all that is active, and of what has just ended; then the rows count.
        if self._tracker.active >= self._settings.max_active_generations:
            await self._database.read(partial(check_queue_limit, limit=self._settings.max_active_generations))

    async def _resolve(
        self, deciding: Callable[[InstalledModels, Settings], ResolvedRequest]
    ) -> ResolvedRequest:
        """Decide by what the host remembers of its models; where that lacks something, look again."""
        remembered = await self._host.installed_models(fresh=False)
        try:
            decision = deciding(remembered, self._settings)
            if not decision.warnings:
                return decision
        except (UnavailableError, UnprocessableError):
            pass
        return deciding(await self._host.installed_models(), self._settings)

    async def _fit(self, spec: AvatarSpec, asked: str | None) -> AvatarSpec:
        """Several views run as one batch where the card has room for it, unless told otherwise."""
        if len(spec.views) == 1 or asked in ("batch", "sequential"):
            return spec
        fits = await self._host.batch_fits(spec.checkpoint, spec.width, spec.height, len(spec.views))
        return spec if fits else replace(spec, turnaround="sequential")


def unknown_generation(generation_id: str) -> NotFoundError:
    return NotFoundError(f"No generation {generation_id} exists.", code="generation_not_found")


def _read_cursor(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise UnprocessableError(
            "cursor must be the next_cursor of an earlier page.", ("query", "cursor"), code="invalid_cursor"
        )
    return int(cursor)


def _state(record: GenerationRecord) -> str:
    return "a graph that was queued by hand" if record.is_manual else record.status
