"""Prepares a prompt up to its commit: resolve and compile the request, and have ComfyUI validate the
prompt."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pydantic_core import to_json

from ...db import generations as queries
from ...db.engine import Database, Query
from ...db.records import GenerationRecord
from ..characters.use import check_expression
from ..errors import UnavailableError, UnprocessableError
from ..graphs.compile import compile_reroll
from ..graphs.judging import choose_judge
from ..graphs.models import require_models, with_installed_names
from ..ports import CheckedPrompt, Host, InstalledModels, Prompt
from ..poses.service import PoseLibrary
from ..settings import Settings
from ..spec.avatar import Kind
from ..spec.receipt import Receipt
from ..spec.request import AvatarRequest
from ..spec.reroll import RequestedReroll, Reroll, waiting_to_json
from ..store.files import FileStore
from ..templates.fill import compile_template
from .applicability import chosen_views
from .compiling import (
    Resolve,
    choose_turnaround,
    compile_new,
    is_drawn_by_words,
    judged,
    new_words_warnings,
)
from .filling import RequestFiller, resolution
from .inputs import Inputs
from .rerolls import begin_reroll
from .resolve import ResolvedRequest, spare_controlnet
from .transactions import (
    commit_new,
    leave_waiting,
    receipt_for_reroll,
    refreshed_receipt,
    requeue,
    restore,
    wait_again,
    withdraw,
)
from .tries import begin_try


@dataclass(frozen=True)
class _Graph:
    """A graph and its receipt, and the columns of its row that it changes."""

    prompt: Prompt
    receipt: Receipt
    new_columns: Mapping[str, Any]


@dataclass(frozen=True)
class PreparedRun:
    """A validated prompt, the query that commits its row, and the query that undoes the commit."""

    checked: CheckedPrompt
    commit: Query[GenerationRecord]
    undo: Query[object]


class RunPreparer:
    """Every method may raise UnprocessableError, UnavailableError and PromptRefusedError."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        files: FileStore,
        host: Host,
        poses: PoseLibrary,
        filler: RequestFiller,
    ) -> None:
        self._filler = filler
        self._settings = settings
        self._database = database
        self._host = host
        self._inputs = Inputs(database, files, poses)

    async def prepare_new(
        self, request: AvatarRequest, kind: Kind, views: tuple[str, ...] | None, undo: AsyncExitStack
    ) -> PreparedRun:
        """Prepare a new generation. If `views` is None, it has one picture: the view of the pose image, or
        the front. `undo` withdraws uploads. May also raise NotFoundError and what receiving a file raises."""
        filled, template = await self._filler.fill(request, kind, views)
        request = filled.request
        views = chosen_views(request, kind, views)
        check_expression(filled)
        pose, references = await self._inputs.resolve(request, undo, filled.references)
        generation_id = str(uuid.uuid4())
        resolved = await self._resolve(resolution(filled, views, pose, references, template))
        spec = await choose_turnaround(self._host.batch_fits, resolved.spec, request.turnaround)
        compiled = compile_new(spec, generation_id, template, resolved.spare_controlnet)
        checked = await self._host.check(generation_id, compiled.prompt)
        words = await asyncio.to_thread(new_words_warnings, spec) if is_drawn_by_words(spec) else ()
        warnings = (*resolved.warnings, *words, *compiled.warnings)
        receipt = Receipt(compiled.inputs, warnings)
        commit = partial(
            commit_new,
            generation_id=generation_id,
            kind=kind,
            spec=spec,
            prompt=to_json(compiled.prompt).decode(),
            receipt=receipt.for_prompt(generation_id),
            callback_url=request.callback_url,
            now=self._database.now(),
            hidden=[item.record.id for item in references if item.record.deleted_at is not None],
        )
        poses = [pose.record] if pose is not None and pose.record is not None else []
        # A file can be used in several ways.
        used = list(
            {record.id: record for record in (*poses, *(item.record for item in references))}.values()
        )
        return PreparedRun(checked, commit, partial(withdraw, generation_id=generation_id, used=used))

    async def prepare_reroll(
        self, record: GenerationRecord, wanted: RequestedReroll, waiting: Sequence[RequestedReroll] = ()
    ) -> PreparedRun:
        """Prepare to generate one picture of a completed generation again, while `waiting` go on waiting. May
        also raise ConflictError; the commit raises it if the generation has changed since."""
        spec, position = record.spec, wanted.position
        current = record.output_at(position)
        await self._inputs.check_present(spec)
        reseeded = spec.with_seed_at(position, wanted.seed)
        installed = await self._host.installed_models()
        if spec.judge is not None:  # with what is installed now
            reseeded = replace(reseeded, judge=choose_judge(installed))
        if spec.template is not None:
            template = await self._filler.template_of(spec.template)
            compiled = compile_template(template, reseeded, record.id, [position])
        else:
            compiled = compile_reroll(reseeded, record.id, position)
        compiled = judged(compiled, reseeded, record.id)
        require_models(installed, spec)
        prompt = with_installed_names(compiled.prompt, installed)
        checked = await self._host.check(str(uuid.uuid4()), prompt)
        inputs = Receipt(compiled.inputs).for_prompt(checked.prompt_id).inputs
        take = (current.last_take if current is not None else 0) + 1
        commit = partial(
            begin_reroll,
            before=record,
            receipt=receipt_for_reroll(record, installed).to_json(),
            prompt=to_json(prompt).decode(),
            prompt_id=checked.prompt_id,
            reroll=Reroll(position, spec.pictures[position], wanted.seed, inputs, take).to_json(),
            waiting_rerolls=waiting_to_json(waiting),
            **begin_try(record),
        )
        return PreparedRun(checked, commit, partial(restore, before=record))

    async def prepare_retry(self, record: GenerationRecord) -> PreparedRun:
        """Prepare to run the graph of a failed generation again. May also raise ConflictError."""
        await self._inputs.check_present(record.spec)
        graph = await self._graph_of(record, await self._host.installed_models())
        checked = await self._host.check(str(uuid.uuid4()), graph.prompt)
        receipt, columns = graph.receipt.for_prompt(checked.prompt_id), graph.new_columns
        if record.reroll is not None:  # an earlier release could leave a re-roll as a failed generation
            made = Receipt(record.reroll.inputs).for_prompt(checked.prompt_id).inputs
            receipt, columns = graph.receipt, {"reroll": replace(record.reroll, inputs=made).to_json()}
        commit = partial(
            requeue,
            before=record,
            refusal="Another retry of this generation has just begun. Wait for it.",
            prompt_id=checked.prompt_id,
            receipt=receipt.to_json(),
            waiting_place=None,
            started_at=None,
            completed_at=None,
            error=None,
            **columns,
        )
        return PreparedRun(checked, commit, partial(restore, before=record))

    async def prepare_waiting(self, record: GenerationRecord) -> PreparedRun:
        """Prepare to hand a waiting generation of a batch to ComfyUI. May also raise ConflictError; the
        commit raises it if the generation no longer waits."""
        await self._inputs.check_present(record.spec)
        try:
            graph = await self._graph_of(record, await self._host.installed_models(fresh=False))
        except UnavailableError:
            graph = await self._graph_of(record, await self._host.installed_models())
        checked = await self._host.check(record.prompt_id, graph.prompt)
        commit = partial(
            leave_waiting,
            before=record,
            receipt=graph.receipt.for_prompt(record.prompt_id).to_json(),
            **graph.new_columns,
        )
        return PreparedRun(checked, commit, partial(wait_again, before=record))

    async def prompt_of(self, record: GenerationRecord) -> Prompt:
        """The graph of a generation; of one that waits, the graph that would run now."""
        text = await self._database.read(partial(queries.prompt_of, generation_id=record.id))
        if text:
            prompt: Prompt = json.loads(text)
            return prompt
        return (await self._graph_of(record, await self._host.installed_models(fresh=False))).prompt

    async def _graph_of(self, record: GenerationRecord, installed: InstalledModels) -> _Graph:
        """The stored graph of a generation, with the names that its models have now; compiled if it has never
        left a batch's line. Raises UnavailableError and ConflictError."""
        spec = record.spec
        require_models(installed, spec)
        text = await self._database.read(partial(queries.prompt_of, generation_id=record.id))
        if text:
            prompt = with_installed_names(json.loads(text), installed)
            return _Graph(prompt, refreshed_receipt(record, installed), {})
        template = await self._filler.template_of(spec.template) if spec.template is not None else None
        spare = spare_controlnet(spec, installed, self._settings)
        compiled = await asyncio.to_thread(compile_new, spec, record.id, template, spare)
        receipt = Receipt(compiled.inputs).with_warnings([*record.receipt.warnings, *compiled.warnings])
        prompt = with_installed_names(compiled.prompt, installed)
        return _Graph(prompt, receipt, {"prompt": to_json(prompt).decode()})

    async def _resolve(self, resolve: Resolve) -> ResolvedRequest:
        """Resolve with the cached list of models; if that fails or warns, with a fresh one."""
        cached = await self._host.installed_models(fresh=False)
        try:
            resolved = resolve(cached, self._settings)
            if not resolved.warnings:
                return resolved
        except (UnavailableError, UnprocessableError):
            pass
        return resolve(await self._host.installed_models(), self._settings)
