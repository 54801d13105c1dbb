"""Generations as users know them: submit, look, list, make anew, cancel, retry, delete."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

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
from ..graphs.compile import CompiledPrompt, compile_prompt, compile_reroll
from ..graphs.models import require_models, with_installed_names
from ..idempotency import Claim, with_claim, without_claim
from ..live.live import Live
from ..ports import CheckedPrompt, Host, InstalledModels, Prompt
from ..settings import Settings
from ..store.files import FileStore
from ..webhooks.targets import Targets
from ..workers import Workers, undisturbed
from .acceptance import (
    begin_again,
    commit_new,
    refuse_above,
    remove,
    restore,
    told_of,
    with_new_warnings,
    withdraw,
)
from .decide import AvatarRequest, Decision, decide
from .inputs import Inputs
from .journal import Journal
from .known import Asked, Known, KnownGenerations
from .outputs import OutputFolder, note_of_outputs
from .recorder import BY_HAND
from .reroll import Reroll
from .spec import AvatarSpec, Kind
from .tracker import GenerationTracker

__all__ = ["AvatarRequest", "GenerationRecord", "GenerationService", "Known", "OutputRecord", "Page"]

# How long an answer waits for a running prompt to stop. A node looks for an interruption at least once
# in each sampling step.
STOP_SECONDS = 5.0

Result = TypeVar("Result")

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class Page:
    """`total` counts all that match; `next_cursor` is None on the last page."""

    total: int
    found: list[Known]
    next_cursor: str | None

    @property
    def records(self) -> list[GenerationRecord]:
        return [known.record for known in self.found]


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
        known: KnownGenerations,
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
        self._known = known
        self._inputs = Inputs(database, files)
        self._journal = Journal(log_prompts=settings.log_prompts)
        self._clearing: set[asyncio.Task[None]] = set()

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
        await self._require_place()
        async with AsyncExitStack() as undo:
            given, reference = await self._inputs.take(request, undo)
            decision = await self._decide(partial(decide, request, views, given, reference))
            spec = await self._fit(decision.spec, request.turnaround)
            generation_id = str(uuid.uuid4())
            compiled = compile_prompt(spec, generation_id, spare_controlnet=decision.spare_controlnet)
            checked = await self._host.check(generation_id, compiled.prompt)
            receipt = {
                "inputs": _lines(compiled, generation_id),
                "warnings": [*decision.warnings, *compiled.warnings],
            }
            commit = partial(
                commit_new,
                generation_id=generation_id,
                kind=kind,
                spec=spec,
                prompt=to_json(compiled.prompt).decode(),
                receipt=to_json(receipt).decode(),
                callback_url=request.callback_url,
            )
            pose = given.record if given is not None else None
            used = [record for record in (pose, reference) if record is not None]
            take_back = partial(withdraw, generation_id=generation_id, used=used)
            record = await self._enter(commit, checked, take_back, claim)
            undo.pop_all()
        return record

    async def reroll(
        self, generation_id: str, view: str, seed: int | None, claim: Claim | None = None
    ) -> GenerationRecord:
        """Make one view anew and keep the others. Raises NotFoundError, ConflictError,
        UnprocessableError, UnavailableError, PromptRefusedError, BusyError."""
        record = await self.get(generation_id)
        if record.status != "completed" or record.kind == BY_HAND:
            raise ConflictError(
                f"Only a completed generation of the API can be re-rolled; this one is {_state(record)}."
            )
        await self._require_place()
        spec = AvatarSpec.from_json(record.spec)
        if view not in spec.views:
            has = ", ".join(filter(None, spec.views)) or "none"
            raise UnprocessableError(f"This generation has no {view} view. It has: {has}.", ("query", "pose"))
        await self._inputs.require(spec)
        chosen = secrets.randbits(53) if seed is None else seed
        position = spec.views.index(view)
        planned = replace(spec, reseeded={**spec.reseeded, view: chosen})
        compiled = compile_reroll(planned, generation_id, position)
        installed = await self._host.installed_models()
        require_models(installed, spec.checkpoint, spec.controlnet)
        prompt = with_installed_names(compiled.prompt, installed)
        checked = await self._host.check(str(uuid.uuid4()), prompt)
        again = partial(
            begin_again,
            before=record,
            refusal="Another re-roll of this generation has just begun. Wait for it.",
            receipt=with_new_warnings(record.receipt, spec, installed),
            prompt=to_json(prompt).decode(),
            prompt_id=checked.prompt_id,
            reroll=Reroll(position, view, chosen, tuple(_lines(compiled, checked.prompt_id))).to_json(),
        )
        return await self._enter(again, checked, partial(restore, before=record), claim)

    async def retry(self, generation_id: str, claim: Claim | None = None) -> GenerationRecord:
        """Run a failed generation again: the same id, seed and graph.

        Raises NotFoundError, ConflictError, UnavailableError, PromptRefusedError, BusyError.
        """
        record = await self.get(generation_id)
        if record.status != "failed" or record.kind == BY_HAND:
            raise ConflictError(f"Only a failed generation can be retried; this one is {_state(record)}.")
        await self._require_place()
        spec = AvatarSpec.from_json(record.spec)
        await self._inputs.require(spec)
        installed = await self._host.installed_models()
        require_models(installed, spec.checkpoint, spec.controlnet)
        text = await self._database.read(partial(queries.prompt_of, generation_id=generation_id))
        prompt = with_installed_names(json.loads(text or "{}"), installed)
        checked = await self._host.check(str(uuid.uuid4()), prompt)
        again = partial(
            begin_again,
            before=record,
            refusal="Another retry of this generation has just begun. Wait for it.",
            prompt_id=checked.prompt_id,
            receipt=told_of(record.receipt, checked.prompt_id, spec, installed),
            started_at=None,
            completed_at=None,
            error=None,
        )
        return await self._enter(again, checked, partial(restore, before=record), claim)

    async def cancel(self, generation_id: str) -> GenerationRecord:
        """Stop a queued or running generation; give it back as it is then.

        A running one is waited for, up to STOP_SECONDS; it may also have ended otherwise meanwhile.
        Raises NotFoundError, ConflictError.
        """
        record = await self._in_order(partial(self._cancel, generation_id))
        await self._tracker.over(record.prompt_id, STOP_SECONDS)
        return await self.get(generation_id)

    async def get(self, generation_id: str) -> GenerationRecord:
        """Read now. Raises NotFoundError."""
        record = await self._database.read(partial(queries.get, generation_id=generation_id))
        if record is None:
            raise unknown_generation(generation_id)
        return record

    async def show(self, generation_id: str) -> Known:
        """It and its words, from memory while nobody changes it. Raises NotFoundError."""
        known = await self._known.get(generation_id)
        if known is None:
            raise unknown_generation(generation_id)
        return known

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
        asked = Asked(status, limit + 1, offset, _read_cursor(cursor))
        total, found = await self._known.page(asked)
        more = len(found) > limit
        found = found[:limit]
        return Page(total, found, str(found[-1].record.sequence) if more else None)

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
            raise NotFoundError(f"Generation {generation_id} has no picture of that name.")
        return record, self._outputs.of(generation_id) / record.filename

    async def _in_order(self, step: Callable[[], Awaitable[Result]]) -> Result:
        """Change a row and ComfyUI's queue as one step, that nobody else comes between.

        It goes on to its end when the caller goes away meanwhile: a committed row without its prompt would
        be a generation that nobody runs.
        """

        async def alone() -> Result:
            async with self._tracker.in_order:
                return await step()

        return await asyncio.shield(asyncio.create_task(alone()))

    async def _enter(
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
        async with self._tracker.in_order:
            await self._require_room()  # nobody else can take it now
            record = await undisturbed(self._database.write(with_claim(commit, claim)))
            try:
                self._tracker.enter(record, checked)
            except Exception:
                await undisturbed(self._database.write(without_claim(take_back, claim)))
                raise
        # Writing a line is a wait, too: it comes once the answer is on its way.
        asyncio.get_running_loop().call_soon(self._journal.accepted, record)
        return record

    async def _cancel(self, generation_id: str) -> GenerationRecord:
        record = await self.get(generation_id)
        if record.status not in queries.ACTIVE:
            raise ConflictError(
                f"Only a queued or running generation can be cancelled; this one is {_state(record)}."
            )
        await self._tracker.cancel(record)
        return record

    async def _delete(self, generation_id: str, *, keep_outputs: bool) -> None:
        record = await self._in_order(partial(self._delete_row, generation_id, keep_outputs=keep_outputs))
        clearing = asyncio.create_task(self._clear(record, keep_outputs=keep_outputs))
        self._clearing.add(clearing)  # the loop itself keeps no task alive
        clearing.add_done_callback(self._clearing.discard)
        await asyncio.wait({clearing}, timeout=STOP_SECONDS)

    async def _delete_row(self, generation_id: str, *, keep_outputs: bool) -> GenerationRecord:
        record = await self.get(generation_id)
        self._tracker.delete(record)
        noted = () if keep_outputs else (note_of_outputs(generation_id),)
        try:
            await self._files.release(partial(remove, generation_id=generation_id), noting=noted)
        except (AvatarForgeError, SQLAlchemyError):
            self._tracker.undelete(record)
            raise
        await self._tracker.stop_deleted(record)
        self._live.deleted(record)
        return record

    async def _clear(self, record: GenerationRecord, *, keep_outputs: bool) -> None:
        """Remove the pictures of a deleted generation, once its prompt saves no more."""
        await self._tracker.over(record.prompt_id, None)
        if not keep_outputs:
            gone = await self._workers.disk(self._outputs.remove, record.id)
            done = self._files.settle if gone else self._files.keep_note
            await done(note_of_outputs(record.id))

    async def _require_place(self) -> None:
        """Refuse early, before any work is done for the request. What counts is the look in `_enter`."""
        stopped = self._host.stopped()
        if stopped is not None:
            raise UnavailableError(stopped)
        await self._require_room()

    async def _require_room(self) -> None:
        # The tracker knows of all that is active, and of what has just ended; then the rows count.
        if self._tracker.active >= self._settings.max_active_generations:
            await self._database.read(partial(refuse_above, limit=self._settings.max_active_generations))

    async def _decide(self, deciding: Callable[[InstalledModels, Settings], Decision]) -> Decision:
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
    return NotFoundError(f"No generation {generation_id} exists.")


def _read_cursor(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise UnprocessableError("cursor must be the next_cursor of an earlier page.", ("query", "cursor"))
    return int(cursor)


def _lines(compiled: CompiledPrompt, prompt_id: str) -> list[dict[str, Any]]:
    """The receipt: each line names a node, and a node has its meaning in one prompt."""
    return [{**asdict(line), "prompt_id": prompt_id} for line in compiled.inputs]


def _state(record: GenerationRecord) -> str:
    return "a graph that was queued by hand" if record.kind == BY_HAND else record.status
